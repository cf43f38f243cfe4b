"""What keeps a text from being read as a template: the mistake in plain words, at the place where it was made.

Jinja says which token it met, and where. The mistake is mostly nearer to the beginning of the placeholder.
`_MESSAGES` depends on the wording of Jinja's errors; `tests/templates/test_parse_errors.py` notices when it changes.
"""

from __future__ import annotations

import re

from avisa.diagnostics.diagnostic import Diagnostic
from avisa.templates.jinja.variables import FILTERS, in_one
from avisa.templates.message_file import Part

_CLOSING = {"{{": "}}", "{%": "%}"}
_BRACES = re.compile(r"\{\{|\{%|\}\}|%\}")
_ELSE_IF = re.compile(r"\{%-?\s*else\s+if\b")
_NO_NAME = re.compile(r"[^\w.]")
_WORD = re.compile(r"\w+")
_NEXT_WORD = re.compile(r"\s*(\w+)")
_CURLY_QUOTES = tuple("“”„«»‘’‚")
_SLIP = re.compile(r"\}+|=+|&+|\|+|!")
_COMPARED = re.compile(r"=!|!==|=>|=<|<>")
_MEANT_COMPARED = {"=!": "!=", "!==": "!=", "=>": ">=", "=<": "<=", "<>": "!="}
_MEANT = {"=": "==", "&": "and", "&&": "and", "||": "or", "!": "not"}
_EXPECTED = {
    "end of print statement": "`}}`",
    "end of statement block": "`%}`",
    "name": "a name",
}
_GOT = {
    "end of print statement": "`}}`",
    "end of statement block": "`%}`",
    "begin of print statement": "`{{`",
    "begin of statement block": "`{%`",
    "integer": "a number",
    "float": "a number",
    "string": "a text in quotes",
}
# What Jinja says, and what an operator reads instead.
_MESSAGES = (
    (r"expected token '(?P<expected>.+)', got '(?P<got>.+)'", "{got} stands where {expected} is expected"),
    (r"unexpected '(?P<got>.+)', expected '(?P<expected>.+)'", "{got} stands where {expected} is expected"),
    (r"unexpected end of template, expected '(?P<expected>.+)'\.", "{expected} is missing"),
    (r"Expected an expression, got '(?P<got>.+)'", "something is missing before {got}"),
    (r"unexpected char '(?P<got>.+)' at \d+", "{got} cannot stand here"),
    (r"unexpected '(?P<got>.+)'", "{got} cannot stand here"),
    (r"expected name or number", "a name is missing after the dot"),
    (r"tag name expected", "there is nothing in it; allowed: if, elif, else, endif, for, endfor"),
)


class TemplateSyntaxProblem(Exception):  # noqa: N818  a state of the file, shown as a diagnostic
    """The text is no template; `offset` is where in it that shows."""

    def __init__(self, message: str, offset: int, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.offset = offset
        self.suggestion = suggestion

    def diagnostic(self, file: str, part: Part) -> Diagnostic:
        return Diagnostic.at(part.place(self.offset), "syntax", file, str(self), self.suggestion)


def explain(jinja_message: str, text: str, *, begun: int, at: int) -> TemplateSyntaxProblem:
    """Return what is wrong where Jinja stopped with that message: at offset `at`, in the placeholder that begins at
    offset `begun`."""
    if "end of comment" in jinja_message:
        return TemplateSyntaxProblem("this `{#` is never closed", text.rfind("{#", 0, at + 2), "#}")
    if jinja_message.startswith("unexpected char") and text[at : at + 1] in ("'", '"'):
        return TemplateSyntaxProblem("the quotes that begin here are never closed", at)
    return _braces(text, begun, at) or _otherwise(jinja_message, text, begun, at)


def _braces(text: str, begun: int, at: int) -> TemplateSyntaxProblem | None:
    """Return what is wrong with the braces themselves, None if nothing is."""
    opening = text[begun : begun + 2]
    closing = _CLOSING.get(opening)
    if closing is None:
        return None
    if text.startswith("{", begun + 2):
        return TemplateSyntaxProblem("a placeholder has two braces on each side, not three", begun, "{{ … }}")
    following = _BRACES.search(text, begun + 2)
    if following is not None and following[0] == closing:
        return None
    if following is not None and following[0] in _CLOSING.values():
        return TemplateSyntaxProblem(f"what `{opening}` opened, `{closing}` closes", following.start(), closing)
    if text[at : at + 1] in ("}", "%") and (following is None or at < following.start()):
        return None  # half of what closes it
    return TemplateSyntaxProblem(f"this `{opening}` is never closed", begun, closing)


def _otherwise(jinja_message: str, text: str, begun: int, at: int) -> TemplateSyntaxProblem:
    for pattern, message in _MESSAGES:
        if found := re.fullmatch(pattern, jinja_message):
            named = found.groupdict("")
            got, expected = named.get("got", ""), named.get("expected", "")
            message = message.format(got=_GOT.get(got, f"`{got}`"), expected=_EXPECTED.get(expected, f"`{expected}`"))
            place = begun if jinja_message.startswith("unexpected end") else at
            return TemplateSyntaxProblem(message, place, _meant(text, begun, place))
    return TemplateSyntaxProblem(jinja_message or "this is no template", at)


def _meant(text: str, begun: int, at: int) -> str | None:
    """Return what was probably meant by what cannot stand there."""
    if text[at : at + 1] in _CURLY_QUOTES:
        return 'straight quotes: "…"'
    if _ELSE_IF.match(text, begun):
        return "{% elif … %}"
    if text[at - 1 : at + 1] == "||":
        following = _NEXT_WORD.match(text, at + 1)
        return "|" if following and following[1] in FILTERS else _MEANT["||"]
    for back in (2, 1, 0):
        if compared := _COMPARED.match(text, max(at - back, begun)):
            return _MEANT_COMPARED[compared[0]]
    if slip := _SLIP.match(text, at):
        return _CLOSING.get(text[begun : begun + 2]) if slip[0] == "}" else _MEANT.get(slip[0])
    return _one_name(text, begun, at)


def _one_name(text: str, begun: int, at: int) -> str | None:
    """Return the name that was written with a blank in it: `customer.first_name` for `customer.first name`."""
    before, after = text[begun:at], _WORD.match(text, at)
    first = _NO_NAME.split(before.rstrip(" "))[-1]
    if after is None or not before.endswith(" "):
        return None
    return in_one(first, after[0])
