"""The codes of diagnostics: for each, how grave it is, what it means, and how to mend it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from avisa.diagnostics.diagnostic import Diagnostic, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One kind of diagnostic; `wrong` and `right` are an example of it, and the same example mended."""

    code: str
    severity: Severity
    means: str
    text: str
    wrong: str | None = None
    right: str | None = None


@cache
def codes() -> Mapping[str, Code]:
    """Return all codes, in the order in which `templates/README.md` lists them."""
    tables = tomllib.loads(files(__package__).joinpath("codes.toml").read_text("utf-8"))
    return {code: Code(code=code, **{**each, "text": each["text"].strip()}) for code, each in tables.items()}


def table() -> str:
    """Return the codes as a table in Markdown, for `templates/README.md`."""
    rows = (f"| `{code.code}` | {code.severity} | {code.means} |\n" for code in codes().values())
    return "| code | severity | what it means |\n|---|---|---|\n" + "".join(rows)


def diagnostic(
    code: str, file: str, place: tuple[int, int], message: str, suggestion: str | None = None
) -> Diagnostic:
    """Return a diagnostic with the severity of its code; `place` is line and column."""
    return Diagnostic.at(place, code, file, message, suggestion, codes()[code].severity)
