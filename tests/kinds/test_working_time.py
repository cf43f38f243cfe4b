"""Working time passes as people work: shifts over midnight, single days with hours of their own, holidays of several
countries, and weekends on which a country works."""

from __future__ import annotations

from datetime import datetime, time
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from avisa import plan_file
from avisa.core import deadlines, working_time
from avisa.core.plan import Plan, QuietHours
from tests import builders
from tests.oracle.plan import read_plan

LISBON = ZoneInfo("Europe/Lisbon")
PLAN = """
brands: {{default: {{name: Loja, from: avisos@example.com, time_zone: Europe/Lisbon}}}}
calendars: {{c: {{{calendar}}}}}
touchpoints:
  made: {{message: plain, calendar: c, window: {window}}}
"""

NIGHT = 'hours: "mon-fri 22:00-06:00"'
CLOSED_FRIDAY = f"{NIGHT}, closed: [2026-03-06]"
LATE_SATURDAY = 'hours: "mon-fri 09:00-18:00, sat 20:00-02:00"'
ROUND_THE_CLOCK = 'hours: "mon-sun 06:00-14:00, mon-sun 14:00-22:00, mon-sun 22:00-06:00"'
DAY = 'hours: "mon-fri 09:00-18:00"'
ON = '{2026-12-24: "09:00-13:00", 2026-12-25: "10:00-11:00", 2026-01-10: "09:00-18:00"}'
SINGLE = f"{DAY}, holidays: PT, hours_on: {ON}"
EARLY = f'{NIGHT}, hours_on: {{2026-03-03: "04:00-08:00"}}'

# calendar, from, window, until
ENDS = [
    (NIGHT, "2026-03-06 23:00", "1bd", "2026-03-09 23:00"),  # Friday to Monday
    (NIGHT, "2026-03-07 02:00", "1bd", "2026-03-10 02:00"),  # in the shift of Friday to that of Monday
    (NIGHT, "2026-03-07 06:00", "1bd", "2026-03-10 22:00"),  # closing is closed: on to Monday's shift first
    (NIGHT, "2026-03-02 05:00", "1bd", "2026-03-03 22:00"),  # Sunday has no shift that Monday could end
    (NIGHT, "2026-03-02 12:00", "2bd", "2026-03-04 22:00"),
    (NIGHT, "2026-03-03 01:00", "4h", "2026-03-03 05:00"),
    (NIGHT, "2026-03-03 05:00", "2h", "2026-03-03 23:00"),
    (NIGHT, "2026-03-07 05:00", "9h", "2026-03-10 06:00"),  # an hour on Saturday, eight from Monday night
    (NIGHT, "2026-03-28 23:00", "1h", "2026-03-30 23:00"),  # the clocks change in a night without a shift
    (CLOSED_FRIDAY, "2026-03-05 23:00", "1bd", "2026-03-09 23:00"),  # the shift that begins on Friday is closed
    (CLOSED_FRIDAY, "2026-03-06 02:00", "1h", "2026-03-06 03:00"),  # that of Thursday goes on
    (CLOSED_FRIDAY, "2026-03-07 02:00", "1h", "2026-03-09 23:00"),
    (LATE_SATURDAY, "2026-03-06 12:00", "1bd", "2026-03-07 20:00"),
    (LATE_SATURDAY, "2026-03-08 01:00", "1bd", "2026-03-09 18:00"),  # 01:00 of the day after, clipped
    (ROUND_THE_CLOCK, "2026-03-06 23:00", "30h", "2026-03-08 05:00"),
    (ROUND_THE_CLOCK, "2026-03-06 15:00", "1bd", "2026-03-07 15:00"),
    (SINGLE, "2026-12-23 15:00", "1bd", "2026-12-24 13:00"),  # clipped to the short day
    (SINGLE, "2026-12-24 09:00", "5h", "2026-12-25 11:00"),  # a holiday with hours of its own
    (SINGLE, "2026-01-09 15:00", "1bd", "2026-01-10 15:00"),  # a Saturday that is opened
    (SINGLE, "2026-01-16 15:00", "1bd", "2026-01-19 15:00"),  # any other Saturday is not
    (EARLY, "2026-03-03 05:00", "2h", "2026-03-03 07:00"),  # two shifts at once count once
    (f"{DAY}, holidays: [PT, ES]", "2026-01-05 12:00", "1bd", "2026-01-07 12:00"),  # Epiphany, of Spain
    (f"{DAY}, holidays: [PT, ES]", "2026-06-09 12:00", "1bd", "2026-06-11 12:00"),  # Portugal's day
    (f"{DAY}, holidays: ES-CT", "2026-09-10 12:00", "1bd", "2026-09-14 12:00"),
    (f"{DAY}, holidays: HU", "2026-01-09 12:00", "1bd", "2026-01-10 12:00"),  # a working Saturday in Hungary
    (f"{DAY}, holidays: HU, closed: [2026-01-10]", "2026-01-09 12:00", "1bd", "2026-01-12 12:00"),
    (f"{DAY}, holidays: CN", "2026-02-13 12:00", "1bd", "2026-02-14 12:00"),  # working Saturdays in China
    (f"{DAY}, holidays: CN", "2026-01-02 12:00", "1bd", "2026-01-05 09:00"),  # and a Sunday, after a free Friday
    ('hours: "mon-fri 00:00-24:00"', "2026-03-06 23:00", "2h", "2026-03-09 01:00"),
]


