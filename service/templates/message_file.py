"""A message file: front matter with `subject` and `short`, then the body."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from avisa.core.characters import hidden_at
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.suggest import closest_match
from avisa.templates.reserved import RESERVED

_KEYS = ("subject", "short")
_LINE = re.compile(r"([A-Za-z_]+)[ \t]*:[ \t]*(.*)")
_DIRECTION_MARKS = dict.fromkeys(map(ord, "\u200e\u200f"), " ")  # who writes from right to left needs them

Place = tuple[int, int]  # line and column, from 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a file, and where in the file each of its lines begins."""

    text: str
    begins: tuple[Place, ...]
    _offsets: tuple[int, ...]  # of the same lines in `text`

    @classmethod
    def of(cls, text: str, *begins: Place) -> Part:
        """Return a piece whose first lines begin at `begins`; all further lines follow below, at the left edge."""
        offsets = (0, *(found.end() for found in re.finditer("\n", text)))
        below = tuple((begins[-1][0] + n, 1) for n in range(1, len(offsets) - len(begins) + 1))
        return cls(text=text, begins=(*begins, *below), _offsets=offsets)

    def place(self, offset: int) -> Place:
        """Return line and column in the file of the character at `offset`."""
        number = bisect_right(self._offsets, offset) - 1
        line, column = self.begins[number]
        return line, column + offset - self._offsets[number]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The parts of a message file."""

    file: str
    text: str  # all of it, with line feeds only
    subject: Part
    short: Part
    body: Part


def read(text: str, *, file: str) -> Source | list[Diagnostic]:
    """Return the parts of a message file, or all that keeps it from being read.

    A value of the front matter ends with its line and the indented lines below; it may stand in quotes.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    problems: list[Diagnostic] = []

    def wrong(code: str, line: int, message: str, suggestion: str | None = None, *, column: int = 1) -> None:
        problems.append(Diagnostic.at((line, column), code, file, message, suggestion))

    if odd := RESERVED.search(text):
        at = Part.of(text, (1, 1)).place(odd.start())
        wrong("not_allowed", at[0], "a character that cannot stand in a message", column=at[1])
    elif (hidden := hidden_at(text.translate(_DIRECTION_MARKS))) >= 0:
        at = Part.of(text, (1, 1)).place(hidden)
        problem = f"a character that nobody sees, U+{ord(text[hidden]):04X}; delete it"
        wrong("not_allowed", at[0], problem, column=at[1])
    lines = text.split("\n")
    if lines[0].strip() != "---" or "---" not in [line.strip() for line in lines[1:]]:
        wrong("no_front_matter", 1, "a message begins with a line `---`, `subject:`, `short:` and `---` again")
        return problems
    end = [line.strip() for line in lines].index("---", 1)
    found: dict[str, list[tuple[Place, str]]] = {}
    key = ""
    for number, line in enumerate(lines[1:end], start=2):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None and key and line[0] in " \t":
            found[key].append(((number, len(line) - len(line.lstrip()) + 1), line.strip()))
        elif match is None:
            wrong("front_matter", number, "a line of the front matter is `subject: …` or `short: …`")
        elif match[1] not in _KEYS:
            near = closest_match(match[1], _KEYS)
            allowed = ", ".join(_KEYS)
            wrong("unknown_key", number, f"there is no `{match[1]}`; allowed: {allowed}", near)
        elif match[1] in found:
            wrong("given_twice", number, f"`{match[1]}` is given twice, first in line {found[match[1]][0][0][0]}")
        else:
            key = match[1]
            found[key] = [_unquoted(number, match.start(2) + 1, match[2].rstrip())]
    for name in _KEYS:
        if not any(value for _, value in found.get(name, ())):
            where = found[name][0][0][0] if name in found else end + 1
            wrong(f"missing_{name}", where, f"`{name}:` is missing or empty")
    body = "\n".join(lines[end + 1 :])
    if not body.strip():
        wrong("missing_body", end + 1, "the message says nothing below its front matter")
    if problems:
        return problems
    return Source(
        file=file,
        text=text,
        subject=_part(found["subject"]),
        short=_part(found["short"]),
        body=Part.of(body, (end + 2, 1)),
    )


def _part(lines: list[tuple[Place, str]]) -> Part:
    return Part.of("\n".join(text for _, text in lines), *(place for place, _ in lines))


def _unquoted(line: int, column: int, value: str) -> tuple[Place, str]:
    """Return a value without its quotes, and where it begins."""
    quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'"
    if quoted and value[0] not in value[1:-1]:
        return (line, column + 1), value[1:-1]
    return (line, column), value
