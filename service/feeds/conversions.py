"""`as`: what JMESPath has no words for. Each function returns the value in one of the forms that an event takes, or
raises ValueError with what is wrong, in words that name no values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from avisa.core.minor_units import decimals, written
from avisa.core.model import Json
from avisa.core.timestamps import day_since_1970, rfc3339, since_1970

Convert = Callable[[Json], Json]

_WHOLE = re.compile(r"[+-]?\d{1,30}", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,300}(?:\.\d{1,300})?", re.ASCII)
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[Tt ].*)?", re.ASCII)
_LOCAL = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(?::(\d\d)(\.\d{1,9})?)?(?P<zone>[Zz]|[+-]\d\d:?\d\d)?", re.ASCII
)
_PER_SECOND = {"epoch_s": 1, "epoch_ms": 10**3, "epoch_us": 10**6, "epoch_ns": 10**9}
MOST_DIGITS = 60  # of an amount in the smallest unit


def text(value: Json) -> str:
    """A text as it is, and a number with all its digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return str(value)
    raise ValueError("is no text and no number")


def _number(value: Json) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    written = value.strip() if isinstance(value, str) else ""
    if not _NUMBER.fullmatch(written):
        raise ValueError("is no number")
    return float(written) if "." in written else int(written)


def _day(value: Json) -> str:
    """The day that is written at the beginning of a time."""
    found = _DAY.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("begins with no day")
    return found[1]


def _days(value: Json) -> str:
    """The day that is so many after 1970-01-01."""
    try:
        return day_since_1970(_whole(value))
    except OverflowError:
        raise ValueError("is out of range") from None


def _moment(value: Json, per_second: int) -> str:
    """The moment that is so long after the beginning of 1970."""
    try:
        return rfc3339(since_1970(_whole(value), per_second))
    except OverflowError:
        raise ValueError("is out of range") from None


def _local(value: Json, zone: ZoneInfo) -> str:
    """A time without a zone, as the clocks of `zone` show it; one that has a zone keeps it."""
    found = _LOCAL.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("is no time such as 2026-03-02 10:15:00")
    if found["zone"]:
        return value.strip()  # type: ignore[no-any-return]  # a text, as it matched
    day, minute, second, fraction = found.groups()[:4]
    second = "59" if second == "60" else second or "00"
    try:
        return rfc3339(datetime.fromisoformat(f"{day}T{minute}:{second}{fraction or ''}").replace(tzinfo=zone))
    except (ValueError, OverflowError):
        raise ValueError("is no time of the calendar") from None


def amount(value: Json, currency: str | None) -> str:
    """An amount in the smallest unit of its currency, `12990`, as people write it: `129.90`."""
    whole = _whole(value)
    digits = decimals(currency.strip().upper() if currency else None)
    if len(str(whole)) > MOST_DIGITS:
        raise ValueError("is out of range")
    return written(whole, digits)


def _whole(value: Json) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    written = value.strip() if isinstance(value, str) else ""
    if not _WHOLE.fullmatch(written):
        raise ValueError("is no whole number")
    return int(written)


def local(zone: ZoneInfo) -> Convert:
    """The conversion `local` for a zone."""
    return partial(_local, zone=zone)


CONVERSIONS: Mapping[str, Convert] = {
    "text": text,
    "number": _number,
    "day": _day,
    "days": _days,
    **{name: partial(_moment, per_second=per_second) for name, per_second in _PER_SECOND.items()},
}
