"""Working time and quiet hours, reckoned a second time, minute arithmetic kept as plain as possible."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

BEFORE_QUIET = timedelta(minutes=30)  # a deadline in quiet hours moves to this long before they begin


_DAY = timedelta(days=1)
Shift = tuple[time, time]


@dataclass(frozen=True, slots=True)
class Calendar:
    """Shifts by weekday, Monday first; one that does not end after it begins ends on the next day."""

    zone: ZoneInfo
    hours: tuple[tuple[Shift, ...], ...]
    closed: frozenset[date] = field(default_factory=frozenset)
    on: dict[date, tuple[Shift, ...]] = field(default_factory=dict)  # single days

    def of_day(self, day: date) -> list[tuple[datetime, datetime]]:
        """The shifts that begin on a day as moments in UTC."""
        shifts = self.on.get(day, () if day in self.closed else self.hours[day.weekday()])
        return [
            (_moment(day, begin, self.zone), _moment(day if begin < end else day + _DAY, end, self.zone))
            for begin, end in shifts
        ]

    def _shifts(self, since: datetime) -> Iterator[tuple[date, datetime, datetime]]:
        first = since.astimezone(self.zone).date() - _DAY
        for ahead in range(4000):
            day = first + ahead * _DAY
            for begin, end in self.of_day(day):
                yield day, begin, end

    def opening(self, at: datetime) -> tuple[date, datetime]:
        """`at` if open then, else the next opening; and the day to whose shifts it belongs."""
        for day, begin, end in self._shifts(at):
            if at < end:
                return day, max(at, begin)
        raise ValueError("a calendar that never opens")

    def after_days(self, at: datetime, days: int) -> datetime:
        """The same local time `days` open days later, clipped to that day's hours."""
        day, opened = self.opening(at)
        start = opened.astimezone(self.zone)
        past_midnight = start.date() - day
        left = days
        while left:
            day += _DAY
            left -= bool(self.of_day(day))
        target = _moment(day + past_midnight, start.timetz().replace(tzinfo=None), self.zone)
        openings = self.of_day(day)
        for begin, end in openings:
            if target < end:
                return max(target, begin)
        return openings[-1][1]

    def after_open(self, at: datetime, span: timedelta) -> datetime:
        """When `span` of open time has passed."""
        left = span
        for _, begin, end in self._shifts(at):
            begin = max(begin, at)
            if begin >= end:
                continue
            if left <= end - begin:
                return begin + left
            left -= end - begin
            at = end
        raise ValueError("a calendar that never opens")

    def open_between(self, first: datetime, last: datetime) -> timedelta:
        """How much of the time between two moments it is open."""
        opened = timedelta(0)
        for _, begin, end in self._shifts(first):
            if begin >= last:
                break
            opened += max(min(end, last) - max(begin, first), timedelta(0))
        return opened


@dataclass(frozen=True, slots=True)
class Quiet:
    """Local hours in which a customer is not to be told."""

    begin: time
    end: time

    def holding(self, at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
        """The quiet stretch that `at` lies in."""
        return next(self.stretches(at, at, zone), None)

    def stretches(self, first: datetime, last: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
        """The quiet stretches that some moment from `first` to `last` lies in."""
        day = first.astimezone(zone).date() - timedelta(days=1)
        while day <= last.astimezone(zone).date():
            ends = day if self.begin < self.end else day + timedelta(days=1)
            begin, end = _moment(day, self.begin, zone), _moment(ends, self.end, zone)
            if begin <= last and first < end:
                yield begin, end
            day += timedelta(days=1)

    def release(self, at: datetime, zone: ZoneInfo) -> datetime:
        """`at`, or the end of the quiet stretch that it lies in."""
        stretch = self.holding(at, zone)
        return stretch[1] if stretch else at

    def deadline(self, at: datetime, now: datetime, zone: ZoneInfo, *, working: bool = False) -> datetime:
        """Where a deadline computed `now` goes; `working` time does not end in the evening before."""
        stretch = self.holding(at, zone)
        if stretch is None:
            return at
        if working:
            return stretch[1]
        earlier = stretch[0] - BEFORE_QUIET
        return earlier if earlier > now else stretch[1]


def _moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, zone).astimezone(UTC)
