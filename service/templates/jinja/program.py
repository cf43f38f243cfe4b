"""The function of a message, ready to be filled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, Protocol

from avisa.templates.jinja.filling import Filling
from avisa.templates.limits import joined


class Write(Protocol):
    """Appends the pieces of both texts, filled with values, to the lists."""

    __code__: CodeType

    def __call__(self, values: Mapping[str, Any], plain: list[str], html: list[str], filling: Filling, /) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The function of a message."""

    write: Write
    lines: Sequence[int]  # for each line of the function, the line of the message
    size: int  # characters of the function's source, of which each takes three bytes or so of memory
    longest: int = field(init=False)  # characters of the longest fixed piece of a text

    def __post_init__(self) -> None:
        object.__setattr__(self, "longest", max(map(len, _texts(self.write.__code__.co_consts)), default=0))

    def fill(self, values: Mapping[str, Any], filling: Filling) -> tuple[str, bytes]:
        """Return the plain text, and the HTML in quoted-printable. Raises what the filters raise, and TooMuch."""
        plain: list[str] = []
        html: list[str] = []
        self.write(values, plain, html, filling)
        return joined(plain, filling, self.longest), joined(html, filling, self.longest).encode("ascii")

    def line(self, line: int) -> int:
        """Return the line of the message for a line of the function."""
        return self.lines[line - 1]


def _texts(constants: tuple[object, ...]) -> Iterator[str]:
    """Yield the texts among the constants of a function. Python keeps those that stand together as one tuple."""
    for constant in constants:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, tuple):
            yield from _texts(constant)
