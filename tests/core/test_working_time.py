"""Working time and quiet hours: tables made by hand, and properties over zones with every kind of clock change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from avisa.core.plan import Calendar, QuietHours, Span
from avisa.core.working_time import FARTHEST, add, end_of_day, longest_closure, out_of_quiet, quiet_until

LISBON = ZoneInfo("Europe/Lisbon")
WEEKDAYS = ((time(9), time(18)),)
LUNCH = ((time(9), time(13)), (time(14), time(18)))
SATURDAY = ((time(9), time(13)),)


def calendar(*hours: tuple[tuple[time, time], ...], zone: ZoneInfo = LISBON, closed: str = "") -> Calendar:
    return Calendar(
        key="c",
        hours=(*hours, *((),) * (7 - len(hours))),
        closed=frozenset(map(date.fromisoformat, closed.split())),
        zone=zone,
    )


WAREHOUSE = calendar(*[WEEKDAYS] * 5, closed="2026-04-03 2026-12-25")
SHOP = calendar(*[LUNCH] * 5, SATURDAY)
NIGHT = calendar(*[((time(0), time(2, 45)), (time(22), time(0)))] * 7)


def local(text: str, zone: ZoneInfo = LISBON) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def shown(moment: datetime, zone: ZoneInfo = LISBON) -> str:
    assert moment.tzinfo is UTC
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("of", "start", "days", "end"),
    [
        (WAREHOUSE, "2026-03-02 10:30", 3, "2026-03-05 10:30"),  # Monday to Thursday
        (WAREHOUSE, "2026-03-05 10:30", 3, "2026-03-10 10:30"),  # over a weekend
        (WAREHOUSE, "2026-03-07 12:00", 1, "2026-03-10 09:00"),  # Saturday: first on to Monday's opening
        (WAREHOUSE, "2026-03-02 07:00", 1, "2026-03-03 09:00"),  # before opening
        (WAREHOUSE, "2026-03-02 09:00", 1, "2026-03-03 09:00"),  # opening is open
        (WAREHOUSE, "2026-03-02 18:00", 1, "2026-03-04 09:00"),  # closing is closed
        (WAREHOUSE, "2026-04-02 17:59", 1, "2026-04-06 17:59"),  # Good Friday
        (WAREHOUSE, "2026-12-24 12:00", 5, "2027-01-01 12:00"),  # over the year's end, 25th closed
        (WAREHOUSE, "2028-02-28 12:00", 1, "2028-02-29 12:00"),  # a leap day
        (WAREHOUSE, "2026-03-27 12:00", 1, "2026-03-30 12:00"),  # the clocks go on, the time stays
        (SHOP, "2026-03-06 17:00", 1, "2026-03-07 13:00"),  # clipped to Saturday's closing
        (SHOP, "2026-03-06 13:30", 1, "2026-03-07 13:00"),  # lunch goes on to 14:00, then clipped
        (SHOP, "2026-03-07 12:00", 1, "2026-03-09 12:00"),
        (calendar(WEEKDAYS, SATURDAY, LUNCH), "2026-03-02 13:30", 2, "2026-03-04 14:00"),  # a gap: next opening
        (calendar(WEEKDAYS, ((time(11), time(12)),)), "2026-03-02 09:30", 1, "2026-03-03 11:00"),
        (NIGHT, "2026-03-28 01:30", 1, "2026-03-29 02:00"),  # 01:30 is skipped in Lisbon
        (NIGHT, "2026-03-28 23:59", 1, "2026-03-29 23:59"),
    ],
)
def test_working_days_are_counted_by_the_calendar(of: Calendar, start: str, days: int, end: str) -> None:
    assert shown(add(local(start), Span(days=days), of)) == end


@pytest.mark.parametrize(
    ("of", "start", "hours", "end"),
    [
        (WAREHOUSE, "2026-03-02 10:00", 4, "2026-03-02 14:00"),
        (WAREHOUSE, "2026-03-02 10:00", 8, "2026-03-02 18:00"),  # ends with the day, not with the next opening
        (WAREHOUSE, "2026-03-02 10:00", 9, "2026-03-03 10:00"),
        (WAREHOUSE, "2026-03-06 17:00", 2, "2026-03-09 10:00"),
        (WAREHOUSE, "2026-03-07 17:00", 1, "2026-03-09 10:00"),
        (SHOP, "2026-03-02 12:00", 2, "2026-03-02 15:00"),  # not over lunch
        (SHOP, "2026-03-06 16:00", 6, "2026-03-07 13:00"),
        (NIGHT, "2026-03-28 22:00", 3, "2026-03-29 02:00"),  # 00:00 to 02:45 has one hour less
        (NIGHT, "2026-10-24 22:00", 6, "2026-10-25 22:15"),  # and here one more
    ],
)
def test_hours_are_counted_while_the_calendar_is_open(of: Calendar, start: str, hours: int, end: str) -> None:
    assert shown(add(local(start), Span(elapsed=timedelta(hours=hours)), of)) == end


def test_time_without_a_calendar_is_elapsed_time() -> None:
    start = local("2026-03-28 12:00").astimezone(UTC)
    assert shown(add(start, Span(elapsed=timedelta(hours=24)), None)) == "2026-03-29 13:00"
    with pytest.raises(ValueError, match="working days need a calendar"):
        add(start, Span(days=1), None)


EVENING = QuietHours(begin=time(21), end=time(8))
NOON = QuietHours(begin=time(12), end=time(14))


@pytest.mark.parametrize(
    ("quiet", "moment", "now", "moved"),
    [
        (EVENING, "2026-03-02 20:59", "2026-03-01 12:00", "2026-03-02 20:59"),
        (EVENING, "2026-03-02 21:00", "2026-03-01 12:00", "2026-03-02 20:30"),
        (EVENING, "2026-03-03 07:59", "2026-03-01 12:00", "2026-03-02 20:30"),
        (EVENING, "2026-03-03 08:00", "2026-03-01 12:00", "2026-03-03 08:00"),  # their end is loud
        (EVENING, "2026-03-02 23:00", "2026-03-02 20:29", "2026-03-02 20:30"),
        (EVENING, "2026-03-02 23:00", "2026-03-02 20:30", "2026-03-03 08:00"),  # that has passed
        (EVENING, "2026-03-02 23:00", "2026-03-02 22:30", "2026-03-03 08:00"),
        (NOON, "2026-03-02 13:00", "2026-03-02 08:00", "2026-03-02 11:30"),
        (NOON, "2026-03-02 13:00", "2026-03-02 12:00", "2026-03-02 14:00"),
        (QuietHours(begin=time(8, 20), end=time(8)), "2026-03-02 12:00", "2026-03-01 08:00", "2026-03-03 08:00"),
        (QuietHours(begin=time(21), end=time(1, 30)), "2026-03-28 23:00", "2026-03-28 22:00", "2026-03-29 02:00"),
        (QuietHours(begin=time(21), end=time(1, 30)), "2026-10-24 23:00", "2026-10-24 22:00", "2026-10-25 01:30"),
        # Loud from 01:00 to 02:00 only, and the spring change skips that hour: two nights are one.
        (QuietHours(begin=time(2), end=time(1)), "2026-03-28 12:00", "2026-03-28 06:00", "2026-03-30 01:00"),
    ],
)
def test_a_deadline_in_quiet_hours_is_moved_out_of_them(quiet: QuietHours, moment: str, now: str, moved: str) -> None:
    assert shown(out_of_quiet(local(moment).astimezone(UTC), quiet, LISBON, local(now))) == moved


def test_without_quiet_hours_a_deadline_stays() -> None:
    moment = local("2026-03-02 23:00")
    assert out_of_quiet(moment, None, LISBON, moment) is moment
    assert quiet_until(moment, None, LISBON) is None


@pytest.mark.parametrize(
    ("day", "zone", "end"),
    [
        ("2026-03-09", "Europe/Lisbon", "2026-03-10T00:00:00+00:00"),
        ("2026-03-29", "Europe/Lisbon", "2026-03-29T23:00:00+00:00"),
        ("2026-12-31", "America/Sao_Paulo", "2027-01-01T03:00:00+00:00"),
        ("2026-04-23", "Africa/Cairo", "2026-04-23T22:00:00+00:00"),  # the next midnight is skipped
        ("2018-11-03", "America/Sao_Paulo", "2018-11-04T03:00:00+00:00"),  # there too
        ("2018-02-17", "America/Sao_Paulo", "2018-02-18T03:00:00+00:00"),  # an evening with two 23:30
        ("2011-12-29", "Pacific/Apia", "2011-12-30T10:00:00+00:00"),  # the 30th is skipped whole
        ("9999-12-31", "Europe/Lisbon", "9999-12-31T23:59:59.999999+00:00"),
        ("9999-12-30", "America/Los_Angeles", "9999-12-31T08:00:00+00:00"),
        ("0001-01-01", "Pacific/Auckland", "0001-01-01T12:20:56+00:00"),
    ],
)
def test_a_day_ends_at_the_next_midnight_of_its_zone(day: str, zone: str, end: str) -> None:
    assert end_of_day(date.fromisoformat(day), ZoneInfo(zone)).isoformat() == end


def test_the_longest_closure_of_a_calendar_is_counted_in_days() -> None:
    assert longest_closure(WAREHOUSE) == 3  # Friday holiday and a weekend
    assert longest_closure(calendar(WEEKDAYS)) == 6
    assert longest_closure(calendar()) == FARTHEST
    year = " ".join((date(2027, 1, 1) + timedelta(days=n)).isoformat() for n in range(365))
    assert longest_closure(calendar(*[WEEKDAYS] * 7, closed=year)) == 365


def test_a_calendar_that_never_opens_still_gives_a_deadline() -> None:
    start = local("2026-03-02 12:00")
    for span in (Span(days=1), Span(elapsed=timedelta(hours=1))):
        assert add(start, span, calendar()) - start >= timedelta(days=FARTHEST)


# ---------------------------------------------------------------- properties

zones = st.sampled_from(
    [
        ZoneInfo(name)
        for name in (
            "Europe/Lisbon",
            "America/Sao_Paulo",
            "Africa/Cairo",
            "Asia/Beirut",
            "Australia/Lord_Howe",  # half an hour
            "America/St_Johns",
            "Asia/Kathmandu",
            "Pacific/Apia",  # skipped 30 December 2011
            "Africa/Casablanca",
            "America/Havana",
            "Antarctica/Troll",  # two hours
        )
    ]
)
minutes = st.integers(0, 1439).map(lambda n: time(n // 60, n % 60))
moments = st.integers(0, 28 * 366 * 86400).map(lambda n: datetime(2008, 1, 1, tzinfo=UTC) + timedelta(seconds=n))
# Half of the moments lie close to a change of the clocks, where the rules are hard.
around_changes = st.builds(
    lambda year, month, day, at: datetime(year, month, day, tzinfo=UTC) + timedelta(minutes=at),
    st.integers(2008, 2035),
    st.sampled_from([3, 4, 10, 11, 12]),
    st.integers(1, 30),
    st.integers(0, 1440),
)
any_moment = moments | around_changes
quiets = st.builds(lambda b, e: QuietHours(begin=b, end=e), minutes, minutes).filter(lambda q: q.begin != q.end)


@st.composite
def open_hours(draw: st.DrawFn) -> tuple[tuple[time, time], ...]:
    marks = sorted(draw(st.sets(minutes, min_size=2, max_size=4)))
    if draw(st.booleans()):
        marks[-1] = time(0)
    pairs = tuple(zip(marks[::2], marks[1::2], strict=False))
    return tuple((o, c) for o, c in pairs if c == time(0) or o < c)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    hours = draw(st.lists(open_hours() | st.just(()), min_size=7, max_size=7).filter(any))
    around = draw(any_moment).date()
    closed = draw(st.sets(st.integers(-20, 20), max_size=20))
    return Calendar(
        key="c",
        hours=tuple(hours),
        closed=frozenset(around + timedelta(days=n) for n in closed),
        zone=draw(zones),
    )


@given(any_moment, quiets, zones, st.timedeltas(timedelta(0), timedelta(days=3)))
def test_a_deadline_never_lies_in_quiet_hours(
    moment: datetime, quiet: QuietHours, zone: ZoneInfo, ahead: timedelta
) -> None:
    now = moment - ahead
    moved = out_of_quiet(moment, quiet, zone, now)
    assert quiet_until(moved, quiet, zone) is None
    assert moved >= moment or moved > now  # never in the past by our doing
    assert (moved == moment) == (quiet_until(moment, quiet, zone) is None)
    assert out_of_quiet(moved, quiet, zone, now) == moved


@given(any_moment, quiets, zones)
def test_quiet_hours_end_when_the_clock_says_so(moment: datetime, quiet: QuietHours, zone: ZoneInfo) -> None:
    end = quiet_until(moment, quiet, zone)
    if end is not None:
        assert moment < end <= moment + timedelta(days=3)
        offsets = {(end + timedelta(hours=h)).astimezone(zone).utcoffset() for h in range(-4, 5)}
        if len(offsets) == 1:
            assert end.astimezone(zone).time() == quiet.end


@given(any_moment, zones)
def test_a_day_ends_after_all_of_its_moments(moment: datetime, zone: ZoneInfo) -> None:
    day = moment.astimezone(zone).date()
    end = end_of_day(day, zone)
    assert end > moment
    assert (end - timedelta(microseconds=1)).astimezone(zone).date() <= day < end.astimezone(zone).date()


spans = st.builds(Span, days=st.integers(1, 10)) | st.builds(
    Span, elapsed=st.timedeltas(timedelta(minutes=1), timedelta(hours=80))
)


def open_seconds(begin: datetime, end: datetime, of: Calendar, step: timedelta) -> float:
    """Open time between two moments, counted the slow way: by looking at the wall clock every few minutes."""
    total = 0.0
    at = begin
    while at < end:
        wall = at.astimezone(of.zone)
        day = of.hours[wall.weekday()] if wall.date() not in of.closed else ()
        if any(o <= wall.time() and (wall.time() < c or c == time(0)) for o, c in day):
            total += min(step, end - at).total_seconds()
        at += step
    return total


@given(any_moment, spans, calendars())
def test_working_time_lands_on_open_hours(start: datetime, span: Span, of: Calendar) -> None:
    end = add(start, span, of)
    assume(end - start < timedelta(days=FARTHEST))
    assert end.tzinfo is UTC
    assert end >= start
    wall = end.astimezone(of.zone)
    offsets = {(end + timedelta(hours=h)).astimezone(of.zone).utcoffset() for h in range(-26, 27)}
    assume(len(offsets) == 1)
    before = (end - timedelta(microseconds=1)).astimezone(of.zone)
    open_now = [o <= wall.time() and (wall.time() < c or c == time(0)) for o, c in of.hours[wall.weekday()]]
    closing = [before.time() < c or c == time(0) for o, c in of.hours[before.weekday()] if o <= before.time()]
    assert (any(open_now) and wall.date() not in of.closed) or (any(closing) and before.date() not in of.closed)


@given(any_moment, st.timedeltas(timedelta(0), timedelta(days=9)), spans, calendars())
def test_starting_later_never_ends_earlier(start: datetime, later: timedelta, span: Span, of: Calendar) -> None:
    second = start + later
    if span.days:  # the one exception that is documented
        assume(not any(m.astimezone(of.zone).fold for m in (start, second)))
        opened = [add(m, Span(elapsed=timedelta(0)), of).astimezone(of.zone) for m in (start, second)]
        assume(not any(m.fold for m in opened))
    assert add(start, span, of) <= add(second, span, of)


@given(moments, st.integers(1, 40), calendars())
def test_elapsed_open_hours_are_what_a_wall_clock_counts(start: datetime, hours: int, of: Calendar) -> None:
    start = start.replace(second=0, microsecond=0)
    end = add(start, Span(elapsed=timedelta(hours=hours)), of)
    assume(end - start < timedelta(days=12))
    offsets = {(start + timedelta(hours=h)).astimezone(of.zone).utcoffset() for h in range(-24, 24 * 14, 6)}
    assume(len(offsets) == 1)
    assert open_seconds(start, end, of, timedelta(minutes=1)) == hours * 3600
