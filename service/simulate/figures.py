"""The figures of a simulation, added up order by order, and then over all processes. Their size does not grow with
the number of orders."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from avisa.core.distribution import Distribution
from avisa.core.hindsight import Warnings
from avisa.core.model import Purpose, Reason
from avisa.core.plan import Plan
from avisa.simulate import promises
from avisa.simulate.course import Course, Sent
from avisa.simulate.promises import PromiseFigures
from avisa.simulate.silence import Silence

UNPLANNED = "unknown_status"  # the name under which all statuses that the plan does not know are counted


@dataclass(slots=True)
class TouchpointFigures:
    """What happened to orders and their customers in one touchpoint."""

    orders: int = 0
    stuck: int = 0  # orders that were still there at the end, after their last reminder
    messages: Counter[Purpose] = field(default_factory=Counter)
    silence: Distribution = field(default_factory=Distribution)  # the longest of each order there
    silence_before: Distribution = field(default_factory=Distribution)  # the same without reminders and notices
    promises: PromiseFigures = field(default_factory=PromiseFigures)
    warnings: Warnings = field(default_factory=Warnings)  # what a `warn_before` of this touchpoint would have done

    def merge(self, other: TouchpointFigures) -> None:
        self.orders += other.orders
        self.stuck += other.stuck
        self.messages.update(other.messages)
        self.silence.merge(other.silence)
        self.silence_before.merge(other.silence_before)
        self.promises.merge(other.promises)
        self.warnings.merge(other.warnings)


@dataclass(slots=True)
class LongestSilence:
    """The longest silence of all, with the order that it was about and the status in which it began."""

    lasted: timedelta = timedelta(0)
    status: str = ""
    order_id: str = ""


@dataclass(slots=True)
class Figures:
    """What one plan did with all orders."""

    orders: int = 0
    touchpoints: defaultdict[str, TouchpointFigures] = field(default_factory=lambda: defaultdict(TouchpointFigures))
    messages_per_order: Distribution = field(default_factory=Distribution)  # to the customer
    silence: Distribution = field(default_factory=Distribution)  # the longest of each order
    silence_before: Distribution = field(default_factory=Distribution)  # the same without reminders and notices
    longest: LongestSilence = field(default_factory=LongestSilence)
    warnings: Warnings = field(default_factory=Warnings)  # what one `warn_before` for all touchpoints would have done
    announced: Distribution = field(default_factory=Distribution)  # how long before the end late ones were warned of
    broken_dates: int = 0  # as in `Course`
    reasons: Counter[Reason] = field(default_factory=Counter)
    dropped: Counter[Reason] = field(default_factory=Counter)
    first_mails: dict[tuple[str, Purpose], Sent] = field(default_factory=dict)  # by touchpoint and purpose

    def add(self, course: Course, end: datetime) -> None:
        """Add the life of one order, which the simulation followed until `end`."""
        plan = course.plan
        self.orders += 1
        for status in {_planned(status, plan) for _, status in course.entered}:
            self.touchpoints[status].orders += 1
        if course.order is not None and course.order.stuck:
            self.touchpoints[_planned(course.order.status, plan)].stuck += 1
        told = 0
        for sent in course.sent:
            status, purpose = _planned(sent.notification.status, plan), sent.notification.purpose
            self.touchpoints[status].messages[purpose] += 1
            if sent.notification.to_customer:
                told += 1
                self._keep_first((status, purpose), sent)
        self.messages_per_order.add(told)
        self._add_silences(course, plan)
        self._add_promise(course, end)
        self.broken_dates += course.broken_dates
        self.reasons.update(course.reasons)
        self.dropped.update(course.dropped)

    def _add_silences(self, course: Course, plan: Plan) -> None:
        for status, lasted in _longest(course.silence, plan).items():
            self.touchpoints[status].silence.add_duration(lasted)
            if lasted > self.longest.lasted:
                assert course.order is not None
                self.longest = LongestSilence(lasted, status, course.order.order_id)
        for status, lasted in _longest(course.silence_before, plan).items():
            self.touchpoints[status].silence_before.add_duration(lasted)
        self.silence.add_duration(max(course.silence.longest.values(), default=timedelta(0)))
        self.silence_before.add_duration(max(course.silence_before.longest.values(), default=timedelta(0)))

    def _add_promise(self, course: Course, end: datetime) -> None:
        decided = promises.outcome(course, end)
        if decided is None:
            return
        self.touchpoints[_planned(decided.status, course.plan)].promises.add(decided)
        if decided.late and decided.warned is not None:
            self.announced.add_duration(decided.warned)
        for status, left in decided.left.items():
            self.touchpoints[_planned(status, course.plan)].warnings.add(left, late=decided.late)
        if decided.left:
            self.warnings.add(min(decided.left.values()), late=decided.late)

    def _keep_first(self, kind: tuple[str, Purpose], sent: Sent) -> None:
        known = self.first_mails.get(kind)
        if known is None or _place(sent) < _place(known):
            self.first_mails[kind] = sent

    def merge(self, other: Figures) -> None:
        """Add the figures of other orders."""
        self.orders += other.orders
        for status, figures in other.touchpoints.items():
            self.touchpoints[status].merge(figures)
        self.messages_per_order.merge(other.messages_per_order)
        self.silence.merge(other.silence)
        self.silence_before.merge(other.silence_before)
        self.longest = max(self.longest, other.longest, key=lambda it: (it.lasted, it.order_id))
        self.warnings.merge(other.warnings)
        self.announced.merge(other.announced)
        self.broken_dates += other.broken_dates
        self.reasons.update(other.reasons)
        self.dropped.update(other.dropped)
        for kind, sent in other.first_mails.items():
            self._keep_first(kind, sent)


def _place(sent: Sent) -> tuple[object, ...]:
    return sent.at, sent.notification.order_id, sent.notification.seq


def _planned(status: str, plan: Plan) -> str:
    return status if plan.knows(status) else UNPLANNED


def _longest(silence: Silence, plan: Plan) -> Mapping[str, timedelta]:
    """The longest silence of an order by touchpoint; all statuses that the plan does not know count as one."""
    longest: dict[str, timedelta] = {}
    for status, lasted in silence.longest.items():
        planned = _planned(status, plan)
        longest[planned] = max(lasted, longest.get(planned, lasted))
    return longest
