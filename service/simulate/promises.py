"""What became of the promises: which orders came late, and which of their customers were warned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from avisa.core.hindsight import judged, left_before
from avisa.core.promise import PromiseState
from avisa.simulate.course import Course, Sent


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseOutcome:
    """What became of one order's promise. "The end" is the end of the last date that the promise had."""

    status: str  # the last one before the end that could have warned; if there was none, the order's newest
    late: bool  # not fulfilled by the end: later, or never
    state: PromiseState | None
    warned: timedelta | None  # how long before the end the customer was warned; None: they were not
    left: Mapping[str, timedelta]  # how long before the end the order left each status (`hindsight.left_before`)


def outcome(course: Course, end: datetime) -> PromiseOutcome | None:
    """What became of the promise of an order, which the simulation followed until `end`; None as in
    `hindsight.judged`."""
    order, plan = course.order, course.plan
    if order is None or order.promise is None:
        return None
    found = judged(order, plan, end)
    if found is None:
        return None
    left = left_before(found.end, course.entered, plan)
    warned_at = next((sent.at for sent in course.sent if _warns(sent)), None)
    return PromiseOutcome(
        status=[*left][-1] if left else course.entered[-1][1],
        late=found.late,
        state=order.promise.state,
        warned=None if warned_at is None else found.end - warned_at,
        left=left,
    )


def _warns(sent: Sent) -> bool:
    """True for the message that told the customer that the promise is at risk: the notice, or an update in its
    place."""
    promise = sent.order.promise
    if promise is None or promise.state is not PromiseState.AT_RISK:
        return False
    return promise.message_seq == sent.notification.seq


@dataclass(slots=True)
class PromiseFigures:
    """How many promises came to which outcome in one touchpoint."""

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
