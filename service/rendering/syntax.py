"""Jinja's parser with exact places, and with our words for what it cannot read.

Jinja tells lines only. Here every token counts as standing in the "line" of its offset in the text, so that each
node of the tree knows where its own word begins; whoever is done with the places turns them into lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import NoReturn

from jinja2 import Environment, nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.lexer import Token, TokenStream
from jinja2.parser import Parser

from service.ports import Problem
from service.rendering.bounds import MOST_TOKENS, TooMuch
from service.rendering.source import Part

_JINJA = Environment()  # noqa: S701  it reads, and renders nothing
_TAGS = ("if", "elif", "else", "endif", "for", "endfor")
_CLOSING = frozenset({"endif", "endfor", "elif", "else"})
_ALIASES = {"elseif": "elif", "elsif": "elif"}  # what it is called elsewhere
_ELSE_IF = re.compile(r"\{%-?\s*else\s+if\b")
_QUOTES = tuple("“”„«»‘’‚")
_SLIP = re.compile(r"\}+|=+|&+|\|+|!")
_MEANT = {"}": "}}", "=": "==", "&": "and", "&&": "and", "||": "or", "!": "not"}
_NAMES = {
    "end of print statement": "}}",
    "end of statement block": "%}",
    "begin of print statement": "{{",
    "begin of statement block": "{%",
    "name": "a name",
    "integer": "a number",
    "float": "a number",
    "string": "a text in quotes",
}
# Python's regular expressions, with which Jinja looks for numbers, keep 280 octets for each digit meanwhile.
_LONG_NUMBER = re.compile(r"\d[\d_]{99}")
# What Jinja says, and how an operator is told.
_SAYINGS = (
    (r"expected token '(.+)', got '(.+)'", "{1} stands where {0} is expected"),
    (r"unexpected end of template, expected '(.+)'\.", "{0} is missing"),
    (r"Expected an expression, got '(.+)'", "something is missing before {0}"),
    (r"unexpected char '(.+)' at (\d+)", "{0} cannot stand here"),
    (r"unexpected '(.+)', expected '(.+)'", "{0} stands where {1} is expected"),
    (r"unexpected '(.+)'", "{0} cannot stand here"),
)


class Unreadable(Exception):  # noqa: N818  a state of the message, told as a problem
    """The text is no template; `offset` is where in it that shows."""

    def __init__(self, message: str, offset: int, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.offset = offset
        self.suggestion = suggestion

    def problem(self, file: str, part: Part) -> Problem:
        line, column = part.place(self.offset)
        return Problem(
            code="syntax", file=file, line=line, column=column, message=str(self), suggestion=self.suggestion
        )


def parse(text: str) -> nodes.Template:
    """The syntax tree of `text`; the `lineno` of each node is its offset in it. Raises Unreadable and TooMuch."""
    if found := _LONG_NUMBER.search(text):
        raise Unreadable("this number has too many digits", found.start())
    reading = _Reading(text)
    try:
        return reading.tree()
    except TemplateSyntaxError as error:
        raise reading.unreadable(error) from None


class _Reading(Parser):
    """One reading of one text."""

    def __init__(self, text: str) -> None:
        super().__init__(_JINJA, "")
        self._text = text
        self._seen = 0  # how far the lexer came
        self._begun = 0  # where the last `{{` or `{%` stands
        self._open: list[Token] = []  # the tags that are not closed yet

    def tree(self) -> nodes.Template:
        self.stream = TokenStream(self.environment.lexer.wrap(self._tokens()), None, None)
        return nodes.Template(self.subparse(), lineno=0)

    def unreadable(self, error: TemplateSyntaxError) -> Unreadable:
        said = error.message or ""
        for pattern, words in _SAYINGS:
            if found := re.fullmatch(pattern, said):
                at = self._begun if said.startswith("unexpected end") else error.lineno
                return Unreadable(words.format(*map(_named, found.groups())), at, self._meant(at))
        return Unreadable(said or "this is no template", error.lineno)

    def _meant(self, at: int) -> str | None:
        """What was probably meant by what cannot stand there."""
        if self._text[at : at + 1] in _QUOTES:
            return 'straight quotes: "…"'
        if _ELSE_IF.match(self._text, self._begun):
            return "{% elif … %}"
        slip = _SLIP.match(self._text, at)
        return _MEANT.get(slip[0]) if slip else None

    def _tokens(self) -> Iterator[tuple[int, str, str]]:
        """The lexer's tokens, each with its offset for its line; it passes over blanks only."""
        try:
            for number, (_, kind, value) in enumerate(self.environment.lexer.tokeniter(self._text, None)):
                if number == MOST_TOKENS:
                    raise TooMuch("there are too many placeholders in it, or there is too much in them")
                at = max(self._text.find(value, self._seen), self._seen)
                self._seen = at + len(value)
                if kind in ("variable_begin", "block_begin"):
                    self._begun = at
                yield at, kind, value
        except TemplateSyntaxError as error:
            raise TemplateSyntaxError(error.message or "", self._seen) from None

    def parse_statement(self) -> nodes.Node | list[nodes.Node]:
        self._open.append(self.stream.current)
        made = super().parse_statement()
        self._open.pop()
        return made

    def fail_unknown_tag(self, name: str, lineno: int | None = None) -> NoReturn:
        at = self.stream.current.lineno if lineno is None else lineno
        around = self._open[-2].value if len(self._open) > 1 else None
        if name not in _CLOSING:
            ending = f"{{% end{around} %}}" if name == "end" and around else None
            near = _ALIASES.get(name) or ending or next(iter(get_close_matches(name, _TAGS, n=1)), None)
            allowed = ", ".join(_TAGS)
            raise Unreadable(f"there is no `{name}` in a message; allowed: {allowed}", at, near)
        if around is None:
            opening = "for" if name == "endfor" else "if"
            raise Unreadable(f"`{name}` without an `{opening}` before it", at)
        raise Unreadable(f"`{name}` cannot close the `{around}` that is open here", at, f"end{around}")

    def fail_eof(self, end_tokens: tuple[str, ...] | None = None, lineno: int | None = None) -> NoReturn:
        opened = self._open[-1]
        raise Unreadable(f"this `{opened.value}` is never closed", opened.lineno, f"{{% end{opened.value} %}}")


def _named(word: str) -> str:
    named = _NAMES.get(word, word)
    return named if named.startswith("a ") else f"`{named}`"
