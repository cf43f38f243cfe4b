"""Slips in YAML, told to somebody who never learned its grammar.

Its parser says what it expected, and where it gave up. People ask what they did wrong, and where: that is often a
line earlier, and mostly one of a dozen things.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from yaml import Mark, MarkedYAMLError

_COMMENT = re.compile(r"(^|\s)#.*")
_KEY = re.compile(r"""\s*(?:- )*("[^"]*"|'[^']*'|[^\s:"'#][^:#]*?)\s*:\s+""")
_NO_SPACE = re.compile(r"([^\s:][^:]*):(?=[^\s:/])(.*)")
_NO_COLON = re.compile(r"([\w.-]+)[\s=]+(.*)")
_ENTRY = re.compile(r":(\s|$)|^\s*- ")
_NO_WORD = re.compile(r"[^\w.-]")
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # as the parser counts lines
_ADDRESS = re.compile(r"\w@\w")
# What comes along with text from elsewhere, and looks like a blank, or like nothing.
_ODD_BLANK = re.compile("[\u00a0\u1680\u2000-\u200d\u202f\u205f\u2060\u3000\ufeff]")
_BEGINNING = Mark("", 0, 0, 0, None, 0)
_CLOSING = {"{": "}", "[": "]"}
_INDENT = "<block (?:mapping|sequence) start>"


@dataclass(frozen=True, slots=True)
class Slip:
    """What somebody did, where, and what they probably meant. Line and column count from 0."""

    message: str
    line: int
    column: int
    suggestion: str | None = None


