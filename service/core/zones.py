"""Time zones by name: those of the tz database, and fixed offsets from UTC, `UTC+05:30`.

A fixed offset knows no summer time. Who says one is taken at their word.
"""

from __future__ import annotations

import re
from datetime import timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

_OFFSET = re.compile(r"UTC([+-])(\d\d):([0-5]\d)", re.ASCII)
# What clocks somewhere on earth show: Baker Island is the last, the Line Islands are the first.
_LEAST, _MOST = timedelta(hours=-12), timedelta(hours=14)


@lru_cache(1024)
def named(name: str) -> tzinfo | None:
    """The zone of that name, which `str` gives back; None for what is no zone, a path, or a folder of zones."""
    if (offset := _OFFSET.fullmatch(name)) is not None:
        sign, hours, minutes = offset.groups()
        ahead = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
        return timezone(ahead) if _LEAST <= ahead <= _MOST else None
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):  # not found; not a name; a folder such as `Europe`
        return None
