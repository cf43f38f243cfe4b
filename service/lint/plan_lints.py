"""The plan by itself: does every order have an owner, an end, and a message before the silence gets too long?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from avisa.core import samples, working_time
from avisa.core.deadlines import gap_after
from avisa.core.model import FOR_OWNERS, Order, Purpose
from avisa.core.plan import Calendar, QuietHours, Span, Touchpoint
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.suggest import closest_match
from avisa.diagnostics.yaml_reader import Path
from avisa.lint.codes import diagnostic
from avisa.lint.located_plan import LocatedPlan

_DAYS = 366  # how far ahead the longest silence is looked for
_MOST_WAITS = 100  # different ones that are looked for, since each takes a while to find
_DAY = timedelta(days=1)


def check_plan(located: LocatedPlan, now: datetime) -> Iterator[Diagnostic]:
    """Touchpoints without an owner, an end or a reminder in time, and messages of owners sent to customers."""
    yield from _owners(located)
    yield from _messages_for_both(located)
    yield from _almost_midnight(located)
    yield from _never_kept(located)
    yield from _asked_too_late(located)
    yield from _ends(located)
    if located.plan.longest_silence is not None:
        yield from _silence(located, located.plan.longest_silence, now)


def _owners(located: LocatedPlan) -> Iterator[Diagnostic]:
    hint = f"owner: {next(iter(located.plan.owners), 'NAME')}"
    for status, touchpoint in located.plan.touchpoints.items():
        if touchpoint.owner is None:
            place = located.key("touchpoints", status)
            yield diagnostic("no_owner", located.file, place, f"nobody looks after orders at `{status}`", hint)
    if located.plan.unknown.owner is None:
        text = "nobody is told of a status that has no touchpoint"
        yield diagnostic("no_owner", located.file, located.key("unknown_status"), text, hint)


def _messages_for_both(located: LocatedPlan) -> Iterator[Diagnostic]:
    """Messages for owners that customers would get."""
    touchpoints = (*located.plan.touchpoints.values(), located.plan.unknown)
    of_owners = {name for it in touchpoints for _, purpose, _, name in it.besides() if purpose in FOR_OWNERS}
    for touchpoint in touchpoints:
        if touchpoint.message in of_owners:
            known = touchpoint.status in located.plan.touchpoints
            path: Path = ("touchpoints", touchpoint.status) if known else ("unknown_status",)
            text = f"`{touchpoint.message}` is for owners, and this is what customers are told"
            yield diagnostic("told_to_both", located.file, located.at(*path, "message"), text)


def _never_kept(located: LocatedPlan) -> Iterator[Diagnostic]:
    """The first warning of a promised date in a plan in which no status fulfils a promise."""
    warning = (it for it in located.plan.touchpoints.values() if it.warn_before is not None)
    if not located.plan.judges_promises and (first := next(warning, None)) is not None:
        place = located.key(*_of_promise(located, first, "warn_before"))
        text = "customers are warned of a promised date, and no status fulfils a promise"
        yield diagnostic("never_kept", located.file, place, text, "fulfils_promise: true")


def _asked_too_late(located: LocatedPlan) -> Iterator[Diagnostic]:
    """Touchpoints whose owner is asked about a promised date no sooner than its customer is warned of it."""
    for status, touchpoint in located.plan.touchpoints.items():
        asks, warns = touchpoint.ask_owner_before, touchpoint.warn_before
        if asks is not None and warns is not None and asks <= warns and not touchpoint.final:
            place = located.at(*_of_promise(located, touchpoint, "ask_owner_before"))
            text = (
                f"at `{status}` the owner is asked {span_text(Span(elapsed=asks))} before a promise ends, and its"
                f" customer warned {span_text(Span(elapsed=warns))} before"
            )
            yield diagnostic("asked_too_late", located.file, place, text)


def _of_promise(located: LocatedPlan, touchpoint: Touchpoint, key: str) -> Path:
    """The path of a key under `promise`: the touchpoint's own, else that of the defaults."""
    own: Path = ("touchpoints", touchpoint.status, "promise", key)
    return own if own in located.document.values else ("defaults", "promise", key)


def _almost_midnight(located: LocatedPlan) -> Iterator[Diagnostic]:
    """Hours that close a minute before the day does."""
    touchpoints = (*located.plan.touchpoints.values(), located.plan.unknown)
    for calendar in {it.calendar.key: it.calendar for it in touchpoints if it.calendar is not None}.values():
        written = {"hours": calendar.hours, "hours_on": calendar.hours_on.values()}
        for key, days in written.items():
            if any(closing == time(23, 59) for shifts in days for _, closing in shifts):
                text = f"calendar {calendar.key} is closed for the last minute of the day; did you mean 24:00?"
                place = located.at("calendars", calendar.key, key)
                yield diagnostic("almost_midnight", located.file, place, text, "24:00")
                break


def _ends(located: LocatedPlan) -> Iterator[Diagnostic]:
    """Touchpoints after the last final one: they stand in the order in which orders reach them."""
    after: list[str] = []
    for status, touchpoint in located.plan.touchpoints.items():
        after = [] if touchpoint.final else [*after, status]
    for status in after:
        text = f"no touchpoint from `{status}` on is final, so its orders never end"
        yield diagnostic("no_way_to_end", located.file, located.key("touchpoints", status), text, "final: true")


