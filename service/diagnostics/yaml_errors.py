"""YAML mistakes, explained to somebody who never learned YAML's grammar.

PyYAML says what its parser expected and where it gave up. People ask what they did wrong and where, which is often a
line earlier, and nearly always one of a dozen things.

`_EXPLANATIONS` recognises a mistake by the *wording* of PyYAML's errors, the only thing that tells one from another.
A new PyYAML may word them differently: its version is pinned, and `tests/diagnostics/test_yaml_errors.py` has each of
the mistakes. What none of the patterns fits is passed on in PyYAML's own words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from yaml import Mark, MarkedYAMLError

from avisa.diagnostics.diagnostic import Diagnostic, Place

_COMMENT = re.compile(r"(^|\s)#.*")
_KEY = re.compile(r"""\s*(?:- )*("[^"]*"|'[^']*'|[^\s:"'#][^:#]*?)\s*:\s+""")
_NO_SPACE = re.compile(r"([^\s:][^:]*):(?=[^\s:/])(.*)")
_KEY_ONLY = re.compile(r"([\w.-]+)[\s=]+(.*)")
_ENTRY = re.compile(r":(\s|$)|^\s*- ")
_NOT_IN_WORD = re.compile(r"[^\w.-]")
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # as the parser counts lines
_ADDRESS = re.compile(r"\w@\w")
# Signs that come with text copied from elsewhere, and look like a blank or like nothing.
_ODD_BLANK = re.compile("[\u00a0\u1680\u2000-\u200d\u202f\u205f\u2060\u3000\ufeff]")
_BEGINNING = Mark("", 0, 0, 0, None, 0)
_CLOSING = {"{": "}", "[": "]"}
_INDENT = "<block (?:mapping|sequence) start>"


