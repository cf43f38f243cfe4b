"""The plan as a map of the ways orders take: who looks after them, where they end, how long it may be silent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from avisa.core import working_time
from avisa.core.deadlines import gap_after
from avisa.core.model import Alert, Purpose
from avisa.core.plan import Calendar, Plan, QuietHours, Span, Touchpoint
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.yaml_reader import Document, Path
from avisa.lint.codes import problem
from avisa.templates.message_file import Place

_DAYS = 366  # how far ahead the longest silence is looked for
_MOST_WAITS = 100  # that differ; each takes a while to find
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """A plan, and where each of its keys is written."""

    plan: Plan
    document: Document
    file: str

    def key(self, *path: str | int) -> Place:
        place = self.document.key(path)
        return place.line, place.column

    def at(self, *path: str | int) -> Place:
        place = self.document.at(path)
        return place.line, place.column


def of_map(chart: Map, now: datetime) -> Iterator[Diagnostic]:
    """What is wrong with the ways as they are planned."""
    yield from _owners(chart)
    yield from _told_to_both(chart)
    yield from _ends(chart)
    yield from _silences(chart, now)


def _owners(chart: Map) -> Iterator[Diagnostic]:
    for status, touchpoint in chart.plan.touchpoints.items():
        if touchpoint.owner is None:
            place = chart.key("touchpoints", status)
            yield problem("no_owner", chart.file, place, f"nobody looks after orders at `{status}`", _hint(chart))
    if chart.plan.unknown.owner is None:
        told = "nobody is told of a status that has no touchpoint"
        yield problem("no_owner", chart.file, chart.key("unknown_status"), told, _hint(chart))


def _hint(chart: Map) -> str:
    return f"owner: {next(iter(chart.plan.owners), 'NAME')}"


def _told_to_both(chart: Map) -> Iterator[Diagnostic]:
    """Messages for owners that customers would get."""
    touchpoints = (*chart.plan.touchpoints.values(), chart.plan.unknown)
    of_owners = {it.messages[alert] for it in touchpoints for alert in Alert if alert in it.messages}
    for touchpoint in touchpoints:
        if touchpoint.message in of_owners:
            known = touchpoint.status in chart.plan.touchpoints
            path: Path = ("touchpoints", touchpoint.status) if known else ("unknown_status",)
            told = f"`{touchpoint.message}` is for owners, and this is what customers are told"
            yield problem("told_to_both", chart.file, chart.at(*path, "message"), told)


def _ends(chart: Map) -> Iterator[Diagnostic]:
    """Touchpoints stand in the order in which they are lived through, so a final one has to come after each."""
    after: list[str] = []
    for status, touchpoint in chart.plan.touchpoints.items():
        after = [] if touchpoint.final else [*after, status]
    for status in after:
        told = f"no touchpoint from `{status}` on is final, so its orders never end"
        yield problem("no_way_to_end", chart.file, chart.key("touchpoints", status), told, "final: true")


# ---------------------------------------------------------------- silence


def _silences(chart: Map, now: datetime) -> Iterator[Diagnostic]:
    allowed = chart.plan.longest_silence
    if allowed is None:
        return
    zone = ZoneInfo(chart.plan.brands["default"].time_zone)
    waits: Waits = {}
    for status, touchpoint in chart.plan.touchpoints.items():
        if not touchpoint.final:
            yield from _silent(chart, touchpoint, ("touchpoints", status), allowed, zone, now, waits)
    yield from _silent(chart, chart.plan.unknown, ("unknown_status",), allowed, zone, now, waits)


# By the gap, the calendar and the quiet hours: the longest wait, and when it begins.
Waits = dict[tuple[Span, Calendar | None, QuietHours | None], tuple[timedelta, datetime]]


def _silent(
    chart: Map,
    touchpoint: Touchpoint,
    path: Path,
    allowed: timedelta,
    zone: ZoneInfo,
    now: datetime,
    waits: Waits,
) -> Iterator[Diagnostic]:
    name = str(path[-1])
    if touchpoint.window is None or touchpoint.remind.at_most == 0:
        key = "window" if touchpoint.window is None else "remind"
        told = f"`{name}` has no reminder, so its customers may hear nothing for ever"
        yield problem("long_silence", chart.file, chart.at(*path, key), told)
        return
    gaps = [("window", "the window", touchpoint.window)]
    for number in range(1, touchpoint.remind.at_most):
        gap = gap_after(Purpose.REMINDER, number, touchpoint)
        if gap is not None:
            gaps.append(("remind", f"the gap after reminder {number}", gap))
    seen: set[Span] = set()
    for key, what, gap in gaps:
        if gap in seen:
            continue
        seen.add(gap)
        asked = gap, touchpoint.calendar, touchpoint.quiet_hours
        if asked not in waits:
            if len(waits) == _MOST_WAITS:
                return
            waits[asked] = longest_wait(gap, touchpoint, zone, now)
        longest, start = waits[asked]
        if longest > allowed:
            begun = start.astimezone(touchpoint.calendar.zone if touchpoint.calendar else zone)
            told = (
                f"{what} of `{name}` ({span_words(gap)}) takes up to {_days(longest)},"
                f" as from {begun:%Y-%m-%d %H:%M}; `longest_silence` is {_days(allowed)}"
            )
            yield problem("long_silence", chart.file, chart.at(*path, key), told)


def longest_wait(gap: Span, touchpoint: Touchpoint, zone: ZoneInfo, now: datetime) -> tuple[timedelta, datetime]:
    """The longest that `gap` can take in the year after `now`, and a moment from which it does."""
    longest, since = timedelta(0), now
    for start in _starts(touchpoint, zone, now):
        due = working_time.add(start, gap, touchpoint.calendar)
        due = working_time.out_of_quiet(due, touchpoint.quiet_hours, zone, start)
        if due - start > longest:
            longest, since = due - start, start
    return longest, since


def _starts(touchpoint: Touchpoint, zone: ZoneInfo, now: datetime) -> Iterator[datetime]:
    """Moments among which the longest wait begins: a calendar makes it jump when it opens or closes, quiet hours
    when it is too late to write before them."""
    today = now.astimezone(zone).date()
    if touchpoint.quiet_hours is not None:
        yield _local(today, touchpoint.quiet_hours.begin, zone) - working_time.BEFORE_QUIET
    if touchpoint.calendar is None:
        yield now
        return
    calendar = touchpoint.calendar
    today = now.astimezone(calendar.zone).date()
    for ahead in range(_DAYS):
        day = today + ahead * _DAY
        for opening, closing in calendar.hours[day.weekday()]:
            if day not in calendar.closed:
                yield _local(day, opening, calendar.zone)
                yield _local(day + _DAY if closing == time(0) else day, closing, calendar.zone)


def _local(day: date, wall: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, wall, zone)


def span_words(span: Span) -> str:
    """As an operator would write it."""
    if span.days is not None:
        return f"{span.days}bd"
    elapsed = span.elapsed or timedelta(0)
    for unit, length in (("d", _DAY), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1))):
        if not elapsed % length and (unit != "d" or elapsed >= 3 * length):
            return f"{elapsed // length}{unit}"
    return f"{elapsed // timedelta(seconds=1)}s"


def _days(length: timedelta) -> str:
    """Days and hours, the hours rounded up."""
    whole = -(-length // timedelta(hours=1))
    days, left = divmod(whole, 24)
    return " ".join(filter(None, (f"{days}d" if days else "", f"{left}h" if left or not days else "")))