def slip_of(error: MarkedYAMLError, text: str) -> Slip:
    """What the parser stumbled over."""
    at = error.problem_mark or error.context_mark or _BEGINNING
    lines = _BREAK.split(text)
    said = _Said(
        lines=lines,
        above=[number for number, line in enumerate(lines[: at.line]) if _uncommented(line)],
        at=at,
        since=error.context_mark or at,
        words=", ".join(filter(None, (error.context, error.problem))),
    )
    slip = _told(said)
    return replace(slip, suggestion=None) if _ADDRESS.search(slip.suggestion or "") else slip  # none is repeated


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What the parser says, and the text it speaks of."""

    lines: list[str]
    above: list[int]  # the lines above the one in which it gave up that are not empty
    at: Mark  # where it gave up
    since: Mark  # where what it was reading begins
    words: str

    @property
    def line(self) -> str:
        """The line in which it gave up."""
        return self.lines[self.at.line] if self.at.line < len(self.lines) else ""

    def indent(self, number: int) -> int:
        return len(self.lines[number]) - len(self.lines[number].lstrip(" "))

    def here(self, message: str, suggestion: str | None = None) -> Slip:
        return Slip(message, self.at.line, self.at.column, suggestion)

    def there(self, message: str, suggestion: str | None = None) -> Slip:
        """At the beginning of what it was reading."""
        return Slip(message, self.since.line, self.since.column, suggestion)


def _told(said: _Said) -> Slip:
    for number in (said.since.line, *said.above[-2:], said.at.line):
        if number < len(said.lines) and (odd := _ODD_BLANK.search(said.lines[number])):
            seen = "what looks like a blank here is another sign (it came with a text from elsewhere)"
            return Slip(seen, number, odd.start(), "a blank of your own in its place")
    for pattern, told in _SLIPS:
        if found := re.search(pattern, said.words):
            return told(said, *found.groups())
    return said.here(f"this is not YAML: {said.words}")


# ---------------------------------------------------------------- keys and their values


def _no_colon(said: _Said) -> Slip:
    return _key_alone(said, said.since.line, said.since.column)


def _key_alone(said: _Said, line: int, column: int, *, nested: bool = False) -> Slip:
    rest = _uncommented(said.lines[line][column:])
    if found := _NO_SPACE.match(rest):
        return Slip("a colon needs a space after it", line, column, f"{found[1]}: {found[2]}")
    found = _NO_COLON.match(rest)
    meant: str | None = f"{rest}:" if nested else f"{rest}: …"
    if found and not nested:
        meant = None if " " in found[2] else f"{found[1]}: {found[2]}"
    return Slip("a key needs a colon and a space after it; a remark begins with #", line, column, meant)


def _second_colon(said: _Said) -> Slip:
    key = _KEY.match(said.line)
    if key is None or key.end() > said.at.column:
        return _indented(said)
    value = _uncommented(said.line[key.end() :])
    return Slip("a text with a colon in it needs quotes", said.at.line, key.end(), _quoted(value))


def _begins_oddly(said: _Said, sign: str) -> Slip:
    if sign == "\\t":
        return said.here("a tab stands here; lines are indented with spaces", "spaces, as in the lines around it")
    return _needs_quotes(said, said.at)


def _sign(said: _Said) -> Slip:
    return _needs_quotes(said, said.since)


def _needs_quotes(said: _Said, mark: Mark) -> Slip:
    rest = _uncommented(said.lines[mark.line][mark.column :])
    return Slip(f"a text that begins with `{rest[:1]}` needs quotes", mark.line, mark.column, _quoted(rest))


# ---------------------------------------------------------------- lines and how far they are indented


def _indented(said: _Said) -> Slip:
    """A line that lines up with nothing above it that could take it."""
    own = said.indent(said.at.line)
    above = said.above[-1] if said.above else said.at.line
    if said.indent(above) <= own and not _ENTRY.search(_uncommented(said.lines[above])):
        # The parser took both lines for one value.
        return _key_alone(said, above, said.indent(above), nested=said.indent(above) < own)
    fitting: list[int] = []
    for number in reversed(said.above):
        if not fitting or said.indent(number) < fitting[-1]:
            fitting.append(said.indent(number))
    if not fitting:
        return said.here("a second colon in this line")
    spaces = f"{own} space{'' if own == 1 else 's'}"
    would = _either(map(str, reversed(fitting)))
    beside = f"line {above + 1} above it by {fitting[0]}"
    told = f"this line is indented by {spaces}, {beside}; {would} would fit"
    lower = next((number for number in reversed(said.above) if said.indent(number) < own), None)
    if lower is not None and any(said.indent(number) == own for number in said.above if number < lower):
        told += f", or line {lower + 1} belongs at {own}"  # as what stands before it does
    return Slip(told, said.at.line, own)


def _list_in_line(said: _Said) -> Slip:
    return said.here("a list begins in the line below its key, or stands in brackets", "[a, b]")


def _mixed(said: _Said, collection: str) -> Slip:
    if collection == "collection":
        return said.here("the lines above it are a list, and this line does not begin with `- `")
    return said.here("this begins an entry of a list, where a key is expected")


# ---------------------------------------------------------------- quotes and brackets


def _after_quotes(said: _Said) -> Slip:
    key = _KEY.match(said.line)
    begin = key.end() if key else 0
    value = _uncommented(said.line[begin:])
    if opened := _opened_above(said):
        return opened
    match value[:1]:
        case "'":
            inner = value.strip("'").replace("''", "'")
            return said.here("the apostrophe before this ends the text; use double quotes", _quoted(inner))
        case '"':
            inner = value.replace('\\"', '"') if '\\"' in value else value
            inner = inner.replace('"', "")
            return said.here("after the text in quotes, something else stands in the line", _quoted(inner))
        case "{" | "[" as sign:
            return Slip(f"a text that begins with `{sign}` needs quotes", said.at.line, begin, _quoted(value))
        case _:
            return said.here("nothing can follow in this line")


def _opened_above(said: _Said) -> Slip | None:
    """The quotes above that these close, which were meant to open a text of their own."""
    if said.line[: said.at.column].count('"') % 2 == 0:
        return None
    for number in reversed(range(said.at.line)):
        line = said.lines[number]
        if line.count('"') % 2:
            return Slip(
                f"the quotes that begin here are closed only in line {said.at.line + 1}", number, line.rfind('"')
            )
    return None


def _quotes_open(said: _Said) -> Slip:
    return said.there("the quotes that begin here are never closed")


def _escape(said: _Said) -> Slip:
    return said.here("a backslash in double quotes does not stand for itself", "single quotes: '…'")


def _brackets(said: _Said, got: str) -> Slip:
    opening = said.lines[said.since.line][said.since.column : said.since.column + 1]
    closing = _CLOSING.get(opening, "")
    if got in _CLOSING.values():
        return said.here(f"what `{opening}` opened, `{closing}` closes", closing)
    if said.at.line > said.since.line:
        return said.there(f"this `{opening}` is not closed, or a comma is missing between its entries", closing)
    column = said.at.column
    if got == ":":  # of an entry whose key is before it
        before = said.line[:column].rstrip()
        column = len(before) - len(_NO_WORD.split(before)[-1])
    return Slip(f"a comma is missing before this, or the `{closing}`", said.at.line, column)


def _misplaced(said: _Said, sign: str) -> Slip:
    if sign == ",":
        return said.here("there is nothing before this comma, or no list around it")
    if sign.startswith("<"):
        return said.here("something is missing before this")
    return said.here(f"`{sign}` cannot stand here; a text with such signs needs quotes")


# ---------------------------------------------------------------- words


def _uncommented(text: str) -> str:
    return _COMMENT.sub("", text).strip()


def _quoted(text: str) -> str:
    """In quotes that take what is in it."""
    if {'"', "\\"} & set(text):
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'


def _either(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


# What PyYAML says; the first that fits tells.
_SLIPS: tuple[tuple[str, Callable[..., Slip]], ...] = (
    (r"could not find expected ':'", _no_colon),
    (r"mapping values are not allowed here", _second_colon),
    (r"found character '(.+)' that cannot start any token", _begins_oddly),
    (r"while (?:scanning|parsing) an? (?:alias|anchor|block scalar|directive|tag)", _sign),
    (r"mapping keys are not allowed here", _sign),
    (rf"expected (?:<block end>|'<document start>'), but found '{_INDENT}'", _indented),
    (r"sequence entries are not allowed here", _list_in_line),
    (r"while parsing a block (mapping|collection), expected <block end>, but found '[?-]'", _mixed),
    (r"expected <block end>, but found '<scalar>'", _after_quotes),
    (r"while scanning a quoted scalar, found unexpected", _quotes_open),
    (r"while scanning a double-quoted scalar", _escape),
    (r"while parsing a flow (?:mapping|sequence), expected ',' or '[}\]]', but got '(.+)'", _brackets),
    (
        r"directive|tag handle|incompatible",
        _sign,
    ),
    (r"(?:expected the node content|expected <block end>|'<document start>'), but found '(.+)'", _misplaced),
)
