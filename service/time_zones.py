"""Time zones as the world spells them, and the name by which `core.zones` knows each.

Names of the tz database count in any case, those of Windows by CLDR's mapping (Babel carries it), and an offset from
UTC is what it says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from zoneinfo import available_timezones

from babel.core import get_global

from avisa.core import zones

_OFFSET = re.compile(
    r"(?:UTC|GMT)? ?([+\-\u2212])(?:(\d\d?)(?::([0-5]\d))?|(\d\d)([0-5]\d))", re.ASCII | re.IGNORECASE
)


@lru_cache(1024)
def canonical(written: str) -> str | None:
    """The name of the zone that was meant; None for what is no zone, or could be several.

    For example, `europe/lisbon` is `Europe/Lisbon`, `W. Europe Standard Time` is `Europe/Berlin`, `-08:00` is
    `UTC-08:00`, and `Z` is `UTC`.
    """
    return of_database(written) or fixed_offset(written) or of_windows(written)


def of_database(written: str) -> str | None:
    """The zone of the tz database that has the name, in whatever case."""
    return _names().get("_".join(written.split()).casefold())


def fixed_offset(written: str) -> str | None:
    """`UTC+02:00` for `+2`, `GMT+2` or `+0200`, and `UTC` for none; None for what is no offset that clocks have."""
    text = written.strip()
    if text.casefold() == "z":
        return "UTC"
    if (found := _OFFSET.fullmatch(text)) is None:
        return None
    sign, hours, minutes = found[1], found[2] or found[4], found[3] or found[5] or "00"
    if not int(hours + minutes):
        return "UTC"
    name = f"UTC{'+' if sign == '+' else '-'}{int(hours):02}:{minutes}"
    return name if zones.named(name) else None


def of_windows(written: str) -> str | None:
    """The zone that CLDR has for a name of Windows, in whatever case."""
    return _windows().get(" ".join(written.split()).casefold())


@cache
def _names() -> Mapping[str, str]:
    return {name.casefold(): name for name in available_timezones()}


@cache
def _windows() -> Mapping[str, str]:
    return {name.casefold(): zone for name, zone in get_global("windows_zone_mapping").items()}
