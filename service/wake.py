"""Due orders: claim, decide again, commit. Here silence is noticed.

The loop sleeps until the earliest `wake_at` it knows of, so it needs no poll to be punctual; it looks up
now and then only for what another replica or a changed plan brought about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import structlog

from avisa import telemetry
from avisa.core import decide, gate
from avisa.core.model import Decision, Order, Reason, evolve
from avisa.core.plan import Plan
from avisa.ports import (
    CatalogCache,
    Change,
    Claimed,
    Clock,
    Committed,
    DurabilityLost,
    Entry,
    Lag,
    OrderBook,
    Sender,
)

log = structlog.get_logger()

BATCH = 500
LOOK_UP = timedelta(seconds=5)  # real: how long a wake_at set elsewhere may stay unnoticed
PUT_OFF = timedelta(hours=1)  # virtual: how long an order rests that could not be decided
AFTER_TROUBLE = 2.0  # seconds before the store is asked again

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_FAR_AHEAD = datetime.max.replace(tzinfo=UTC)


class Wake:
    """Wakes orders whose time has come, while this process can see what their events say."""

    def __init__(
        self, orders: OrderBook, shelf: CatalogCache, clock: Clock, lag: Lag, sender: Sender, *, lease: timedelta
    ) -> None:
        self._orders = orders
        self._shelf = shelf
        self._clock = clock
        self._lag = lag
        self._sender = sender
        self._lease = lease
        self._started = clock.real()
        self._sleeping_until = _FAR_AHEAD
        self._sooner = asyncio.Event()

    def expect(self, wake_at: datetime) -> None:
        """An order is to be woken then; never sleep past it."""
        if wake_at < self._sleeping_until:
            self._sleeping_until = wake_at
            self._sooner.set()

    async def run(self) -> None:
        """Wake orders until cancelled. Raises DurabilityLost."""
        said: type[Exception] | None = None
        while True:
            try:
                woken = await self.once()
                if woken < BATCH:
                    await self._sleep()
                said = None
            except DurabilityLost:
                raise
            except Exception as trouble:  # the store is away, or a bug: say so once, and never stop looking
                if type(trouble) is not said:
                    log.error("wake_failed", error=type(trouble).__name__, exc_info=True)
                said = type(trouble)
                await asyncio.sleep(AFTER_TROUBLE)

    async def once(self) -> int:
        """Wake one batch of due orders; answers how many there were."""
        now, now_real = self._clock.now(), self._clock.real()
        if not self._lag.caught_up(now_real):
            return 0
        plan = self._shelf.in_force.plan
        due = await self._orders.due(
            now, feeds=self._lag.fresh_partitions(now_real), overdue=self._overdue(now_real, plan), limit=BATCH
        )
        if due:
            decisions = [_decided(order, plan, now) for order in due]
            changes = [_change(decision, plan, now) for decision in decisions]
            # Whoever decides a reminder also sends it: for others, who do not read its feed, it would be unseen.
            lease = self._lease if self._sender.room() else None
            committed = await self._orders.commit(changes, now=now, lease=lease)
            for order, decision in zip(due, decisions, strict=True):
                for told in decision.notifications if order.order_id not in committed.lost else ():
                    telemetry.queued(told.purpose, told.channel)
            self._sender.hand_over(list(_leased(decisions, committed)), since=now_real)
            self._sender.nudge()
        return len(due)

    def _overdue(self, now_real: datetime, plan: Plan) -> datetime:
        """Blindness holds a reminder for so long and no longer: a told date outranks the guard."""
        patience = plan.feed.hold_at_most
        if now_real - self._started < patience:
            return _LONG_AGO
        return self._clock.to_virtual(now_real - patience)

    async def _sleep(self) -> None:
        now_real = self._clock.real()
        self._sleeping_until = _FAR_AHEAD
        self._sooner.clear()
        next_wake = await self._orders.next_wake(feeds=self._lag.fresh_partitions(now_real))
        if next_wake is not None:
            self._sleeping_until = min(self._sleeping_until, next_wake)
        rest = LOOK_UP
        if self._sleeping_until != _FAR_AHEAD:
            rest = min(rest, self._clock.to_real(self._sleeping_until) - self._clock.real())
        if rest <= timedelta(0):
            # Due, and yet not woken: we are blind, or catching up. A breath, not a busy loop.
            rest = timedelta(milliseconds=200)
        try:
            async with asyncio.timeout(rest.total_seconds()):
                await self._sooner.wait()
        except TimeoutError:
            pass


def _leased(decisions: Iterable[Decision], committed: Committed) -> Iterator[Claimed]:
    """What of it is ours to send, with its order as it is now stored."""
    for decision in decisions:
        order = decision.order
        for notification in decision.notifications:
            if notification.key in committed.leased:
                pending = (*order.pending, *decision.notifications)
                stored = evolve(order, version=order.version + 1, pending=pending)
                yield Claimed(notification=notification, order=stored)


def _decided(order: Order, plan: Plan, now: datetime) -> Decision:
    """What its waking means for an order. One that we have a fault about is put off, for others wait beside it."""
    try:
        return decide.on_wake(order, plan, now)
    except Exception as fault:
        log.error("order_not_woken", order=order.order_id, error=type(fault).__name__, exc_info=True)
        return Decision(order=evolve(order, wake_at=now + PUT_OFF), reason=Reason.NOT_DUE)


def _change(decision: Decision, plan: Plan, now: datetime) -> Change:
    """What waking an order comes to, and what it makes needless of that which still waits."""
    order = decision.order
    pending = (*order.pending, *decision.notifications)
    stale = tuple(item.key for item in pending if gate.superseded(item, order, plan))
    entries: tuple[Entry, ...] = ()
    if decision.reason is Reason.REMINDERS_SPENT:
        spent = Entry(
            order_id=order.order_id,
            at=now,
            kind="decision",
            reason=decision.reason,
            status=order.status,
            episode=order.episode,
        )
        entries = (spent,)
    return Change(order=order, notifications=decision.notifications, entries=entries, superseded=stale)
