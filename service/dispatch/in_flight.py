"""The notifications this process works on, from claim to settlement, and the answers to them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

import structlog

from avisa import telemetry
from avisa.core.model import SETTLED, Notification, State
from avisa.core.retry import Receipt, Verdict
from avisa.dispatch.settlements import Moment, Outcomes
from avisa.ports import CatalogCache, Claimed, Clock, OrderBook, Outbox, Settlement

log = structlog.get_logger()

GATHER = 0.02  # seconds in which answers gather, since storing twenty costs little more than storing one
RACES = 5  # how often an outcome is worked out anew because its order changed meanwhile
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Tried:
    """A notification as it was begun, its order as it was claimed, and the channel's answer."""

    claimed: Claimed
    receipt: Receipt


class Freed(Protocol):
    def __call__(self, *, left: bool) -> None:
        """Something was settled. `left`: by that, something lies in the outbox that nobody has in hand."""


class InFlight:
    """What is ours to see to: never claimed a second time, its leases kept, its answers never forgotten."""

    def __init__(
        self,
        orders: OrderBook,
        outbox: Outbox,
        shelf: CatalogCache,
        clock: Clock,
        outcomes: Outcomes,
        *,
        freed: Freed,
    ) -> None:
        """`freed` is told when something was settled, so that what waited behind it can be claimed."""
        self._orders = orders
        self._outbox = outbox
        self._shelf = shelf
        self._clock = clock
        self._outcomes = outcomes
        self._freed = freed
        self._mine: dict[str, Notification] = {}
        self._until: dict[str, datetime] = {}  # the leases, real
        self._returned: dict[str, Notification] = {}  # to be given back
        self._answers: deque[Tried] = deque()
        self._answered = asyncio.Event()
        self._lighter = asyncio.Event()  # something was put out of hand

    def __len__(self) -> int:
        return len(self._mine)

    def __contains__(self, key: str) -> bool:
        return key in self._mine

    async def fewer_than(self, limit: int) -> None:
        """Wait until less than `limit` is in hand."""
        while len(self._mine) >= limit:
            self._lighter.clear()
            await self._lighter.wait()

    def keys(self) -> tuple[str, ...]:
        return tuple(self._mine)

    def take(self, claimed: Sequence[Claimed], *, until: datetime) -> None:
        """These are leased to us, until then at least (real)."""
        self._mine.update((item.notification.key, item.notification) for item in claimed)
        self._until.update((item.notification.key, until) for item in claimed)

    def renewed(self, asked: Iterable[str], kept: Collection[str], *, until: datetime) -> None:
        """Of what was asked for, this is leased to us anew; the rest is somebody else's by now, or settled."""
        for key in asked:
            if key in self._mine:
                self._until[key] = until if key in kept else _LONG_AGO

    def ours(self, key: str) -> bool:
        """Whether nobody else can have been given it: then, and only then, it may leave the house.

        A process that was frozen, or did not reach the store, knows by the clock alone that its lease is over.
        """
        return self._clock.real() < self._until.get(key, _LONG_AGO)

    def give_back(self, untouched: Iterable[Notification]) -> None:
        """Nothing of these has left; they are for whoever looks next, as soon as the store can be told."""
        self._returned.update((item.key, item) for item in untouched)
        self._answered.set()

    def answer(self, claimed: Claimed, receipt: Receipt) -> None:
        self._answers.append(Tried(claimed, receipt))
        self._answered.set()

    async def settle_answers(self) -> None:
        """Store the channel's answers, all that there are at once. None is forgotten while this process lives."""
        await self._answered.wait()
        await asyncio.sleep(GATHER)
        self._answered.clear()
        answers = list(self._answers)
        returned = dict(self._returned)
        try:
            await self._conclude(answers)
            at = Moment.of(self._clock)
            self.forget(await self.settle([self._outcomes.given_back(item, at) for item in returned.values()]))
        except BaseException:
            self._answered.set()
            raise
        for _ in answers:
            self._answers.popleft()
        for key in returned:
            self._returned.pop(key, None)
        self._measure(answers)

    def _measure(self, answers: Sequence[Tried]) -> None:
        """To the relay's word: from when an event was published, or a reminder was due, in real time."""
        real = self._clock.real()
        for tried in answers:
            notification = tried.claimed.notification
            if tried.receipt.verdict is not Verdict.ACCEPTED:
                continue
            if notification.to_customer and notification.published_real is not None:
                telemetry.event_to_accepted((real - notification.published_real).total_seconds())
            if notification.due is not None:
                telemetry.reminder_lateness((real - self._clock.to_real(notification.due)).total_seconds())

    async def _conclude(self, answers: Sequence[Tried]) -> None:
        """Settle; where an order changed meanwhile, work out again what the answer means for it."""
        for _ in range(RACES):
            at = Moment.of(self._clock)
            plan = self._shelf.in_force.plan
            settlements = [
                self._outcomes.of_receipt(
                    tried.claimed.notification,
                    tried.claimed.order,
                    tried.receipt,
                    plan,
                    at,
                    fresh=tried.claimed.draft is None,
                )
                for tried in answers
            ]
            lost = await self.settle(settlements)
            raced = {item.key for item in settlements if item.key in lost and item.change is not None}
            if lost - raced:
                log.warning("leases_lost", notifications=len(lost - raced))
                self.forget(lost - raced)
            if not raced:
                return
            answers = [tried for tried in answers if tried.claimed.notification.key in raced]
            fresh = await self._orders.load({tried.claimed.order.order_id for tried in answers})
            answers = [
                Tried(replace(tried.claimed, order=fresh[tried.claimed.order.order_id]), tried.receipt)
                for tried in answers
            ]
        # The relay's word outranks what it means for a busy order: never is a mail sent twice for that.
        self.forget(await self.settle([replace(item, change=None) for item in settlements if item.key in raced]))

    async def settle(self, settlements: Sequence[Settlement]) -> frozenset[str]:
        """Store outcomes; answers those that were lost, which are still ours to see to."""
        if not settlements:
            return frozenset()
        lost = await self._outbox.settle(settlements)
        for item in settlements:
            if item.key in lost:
                continue
            settled = self._mine.pop(item.key, None)
            self._until.pop(item.key, None)
            if settled is not None and item.state in SETTLED:
                telemetry.settled(settled.purpose, settled.channel, item.state)
            for alert in item.change.notifications if item.change is not None else ():
                telemetry.queued(alert.purpose, alert.channel)
        self._lighter.set()
        self._freed(left=any(_leaves(item) for item in settlements))
        return lost

    def forget(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._mine.pop(key, None)
            self._until.pop(key, None)
        self._lighter.set()


def _leaves(item: Settlement) -> bool:
    """Whether it was given back, or an owner's alert was decided with it."""
    return item.state is State.QUEUED or (item.change is not None and bool(item.change.notifications))
