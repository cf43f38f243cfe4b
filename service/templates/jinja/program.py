"""The functions of a message, ready to be filled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, Protocol

from avisa.templates.jinja.filling import Filling
from avisa.templates.limits import joined


class Fill(Protocol):
    """Appends the pieces of a text, filled with values, to the list."""

    __code__: CodeType

    def __call__(self, values: Mapping[str, Any], into: list[str], filling: Filling, /) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The functions of a message."""

    plain: Fill
    html: Fill
    lines: Sequence[int]  # for each line of both functions, counted through, the line of the message
    size: int  # characters of the functions' source, of which each takes three bytes or so of memory
    longest: int = field(init=False)  # characters of the longest fixed piece of a text

    def __post_init__(self) -> None:
        fixed = (*_texts(self.plain.__code__.co_consts), *_texts(self.html.__code__.co_consts))
        object.__setattr__(self, "longest", max(map(len, fixed), default=0))

    def fill(self, values: Mapping[str, Any], filling: Filling) -> tuple[str, bytes]:
        """Return the plain text, and the HTML in quoted-printable. Raises what the filters raise, and TooMuch."""
        plain = _filled(self.plain, values, filling, self.longest)
        return plain, _filled(self.html, values, filling, self.longest).encode("ascii")

    def line(self, line: int) -> int:
        """Return the line of the message for a line of a function."""
        return self.lines[line - 1]


def _texts(constants: tuple[object, ...]) -> Iterator[str]:
    """Yield the texts among the constants of a function. Python keeps those that stand together as one tuple."""
    for constant in constants:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, tuple):
            yield from _texts(constant)


def _filled(fill: Fill, values: Mapping[str, Any], filling: Filling, longest: int) -> str:
    into: list[str] = []
    fill(values, into, filling)
    return joined(into, filling, longest)
