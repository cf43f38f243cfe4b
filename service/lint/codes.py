"""Every code that a problem can have: how grave it is, what it means, and how to mend it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from avisa.diagnostics.diagnostic import Diagnostic
from avisa.templates.message_file import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One kind of problem; `wrong` and `right` are an example and its mending."""

    code: str
    severity: Literal["error", "warning"]
    means: str
    text: str
    wrong: str | None = None
    right: str | None = None


@cache
def codes() -> Mapping[str, Code]:
    """All of them, in the order in which they are explained."""
    told = tomllib.loads(files(__package__).joinpath("codes.toml").read_text("utf-8"))
    return {code: Code(code=code, **{**one, "text": one["text"].strip()}) for code, one in told.items()}


def table() -> str:
    """The codes as rows of Markdown, for `templates/README.md`."""
    rows = (f"| `{code.code}` | {code.severity} | {code.means} |\n" for code in codes().values())
    return "| code | severity | what it means |\n|---|---|---|\n" + "".join(rows)


def problem(code: str, file: str, place: Place, message: str, suggestion: str | None = None) -> Diagnostic:
    """A problem as grave as its code."""
    line, column = place
    severity = codes()[code].severity
    return Diagnostic(
        code=code, severity=severity, file=file, line=line, column=column, message=message, suggestion=suggestion
    )
