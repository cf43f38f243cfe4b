"""Jinja's parser with exact places, and with plain words for what it cannot read.

Jinja knows lines only. Here the "line" of a token is its offset in the text, so that each node of the tree knows
where its own word begins; whoever no longer needs offsets turns them into lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NoReturn

from jinja2 import Environment, nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.lexer import Token, TokenStream
from jinja2.parser import Parser

from avisa.diagnostics.suggest import closest_match
from avisa.templates.jinja.parse_errors import TemplateSyntaxProblem, explain

_JINJA = Environment()  # noqa: S701  it reads, and renders nothing
_TAGS = ("if", "elif", "else", "endif", "for", "endfor")
_CLOSING = frozenset({"endif", "endfor", "elif", "else"})
_ALIASES = {"elseif": "elif", "elsif": "elif"}  # what it is called elsewhere
# Python refuses to read a number of more than 4,300 digits.
_LONG_NUMBER = re.compile(r"\d[\d_]{99}")


def parse(text: str) -> nodes.Template:
    """Return the syntax tree of `text`; the `lineno` of each node is its offset. Raises TemplateSyntaxProblem."""
    if found := _LONG_NUMBER.search(text):
        raise TemplateSyntaxProblem("this number has too many digits", found.start())
    reading = _Reading(text)
    try:
        return reading.tree()
    except TemplateSyntaxError as error:
        raise reading.explained(error) from None


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

    def explained(self, error: TemplateSyntaxError) -> TemplateSyntaxProblem:
        return explain(error.message or "", self._text, begun=self._begun, at=error.lineno)

    def _tokens(self) -> Iterator[tuple[int, str, str]]:
        """The lexer's tokens, each with its offset for its line; it passes over blanks only."""
        try:
            for _, kind, value in self.environment.lexer.tokeniter(self._text, None):
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
            near = _ALIASES.get(name) or ending or closest_match(name, _TAGS)
            allowed = ", ".join(_TAGS)
            raise TemplateSyntaxProblem(f"there is no `{name}` in a message; allowed: {allowed}", at, near)
        if around is None:
            opening = "for" if name == "endfor" else "if"
            raise TemplateSyntaxProblem(f"`{name}` without an `{opening}` before it", at)
        raise TemplateSyntaxProblem(f"`{name}` cannot close the `{around}` that is open here", at, f"end{around}")

    def fail_eof(self, end_tokens: tuple[str, ...] | None = None, lineno: int | None = None) -> NoReturn:
        opened = self._open[-1]
        closing = f"{{% end{opened.value} %}}"
        raise TemplateSyntaxProblem(f"this `{opened.value}` is never closed", opened.lineno, closing)
