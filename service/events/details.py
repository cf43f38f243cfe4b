"""The details of an order as a database can hold them, and as many as it should."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import orjson

from avisa.core.facts import MAX_DETAILS_BYTES
from avisa.core.model import Json
from avisa.core.shapes import shortened, without_mark
from avisa.events.schema import MAX_ID

MAX_KEYS = 200  # details an event may set

_MARK = 32  # bytes of what stands for the missing items of a list
_LARGEST = 2**63 - 1
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")  # what a template can write; and no key that is an address


def storable(details: Mapping[str, Json], size: int, left_out: list[str], cut: list[str]) -> Mapping[str, Json]:
    """Return the details that can be kept; the names of the others are added to `left_out`, those of lists that
    became shorter to `cut`.

    Left out are names that are too long, numbers beyond all measure, and whatever comes after the first 200 details
    or finds no room in 64 KiB; `size` (bytes) is at least that of all. Of a list as many items are kept as find room
    and can be shown. A number beyond 64 bits becomes text with the same digits, U+0000 becomes U+FFFD.
    """
    details = {key: without_mark(value) if type(value) is list else value for key, value in details.items()}
    if len(details) > MAX_KEYS or size > MAX_DETAILS_BYTES or max(map(len, details), default=0) > MAX_ID:
        details = _bounded(details, left_out, cut)
    if not _may_need_replacing(details):
        return details
    kept = {}
    for key, value in details.items():
        try:
            kept[_text(key)] = _storable(value)
        except OverflowError:
            left_out.append(name_of(key))
    return kept


def name_of(*keys: str) -> str:
    """The name of a detail, or of something in it, for the timeline: only `details` where a key may be an address."""
    return ".".join(("details", *keys)) if all(map(_NAME.fullmatch, keys)) else "details"


def _bounded(details: Mapping[str, Json], left_out: list[str], cut: list[str]) -> Mapping[str, Json]:
    kept: dict[str, Json] = {}
    room = MAX_DETAILS_BYTES
    for key, value in details.items():
        fitting, size = value, len(key) + _size(value)
        if size > room and type(value) is list:
            fitting = shortened(value, room - len(key) - _MARK, _size)
            size = len(key) + _size(fitting) if fitting else size
        if len(key) > MAX_ID or len(kept) == MAX_KEYS or size > room:
            left_out.append(name_of(key))
            continue
        if fitting is not value:
            cut.append(name_of(key))
        kept[key] = fitting
        room -= size
    return kept


def _size(value: Json) -> int:
    return len(_json(value))


def _json(value: Json) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # a number beyond 64 bits
        return str(value).encode("utf-8", "replace")


def _may_need_replacing(details: Mapping[str, Json]) -> bool:
    """Ask the JSON encoder, which is ten times as fast as our own walk. It refuses numbers beyond 64 bits, writes
    infinity as null, and U+0000 as an escape."""
    try:
        written = orjson.dumps(details)
    except TypeError:
        return True
    return b"null" in written or (b"\\" in written and b"\\u0000" in written)


def _storable(value: Json) -> Json:
    """Raises OverflowError for an infinite number."""
    kind = type(value)
    if kind is str:
        return _text(value)
    if kind is dict:
        return {_text(key): _storable(inner) for key, inner in value.items()}
    if kind is list:
        return [_storable(inner) for inner in value]
    if kind is int and not -_LARGEST <= value <= _LARGEST:
        return str(value)
    if kind is float and not math.isfinite(value):
        raise OverflowError
    return value


def _text(value: str) -> str:
    return value.replace("\0", "\ufffd") if "\0" in value else value
