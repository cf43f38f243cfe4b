"""How much a message may be, and how much a mail may become.

These numbers end every text and every loop, whatever an operator writes and whatever an order holds. The first group
is checked when a folder is read, the second when a message is compiled, the third while it is filled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from avisa.core.shapes import LONGEST_TEXT, listed

# A folder as a whole: what is read of it, and what of it is ready at once. Together they fit a machine of 256 MiB.
MOST_FILES = 2_000
MOST_LOCALES = 100  # what CLDR knows of one takes 200 kB, which is kept
LONGEST_FILE = 64 * 1024  # bytes
LONGEST_FOLDER = 2 * 1024 * 1024  # bytes of all files: thirty times what is shipped
MOST_AHEAD = 200  # compiled before a mail needs them: two seconds of a processor
MOST_COMPILED = 8 * 1024 * 1024  # characters of Python that compiled messages are made of: five hundred shipped ones

# When a message is compiled.
LONGEST_MESSAGE = 8 * 1024  # bytes of a message file: four times the longest one shipped
LONGEST_LAYOUT = 20 * 1024  # bytes of a file of the layout: five times the longest one shipped
LONGEST_STYLE = 500  # characters that the theme gives one element: eight times the longest one shipped
MOST_PLACEHOLDERS = 300  # with statements, and those of the layout and its components: twice the most shipped
MOST_SIGNS = 600  # characters that may mean something in Markdown, line ends too: ten times the most shipped
LONGEST_PAGE = 96 * 1024  # characters of a message in its layout, before anything is filled in

# When it is filled. A turn of a loop takes as many steps as there are nodes in the loop's body.
MOST_STEPS = 50_000  # of all loops of one mail
# Characters of both texts of a mail, the HTML in quoted-printable; and of what is made of values on the way to them.
# There any script takes thrice its UTF-8 at most, of which a draft has no more than 64 KiB.
LONGEST_RESULT = 1024 * 1024


class TooMuch(Exception):  # noqa: N818  a state of the message, told as a problem
    """The message is too large, or would become so."""


@dataclass(slots=True, kw_only=True)
class Budget:
    """What is left for one mail."""

    steps: int = MOST_STEPS
    made: int = LONGEST_RESULT
    result: int = LONGEST_RESULT


def counted(text: str, budget: Budget) -> str:
    """Return `text`, which was made of a value, and take its length off the budget. Raises TooMuch."""
    budget.made -= len(text)
    if budget.made < 0:
        raise _too_large()
    return text


def each(value: Any, nodes: int, budget: Budget) -> Sequence[Any]:
    """Return the items for a loop that has so many `nodes` in its body; nothing if `value` is no list. Raises
    TooMuch."""
    if value.__class__ is not list:
        return ()
    budget.steps -= len(value) * nodes
    if budget.steps < 0:
        raise _too_large()
    return listed(value)


def joined(pieces: Sequence[str], budget: Budget, longest: int) -> str:
    """Return the pieces of a text as one. Raises TooMuch: before it is made, unless it surely takes little memory.

    Of the pieces, none is longer than `longest` or the text of a value, but for those that were counted.
    """
    if len(pieces) * max(longest, LONGEST_TEXT) > LONGEST_RESULT:
        _spend(budget, sum(map(len, pieces)))
        return "".join(pieces)
    text = "".join(pieces)
    _spend(budget, len(text))
    return text


def _spend(budget: Budget, characters: int) -> None:
    budget.result -= characters
    if budget.result < 0:
        raise _too_large()


def _too_large() -> TooMuch:
    return TooMuch("it came out too large")