@cache
def _plan(calendar: str, window: str) -> Plan:
    read = plan_file.read(PLAN.format(calendar=calendar, window=window), file="plan.yaml")
    assert not isinstance(read, list), read
    return read


@pytest.mark.parametrize(("calendar", "start", "window", "end"), ENDS)
def test_a_window_ends_when_its_working_time_has_passed(calendar: str, start: str, window: str, end: str) -> None:
    touchpoint = _plan(calendar, window).touchpoints["made"]
    assert touchpoint.window is not None
    ended = working_time.add(_local(start), touchpoint.window, touchpoint.calendar)
    assert ended.astimezone(LISBON).strftime("%Y-%m-%d %H:%M") == end


def test_the_oracle_works_it_out_alike(tmp_path: Path) -> None:
    for calendar, start, window, end in ENDS:
        (tmp_path / "plan.yaml").write_text(
            PLAN.format(calendar=f"time_zone: Europe/Lisbon, {calendar}", window=window).replace(
                "{message", "{remind: {}, promise: {}, message"
            ),
            "utf-8",
        )
        span = read_plan(tmp_path / "plan.yaml").touchpoints["made"].window
        assert span is not None
        assert span.after(_local(start)).astimezone(LISBON).strftime("%Y-%m-%d %H:%M") == end, (
            calendar,
            start,
            window,
        )


# calendar, from, window, quiet hours, deadline
NIGHTS = [
    (NIGHT, "2026-03-02 22:00", "4h", ("21:00", "08:00"), "2026-03-03 08:00"),
    (NIGHT, "2026-03-06 23:00", "1bd", ("21:00", "08:00"), "2026-03-10 08:00"),
    (DAY, "2026-03-02 12:00", "1bd", ("11:00", "13:00"), "2026-03-03 13:00"),
    (DAY, "2026-03-02 10:00", "1bd", ("21:00", "08:00"), "2026-03-03 10:00"),
]


@pytest.mark.parametrize(("calendar", "start", "window", "quiet", "end"), NIGHTS)
def test_working_time_that_ends_in_the_night_ends_with_it(
    calendar: str, start: str, window: str, quiet: tuple[str, str], end: str
) -> None:
    planned = _plan(calendar, window)
    begin, over = map(time.fromisoformat, quiet)
    of = planned.touchpoints["made"]
    row = builders.touchpoint(
        "made", window=of.window, calendar=of.calendar, quiet_hours=QuietHours(begin=begin, end=over)
    )
    at = _local(start)
    ended = deadlines.window_end(builders.order(status="made"), row, builders.plan(row), at, now=at)
    assert ended is not None
    assert ended.astimezone(LISBON).strftime("%Y-%m-%d %H:%M") == end


def test_elapsed_time_that_ends_in_the_night_ends_the_evening_before() -> None:
    row = builders.touchpoint(
        "made", window=builders.hours_span(12), quiet_hours=QuietHours(begin=time(21), end=time(8))
    )
    at = _local("2026-03-02 15:00")
    ended = deadlines.window_end(builders.order(status="made"), row, builders.plan(row), at, now=at)
    assert ended == _local("2026-03-02 20:30")


@pytest.mark.parametrize(
    ("calendar", "what"),
    [
        ('hours: "mon-fri 09:00-09:00"', "ends when it begins"),
        ('hours: "mon-fri 22:00-06:00, tue 05:00-09:00"', "the hours of mon go on into those of tue"),
        ('hours: "sun 22:00-06:00, mon 04:00-12:00"', "the hours of sun go on into those of mon"),
        ('hours: "mon 22:00-06:00 23:00-24:00"', "overlap"),
        (f'{DAY}, hours_on: {{2026-13-01: "09:00-13:00"}}', "is not a date"),
        (f'{DAY}, hours_on: {{2026-12-24: "closed"}}', "closed"),
        (f'{DAY}, hours_on: {{2026-12-24: "09:00-13:00 12:00-14:00"}}', "overlap"),
        (f"{DAY}, holidays: [PT, XX]", "there are no holidays"),
    ],
)
def test_hours_that_make_no_sense_are_refused(calendar: str, what: str) -> None:
    read = plan_file.read(PLAN.format(calendar=calendar, window="1bd"), file="plan.yaml")
    assert isinstance(read, list)
    assert any(what in each.message for each in read), read


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LISBON)
