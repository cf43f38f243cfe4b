"""How a draft is compressed: with a dictionary of what the drafts of one message share.

Two drafts of a message differ in an order and a customer, which are small beside their common frame: the names of the
values, the brand, the steps of the way. So the frame of one draft is the dictionary for all (RFC 8878 section 5), and
of 1,400 bytes 350 are left; without it, 750.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import orjson

from avisa.ports import Draft
from avisa.store.sql.zstandard import inflated, zstd

_OF_THE_SHOP = frozenset({"message", "locale", "brand", "purpose", "status", "progress", "reminder", "_zone"})
_IDS = frozenset({"message_id", "references"})
_LONGEST = 16 * 1024  # bytes of a dictionary

_LONGEST_DRAFT = 1024 * 1024  # bytes; an order has 64 KiB of details at most

_OPTIONS: dict[int, int] = {
    zstd.CompressionParameter.compression_level: 3,
    zstd.CompressionParameter.checksum_flag: 1,  # another dictionary would put other words into the mail
    zstd.CompressionParameter.window_log: 16,  # the longest draft; a wider window would only take memory
}
_KEPT = 64  # compressors, each of some kB


def dictionary_of(draft: bytes) -> bytes:
    """What this draft has in common with others of its message: its frame, without anything of order or customer."""
    written: dict[str, Any] = orjson.loads(draft)
    framed = _framed(written)
    if isinstance(values := written.get("values"), dict):
        framed["values"] = _framed(values)
    return orjson.dumps(framed)[:_LONGEST]


def compress(draft: Draft, dictionary: bytes) -> bytes:
    """Its JSON in one frame of Zstandard, without what the row of its notification holds too."""
    written = draft.json
    for sign, there in _in_row(draft.message_id, draft.address_hash.hex()):
        written = written.replace(there, sign)
    return _compressor(dictionary).compress(written, zstd.ZstdCompressor.FLUSH_FRAME)


def decompress(content: bytes, dictionary: bytes | None, *, message_id: str, address_hash: str) -> bytes:
    """The JSON of a draft that was compressed with this dictionary.

    Nothing if it cannot be read, or is longer than any draft: a row that was tampered with is the trouble of its own
    mail, which cannot be written, and of no other.
    """
    try:
        written = inflated(content, _dictionary(dictionary or b""), most=_LONGEST_DRAFT)
    except ValueError:
        return b""
    for sign, there in _in_row(message_id, address_hash):
        written = written.replace(sign, there)
    return written


def _in_row(message_id: str, address_hash: str) -> Iterator[tuple[bytes, bytes]]:
    """Digits of chance, which nothing makes shorter, each with the sign in its place: a byte that JSON has not."""
    for sign, there in ((b"\x01", message_id), (b"\x02", address_hash)):
        if there:
            yield sign, there.encode()


def _framed(values: dict[str, Any]) -> dict[str, Any]:
    framed = {}
    for name, value in values.items():
        if name in _IDS and isinstance(value, str):
            framed[name] = f"<@{value.rpartition('@')[2]}"  # the sender's domain
        else:
            framed[name] = value if name in _OF_THE_SHOP else _blank(value)
    return framed


def _blank(value: Any) -> Any:
    """The value with its names and without its texts; of a list, the first item."""
    if isinstance(value, dict):
        return {name: _blank(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_blank(item) for item in value[:1]]
    return "" if isinstance(value, str) else None


@lru_cache(_KEPT)
def _dictionary(content: bytes) -> zstd.ZstdDict:
    return zstd.ZstdDict(content, is_raw=True)


@lru_cache(_KEPT)
def _compressor(dictionary: bytes) -> zstd.ZstdCompressor:
    return zstd.ZstdCompressor(options=_OPTIONS, zstd_dict=_dictionary(dictionary))
