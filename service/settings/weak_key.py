"""Keys that somebody could guess: runs, repeats and words, and whatever is written in documents as an example."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator

PLACEHOLDERS = frozenset({"change-me", "PASSWORD", "…", "****"})
"""What our documents and `avisa config` write where a secret belongs."""

_LEAST = 16  # characters of a key that follow from no other
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "0123456789", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "zxcvbnm")
_REPEATED = 4  # characters that came before in the same order
_WORD = re.compile(r"[A-Z]?[a-z]{4,}|[A-Z]{4,}")
_SHORT_WORD = re.compile(r"[A-Z]?[a-z]{2,}|[A-Z]{3,}")
_SPOKEN = 0.6  # of the characters: what no key has that was drawn by lot
_CONSONANTS = re.compile(r"[^aeiouy]{5}")


def is_weak(key: str) -> bool:
    """Whether somebody could guess `key`, as it is written or as what its base64 or hexadecimal digits stand for."""
    return _is_weak(key) or any(_is_weak(text) for text in _decoded(key))


def _decoded(key: str) -> Iterator[str]:
    """The texts that `key` may be an encoding of. Bytes that were drawn by lot are no text."""
    for decode in (b64decode, bytes.fromhex):
        try:
            text = decode(key).decode("ascii")
        except ValueError:
            continue
        if text.isprintable():
            yield text


def _is_weak(key: str) -> bool:
    """Whether few characters of `key` are left, or less than half, without those that follow from the ones before; or
    whether most of it can be spoken."""
    plain = key.lower()
    words = (range(word.start() + 2, word.end()) for word in _spoken(_WORD, key))  # worth its first two letters
    predictable = _in_runs(plain) | _in_repeats(plain) | {place for word in words for place in word}
    left = len(key) - len(predictable)
    spoken = sum(len(word[0]) for word in _spoken(_SHORT_WORD, key))
    return left < _LEAST or left < len(predictable) or spoken > _SPOKEN * len(key)


def _in_runs(text: str) -> set[int]:
    """The places of characters that continue a run, such as `abc`, `3210`, `qwe` or `aaa`; also of every other
    character, as in `a1b2c3`."""
    return {
        place
        for stride in (1, 2)
        for place in range(2 * stride, len(text))
        if _continues(*(text[place - n * stride] for n in (2, 1, 0)))
    }


def _continues(first: str, second: str, third: str) -> bool:
    if first == second == third:
        return True
    steps = ((row.find(first), row.find(second), row.find(third)) for row in _ROWS)
    return any(min(a, b, c) >= 0 and b - a == c - b and abs(b - a) == 1 for a, b, c in steps)


def _in_repeats(text: str) -> set[int]:
    """The places of characters in a piece that came before."""
    seen: set[str] = set()
    places: set[int] = set()
    for end in range(_REPEATED, len(text) + 1):
        piece = text[end - _REPEATED : end]
        if piece in seen:
            places.update(range(end - _REPEATED, end))
        seen.add(piece)
    return places


def _spoken(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """What the pattern finds that has enough vowels to be spoken."""
    for word in pattern.finditer(text):
        letters = word[0].lower()
        vowels = sum(letter in "aeiouy" for letter in letters)
        if 4 * vowels >= len(letters) and not _CONSONANTS.search(letters):
            yield word
