"""What a simulation found, as the JSON that `avisa simulate` prints (docs/reference.md, JSON)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from avisa.core.distribution import Distribution, hours
from avisa.core.hindsight import Warnings
from avisa.core.model import Json, Purpose
from avisa.core.plan import Plan
from avisa.simulate.figures import UNPLANNED, Figures, TouchpointFigures
from avisa.simulate.simulation import Outcome

Shape = dict[str, Json]

# The lengths of `warn_before` for which the report says what each would have done.
TRIED = tuple(timedelta(hours=hours) for hours in (12, 24, 36, 48, 60, 72, 96, 120, 144, 168, 192, 216, 240))

_MEDIAN, _P95, _MAX = 0.5, 0.95, 1.0  # shares of a distribution
_NO_FIGURES = TouchpointFigures()


def report(outcome: Outcome, plan: Plan) -> Shape:
    """The figures under the first plan, which is `plan`, and how they differ from those under the second, if there is
    one."""
    figures = outcome.figures[0]
    messages = figures.messages_per_order
    return {
        "orders": figures.orders,
        "events": outcome.events,
        "by_reason": {str(reason): n for reason, n in sorted(figures.reasons.items())},
        "unread": {str(reason): n for reason, n in sorted(outcome.unread.items())},
        "dropped": {str(reason): n for reason, n in sorted(figures.dropped.items())},
        "touchpoints": {status: _touchpoint(figures.touchpoints[status]) for status in _passed(figures, plan)},
        "messages_per_order": {
            "median": messages.share(_MEDIAN),
            "p95": messages.share(_P95),
            "max": messages.share(_MAX),
        },
        "silence_h": _silence(figures.silence),
        "silence_before_h": _silence(figures.silence_before),
        "longest_silence": _longest(figures),
        "over_told_date": figures.broken_dates,
        "announced_h": _announced(figures),
        "warn_before": _warn_before(figures.warnings),
        "told_differently": outcome.differing,
        "differences": list(_differences(outcome)),
    }


def too_long(outcome: Outcome, limit: timedelta) -> Iterator[tuple[str, float]]:
    """The touchpoints in which a customer's silence was longer than the limit, each with its longest, in hours."""
    for status, figures in sorted(outcome.figures[0].touchpoints.items()):
        lasted = hours(figures.silence.share(_MAX))
        if lasted is not None and timedelta(hours=lasted) > limit:
            yield status, lasted


def _passed(figures: Figures, plan: Plan) -> Iterator[str]:
    """The touchpoints that at least one order passed, as the plan lists them."""
    yield from (status for status in (*plan.touchpoints, UNPLANNED) if status in figures.touchpoints)


def _touchpoint(figures: TouchpointFigures) -> Shape:
    return {
        "orders": figures.orders,
        "messages": {str(purpose): n for purpose, n in sorted(figures.messages.items())},
        "silence_h": _silence(figures.silence),
        "silence_before_h": _silence(figures.silence_before),
        "reminders": figures.messages[Purpose.REMINDER],
        "stuck": figures.stuck,
        "promises": {
            "warned": figures.promises.warned,
            "late_and_warned": figures.promises.late_and_warned,
            "late": figures.promises.late,
            "kept": figures.promises.kept,
            "broken": figures.promises.broken,
        },
        "catches_95_h": figures.warnings.catching(),
    }


def _announced(figures: Figures) -> Shape:
    """How many hours before the end the customers of late orders were warned: `p95` is what 95 % of them had at
    least, `p98` what 98 % had. None: fewer than that were warned at all."""
    late = sum(row.promises.late for row in figures.touchpoints.values())
    return {f"p{share}": hours(_at_least(figures.announced, late, share)) for share in (95, 98)}


def _at_least(announced: Distribution, late: int, percent: int) -> int | None:
    """The largest number that so many percent of the `late` orders reach; None: fewer of them were warned."""
    reached = 0
    for number in sorted(announced.counts, reverse=True):
        reached += announced.counts[number]
        if reached * 100 >= late * percent:
            return number
    return None


def _warn_before(warnings: Warnings) -> list[Shape]:
    """For each length, what it would have done as the `warn_before` of all touchpoints: how many orders it warned of,
    how many of these came late, and how many late orders it missed."""
    tried = ((length, warnings.tried(length)) for length in TRIED)
    return [
        {"hours": length // timedelta(hours=1), "warned": it.warned, "late": it.late, "missed": it.missed}
        for length, it in tried
    ]


def _silence(silences: Distribution) -> Shape:
    return {
        "median": hours(silences.share(_MEDIAN)),
        "p95": hours(silences.share(_P95)),
        "max": hours(silences.share(_MAX)),
    }


def _longest(figures: Figures) -> Shape | None:
    longest = figures.longest
    if not longest.order_id:
        return None
    return {
        "order_id": longest.order_id,
        "status": longest.status,
        "hours": round(longest.lasted / timedelta(hours=1), 1),
    }


def _differences(outcome: Outcome) -> Iterator[Shape]:
    """Every figure that differs between the plans: `new` is its value under the first, `old` under the second."""
    if len(outcome.figures) < 2:
        return
    new, old = outcome.figures
    for status in sorted({*new.touchpoints, *old.touchpoints}):
        now = dict(_flat(_touchpoint(new.touchpoints.get(status, _NO_FIGURES))))
        before = dict(_flat(_touchpoint(old.touchpoints.get(status, _NO_FIGURES))))
        for figure in dict.fromkeys((*before, *now)):
            if before.get(figure) != now.get(figure):
                yield {"status": status, "figure": figure, "old": before.get(figure), "new": now.get(figure)}
    if old.broken_dates != new.broken_dates:
        yield {"status": None, "figure": "over_told_date", "old": old.broken_dates, "new": new.broken_dates}


def _flat(shape: Shape, prefix: str = "") -> Iterator[tuple[str, Json]]:
    """The numbers of a nested shape, each with its path, such as `messages.update`."""
    for key, value in shape.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
