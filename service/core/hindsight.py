"""How the promises of past orders turned out, and what a `warn_before` of any length would have done with them.

A touchpoint with `warn_before: 48h` warns of every order that is still there 48 hours before its promised date ends,
or that comes there later. So one number for each order is enough to try every length: how long before the end the
order left the touchpoint. For example, an order that left production 30 hours before the end would have been warned
of by 48 hours, and not by 24.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from avisa.core import facts
from avisa.core.distribution import Distribution
from avisa.core.model import Order
from avisa.core.plan import Plan
from avisa.core.promise import PromiseState

NEARLY_ALL = 0.95  # the share of the late orders that `Warnings.catching` looks for
_NO_TIME = timedelta(0)


@dataclass(frozen=True, slots=True)
class Judged:
    """When the promise of an order ended, by the last date that it had, and whether the order came late or never."""

    end: datetime
    late: bool


def judged(order: Order, plan: Plan, now: datetime) -> Judged | None:
    """How the promise of an order turned out. None if there was no promise, if it was withdrawn, or if it is neither
    fulfilled nor over by `now`."""
    promise = order.promise
    if promise is None or promise.date is None or promise.state is PromiseState.WITHDRAWN:
        return None
    end = facts.promise_moment(promise.date, facts.zone(order, plan))
    if promise.fulfilled_at is None:
        return Judged(end, late=True) if end <= now else None
    return Judged(end, late=promise.fulfilled_at > end)


def left_before(end: datetime, entered: Sequence[tuple[datetime, str]], plan: Plan) -> dict[str, timedelta]:
    """How long before the `end` of its promise an order left each status, the last stay in it counting; 0: it was
    still there at the end.

    `entered` has the begin of each episode and its status, the oldest first. Left out are statuses that could not
    have warned: those that fulfil the promise or are final, and those that the order entered after the end.
    """
    left: dict[str, timedelta] = {}
    for place, (entered_at, status) in enumerate(entered):
        touchpoint = plan.touchpoint(status)
        if entered_at < end and not touchpoint.fulfils_promise and not touchpoint.final:
            left_at = entered[place + 1][0] if place + 1 < len(entered) else end
            left.pop(status, None)  # of several stays the last one counts
            left[status] = max(end - left_at, _NO_TIME)
    return left


@dataclass(frozen=True, slots=True)
class Tried:
    """What one length of `warn_before` would have done, in numbers of orders."""

    warned: int
    late: int  # of those that it warned of
    missed: int  # orders that came late, and that it did not warn of


@dataclass(slots=True)
class Warnings:
    """How long before the end orders left a touchpoint: those that came late, and those that came in time."""

    late: Distribution = field(default_factory=Distribution)
    in_time: Distribution = field(default_factory=Distribution)

    @property
    def orders(self) -> int:
        """How many orders were added."""
        return self.late.counts.total() + self.in_time.counts.total()

    def add(self, left: timedelta, *, late: bool) -> None:
        """Add an order that `left` the touchpoint so long before the end."""
        (self.late if late else self.in_time).add_duration(left)

    def merge(self, other: Warnings) -> None:
        self.late.merge(other.late)
        self.in_time.merge(other.in_time)

    def tried(self, length: timedelta) -> Tried:
        """What a `warn_before` of this length would have done."""
        late = self.late.below(length)
        return Tried(late + self.in_time.below(length), late, self.late.counts.total() - late)

    def catching(self) -> int | None:
        """The shortest length, in whole hours, that would have warned of 95 % of the late orders; None: no order was
        late."""
        left = self.late.share(NEARLY_ALL)  # in tenths of an hour
        return None if left is None else left // 10 + 1
