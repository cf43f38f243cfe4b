"""The figures of a simulation, added up order by order and over all processes. They do not grow with the orders."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from avisa.core.model import Purpose, Reason
from avisa.core.plan import Plan
from avisa.simulate.course import Course, Sent
from avisa.simulate.silence import Silence

UNPLANNED = "unknown_status"  # stands for all statuses that the plan does not know

_STEP = timedelta(minutes=6)  # durations are counted in tenths of an hour


@dataclass(slots=True)
class Distribution:
    """How often each number occurred; of durations, how many tenths of an hour."""

    counts: Counter[int] = field(default_factory=Counter)

    def add(self, number: int) -> None:
        self.counts[number] += 1

    def add_duration(self, lasted: timedelta) -> None:
        self.counts[lasted // _STEP] += 1

    def merge(self, other: Distribution) -> None:
        self.counts.update(other.counts)

    def share(self, share: float) -> int | None:
        """The smallest number that so large a share of all does not exceed; None if there are none."""
        wanted, seen = share * self.counts.total(), 0
        for number in sorted(self.counts):
            seen += self.counts[number]
            if seen >= wanted:
                return number
        return None


@dataclass(slots=True)
class TouchpointFigures:
    """What the customers of one touchpoint lived through."""

    orders: int = 0
    stuck: int = 0  # orders that no event took out of it after the last reminder
    messages: Counter[Purpose] = field(default_factory=Counter)
    silence: Distribution = field(default_factory=Distribution)  # of each order its longest there
    silence_before: Distribution = field(default_factory=Distribution)  # had only events been told

    def merge(self, other: TouchpointFigures) -> None:
        self.orders += other.orders
        self.stuck += other.stuck
        self.messages.update(other.messages)
        self.silence.merge(other.silence)
        self.silence_before.merge(other.silence_before)


@dataclass(slots=True)
class Longest:
    """The longest silence, and whose it was."""

    lasted: timedelta = timedelta(0)
    status: str = ""
    order_id: str = ""


@dataclass(slots=True)
class Figures:
    """What one plan did with all orders."""

    orders: int = 0
    touchpoints: defaultdict[str, TouchpointFigures] = field(default_factory=lambda: defaultdict(TouchpointFigures))
    messages_per_order: Distribution = field(default_factory=Distribution)  # to the customer
    silence: Distribution = field(default_factory=Distribution)  # of each order its longest
    silence_before: Distribution = field(default_factory=Distribution)
    longest: Longest = field(default_factory=Longest)
    broken_dates: int = 0
    reasons: Counter[Reason] = field(default_factory=Counter)
    dropped: Counter[Reason] = field(default_factory=Counter)
    first_mails: dict[tuple[str, Purpose], Sent] = field(default_factory=dict)  # the first of each kind

    def add(self, course: Course, plan: Plan) -> None:
        """Add the life of one order."""
        self.orders += 1
        for status in {_planned(status, plan) for status in course.entered}:
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
        self.broken_dates += course.broken_dates
        self.reasons.update(course.reasons)
        self.dropped.update(course.dropped)

    def _add_silences(self, course: Course, plan: Plan) -> None:
        for status, lasted in _longest(course.silence, plan).items():
            self.touchpoints[status].silence.add_duration(lasted)
            if lasted > self.longest.lasted:
                assert course.order is not None
                self.longest = Longest(lasted, status, course.order.order_id)
        for status, lasted in _longest(course.silence_before, plan).items():
            self.touchpoints[status].silence_before.add_duration(lasted)
        self.silence.add_duration(max(course.silence.longest.values(), default=timedelta(0)))
        self.silence_before.add_duration(max(course.silence_before.longest.values(), default=timedelta(0)))

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
    """By touchpoint; statuses that the plan does not know are one."""
    longest: dict[str, timedelta] = {}
    for status, lasted in silence.longest.items():
        planned = _planned(status, plan)
        longest[planned] = max(lasted, longest.get(planned, lasted))
    return longest


def hours(tenths: int | None) -> float | None:
    """A number of a distribution of durations, in hours."""
    return None if tenths is None else tenths / 10
