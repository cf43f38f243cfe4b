"""What each `warn_before` of the plan would have done with past orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from avisa.core import facts
from avisa.core.hindsight import Warnings, left_before
from avisa.core.model import Order
from avisa.core.plan import Plan
from avisa.core.promise import PromiseState
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
        outcome = _outcome(order, plan, now)
        if outcome is None:
            continue
        end, late = outcome
        entered = [(stay.begin, stay.status) for stay in stays_of(order, plan)]
        for status, left in left_before(end, entered, plan).items():
            if status in by_status:
                by_status[status].add(left, late=late)
    return found


def _outcome(order: Order, plan: Plan, now: datetime) -> tuple[datetime, bool] | None:
    """When the promise of an order ended, and whether the order was late, or never came; None if there was no
    promise, it was withdrawn, or its end is still to come."""
    promise = order.promise
    if promise is None or promise.date is None or promise.state is PromiseState.WITHDRAWN:
        return None
    end = facts.promise_moment(promise.date, facts.zone(order, plan))
    if promise.fulfilled_at is None:
        return (end, True) if end <= now else None
    return end, promise.fulfilled_at > end
