"""What operators may write for the hours of a day, of a week and of the night, and for days that are closed.

Each function takes the text that was written and returns its meaning, or raises `invalid` with what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, time, timedelta
from functools import lru_cache
from itertools import pairwise

from avisa.core.plan import Holidays, QuietHours, Shift
from avisa.diagnostics.suggest import closest_match
from avisa.plan_file.values import invalid, quoted

Hours = tuple[tuple[Shift, ...], ...]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAY_YEARS = range(2015, 2046)


def time_of_day(text: str) -> time | None:
    """Return the time of day in `text`, or None. `24:00`, the midnight that ends the day, is `time(0)`."""
    found = re.fullmatch(r"(\d\d?):(\d\d)", text)
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2])
    if (hour, minute) == (24, 0):
        return time(0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def quiet_hours(text: str) -> QuietHours:
    begin, end = _from_to(text.strip(), 'allowed: two times of day such as "21:00-08:00", or none')
    if begin == end:
        raise invalid(
            "bad_hours", f"quiet hours {quoted(text)} are the whole day, so nobody would ever hear anything"
        )
    length = ((end.hour - begin.hour) * 60 + end.minute - begin.minute) % 1440
    if length > 23 * 60:
        raise invalid("bad_hours", f"quiet hours {quoted(text)} leave less than an hour to write in")
    return QuietHours(begin=begin, end=end)


def hours(text: str) -> Hours:
    """Return the shifts of each weekday, Monday first, in order, from `mon-fri 09:00-18:00, sat 09:00-13:00`.

    One that ends before it begins ends on the next day.
    """
    week: list[list[Shift]] = [[] for _ in WEEKDAYS]
    allowed = 'allowed: "mon-fri 09:00-18:00, sat 09:00-13:00"'
    for part in text.split(","):
        days, *openings = part.split() or [""]
        if not openings:
            raise invalid("bad_hours", f"{quoted(part.strip())} names no hours; {allowed}")
        for shift in (_shift(each, allowed) for each in openings):
            for day in _weekdays(days, allowed):
                week[day].append(shift)
    for name, shifts in zip(WEEKDAYS, week, strict=True):
        shifts.sort()
        _refuse_overlap(name, shifts)
    for day, shifts in enumerate(week):
        tomorrow = (day + 1) % 7
        if shifts and week[tomorrow] and _ends_next_day(shifts[-1]) and week[tomorrow][0][0] < shifts[-1][1]:
            message = f"the hours of {WEEKDAYS[day]} go on into those of {WEEKDAYS[tomorrow]}"
            raise invalid("bad_hours", message)
    return tuple(map(tuple, week))


def day_hours(text: str) -> tuple[Shift, ...]:
    """Return the shifts of one day, from `09:00-13:00 14:00-18:00`."""
    allowed = 'allowed: "09:00-13:00"; a day without opening belongs under closed'
    shifts = sorted(_shift(each, allowed) for each in text.replace(",", " ").split())
    if not shifts:
        raise invalid("bad_hours", f"{quoted(text)} names no hours; {allowed}")
    _refuse_overlap("that day", shifts)
    return tuple(shifts)


def _shift(text: str, allowed: str) -> Shift:
    opening, closing = _from_to(text, allowed)
    if opening == closing != time(0):
        raise invalid("bad_hours", f"{quoted(text)} ends when it begins; a whole day is 00:00-24:00")
    return opening, closing


def _ends_next_day(shift: Shift) -> bool:
    return shift[1] <= shift[0]


def _refuse_overlap(name: str, shifts: Sequence[Shift]) -> None:
    for earlier, later in pairwise(shifts):
        if _ends_next_day(earlier) or later[0] < earlier[1]:
            raise invalid("bad_hours", f"the hours of {name} overlap")


def day(text: str) -> date:
    """Return the day of `2026-12-24`."""
    found = _date(text)
    if found is None:
        raise invalid("bad_date", f"{quoted(text)} is not a date; allowed: 2026-12-24")
    return found


def closed_days(text: str) -> frozenset[date]:
    """Return the days of `2026-12-24`, or of `2026-12-24..2027-01-02`, both ends included."""
    first, _, last = text.strip().partition("..")
    begin, end = _date(first), _date(last or first)
    if begin is None or end is None:
        raise invalid("bad_date", f"{quoted(text)} is not a date; allowed: 2026-12-24 or 2026-12-24..2027-01-02")
    if not timedelta(0) <= end - begin <= timedelta(days=366):
        raise invalid("bad_date", f"{quoted(text)} must end after it begins, within a year")
    return frozenset(begin + timedelta(days=n) for n in range((end - begin).days + 1))


@lru_cache(maxsize=64)  # a country takes up to 80 ms, and the plan is read at every save
def holidays(text: str) -> Holidays:
    """Return the public holidays of `PT` or `ES-CT`, as the package `holidays` has them."""
    import holidays as package  # here, for it takes 12 MB, and a start finds the days kept with the catalog

    text = text.strip()
    country, _, region = text.partition("-")
    supported = package.list_supported_countries()
    if country not in supported:
        allowed = "a country, or a country and a region, such as PT or ES-CT"
        nearest = closest_match(country, supported)
        raise invalid("unknown_name", f"there are no holidays for {quoted(text)}; allowed: {allowed}", nearest)
    if region and region not in supported[country]:
        regions = [f"{country}-{each}" for each in supported[country]]
        allowed = ", ".join([country, *regions])
        nearest = closest_match(text, regions)
        raise invalid("unknown_name", f"there are no holidays for {quoted(text)}; allowed: {allowed}", nearest)
    known = package.country_holidays(country, subdiv=region or None, years=HOLIDAY_YEARS)
    return Holidays(text, frozenset(known), frozenset(known.weekend_workdays))


def _from_to(text: str, allowed: str) -> tuple[time, time]:
    first, dash, last = text.partition("-")
    begin, end = time_of_day(first.strip()), time_of_day(last.strip())
    if not dash or begin is None or end is None or first.strip() == "24:00":
        raise invalid("bad_hours", f"{quoted(text)} is not from one time of day to another; {allowed}")
    return begin, end


def _weekdays(text: str, allowed: str) -> list[int]:
    first, _, last = text.lower().partition("-")
    for each in (first, last or first):
        if each not in WEEKDAYS:
            raise invalid("bad_hours", f"{quoted(each)} is not a weekday; {allowed}", closest_match(each, WEEKDAYS))
    begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
    return [(begin + n) % 7 for n in range((end - begin) % 7 + 1)]


def _date(text: str) -> date | None:
    try:
        day = date.fromisoformat(text.strip()) if re.fullmatch(r"\d{4}-\d\d-\d\d", text.strip()) else None
    except ValueError:
        return None
    return day if day and 2000 <= day.year < 2100 else None
