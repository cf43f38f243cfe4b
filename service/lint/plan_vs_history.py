"""The plan beside real orders: statuses without a touchpoint, windows and promises that were not kept."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from avisa.core import facts, working_time
from avisa.core.model import Order
from avisa.core.plan import Plan, Span, Touchpoint
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.suggest import closest_match
from avisa.lint.codes import diagnostic
from avisa.lint.located_plan import LocatedPlan
from avisa.lint.plan_lints import span_text

ENOUGH = 20  # orders; fewer are no evidence
MANY = 0.2  # share of the orders for which a window or a promise was too short, before it is reported
_HOLDS_FOR = 0.9  # share of the orders for which the suggested window would be long enough
_MIDNIGHT = "T00:00:00Z"  # the end of a promised moment, as it is kept: RFC 3339 in UTC
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_LONGEST = 400  # days or working days, of a suggested window
_NEWEST = 1_000  # stays from which the suggested window is computed


@dataclass(frozen=True, slots=True)
class Stay:
    """One stay of an order in a status; `end` is None while it lasts."""

    status: str
    begin: datetime
    end: datetime | None


def check_plan(located: LocatedPlan, orders: Sequence[Order], now: datetime) -> Iterator[Diagnostic]:
    """What the plan says and `orders`, the newest first, disprove."""
    stays = [(order, stays_of(order, located.plan)) for order in orders]
    seen = Counter(status for _, of_order in stays for status in {stay.status for stay in of_order})
    yield from _unplanned(located, seen)
    yield from _dead_ends(located, stays, seen)
    by_status: defaultdict[str, list[Stay]] = defaultdict(list)
    for _, of_order in stays:
        for stay in of_order:
            by_status[stay.status].append(stay)
    for status, touchpoint in located.plan.touchpoints.items():
        if touchpoint.window is not None and not touchpoint.final:
            yield from _window(located, touchpoint, touchpoint.window, by_status[status], now)
    yield from _promises(located, stays)
    yield from _midnights(located, orders)


def stays_of(order: Order, plan: Plan) -> list[Stay]:
    """Return the stays of an order, by the times of its events. The same status again begins no new stay."""
    begun: list[tuple[str, datetime]] = []
    for rank, status in order.statuses:
        if not begun or begun[-1][0] != status:
            begun.append((status, facts.occurred_at(rank, rank_by=plan.events.rank_by)))
    ended = [Stay(status, begin, max(begin, end)) for (status, begin), (_, end) in pairwise(begun)]
    return [*ended, *(Stay(status, begin, None) for status, begin in begun[-1:])]


def _unplanned(located: LocatedPlan, seen: Counter[str]) -> Iterator[Diagnostic]:
    planned = located.plan.touchpoints
    for status, count in sorted(seen.items()):
        if status not in planned:
            near = closest_match(status, planned)
            were = "1 order was" if count == 1 else f"{count:,} orders were"
            text = f"{were} at `{status[:60]}`, which has no touchpoint"
            yield diagnostic("unplanned_status", located.file, located.key("touchpoints"), text, near)


def _dead_ends(
    located: LocatedPlan, stays: Sequence[tuple[Order, Sequence[Stay]]], seen: Counter[str]
) -> Iterator[Diagnostic]:
    """Statuses none of whose orders ever ended, though other orders did."""
    ended = {stay.status for order, of_order in stays if order.final for stay in of_order}
    if not any(order.final for order, _ in stays):
        return
    for status, touchpoint in located.plan.touchpoints.items():
        if not touchpoint.final and seen[status] >= ENOUGH and status not in ended:
            text = f"none of the {seen[status]:,} orders that were at `{status}` has ended"
            yield diagnostic("no_way_to_end", located.file, located.key("touchpoints", status), text)


def _window(
    located: LocatedPlan, touchpoint: Touchpoint, window: Span, stays: Sequence[Stay], now: datetime
) -> Iterator[Diagnostic]:
    longer, judged = 0, 0
    for stay in stays:
        too_long = (stay.end or now) > working_time.add(stay.begin, window, touchpoint.calendar)
        # A stay that is not over yet counts once it is too long; before that nobody knows.
        judged += stay.end is not None or too_long
        longer += too_long
    if judged < ENOUGH or longer <= MANY * judged:
        return
    share = f"{longer / judged * 100:.0f} % of {judged:,} orders"
    text = f"{touchpoint.status}: window {span_text(window)}; {share} took longer"
    ended = [(stay.begin, stay.end) for stay in stays if stay.end is not None][:_NEWEST]
    if len(ended) >= ENOUGH:
        needed = sorted(_needed(begin, end, window, touchpoint) for begin, end in ended)
        text += f"; {needed[int(_HOLDS_FOR * len(needed))]}{_unit(window)} would hold for 90 %"
    yield diagnostic("broken_window", located.file, located.at("touchpoints", touchpoint.status, "window"), text)


def _needed(begin: datetime, end: datetime, window: Span, touchpoint: Touchpoint) -> int:
    """Return the least number of days, hours or working days, in the unit of `window`, that is long enough."""
    unit = _unit(window)

    def enough(count: int) -> bool:
        span = Span(days=count) if unit == "bd" else Span(elapsed=count * (_DAY if unit == "d" else _HOUR))
        return working_time.add(begin, span, touchpoint.calendar) >= end

    return 1 + bisect_left(range(1, _LONGEST * (24 if unit == "h" else 1)), True, key=enough)


def _unit(window: Span) -> str:
    return span_text(window).lstrip("0123456789").replace("m", "h").replace("s", "h")


def _promises(located: LocatedPlan, stays: Sequence[tuple[Order, Sequence[Stay]]]) -> Iterator[Diagnostic]:
    """Orders that ended as planned, and whether the promise was kept."""
    end = next((status for status, touchpoint in located.plan.touchpoints.items() if touchpoint.final), None)
    late: list[timedelta] = []
    for order, of_order in stays:
        promised = order.promise_told or order.promise_first
        if order.status == end and promised and of_order:
            by = facts.promise_moment(promised, facts.zone(order, located.plan))
            late.append(of_order[-1].begin - by)
    broken = sum(delay > timedelta(0) for delay in late)
    if end is None or len(late) < ENOUGH or broken <= MANY * len(late):
        return
    days = -(-sorted(late)[int(_HOLDS_FOR * len(late))] // _DAY)
    text = (
        f"{end}: {broken / len(late) * 100:.0f} % of {len(late):,} promises were broken;"
        f" {days} day{'s' * (days > 1)} more would hold for 90 %"
    )
    yield diagnostic("broken_promise", located.file, located.key("touchpoints", end), text)


def _midnights(located: LocatedPlan, orders: Sequence[Order]) -> Iterator[Diagnostic]:
    """Topics all of whose promised moments are midnight in UTC: most likely they are days."""
    if located.plan.events.promised_at == "day":
        return
    moments: defaultdict[str, list[str]] = defaultdict(list)
    for order in orders:
        promised = facts.promise(order) or order.promise_told or order.promise_first
        if promised and "T" in promised and facts.promise_begin(promised) is None:
            moments[order.feed.rpartition("/")[0]].append(promised)
    for topic, promises in sorted(moments.items()):
        if len(promises) >= ENOUGH and all(promised.endswith(_MIDNIGHT) for promised in promises):
            text = f"{topic}: all of {len(promises):,} promises are for midnight in UTC, so most likely they are days"
            place = located.key("events", "promised_at")
            yield diagnostic("midnight_promises", located.file, place, text, "events: {promised_at: day}")
