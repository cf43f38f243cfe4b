"""The plan beside what real orders did: statuses nobody planned for, windows and promises that are not kept."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from avisa.core import facts, working_time
from avisa.core.model import Order
from avisa.core.plan import Plan, Span, Touchpoint
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.suggest import closest_match
from avisa.lint.codes import problem
from avisa.lint.plan_lints import Map, span_words

ENOUGH = 20  # orders, before their number says anything
MANY = 0.2  # of them, before a window or a promise counts as not kept
_KEPT_BY = 0.9  # of them, a window that holds
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_MOST = 400  # days or working days that are tried
_TRIED = 1_000  # stays, the newest, of which the window that would hold is worked out


@dataclass(frozen=True, slots=True)
class Stay:
    """One stay of an order in a status; `end` is None while it lasts."""

    status: str
    begin: datetime
    end: datetime | None


def of_history(chart: Map, orders: Sequence[Order], now: datetime) -> Iterator[Diagnostic]:
    """What the plan says and the orders that were really there deny."""
    stays = [(order, stays_of(order, chart.plan)) for order in orders]
    yield from _unplanned(chart, stays)
    yield from _dead_ends(chart, stays)
    by_status: defaultdict[str, list[Stay]] = defaultdict(list)
    for _, of_order in stays:
        for stay in of_order:
            by_status[stay.status].append(stay)
    for status, touchpoint in chart.plan.touchpoints.items():
        if touchpoint.window is not None and not touchpoint.final:
            yield from _window(chart, touchpoint, touchpoint.window, by_status[status], now)
    yield from _promises(chart, stays)


def stays_of(order: Order, plan: Plan) -> list[Stay]:
    """The stays of an order, by when their events occurred; a status told again is the same stay."""
    moment = 1 if plan.rank_by == "sequence" else 0
    begun: list[tuple[str, datetime]] = []
    for rank, status in order.statuses:
        if not begun or begun[-1][0] != status:
            begun.append((status, _EPOCH + timedelta(microseconds=rank[moment])))
    ended = [Stay(status, begin, max(begin, end)) for (status, begin), (_, end) in pairwise(begun)]
    return [*ended, *(Stay(status, begin, None) for status, begin in begun[-1:])]


def _unplanned(chart: Map, stays: Sequence[tuple[Order, Sequence[Stay]]]) -> Iterator[Diagnostic]:
    planned = chart.plan.touchpoints
    seen = Counter(status for _, of_order in stays for status in {stay.status for stay in of_order})
    for status, count in sorted(seen.items()):
        if status not in planned:
            near = closest_match(status, planned)
            were = "1 order was" if count == 1 else f"{count:,} orders were"
            told = f"{were} at `{status[:60]}`, which has no touchpoint"
            yield problem("unplanned_status", chart.file, chart.key("touchpoints"), told, near)


def _dead_ends(chart: Map, stays: Sequence[tuple[Order, Sequence[Stay]]]) -> Iterator[Diagnostic]:
    """Statuses whose orders never came to an end, where others did."""
    ended: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for order, of_order in stays:
        for status in {stay.status for stay in of_order}:
            seen[status] += 1
            ended[status] += order.final
    if not any(order.final for order, _ in stays):
        return
    for status, touchpoint in chart.plan.touchpoints.items():
        if not touchpoint.final and seen[status] >= ENOUGH and not ended[status]:
            told = f"none of the {seen[status]:,} orders that were at `{status}` has ended"
            yield problem("no_way_to_end", chart.file, chart.key("touchpoints", status), told)


def _window(
    chart: Map, touchpoint: Touchpoint, window: Span, stays: Sequence[Stay], now: datetime
) -> Iterator[Diagnostic]:
    longer, judged = 0, 0
    for stay in stays:
        too_long = (stay.end or now) > working_time.add(stay.begin, window, touchpoint.calendar)
        # A stay that goes on is judged as soon as it is too long, and says nothing before.
        judged += stay.end is not None or too_long
        longer += too_long
    if judged < ENOUGH or longer <= MANY * judged:
        return
    share = f"{longer / judged * 100:.0f} % of {judged:,} orders"
    told = f"{touchpoint.status}: window {span_words(window)}; {share} took longer"
    ended = [(stay.begin, stay.end) for stay in stays if stay.end is not None][:_TRIED]
    if len(ended) >= ENOUGH:
        needed = sorted(_needed(begin, end, window, touchpoint) for begin, end in ended)
        told += f"; {needed[int(_KEPT_BY * len(needed))]}{_unit(window)} would hold for 90 %"
    yield problem("broken_window", chart.file, chart.at("touchpoints", touchpoint.status, "window"), told)


def _needed(begin: datetime, end: datetime, window: Span, touchpoint: Touchpoint) -> int:
    """The fewest days, hours or working days that would have been enough."""
    unit = _unit(window)

    def span(count: int) -> Span:
        return Span(days=count) if unit == "bd" else Span(elapsed=count * (_DAY if unit == "d" else _HOUR))

    low, high = 0, _MOST * (24 if unit == "h" else 1)
    while high - low > 1:
        middle = (low + high) // 2
        if working_time.add(begin, span(middle), touchpoint.calendar) >= end:
            high = middle
        else:
            low = middle
    return high


def _unit(window: Span) -> str:
    return span_words(window).lstrip("0123456789").replace("m", "h").replace("s", "h")


def _promises(chart: Map, stays: Sequence[tuple[Order, Sequence[Stay]]]) -> Iterator[Diagnostic]:
    """Orders that came to the end of the way, beside the day they were promised for."""
    end = next((status for status, touchpoint in chart.plan.touchpoints.items() if touchpoint.final), None)
    late: list[timedelta] = []
    for order, of_order in stays:
        promised = order.promise_told or order.promise_first
        if order.status == end and promised and of_order:
            by = facts.promise_moment(promised, facts.zone(order, chart.plan))
            late.append(of_order[-1].begin - by)
    broken = sum(delay > timedelta(0) for delay in late)
    if end is None or len(late) < ENOUGH or broken <= MANY * len(late):
        return
    days = -(-sorted(late)[int(_KEPT_BY * len(late))] // _DAY)
    told = (
        f"{end}: {broken / len(late) * 100:.0f} % of {len(late):,} promises were broken;"
        f" {days} day{'s' * (days > 1)} more would hold for 90 %"
    )
    yield problem("broken_promise", chart.file, chart.key("touchpoints", end), told)
