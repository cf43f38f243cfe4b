"""A message file: front matter with `subject` and `short`, then the body."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches

from service.ports import Problem
from service.rendering.marks import RESERVED

_KEYS = ("subject", "short")
_LINE = re.compile(r"([A-Za-z_]+)[ \t]*:[ \t]*(.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a file, and how many lines stand before it."""

    text: str
    above: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What one message file says in one language."""

    file: str
    text: str  # all of it, with line feeds only
    subject: Part
    short: Part
    body: Part


def read(text: str, *, file: str) -> Source | list[Problem]:
    """The parts of a message file, or what keeps them from being read.

    A value goes to the end of its line, and on over lines that are indented; it may be put in quotes.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    problems: list[Problem] = []

    def wrong(code: str, line: int, message: str, suggestion: str | None = None) -> None:
        problems.append(Problem(code=code, file=file, line=line, message=message, suggestion=suggestion))

    if odd := RESERVED.search(text):
        wrong("not_allowed", text.count("\n", 0, odd.start()) + 1, "a character that cannot stand in a message")
    lines = text.split("\n")
    if lines[0].strip() != "---" or "---" not in [line.strip() for line in lines[1:]]:
        wrong("no_front_matter", 1, "a message begins with a line `---`, `subject:`, `short:` and `---` again")
        return problems
    end = [line.strip() for line in lines].index("---", 1)
    found: dict[str, Part] = {}
    key = ""
    for number, line in enumerate(lines[1:end], start=2):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None and key and line[0] in " \t":
            found[key] = Part(text=f"{found[key].text}\n{line.strip()}", above=found[key].above)
        elif match is None:
            wrong("front_matter", number, "a line of the front matter is `subject: …` or `short: …`")
        elif match[1] not in _KEYS:
            near = get_close_matches(match[1], _KEYS, n=1)
            wrong("unknown_key", number, f"there is no `{match[1]}`", near[0] if near else None)
        elif match[1] in found:
            wrong("repeated_key", number, f"`{match[1]}` is there twice")
        else:
            key = match[1]
            found[key] = Part(text=_unquoted(match[2].strip()), above=number - 1)
    for name in _KEYS:
        if name not in found or not found[name].text.strip():
            wrong(f"missing_{name}", 1, f"`{name}:` is missing or empty")
    body = "\n".join(lines[end + 1 :])
    if not body.strip():
        wrong("missing_body", end + 1, "the message says nothing below its front matter")
    if problems:
        return problems
    return Source(
        file=file,
        text=text,
        subject=found["subject"],
        short=found["short"],
        body=Part(text=body, above=end + 1),
    )


def _unquoted(value: str) -> str:
    quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted and value[0] not in value[1:-1] else value
