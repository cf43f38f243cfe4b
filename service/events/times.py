"""Moments and days as publishers write them (RFC 3339)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from avisa.core.timestamps import rfc3339

_EARLIEST, _LATEST = 1970, 9998  # years: a window can be added to each moment in them
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(?::(\d\d)(\.\d{1,9})?)?([Zz]|[+-]\d\d:?\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{4}-\d\d-\d\d)(?:[Tt ].*)?", re.ASCII)


def moment(text: str) -> datetime:
    """Return a moment of RFC 3339 (section 5.6) in UTC. Seconds and the colon of the zone may be missing, as many
    programs leave them out; a leap second counts as the second before. Raises ValueError with what is wrong."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise ValueError("is no RFC 3339 time with a zone")
    day, minute, second, fraction, zone = match.groups()
    second = "59" if second == "60" else second or "00"
    try:
        local = datetime.fromisoformat(f"{day}T{minute}:{second}{fraction or ''}{zone.upper()}")
        at = local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is no time of the calendar") from None
    if not _EARLIEST <= at.year <= _LATEST:
        raise ValueError("is out of range")
    return at


def slot(begin: str, end: str, *, day_only: bool) -> str:
    """Return `FROM/UNTIL` of two moments; with `day_only` the day that is written in the second one. Raises
    ValueError with what is wrong, also where the second is not the later one."""
    if day_only:
        return promise(end, day_only=True)
    first, last = moment(begin), moment(end)
    if last <= first:
        raise ValueError("does not end after it begins")
    return f"{rfc3339(first)}/{rfc3339(last)}"


def promise(text: str, *, day_only: bool) -> str:
    """Return a promised day as it is, and a promised moment in UTC with a `Z`. With `day_only` also a moment is
    taken for the day that is written. Raises ValueError with what is wrong."""
    written = _DAY_FIRST.fullmatch(text) if day_only else _DAY.fullmatch(text)
    if written is None:
        return rfc3339(moment(text))
    day = written[day_only]  # the group of the day, or the whole
    if not _EARLIEST <= date.fromisoformat(day).year <= _LATEST:
        raise ValueError("is out of range")
    return day
