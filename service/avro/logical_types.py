"""Logical types (Avro 1.12, "Logical types"): what a number or some bytes mean. They become the texts that an event
takes; one that is unknown, or whose schema is wrong, is as if it were not there, as the specification asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from avisa.avro.cursor import Cursor, MismatchError
from avisa.avro.readers import Read, raw
from avisa.core.minor_units import written as amount
from avisa.core.model import Json
from avisa.core.timestamps import day_since_1970, rfc3339, since_1970

MOST_DIGITS = 1_000  # of a decimal
_PER_SECOND = {"millis": 10**3, "micros": 10**6, "nanos": 10**9}


def reader(written: Mapping[str, Any], type_: str, size: int | None = None) -> Read | None:
    """How a value of a type with a `logicalType` is read; None if that is none of these. `size` is of `fixed`."""
    logical = written.get("logicalType")
    if not isinstance(logical, str):
        return None
    if logical == "decimal" and type_ in ("bytes", "fixed"):
        return _decimal(written.get("precision"), written.get("scale", 0), size)
    if logical == "uuid" and type_ == "fixed" and size == 16:
        return lambda cursor: str(UUID(bytes=cursor.take(16)))
    if logical == "date" and type_ == "int":
        return lambda cursor: _day(cursor.long())
    kind, _, unit = logical.rpartition("-")
    if type_ == "long" and kind in ("timestamp", "local-timestamp") and unit in _PER_SECOND:
        write: Callable[[datetime], str] = rfc3339 if kind == "timestamp" else _local
        per_second = _PER_SECOND[unit]
        return lambda cursor: _time(cursor.long(), per_second, write)
    return None


def _decimal(precision: object, scale: object, size: int | None) -> Read | None:
    if type(precision) is not int or type(scale) is not int or not 0 <= scale <= precision <= MOST_DIGITS:
        return None
    content = raw(size)
    most = 10**precision

    def read(cursor: Cursor) -> Json:
        found = content(cursor)
        unscaled = int.from_bytes(found, "big", signed=True) if len(found) <= MOST_DIGITS else most
        if abs(unscaled) >= most:
            raise MismatchError("has a decimal with more digits than its schema")
        return amount(unscaled, scale)

    return read


def _day(days: int) -> Json:
    """The day; the number itself if the calendar has no such day, for only its field is odd then."""
    try:
        return day_since_1970(days)
    except OverflowError:
        return days


def _time(since: int, per_second: int, write: Callable[[datetime], str]) -> Json:
    try:
        return write(since_1970(since, per_second))
    except OverflowError:
        return since


def _local(at: datetime) -> str:
    """What clocks showed somewhere: without a zone."""
    return at.replace(tzinfo=None).isoformat()