class DocumentError(Exception):
    """The text is not a YAML document that we take: why, where, and what was probably meant."""

    def __init__(self, code: str, message: str, place: Place, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.place, self.suggestion = code, message, place, suggestion

    def diagnostic(self, file: str) -> Diagnostic:
        return Diagnostic.at(self.place, self.code, file, self.message, self.suggestion)


def explain(error: MarkedYAMLError, text: str) -> DocumentError:
    """Return what somebody did wrong in `text`, which PyYAML refused with `error`."""
    stop = error.problem_mark or error.context_mark or _BEGINNING
    lines = _LINE_BREAK.split(text)
    report = _Report(
        lines=lines,
        above=[number for number, line in enumerate(lines[: stop.line]) if _uncommented(line)],
        stop=stop,
        start=error.context_mark or stop,
        wording=", ".join(filter(None, (error.context, error.problem))),
    )
    explained = _explained(report)
    if _ADDRESS.search(explained.suggestion or ""):
        explained.suggestion = None  # errors are logged, and no e-mail address may be
    return explained


@dataclass(frozen=True, slots=True, kw_only=True)
class _Report:
    """PyYAML's report, and the text it is about. Lines and columns count from 0, as PyYAML's do."""

    lines: list[str]
    above: list[int]  # numbers of the lines above `stop` that are not empty
    stop: Mark  # where the parser gave up
    start: Mark  # where the piece that it was reading begins
    wording: str

    @property
    def line(self) -> str:
        """The line in which the parser gave up."""
        return self.lines[self.stop.line] if self.stop.line < len(self.lines) else ""

    def indent(self, number: int) -> int:
        return len(self.lines[number]) - len(self.lines[number].lstrip(" "))

    def at_stop(self, message: str, suggestion: str | None = None) -> DocumentError:
        return _mistake(message, self.stop.line, self.stop.column, suggestion)

    def at_start(self, message: str, suggestion: str | None = None) -> DocumentError:
        return _mistake(message, self.start.line, self.start.column, suggestion)


def _mistake(message: str, line: int, column: int, suggestion: str | None = None) -> DocumentError:
    return DocumentError("not_yaml", message, Place(line + 1, column + 1), suggestion)


def _explained(report: _Report) -> DocumentError:
    for number in (report.start.line, *report.above[-2:], report.stop.line):
        if number < len(report.lines) and (odd := _ODD_BLANK.search(report.lines[number])):
            message = "what looks like a blank here is another sign (it came with a text from elsewhere)"
            return _mistake(message, number, odd.start(), "a blank of your own in its place")
    for pattern, explanation in _EXPLANATIONS:
        if found := re.search(pattern, report.wording):
            return explanation(report, *found.groups())
    return report.at_stop(f"this is not YAML: {report.wording}")


# ---------------------------------------------------------------- keys and their values


def _key_without_colon(report: _Report, line: int, column: int, *, nested: bool = False) -> DocumentError:
    rest = _uncommented(report.lines[line][column:])
    if found := _NO_SPACE.match(rest):
        return _mistake("a colon needs a space after it", line, column, f"{found[1]}: {found[2]}")
    found = _KEY_ONLY.match(rest)
    meant: str | None = f"{rest}:" if nested else f"{rest}: …"
    if found and not nested:
        meant = None if " " in found[2] else f"{found[1]}: {found[2]}"
    return _mistake("a key needs a colon and a space after it; a remark begins with #", line, column, meant)


def _second_colon(report: _Report) -> DocumentError:
    key = _KEY.match(report.line)
    if key is None or key.end() > report.stop.column:
        return _bad_indent(report)
    value = _uncommented(report.line[key.end() :])
    return _mistake("a text with a colon in it needs quotes", report.stop.line, key.end(), _quoted(value))


def _bad_first_sign(report: _Report, sign: str) -> DocumentError:
    if sign == "\\t":
        return report.at_stop(
            "a tab stands here; lines are indented with spaces", "spaces, as in the lines around it"
        )
    return _needs_quotes(report, report.stop)


def _reserved_sign(report: _Report) -> DocumentError:
    return _needs_quotes(report, report.start)


def _needs_quotes(report: _Report, mark: Mark) -> DocumentError:
    rest = _uncommented(report.lines[mark.line][mark.column :])
    return _mistake(f"a text that begins with `{rest[:1]}` needs quotes", mark.line, mark.column, _quoted(rest))


# ---------------------------------------------------------------- lines and how far they are indented


def _bad_indent(report: _Report) -> DocumentError:
    """The line is indented like no line above that it could belong to."""
    own = report.indent(report.stop.line)
    above = report.above[-1] if report.above else report.stop.line
    if report.indent(above) <= own and not _ENTRY.search(_uncommented(report.lines[above])):
        # The line above is a key without its colon, so the parser took both lines for one value.
        return _key_without_colon(report, above, report.indent(above), nested=report.indent(above) < own)
    fitting: list[int] = []
    for number in reversed(report.above):
        if not fitting or report.indent(number) < fitting[-1]:
            fitting.append(report.indent(number))
    if not fitting:
        return report.at_stop("a second colon in this line")
    spaces = f"{own} space{'' if own == 1 else 's'}"
    would = _either(map(str, reversed(fitting)))
    beside = f"line {above + 1} above it by {fitting[0]}"
    message = f"this line is indented by {spaces}, {beside}; {would} would fit"
    lower = next((number for number in reversed(report.above) if report.indent(number) < own), None)
    if lower is not None and any(report.indent(number) == own for number in report.above if number < lower):
        message += f", or line {lower + 1} belongs at {own}"  # as the line before it does
    return _mistake(message, report.stop.line, own)


def _list_mixed_with_map(report: _Report, collection: str) -> DocumentError:
    if collection == "collection":
        return report.at_stop("the lines above it are a list, and this line does not begin with `- `")
    return report.at_stop("this begins an entry of a list, where a key is expected")


# ---------------------------------------------------------------- quotes and brackets


def _after_quotes(report: _Report) -> DocumentError:
    key = _KEY.match(report.line)
    begin = key.end() if key else 0
    value = _uncommented(report.line[begin:])
    if opened := _quotes_opened_above(report):
        return opened
    match value[:1]:
        case "'":
            inner = value.strip("'").replace("''", "'")
            return report.at_stop("the apostrophe before this ends the text; use double quotes", _quoted(inner))
        case '"':
            inner = value.replace('\\"', '"').replace('"', "")
            return report.at_stop("after the text in quotes, something else stands in the line", _quoted(inner))
        case "{" | "[" as sign:
            return _mistake(f"a text that begins with `{sign}` needs quotes", report.stop.line, begin, _quoted(value))
        case _:
            return report.at_stop("nothing can follow in this line")


def _quotes_opened_above(report: _Report) -> DocumentError | None:
    """The quotes before `stop` were meant to open a text, but close one that was opened in a line above."""
    if report.line[: report.stop.column].count('"') % 2 == 0:
        return None
    for number in reversed(range(report.stop.line)):
        line = report.lines[number]
        if line.count('"') % 2:
            return _mistake(
                f"the quotes that begin here are closed only in line {report.stop.line + 1}", number, line.rfind('"')
            )
    return None


def _brackets(report: _Report, got: str) -> DocumentError:
    opening = report.lines[report.start.line][report.start.column : report.start.column + 1]
    closing = _CLOSING.get(opening, "")
    if got in _CLOSING.values():
        return report.at_stop(f"what `{opening}` opened, `{closing}` closes", closing)
    if report.stop.line > report.start.line:
        return report.at_start(f"this `{opening}` is not closed, or a comma is missing between its entries", closing)
    column = report.stop.column
    if got == ":":  # the entry begins at its key, before the colon
        before = report.line[:column].rstrip()
        column = len(before) - len(_NOT_IN_WORD.split(before)[-1])
    return _mistake(f"a comma is missing before this, or the `{closing}`", report.stop.line, column)


def _misplaced(report: _Report, sign: str) -> DocumentError:
    if sign == ",":
        return report.at_stop("there is nothing before this comma, or no list around it")
    if sign.startswith("<"):
        return report.at_stop("something is missing before this")
    return report.at_stop(f"`{sign}` cannot stand here; a text with such signs needs quotes")


# ---------------------------------------------------------------- words


def _uncommented(text: str) -> str:
    return _COMMENT.sub("", text).strip()


def _quoted(text: str) -> str:
    """`text` in the kind of quotes that needs no escape for what is in it."""
    if {'"', "\\"} & set(text):
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'


def _either(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


# By PyYAML's wording; the first pattern that fits decides.
_EXPLANATIONS: tuple[tuple[str, Callable[..., DocumentError]], ...] = (
    (r"could not find expected ':'", lambda it: _key_without_colon(it, it.start.line, it.start.column)),
    (r"mapping values are not allowed here", _second_colon),
    (r"found character '(.+)' that cannot start any token", _bad_first_sign),
    (r"while (?:scanning|parsing) an? (?:alias|anchor|block scalar|directive|tag)", _reserved_sign),
    (r"mapping keys are not allowed here", _reserved_sign),
    (rf"expected (?:<block end>|'<document start>'), but found '{_INDENT}'", _bad_indent),
    (
        r"sequence entries are not allowed here",
        lambda it: it.at_stop("a list begins in the line below its key, or stands in brackets", "[a, b]"),
    ),
    (r"while parsing a block (mapping|collection), expected <block end>, but found '[?-]'", _list_mixed_with_map),
    (r"expected <block end>, but found '<scalar>'", _after_quotes),
    (
        r"while scanning a quoted scalar, found unexpected",
        lambda it: it.at_start("the quotes that begin here are never closed"),
    ),
    (
        r"while scanning a double-quoted scalar",
        lambda it: it.at_stop("a backslash in double quotes does not stand for itself", "single quotes: '…'"),
    ),
    (r"while parsing a flow (?:mapping|sequence), expected ',' or '[}\]]', but got '(.+)'", _brackets),
    (r"directive|tag handle|incompatible", _reserved_sign),
    (r"(?:expected the node content|expected <block end>|'<document start>'), but found '(.+)'", _misplaced),
)
