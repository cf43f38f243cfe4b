"""The program of a message: values in, both texts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import nodes

from avisa.templates.jinja.codegen import Piece, Writer
from avisa.templates.jinja.render_limits import Spent, joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What fills a message."""

    plain: Sequence[Piece]
    html: Sequence[Piece]
    lines: Sequence[int]  # for each line of the functions, which are counted through, the message's

    def fill(self, values: Mapping[str, Any]) -> tuple[str, str]:
        """Both texts. Raises what the filters raise, and TooMuch."""
        spent = Spent()
        return _filled(self.plain, values, spent), _filled(self.html, values, spent)

    def line(self, line: int) -> int:
        """The line of the message that a line of a function stands for."""
        return self.lines[line - 1]


def _filled(pieces: Sequence[Piece], values: Mapping[str, Any], spent: Spent) -> str:
    into: list[str] = []
    for piece in pieces:
        piece(values, into, spent)
    return joined(into, spent)


def write(
    plain: Sequence[nodes.Node], html: Sequence[nodes.Node], *, file: str, functions: Mapping[str, Any]
) -> Program:
    """The program of two woven texts. `functions` is all that it can call; a filter's name has `f_` before it.

    Raises TooMuch, and SyntaxError and RecursionError for what is nested too deep for Python.
    """
    writer = Writer(file, functions)
    return Program(plain=writer.text(plain), html=writer.text(html, escaped=True), lines=writer.lines)
