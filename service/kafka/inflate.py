"""The four codecs of Kafka, inflated no further than a bound.

A few KiB may hold gigabytes of blanks, and no library asks before it fills the memory. So it is given the room, in
steps: most batches fit the first, and what does not fit the last is cut there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cramjam

STEPS = (1 << 20, 8 << 20, 32 << 20)  # bytes of room; the last is the most that a batch's records may take

_FULL = "failed to write whole buffer"  # of all that cramjam may say, the one that means no more room
_XERIAL = b"\x82SNAPPY\0\0\0\0\1\0\0\0\1"  # how a stream of snappy blocks begins, each with its length before it
_ROOM = bytearray(STEPS[0])  # of the first step; used within one call, so one is enough


@dataclass(frozen=True, slots=True)
class Inflated:
    """What was inflated, and whether that is all of it."""

    content: bytes | bytearray
    whole: bool


class InflateError(Exception):
    """The content is none of its codec."""


class _NoRoomError(Exception):
    """The content is longer than the room. The argument says how many bytes of it are there."""


def inflate(codec: int, content: bytes, *, at_most: int = STEPS[-1]) -> Inflated:
    """Return the content inflated, up to `at_most` bytes. `codec` is a number as in a batch's attributes.

    Raises InflateError.
    """
    if not content:
        return Inflated(b"", whole=True)
    into = _INTO.get(codec)
    if into is None:
        raise InflateError
    here = 0
    room = _ROOM
    for step in STEPS:
        if step > STEPS[0]:
            room = bytearray()  # the last one goes before the next one comes
            room = bytearray(step)
        try:
            here = into(content, room)
        except _NoRoomError as error:
            here = error.args[0]
            whole = False
        except cramjam.DecompressionError:
            raise InflateError from None
        else:
            whole = True
        if whole or step >= at_most:
            break
    if room is _ROOM:
        return Inflated(bytes(memoryview(room)[:here]), whole)
    del room[here:]
    return Inflated(room, whole)


def _within(library: Callable[[bytes, bytearray], int]) -> Callable[[bytes, bytearray], int]:
    def into(content: bytes, room: bytearray) -> int:
        try:
            return library(content, room)
        except cramjam.DecompressionError as error:
            if str(error) == _FULL:
                raise _NoRoomError(len(room)) from None
            raise

    return into


def _snappy(content: bytes, room: bytearray) -> int:
    """Each block says first how long it will be."""
    here = 0
    for block in _blocks(content):
        end = here + cramjam.snappy.decompress_raw_len(block)
        if end > len(room):
            raise _NoRoomError(here)
        if end > here:
            cramjam.snappy.decompress_raw_into(block, memoryview(room)[here:end])
        here = end
    return here


def _blocks(content: bytes) -> Iterator[bytes]:
    if not content.startswith(_XERIAL):
        yield content
        return
    at = len(_XERIAL)
    while at < len(content):
        length = int.from_bytes(content[at : at + 4], "big", signed=True)
        block = content[at + 4 : at + 4 + length]
        if length <= 0 or len(block) < length:
            raise InflateError
        yield block
        at += 4 + length


_INTO: dict[int, Callable[[bytes, bytearray], int]] = {
    1: _within(cramjam.gzip.decompress_into),
    2: _snappy,
    3: _within(cramjam.lz4.decompress_into),
    4: _within(cramjam.zstd.decompress_into),
}
