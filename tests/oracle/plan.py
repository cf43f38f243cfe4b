"""The plan, read a second time: only the shapes that decide what is sent and when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import yaml

from tests.oracle.hours import Calendar, Quiet

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_YEARS = range(2015, 2036)


@dataclass(frozen=True, slots=True)
class Span:
    """A duration of the plan on its touchpoint's calendar."""

    elapsed: timedelta = timedelta(0)
    days: int = 0
    calendar: Calendar | None = None

    def after(self, at: datetime) -> datetime:
        if self.calendar is None:
            return at + self.elapsed
        if self.days:
            return self.calendar.after_days(at, self.days)
        return self.calendar.after_open(at, self.elapsed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Touchpoint:
    """What the plan says of one status."""

    window: Span | None
    gaps: tuple[Span, ...]
    then_every: Span | None
    at_most: int
    final: bool
    always: bool
    from_last_event: bool
    quiet: Quiet | None
    burst_wait: timedelta
    ignore_moves_under: timedelta
    moves_at_most_every: timedelta
    warn_before: timedelta | None
    grace: timedelta
    fulfils_promise: bool
    news: tuple[str, ...]
    once: bool
    owner: str | None
    asks_at: Span | int | None  # so long without news the owner is asked, or so many percent of the window
    asks_before: timedelta | None  # the end of a promise
    calendar: Calendar | None
    known: bool  # False for statuses that nobody planned for

    def gap_after(self, told: int) -> Span | None:
        """The gap to the next reminder once `told` of them were told."""
        return self.gaps[told - 1] if told <= len(self.gaps) else self.then_every

    def asks_from(self, start: datetime, deadline: datetime | None) -> datetime | None:
        """When the owner is asked for news in a window that began then; None: they are not."""
        if isinstance(self.asks_at, Span):
            return self.asks_at.after(start)
        if self.asks_at is None or deadline is None:
            return None
        if self.calendar is None:
            return start + (deadline - start) * self.asks_at / 100
        return self.calendar.after_open(start, self.calendar.open_between(start, deadline) * self.asks_at / 100)

    @property
    def dated(self) -> bool:
        """Whether anything in it can have a deadline."""
        return not self.final and self.window is not None and self.at_most > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The operators' map of touchpoints."""

    touchpoints: dict[str, Touchpoint]
    unknown: Touchpoint
    owners: dict[str, str]  # owner -> address
    nexts: dict[str, str]  # owner -> who is next in line
    afters: dict[str, timedelta]  # owner -> how long a question waits for them
    domains: frozenset[str]  # of the brands' senders
    zone: ZoneInfo  # of the default brand
    tell_within: timedelta
    by_sequence: bool

    @property
    def judges_promises(self) -> bool:
        return any(row.fulfils_promise for row in self.touchpoints.values())

    def touchpoint(self, status: str) -> Touchpoint:
        return self.touchpoints.get(status, self.unknown)

    def line(self, owner: str | None) -> list[str]:
        """The owner and all who are next in line, one after the other."""
        line: list[str] = []
        while owner in self.owners and owner not in line:
            line.append(owner)
            owner = self.nexts.get(owner)
        return line


def read_plan(path: Path) -> Plan:
    """The plan in that file. What it does not know it does not look at."""
    tree = yaml.safe_load(path.read_text("utf-8"))
    calendars = {name: _calendar(row) for name, row in (tree.get("calendars") or {}).items()}
    defaults = tree.get("defaults") or {}

    def touchpoint(row: dict[str, Any] | None, *, known: bool) -> Touchpoint:
        return _touchpoint(_merged(defaults, row or {}), calendars, known=known)

    brands, owners = tree.get("brands") or {}, tree.get("owners") or {}
    return Plan(
        touchpoints={str(status): touchpoint(row, known=True) for status, row in tree["touchpoints"].items()},
        unknown=touchpoint(tree.get("unknown_status"), known=False),
        owners={name: row["email"] for name, row in owners.items()},
        nexts={name: row["next"] for name, row in owners.items() if "next" in row},
        afters={name: _elapsed(row["after"]) for name, row in owners.items() if "after" in row},
        domains=frozenset(row["from"].rstrip("> ").rpartition("@")[2] for row in brands.values()),
        zone=ZoneInfo(brands["default"].get("time_zone", "UTC")),
        tell_within=_elapsed(defaults.get("tell_within", "72h")),
        by_sequence=(tree.get("events") or {}).get("rank_by") == "sequence",
    )


def _merged(defaults: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    merged = {**defaults, **row}
    for key in ("remind", "promise"):
        merged[key] = {**(defaults.get(key) or {}), **(row.get(key) or {})}
    return merged


def _touchpoint(row: dict[str, Any], calendars: dict[str, Calendar], *, known: bool) -> Touchpoint:
    calendar = calendars[row["calendar"]] if row.get("calendar") else None

    def span(text: Any) -> Span | None:
        if text is None or text == "none":
            return None
        working = re.fullmatch(r"(\d+)bd", str(text))
        if working:
            return Span(days=int(working[1]), calendar=calendar)
        return Span(elapsed=_elapsed(text), calendar=calendar)

    remind = row["remind"]
    window = span(row.get("window", "48h"))
    return Touchpoint(
        window=window,
        gaps=tuple(gap for gap in map(span, remind.get("after") or []) if gap),
        then_every=span(remind["then_every"]) if "then_every" in remind else window,
        at_most=remind.get("at_most", 3),
        final=bool(row.get("final")),
        always=bool(row.get("always")),
        from_last_event=row.get("count_from") == "last_event",
        quiet=_quiet(row.get("quiet_hours")),
        burst_wait=_elapsed(row.get("burst_wait", "0s")),
        ignore_moves_under=_elapsed(row["promise"].get("ignore_moves_under", "0s")),
        moves_at_most_every=_elapsed(row["promise"].get("at_most_every", "0s")),
        warn_before=_elapsed(warned) if (warned := row["promise"].get("warn_before", "none")) != "none" else None,
        grace=_elapsed(row["promise"].get("grace", "12h")),
        fulfils_promise=bool(row.get("fulfils_promise")),
        news=tuple(row.get("news") or ()),
        once=bool(row.get("once")),
        owner=row.get("owner"),
        asks_at=int(asks[:-1]) if (asks := str(row.get("ask_owner_at", "none"))).endswith("%") else span(asks),
        asks_before=_elapsed(asks) if (asks := row["promise"].get("ask_owner_before", "none")) != "none" else None,
        calendar=calendar,
        known=known,
    )


def _elapsed(text: Any) -> timedelta:
    found = re.fullmatch(r"(\d+)([smhd])", str(text))
    if not found:
        raise ValueError(f"no duration: {text!r}")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _quiet(text: Any) -> Quiet | None:
    if text is None or text == "none":
        return None
    begin, _, end = str(text).partition("-")
    return Quiet(_clock(begin), _clock(end))


def _clock(text: str) -> time:
    hour, _, minute = text.strip().partition(":")
    return time(int(hour) % 24, int(minute))


def _calendar(row: dict[str, Any]) -> Calendar:
    hours: list[list[tuple[time, time]]] = [[] for _ in _DAYS]
    for part in row["hours"].split(","):
        days, _, clocks = part.strip().partition(" ")
        first, _, last = days.partition("-")
        begin, _, end = clocks.partition("-")
        numbers = range(_DAYS.index(first), _DAYS.index(last or first) + 1)
        for number in numbers:
            hours[number].append((_clock(begin), _clock(end)))
    closed: set[date] = set()
    working: set[date] = set()
    written = row.get("holidays") or []
    for place in [written] if isinstance(written, str) else written:
        country, _, region = place.partition("-")
        known = holidays.country_holidays(country, subdiv=region or None, years=_YEARS)
        closed |= set(known)
        working |= set(known.weekend_workdays)
    for entry in row.get("closed") or []:
        closed |= _dates(entry)
    week = tuple(tuple(sorted(day)) for day in hours)
    on = {}
    for day in working - closed:  # by decree, with the hours of the last weekday before that has some
        ago = next((ago for ago in range(7) if week[(day.weekday() - ago) % 7]), 0)
        on[day] = week[(day.weekday() - ago) % 7]
    for day, text in (row.get("hours_on") or {}).items():
        on[date.fromisoformat(str(day))] = tuple(_span_of_day(each) for each in str(text).split())
    return Calendar(ZoneInfo(row.get("time_zone", "UTC")), week, frozenset(closed), on)


def _span_of_day(text: str) -> tuple[time, time]:
    begin, _, end = text.partition("-")
    return _clock(begin), _clock(end)


def _dates(entry: Any) -> set[date]:
    if isinstance(entry, date):
        return {entry}
    first, _, last = str(entry).partition("..")
    begin, end = date.fromisoformat(first), date.fromisoformat(last or first)
    return {begin + timedelta(days=n) for n in range((end - begin).days + 1)}


def end_of_promise(given: str, zone: ZoneInfo) -> datetime:
    """When a promise ends: a date-only one with that day in the customer's zone, a slot `FROM/UNTIL` with the
    latter."""
    if len(given) == len("2026-03-09"):
        return datetime.combine(date.fromisoformat(given) + timedelta(days=1), time(), zone).astimezone(UTC)
    return datetime.fromisoformat(given.rpartition("/")[2]).astimezone(UTC)


def begin_of_slot(given: str) -> datetime | None:
    begin, slash, _ = given.partition("/")
    return datetime.fromisoformat(begin) if slash else None
