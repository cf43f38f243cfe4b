"""Working time, quiet hours and the ends of days.

Moments go in and come out in UTC; between them stand local wall-clock times, and those are not one to one
with moments. Two rules settle every change of the clocks: a wall-clock time that the spring change skips stands
for the first valid moment after the gap, and one that the autumn change repeats stands for its first
occurrence. Elapsed hours are real hours, so an open Sunday of 23 hours counts 23.

Every function is total: what lies farther than `FARTHEST` days off is answered with that day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from avisa.core.plan import Calendar, QuietHours, Span
from avisa.core.timestamps import BEGINNING, END

MIDNIGHT = time(0)
FARTHEST = 1096  # days; the plan is refused when a calendar is closed for so long
BEFORE_QUIET = timedelta(minutes=30)

_DAY = timedelta(days=1)


def add(start: datetime, span: Span, calendar: Calendar | None) -> datetime:
    """The moment at which `span` has passed since `start`.

    Without a calendar that is plain elapsed time. With one, elapsed time counts only while it is open. N
    working days go on to the next opening if `start` is closed, then to the same local time N open days
    later, clipped to the hours of that day. Opening is open, closing is closed. A shift over midnight belongs to
    the day on which it begins: one working day from Saturday 02:00, in the shift of Friday, ends on Tuesday 02:00,
    in the shift of Monday.

    Later starts give later ends, with one exception: working days from the second pass of a repeated hour
    go by the clock on the wall, which was set back.
    """
    start = start.astimezone(UTC)  # within one zone Python adds and compares by the wall clock
    if calendar is None:
        if span.elapsed is None:
            raise ValueError("working days need a calendar")  # refused when the plan is read
        return start + span.elapsed
    if span.days is None:
        return _open_time(start, span.elapsed or timedelta(0), calendar)[0]
    at, begun = _open_time(start, timedelta(0), calendar)
    opened = at.astimezone(calendar.zone)
    day = _open_day(begun, span.days, calendar)
    return _clipped(day, datetime.combine(day + (opened.date() - begun), opened.time()), calendar)


def part(start: datetime, end: datetime, percent: int, calendar: Calendar | None) -> datetime:
    """The moment at which so much of the time from `start` to `end` has passed; with a calendar, of its open time."""
    start = start.astimezone(UTC)
    if calendar is None:
        return start + (end - start) * percent / 100
    left, today = timedelta(0), start.astimezone(calendar.zone).date()
    for _, opening, closing in _open_hours(today - _DAY, calendar):
        if opening >= end:
            break
        left += max(min(closing, end) - max(opening, start), timedelta(0))
    return _open_time(start, left * percent / 100, calendar)[0]


def out_of_quiet(
    moment: datetime, quiet: QuietHours | None, zone: tzinfo, now: datetime, *, never_before: bool = False
) -> datetime:
    """`moment`; but if it lies in quiet hours, 30 minutes before they begin, or their end if that has passed.

    With `never_before` it is their end in any case: working time that ends in the customer's night has not passed the
    evening before. The answer never lies in quiet hours itself.
    """
    around = quiet and _quiet_around(moment, quiet, zone)
    if not quiet or not around:
        return moment
    begin, end = around
    if never_before:
        return end
    earlier = begin - BEFORE_QUIET
    return earlier if earlier > now and _quiet_around(earlier, quiet, zone) is None else end


def quiet_until(moment: datetime, quiet: QuietHours | None, zone: tzinfo) -> datetime | None:
    """The end of the quiet hours that `moment` lies in, or None. They begin quiet and end loud."""
    around = quiet and _quiet_around(moment, quiet, zone)
    return around[1] if around else None


def end_of_day(day: date, zone: tzinfo) -> datetime:
    """The first moment after `day` in `zone`. What a datetime cannot say (year 9999) ends with the last it can."""
    try:
        return _moment(day + _DAY, MIDNIGHT, zone)
    except OverflowError:
        return END if day.year > 1 else BEGINNING


@lru_cache(64)  # a plan is read again and again, by a preview at each save, and its calendars stay
def longest_closure(calendar: Calendar) -> int:
    """The most days on end without an opening; `FARTHEST` means that the calendar never opens."""
    if not any(calendar.hours):
        return FARTHEST
    longest = run = 0
    first = min(calendar.closed, default=date(2001, 1, 1))  # a Monday
    last = max(calendar.closed, default=first)
    for ordinal in range(first.toordinal() - 7, last.toordinal() + 15):
        run = 0 if calendar.shifts(date.fromordinal(ordinal)) else run + 1
        longest = max(longest, run)
    return min(longest, FARTHEST)


@lru_cache(maxsize=8192)  # the orders of one day ask for the same few moments again and again
def _moment(day: date, wall: time, zone: tzinfo) -> datetime:
    """When the clocks of `zone` first show `wall` on `day`, or would have shown it but for a gap."""
    local = datetime.combine(day, wall)
    before = local.replace(tzinfo=zone).utcoffset() or timedelta(0)
    after = local.replace(tzinfo=zone, fold=1).utcoffset() or timedelta(0)
    # Both are the same but for a fold, where the first pass is wanted, and a gap, where the offset rises
    # (PEP 495).
    if before >= after:
        return (local - before).replace(tzinfo=UTC)
    return _change(local - after, local - before, after, zone).replace(tzinfo=UTC)


def _change(low: datetime, high: datetime, offset: timedelta, zone: tzinfo) -> datetime:
    """The first whole second after `low`, up to `high` (naive, UTC), at which `zone` has `offset`."""
    low, high = low.replace(microsecond=0), high.replace(microsecond=0)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.replace(tzinfo=UTC).astimezone(zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return high


def _open_hours(first: date, calendar: Calendar) -> Iterator[tuple[date, datetime, datetime]]:
    """Each shift from the day `first` on, in order: the day to which it belongs, its opening and its closing."""
    for ahead in range(FARTHEST):
        day = first + ahead * _DAY
        for opening, closing in calendar.shifts(day):
            ends = day if closing > opening else day + _DAY
            yield day, _moment(day, opening, calendar.zone), _moment(ends, closing, calendar.zone)


def _open_time(start: datetime, left: timedelta, calendar: Calendar) -> tuple[datetime, date]:
    """When `left` of open time has passed; the next opening, or now if it is open, when nothing is left. With the day
    of its shift."""
    today = start.astimezone(calendar.zone).date()
    for day, opening, closing in _open_hours(today - _DAY, calendar):  # yesterday's may not have ended
        since = max(start, opening)
        if since >= closing:
            continue
        if left <= closing - since:
            return since + left, day
        left -= closing - since
        start = closing  # hours of a single day may begin before a shift of the night has ended
    return start + FARTHEST * _DAY, today


def _open_day(day: date, count: int, calendar: Calendar) -> date:
    """The `count`-th open day after `day`."""
    for ahead in range(1, FARTHEST):
        later = day + ahead * _DAY
        count -= bool(calendar.shifts(later))
        if count <= 0:
            return later
    return day + FARTHEST * _DAY


def _clipped(day: date, wall: datetime, calendar: Calendar) -> datetime:
    """The wall-clock time `wall`, or the next opening of `day`, or its last closing."""
    ends = wall
    for opening, closing in calendar.shifts(day):
        begins = datetime.combine(day, opening)
        ends = datetime.combine(day if closing > opening else day + _DAY, closing)
        if wall < ends:
            ends = max(wall, begins)
            break
    return _moment(ends.date(), ends.time(), calendar.zone)


@lru_cache(maxsize=4096)  # as `_moment`
def _quiet_around(moment: datetime, quiet: QuietHours, zone: tzinfo) -> tuple[datetime, datetime] | None:
    """Begin and end of the quiet hours that `moment` lies in. Nights that a clock change joins are one."""
    today = moment.astimezone(zone).date()
    for day in (today - _DAY, today):
        begin, end = _night(day, quiet, zone)
        if begin <= moment < end:
            begin_before, end_before = _night(day - _DAY, quiet, zone)
            begin_after, end_after = _night(day + _DAY, quiet, zone)
            return (
                begin_before if end_before >= begin else begin,
                end_after if begin_after <= end else end,
            )
    return None


@lru_cache(maxsize=1024)
def _night(day: date, quiet: QuietHours, zone: tzinfo) -> tuple[datetime, datetime]:
    """The quiet hours that begin on `day`."""
    end = day + _DAY if quiet.begin > quiet.end else day
    return _moment(day, quiet.begin, zone), _moment(end, quiet.end, zone)