def check_news(located: LocatedPlan, orders: Iterable[Order]) -> Iterator[Diagnostic]:
    """Details whose change is to be told, and that none of `orders`, samples and real ones, nor a made-up one has."""
    named = {status: it.news for status, it in located.plan.touchpoints.items() if it.news}
    if not named:
        return
    known = {*samples.DETAILS}
    for order in orders:
        known |= {key.removeprefix("details.") for key in order.facts if key.startswith("details.")}
    for status, news in named.items():
        for name in news:
            if name not in known:
                text = f"no sample and no real event has the detail `{name[:60]}`, so it is never news at `{status}`"
                place = located.at("touchpoints", status, "news")
                yield diagnostic("unseen_news", located.file, place, text, closest_match(name, sorted(known)))


# ---------------------------------------------------------------- silence


def _silence(located: LocatedPlan, allowed: timedelta, now: datetime) -> Iterator[Diagnostic]:
    """Touchpoints whose longest wait, from `now` on for a year, is longer than the `allowed` one."""
    zone = ZoneInfo(located.plan.brands["default"].time_zone)
    # By gap, calendar and quiet hours: the longest wait, and the moment at which it begins.
    waits: dict[tuple[Span, Calendar | None, QuietHours | None], tuple[timedelta, datetime]] = {}
    going_on = {key: it for key, it in located.plan.touchpoints.items() if not it.final}
    paths: dict[Path, Touchpoint] = {("touchpoints", status): it for status, it in going_on.items()}
    for path, touchpoint in (paths | {("unknown_status",): located.plan.unknown}).items():
        name = path[-1]
        if touchpoint.window is None or touchpoint.remind.at_most == 0:
            key = "window" if touchpoint.window is None else "remind"
            text = f"`{name}` has no reminder, so its customers may hear nothing for ever"
            yield diagnostic("long_silence", located.file, located.at(*path, key), text)
            continue
        for gap, (key, what) in _gaps(touchpoint, touchpoint.window).items():
            wait = gap, touchpoint.calendar, touchpoint.quiet_hours
            if wait not in waits:
                if len(waits) == _MOST_WAITS:
                    break
                waits[wait] = longest_wait(gap, touchpoint, zone, now)
            longest, start = waits[wait]
            if longest > allowed:
                begun = start.astimezone(touchpoint.calendar.zone if touchpoint.calendar else zone)
                text = (
                    f"{what} of `{name}` ({span_text(gap)}) takes up to {_days(longest)},"
                    f" as from {begun:%Y-%m-%d %H:%M}; `longest_silence` is {_days(allowed)}"
                )
                yield diagnostic("long_silence", located.file, located.at(*path, key), text)


def _gaps(touchpoint: Touchpoint, window: Span) -> dict[Span, tuple[str, str]]:
    """Return each different gap between messages, with its key in the touchpoint and its name."""
    gaps = {window: ("window", "the window")}
    for number in range(1, touchpoint.remind.at_most):
        gap = gap_after(Purpose.REMINDER, number, touchpoint)
        if gap is not None:
            gaps.setdefault(gap, ("remind", f"the gap after reminder {number}"))
    return gaps


def longest_wait(gap: Span, touchpoint: Touchpoint, zone: ZoneInfo, now: datetime) -> tuple[timedelta, datetime]:
    """Return how long `gap` can take at most in the year after `now`, and a moment from which it takes so long."""
    longest, since = timedelta(0), now
    for start in _starts(touchpoint, zone, now):
        due = working_time.add(start, gap, touchpoint.calendar)
        on_calendar = touchpoint.calendar is not None
        due = working_time.out_of_quiet(due, touchpoint.quiet_hours, zone, start, never_before=on_calendar)
        if due - start > longest:
            longest, since = due - start, start
    return longest, since


def _starts(touchpoint: Touchpoint, zone: ZoneInfo, now: datetime) -> Iterator[datetime]:
    """Yield moments, from one of which the wait is longest. The length of a wait jumps only when the calendar opens
    or closes, and when it gets too late to write before the quiet hours."""
    today = now.astimezone(zone).date()
    if touchpoint.quiet_hours is not None:
        yield datetime.combine(today, touchpoint.quiet_hours.begin, zone) - working_time.BEFORE_QUIET
    if touchpoint.calendar is None:
        yield now
        return
    calendar = touchpoint.calendar
    today = now.astimezone(calendar.zone).date()
    for ahead in range(_DAYS):
        day = today + ahead * _DAY
        for opening, closing in calendar.shifts(day):
            yield datetime.combine(day, opening, calendar.zone)
            yield datetime.combine(day if closing > opening else day + _DAY, closing, calendar.zone)


def span_text(span: Span) -> str:
    """Return the span as an operator would write it: `3bd`, `48h`, `3d`."""
    if span.days is not None:
        return f"{span.days}bd"
    elapsed = span.elapsed or timedelta(0)
    for unit, length in (("d", _DAY), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1))):
        if not elapsed % length and (unit != "d" or elapsed >= 3 * length):
            return f"{elapsed // length}{unit}"
    return f"{elapsed // timedelta(seconds=1)}s"


def _days(length: timedelta) -> str:
    """Return `4d 1h`, the hours rounded up."""
    whole = -(-length // timedelta(hours=1))
    days, left = divmod(whole, 24)
    return " ".join(filter(None, (f"{days}d" if days else "", f"{left}h" if left or not days else "")))
