"""How much a message may become while it is filled, whatever the order says.

A value has an end (`core.context`), but a message can say many, and escaping makes six characters of one. So whatever
is made of a value is counted, and so are both texts before their pieces become one, and the mail before it is put
together: none of that ever holds more than a mebibyte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from sys import getsizeof
from typing import Any

from avisa.templates.limits import TooMuch, kept

MOST_MADE = 384 * 1024  # octets made of values; and what the turns of loops take, as octets that would take as long
LONGEST = 432 * 1024  # octets that Python keeps both texts in
MOST_HELD = 1000 * 1024  # octets while a mail is made of them: both texts, and twice their lines of base64

_SHORT = 8 * 1024  # characters of a text that is not counted more exactly
_CERTAIN = MOST_HELD // 16  # characters of which a mail can be made: each is kept in 4 octets, and becomes twice 5.5


@dataclass(slots=True)
class Spent:
    """What one filling came to."""

    made: int = 0  # as MOST_MADE counts
    kept: int = 0  # octets of texts that are not short


def made(text: str, spent: Spent) -> str:
    """What was made of a value. Raises TooMuch when all of it comes to too much."""
    spent.made += getsizeof(text)
    if spent.made > MOST_MADE:
        raise _too_large()
    return text


def joined(pieces: Sequence[str], spent: Spent) -> str:
    """A text in one. Raises TooMuch, before there is one, if both come to too much."""
    length = sum(map(len, pieces))
    if length > _SHORT:
        spent.kept += length if length > LONGEST else kept(pieces)  # the second takes a while
        if spent.kept > LONGEST:
            raise _too_large()
    return "".join(pieces)


def check_mail(plain: str, html: str) -> None:
    """Raises TooMuch if they would become too large a mail."""
    if len(plain) + len(html) <= _CERTAIN:
        return
    lines = (_octets(plain) + _octets(html)) * 78 // 57  # of base64, with their ends
    if getsizeof(plain) + getsizeof(html) + 2 * lines > MOST_HELD:
        raise _too_large()


def _octets(text: str) -> int:
    """In UTF-8 with CRLF; counted piece by piece, since encoding takes more room than there are octets."""
    return sum(len(text[start : start + _SHORT].encode()) for start in range(0, len(text), _SHORT)) + text.count("\n")


def each(value: Any, turns: int, effort: int, said: list[str], spent: Spent) -> Sequence[Any] | Iterator[Any]:
    """The items of a list, for a loop that writes into `said`."""
    if value.__class__ is not list:
        return ()
    return value if len(value) <= turns else _watched(value, effort, said, spent)


def _watched(items: list[Any], effort: int, said: list[str], spent: Spent) -> Iterator[Any]:
    """Raises TooMuch when the loops of this filling come to too much."""
    seen = len(said)
    for item in items:
        spent.made += effort + sum(map(len, said[seen:]))
        if spent.made > MOST_MADE:
            raise _too_large()
        seen = len(said)
        yield item


def _too_large() -> TooMuch:
    return TooMuch("it came out too large")
