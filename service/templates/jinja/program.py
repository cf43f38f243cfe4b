"""The functions of a message, ready to be filled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from avisa.templates.jinja.filling import Filling
from avisa.templates.limits import joined

# Appends the pieces of a text, filled with values, to the list.
Fill = Callable[[Mapping[str, Any], list[str], Filling], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The functions of a message."""

    plain: Fill
    html: Fill
    lines: Sequence[int]  # for each line of both functions, counted through, the line of the message
    size: int  # characters of the functions' source, of which each takes three bytes or so of memory

    def fill(self, values: Mapping[str, Any], filling: Filling) -> tuple[str, bytes]:
        """Return the plain text, and the HTML in quoted-printable. Raises what the filters raise, and TooMuch."""
        return _filled(self.plain, values, filling), _filled(self.html, values, filling).encode("ascii")

    def line(self, line: int) -> int:
        """Return the line of the message for a line of a function."""
        return self.lines[line - 1]


def _filled(fill: Fill, values: Mapping[str, Any], filling: Filling) -> str:
    into: list[str] = []
    fill(values, into, filling)
    return joined(into, filling)
