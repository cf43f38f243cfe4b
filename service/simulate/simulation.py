"""The lives of all orders under one plan or under two, worked out by all processor cores."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path

from avisa import machine
from avisa.core import notices
from avisa.core.model import Notification, Order, Reason
from avisa.core.plan import Plan
from avisa.simulate.course import Course
from avisa.simulate.figures import Figures
from avisa.simulate.spill import Spilled, TakenIn, arrivals, by_order
from avisa.templates import address

FEW = 5_000  # records; one process has done with so many before others have started


@dataclass(slots=True)
class Outcome:
    """The figures under each plan, in the order of the plans, and how many records were read."""

    figures: tuple[Figures, ...]
    events: int = 0  # records that were read as events, under the first plan
    unread: Counter[Reason] = field(default_factory=Counter)  # records that were not, by the reason
    differing: int = 0  # orders whose customers get other messages, or at other moments, under the two plans

    def merge(self, other: Outcome) -> None:
        """Add the outcome of other orders."""
        for mine, theirs in zip(self.figures, other.figures, strict=True):
            mine.merge(theirs)
        self.events += other.events
        self.unread.update(other.unread)
        self.differing += other.differing


def simulate(
    spilled: Spilled,
    plans: Sequence[Plan],
    taken_in: TakenIn,
    *,
    now: datetime,
    progress: Callable[[], None],
) -> Outcome:
    """Follow all orders under each of the plans until the newest event; until `now` if that event claims to lie in
    the future. `progress` is called after each of the spilled files.
    """
    lived = partial(_lived, plans=tuple(plans), taken_in=taken_in, end=min(spilled.end, now))
    whole = Outcome(tuple(Figures() for _ in plans), unread=Counter(spilled.unread))
    processes = machine.cores()
    if spilled.records <= FEW or processes == 1:
        for file in spilled.files:
            whole.merge(lived(file))
            progress()
        return whole
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        for done in as_completed([pool.submit(lived, file) for file in spilled.files]):
            whole.merge(done.result())
            progress()
    return whole


def _lived(file: Path, plans: Sequence[Plan], taken_in: TakenIn, end: datetime) -> Outcome:
    """The outcome of the orders in one file."""
    outcome = Outcome(tuple(Figures() for _ in plans))
    rules = {plan.events for plan in plans}  # mostly the same
    for records in by_order(file):
        lives = set()
        by_rules = {each: arrivals(records, each, taken_in, end) for each in rules}
        events, unread = by_rules[plans[0].events]
        outcome.events += len(events)
        outcome.unread.update(unread)
        for plan, figures in zip(plans, outcome.figures, strict=True):
            events, _ = by_rules[plan.events]
            if not events:
                continue
            course = Course(plan, _reaches)
            course.live(events, end)
            figures.add(course, end)
            lives.add(_messages(course))
        outcome.differing += len(lives) > 1
    return outcome


def _messages(course: Course) -> Iterable[object]:
    """What the customer is sent, and when: equal under two plans if the customer sees no difference."""
    told = (it for it in course.sent if it.notification.to_customer)
    return tuple((it.at, it.notification.purpose, it.notification.status) for it in told)


def _reaches(notification: Notification, order: Order) -> bool:
    """True if there is an address to write to. The addresses of owners were checked with the plan."""
    return not notification.to_customer or _usable(notices.address(order))


@lru_cache(64)  # the messages of an order, a few in a row, have one address
def _usable(written: str) -> bool:
    return address.checked(written) is not None
