"""What was probably meant by a word that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

_LONGEST = 60  # characters; whoever wrote a longer word finds the mistake without us
_MOST = 1_000  # words


def closest_match(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the known word closest to `word`, ignoring case, or None.

    `cutoff` is the least similarity, from 0 to 1. Comparing takes time, so long words and all known words after
    the first 1,000 are left out.
    """
    sought = word.strip().casefold()
    if len(sought) > _LONGEST:
        return None
    folded = {each.casefold(): each for each in islice(known, _MOST) if len(each) <= _LONGEST}
    close = get_close_matches(sought, folded, n=1, cutoff=cutoff)
    return folded[close[0]] if close else None
