"""Problems as a good compiler tells them, and as forges read them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.text import Text

from avisa.cli.answer import json_text
from avisa.cli.views.tables import table
from avisa.core.characters import printable
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.lint.codes import Code

_COLORS = {"error": "bold red", "warning": "bold yellow"}
# What is underlined, from the place of a problem on: a word, an address, a tag, what stands in quotes.
_WORD = re.compile(r"""\{%.*?%\}|\{\{.*?\}\}|"[^"]*"|<[^>]*>|!\[[^]]*\]\([^)]*\)|\w+:[^\s)>"']{3,}|[\w./-]+|\S""")
_MEANT = re.compile(r"[\w.:/#?&=@-]+(\(\))?")
_WIDEST = 160  # characters of a source line that are shown, where the terminal is wide enough
_NUMBER = 8  # columns before it


def text(problems: Sequence[Diagnostic], folder: Path) -> RenderableType:
    """Each problem with its place, its line and a caret under the word at fault; then the sum."""
    if not problems:
        return Text("All is well.", style="green")
    lines_of = cache(_lines)
    widest = max(40, min(_WIDEST, get_terminal_size((_WIDEST + _NUMBER, 24)).columns - _NUMBER - 2))
    shown: list[Text] = []
    for problem in problems:
        shown += _problem(problem, _path(problem, folder), lines_of(folder / problem.file), widest)
        shown.append(Text())
    for line in shown:  # a caret belongs under its word, and a place on one line with what is wrong there
        line.no_wrap, line.overflow = True, "ignore"
    return Group(*shown, _sum(problems))


def github(problems: Sequence[Diagnostic], folder: Path) -> str:
    """Workflow commands of GitHub Actions: one annotation each."""
    lines = []
    for problem in problems:
        where = f"file={_property(_path(problem, folder))},line={problem.line or 1},col={problem.column or 1}"
        text = _escaped(printable(problem.summary))
        lines.append(f"::{problem.severity} {where},title={_property(problem.code)}::{text}\n")
    return "".join(lines)


def gitlab(problems: Sequence[Diagnostic], folder: Path) -> str:
    """A Code Quality report of GitLab's (a subset of Code Climate's format)."""
    lines_of = cache(_lines)
    report = []
    seen: dict[str, int] = {}
    for problem in problems:
        lines = lines_of(folder / problem.file)
        source = lines[problem.line - 1] if problem.line and problem.line <= len(lines) else ""
        # Not the line's number, so that a problem stays the same one while lines come and go above it.
        what = "\0".join((problem.code, problem.file, source.strip(), problem.message))
        seen[what] = seen.get(what, 0) + 1
        report.append(
            {
                "description": problem.summary,
                "check_name": problem.code,
                "fingerprint": hashlib.sha256(
                    f"{what}\0{seen[what]}".encode("utf-8", "backslashreplace")
                ).hexdigest(),
                "severity": "major" if problem.severity == "error" else "minor",
                "location": {"path": _path(problem, folder), "lines": {"begin": problem.line or 1}},
            }
        )
    return json_text(report)


def explanation(code: Code) -> RenderableType:
    """What `--explain` prints."""
    parts = [Text.assemble((code.severity, _COLORS[code.severity]), f" {code.code}"), Text(), Text(code.means)]
    parts += [Text(), Text(" ".join(code.text.split()))]
    for word, example in (("Wrong", code.wrong), ("Right", code.right)):
        if example:
            parts += [Text(), Text(f"{word}:"), Text(f"    {example}")]
    return Group(*parts)


def _problem(problem: Diagnostic, file: str, lines: Sequence[str], widest: int) -> Iterator[Text]:
    color = _COLORS[problem.severity]
    place = replace(problem, file=printable(file)).location
    yield Text.assemble(
        (place, "bold"), "  ", (f"{problem.severity}[{problem.code}]", color), f"  {printable(problem.message)}"
    )
    hint = printable(_hint(problem.suggestion)) if problem.suggestion else ""
    if problem.line is None or not 0 < problem.line <= len(lines):
        if hint:
            yield Text(f"{' ' * _NUMBER}{hint}", "green")
        return
    source, at = lines[problem.line - 1], (problem.column or 1) - 1
    word = _WORD.match(source, at)
    cut = max(0, at - widest // 3) if len(source) > widest else 0
    before = _shown(("…" if cut else "") + source[cut:at])
    part = before + _shown(source[at : cut + widest] + ("…" if len(source) > cut + widest else ""))
    yield Text.assemble((f"{problem.line:>{_NUMBER - 3}} | ", "bright_black"), part)
    carets = "^" * max(1, cell_len(_shown((word[0] if word else "")[: cut + widest - at])))
    pointer = Text.assemble((f"{' ' * (_NUMBER - 2)}| ", "bright_black"), " " * cell_len(before), (carets, color))
    yield pointer.append(f" {hint}", "green") if hint else pointer


def _shown(text: str) -> str:
    return printable(text.replace("\t", " "))


def _sum(problems: Sequence[Diagnostic]) -> Text:
    errors = sum(problem.severity == "error" for problem in problems)
    counted = [_counted(errors, "error"), _counted(len(problems) - errors, "warning")]
    code = next((problem.code for problem in problems if problem.severity == "error"), problems[0].code)
    return Text(f"{' and '.join(filter(None, counted))}. More: avisa check --explain {code}")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number > 1)}" if number else ""


def _hint(suggestion: str) -> str:
    """A word that was probably meant, or what to write."""
    return f"did you mean {suggestion}?" if _MEANT.fullmatch(suggestion) else f"try: {suggestion}"


def _lines(file: Path) -> list[str]:
    """The file as it lies there; nothing if it cannot be read, which is a problem of its own."""
    if not file.is_file():
        return []  # a pipe would let us wait for ever
    try:
        return file.read_text("utf-8").removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    except (OSError, UnicodeDecodeError):
        return []


def _path(problem: Diagnostic, folder: Path) -> str:
    """From where the command was called, which in CI is the top of the repository."""
    whole = folder.resolve() / problem.file
    here = Path.cwd()
    return (whole.relative_to(here) if whole.is_relative_to(here) else folder / problem.file).as_posix()


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(printable(text)).replace(":", "%3A").replace(",", "%2C")


def observed_variables(live: Sequence[Mapping[str, Any]]) -> RenderableType:
    """For each status, how often each variable was there, and what it looks like."""
    if not live:
        return Text("The store has no order yet, so there is nothing to say of live events.", style="bright_black")
    parts: list[RenderableType] = []
    for one in live:
        shown = table(
            (f"{printable(one['status'])}: {_orders(one['orders'])}", "known", "", "it looks like"),
            [_row(variable, one["orders"]) for variable in one["variables"]],
            numbers=("known",),
        )
        parts += [shown]
    return Group(*parts)


def _orders(number: int) -> str:
    return "1 order" if number == 1 else f"the last {number:,} orders"


def _row(variable: Mapping[str, Any], orders: int) -> tuple[object, ...]:
    known = variable["known"]
    share = f"{known * 100 // orders} %" if known in (0, orders) or known * 100 >= orders else "< 1 %"
    return variable["name"], Text(share, style="" if known == orders else "yellow"), f"{known:,}", variable["example"]
