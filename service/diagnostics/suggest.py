"""What was probably meant by a word that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

_LONGEST = 60  # characters; a slip in a longer word is found by whoever wrote it
_MOST = 1_000  # words


def closest_match(given: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word that is most like `given`, whatever the case of its letters; None if none is. How like they have
    to be, `cutoff` says: 1 is the same. Long words and those beyond the first 1,000 are not looked at, for it takes a
    while."""
    word = given.strip().casefold()
    if len(word) > _LONGEST:
        return None
    folded = {each.casefold(): each for each in islice(known, _MOST) if len(each) <= _LONGEST}
    close = get_close_matches(word, folded, n=1, cutoff=cutoff)
    return folded[close[0]] if close else None
