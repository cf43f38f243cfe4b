"""How large a value is as JSON, without writing it."""

from __future__ import annotations

from math import isfinite

from avisa.core.model import Json

DEEPEST = 32  # levels, as of any event
_PER_CHARACTER = 6  # bytes at most: an escape


class TooHeavyError(Exception):
    """A value that is larger or deeper than any fact may be, or holds a number beyond all measure."""


def weight(value: Json, most: int) -> int:
    """Return the most bytes that the value may have as JSON. Raises TooHeavyError if they are more than `most`, or
    if it is nested too deep; the walk ends there."""
    total, depth, level = 0, 0, [value]
    while level:
        depth += 1
        deeper: list[Json] = []
        for found in level:
            kind = found.__class__
            if kind is str:
                total += 2 + _PER_CHARACTER * len(found)
            elif kind is int:
                total += 2 + found.bit_length() // 3
            elif kind is dict:
                total += 2 + sum(4 + _PER_CHARACTER * len(key) for key in found)
                deeper += found.values()
            elif kind is list:
                total += 2 + len(found)
                deeper += found
            else:
                if kind is float and not isfinite(found):
                    raise TooHeavyError
                total += 24
            if total > most:
                raise TooHeavyError
        level = deeper
        if level and depth > DEEPEST:
            raise TooHeavyError
    return total
