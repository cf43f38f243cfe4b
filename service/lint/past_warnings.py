"""What each `warn_before` of the plan would have done with past orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from avisa.core.hindsight import Warnings, judged, left_before
from avisa.core.model import Order
from avisa.core.plan import Plan
from avisa.lint.plan_vs_history import stays_of


@dataclass(frozen=True, slots=True)
class PastWarning:
    """One `warn_before`, and the past orders of its touchpoint to try it on."""

    status: str
    warn_before: timedelta
    warnings: Warnings


def past_warnings(plan: Plan, orders: Sequence[Order], now: datetime) -> list[PastWarning]:
    """One for each touchpoint that warns, in the order of the plan."""
    found = [
        PastWarning(status, touchpoint.warn_before, Warnings())
        for status, touchpoint in plan.touchpoints.items()
        if touchpoint.warn_before is not None and not touchpoint.final
    ]
    by_status = {each.status: each.warnings for each in found}
    for order in orders:
        promise = judged(order, plan, now)
        if promise is None:
            continue
        entered = [(stay.begin, stay.status) for stay in stays_of(order, plan)]
        for status, left in left_before(promise.end, entered, plan).items():
            if status in by_status:
                by_status[status].add(left, late=promise.late)
    return found
