"""What became of the promises: which came late, and which of these customers were warned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from avisa.core import facts
from avisa.core.hindsight import left_before
from avisa.core.promise import PromiseState
from avisa.simulate.course import Course, Sent


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseOutcome:
    """What became of one order's promise, by the date that stood last."""

    status: str  # where the order was when that was decided
    late: bool  # not fulfilled by the end, be it later or never
    state: PromiseState | None
    warned: timedelta | None  # how long before the end the customer was; None: not at all
    left: Mapping[str, timedelta]  # how long before the end the order left each status; 0: not before the end


def outcome(course: Course, end: datetime) -> PromiseOutcome | None:
    """What became of the promise of an order that was lived until `end`; None if there was none, it was withdrawn, or
    its own end is still to come."""
    order, plan = course.order, course.plan
    if order is None or order.promise is None or order.promise.date is None:
        return None
    promise = order.promise
    due = facts.promise_moment(order.promise.date, facts.zone(order, plan))
    if promise.state is PromiseState.WITHDRAWN or (promise.fulfilled_at is None and due > end):
        return None
    left = left_before(due, course.entered, plan)
    warned_at = next((sent.at for sent in course.sent if _warns(sent)), None)
    return PromiseOutcome(
        status=[*left][-1] if left else course.entered[-1][1],
        late=promise.fulfilled_at is None or promise.fulfilled_at > due,
        state=promise.state,
        warned=None if warned_at is None else due - warned_at,
        left=left,
    )


def _warns(sent: Sent) -> bool:
    """True for a notice that the promise is at risk, and for an update that says so besides."""
    promise = sent.order.promise
    if promise is None or promise.state is not PromiseState.AT_RISK:
        return False
    return promise.message_seq == sent.notification.seq


@dataclass(slots=True)
class PromiseFigures:
    """The promises that were decided in one touchpoint."""

    warned: int = 0
    late: int = 0
    late_and_warned: int = 0
    kept: int = 0
    broken: int = 0

    def add(self, decided: PromiseOutcome) -> None:
        warned = decided.warned is not None
        self.warned += warned
        self.late += decided.late
        self.late_and_warned += warned and decided.late
        self.kept += decided.state is PromiseState.KEPT
        self.broken += decided.state is PromiseState.BROKEN

    def merge(self, other: PromiseFigures) -> None:
        self.warned += other.warned
        self.late += other.late
        self.late_and_warned += other.late_and_warned
        self.kept += other.kept
        self.broken += other.broken
