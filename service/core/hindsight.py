"""What a warning of a promised date would have done with past orders, whatever its length.

A `warn_before` of so many hours warns of every order that is in its touchpoint at any time within these hours before
the end. So one number of each order is enough to try them all: how long before the end it left the touchpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from avisa.core.distribution import Distribution
from avisa.core.plan import Plan

NEARLY_ALL = 0.95  # of the late orders: so many a length is named to catch
_NO_TIME = timedelta(0)


def left_before(end: datetime, entered: Sequence[tuple[datetime, str]], plan: Plan) -> dict[str, timedelta]:
    """How long before the end of its promise an order left each status; 0: not before it.

    `entered` says when each stay began, and where. A status that fulfils the promise or ends the order warns of
    nothing, nor does one that was entered after the end.
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
    """What one length would have done: how many orders it warned of, how many of these came late, and how many late
    ones it missed."""

    warned: int
    late: int
    missed: int


@dataclass(slots=True)
class Warnings:
    """What a `warn_before` of any length would have done with orders that came late, and with those in time."""

    late: Distribution = field(default_factory=Distribution)  # how long before the end each left the touchpoint
    in_time: Distribution = field(default_factory=Distribution)

    @property
    def orders(self) -> int:
        return self.late.counts.total() + self.in_time.counts.total()

    def add(self, left: timedelta, *, late: bool) -> None:
        (self.late if late else self.in_time).add_duration(left)

    def merge(self, other: Warnings) -> None:
        self.late.merge(other.late)
        self.in_time.merge(other.in_time)

    def tried(self, length: timedelta) -> Tried:
        late = self.late.below(length)
        return Tried(late + self.in_time.below(length), late, self.late.counts.total() - late)

    def catching(self) -> int | None:
        """The shortest length, in whole hours, that would have warned of 95 % of the late ones; None: none was."""
        left = self.late.share(NEARLY_ALL)
        return None if left is None else left // 10 + 1
