"""Silence: the orders whose time has come are claimed, decided again and committed.

The loop sleeps until the earliest `wake_at` it knows of, so it needs no poll to be punctual; it looks up now and then
only for what another replica or a changed plan brought about.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from avisa.core import decide
from avisa.core.decision import Decision
from avisa.core.evolve import evolve
from avisa.core.fold import Fold
from avisa.core.model import Order, Reason
from avisa.core.plan import Plan
from avisa.core.timestamps import BEGINNING, END
from avisa.dispatch.settlements import Now
from avisa.loops import keep_going
from avisa.ports import CatalogCache, Clock, Entry, Lag, OrderBook
from avisa.write_path import DecidedOrder, WritePath

log = structlog.get_logger()

BATCH = 500
LOOK_UP = timedelta(seconds=5)  # real: how long a wake_at set elsewhere may stay unnoticed
PUT_OFF = timedelta(hours=1)  # virtual: how long an order rests that could not be decided
AFTER_TROUBLE = 2.0  # seconds before the store is asked again
BREATH = timedelta(milliseconds=200)  # real: the rest while an order is due that must not be woken yet


class Wake:
    """Wakes orders whose time has come, while this process can see what their events say."""

    def __init__(
        self, orders: OrderBook, catalogs: CatalogCache, clock: Clock, lag: Lag, write_path: WritePath, alarm: Alarm
    ) -> None:
        self._orders = orders
        self._catalogs = catalogs
        self._clock = clock
        self._lag = lag
        self._write_path = write_path
        self._alarm = alarm
        self._started = clock.real()

    async def run(self) -> None:
        """Wake orders until cancelled. Raises DurabilityLost."""
        await keep_going(self._round, event="wake.failed", pause=AFTER_TROUBLE)

    async def _round(self) -> None:
        if await self.once() < BATCH:
            await self._sleep()

    async def once(self) -> int:
        """Wake one batch of due orders; return how many there were."""
        if not self._lag.caught_up(self._clock.real()):
            return 0
        # Whoever decides a reminder also begins it: to others, who do not read its feed, it would be unseen.
        send_now = await self._write_path.capacity()
        at = Now.of(self._clock)
        plan = self._catalogs.in_force.plan
        due = await self._orders.due(
            at.virtual, feeds=self._lag.fresh_feeds(at.real), overdue=self._overdue(at.real, plan), limit=BATCH
        )
        if due:
            await self._write_path.commit(
                [_decided(order, plan, at.virtual) for order in due], at=at, send_now=send_now
            )
        return len(due)

    def _overdue(self, real: datetime, plan: Plan) -> datetime:
        """An order due at or before this virtual moment is woken even while we are blind: its date counts more."""
        patience = plan.feed.hold_at_most
        if real - self._started < patience:
            return BEGINNING
        return self._clock.to_virtual(real - patience)

    async def _sleep(self) -> None:
        real = self._clock.real()
        self._alarm.reset()
        next_wake = await self._orders.next_wake(feeds=self._lag.fresh_feeds(real))
        if next_wake is not None:
            self._alarm.at = min(self._alarm.at, next_wake)  # known here, so nobody need be woken for it
        rest = LOOK_UP
        if self._alarm.at != END:
            rest = min(rest, self._clock.to_real(self._alarm.at) - self._clock.real())
        if rest <= timedelta(0):
            rest = BREATH  # due, and yet not woken: we are blind, or catching up
        with suppress(TimeoutError):
            async with asyncio.timeout(rest.total_seconds()):
                await self._alarm.moved_earlier()


class Alarm:
    """The earliest moment (virtual) at which an order is to be woken, as far as this process knows."""

    def __init__(self) -> None:
        self.at = END
        self._earlier = asyncio.Event()

    def reset(self) -> None:
        """Expect nothing any more."""
        self.at = END
        self._earlier.clear()

    def expect(self, wake_at: datetime) -> None:
        """An order is to be woken at `wake_at`: nobody sleeps past that."""
        if wake_at < self.at:
            self.at = wake_at
            self._earlier.set()

    async def moved_earlier(self) -> None:
        """Wait until an earlier moment is expected than at the last `reset`."""
        await self._earlier.wait()


def _decided(order: Order, plan: Plan, now: datetime) -> DecidedOrder:
    """What the passing of time means for an order. An order that trips a fault of ours is put off; others wait."""
    try:
        decision = decide.on_wake(order, plan, now)
    except Exception as fault:
        log.error("wake.order_not_decided", order=order.order_id, error=type(fault).__name__, exc_info=True)
        decision = Decision(order=evolve(order, wake_at=now + PUT_OFF), reason=None)
    decided = DecidedOrder(Fold(order))
    decided.add(decision, now)
    if decision.reason is Reason.REMINDERS_SPENT:
        decided.entries.append(
            Entry(
                order_id=order.order_id,
                at=now,
                kind="decision",
                reason=decision.reason,
                status=order.status,
                episode=order.episode,
            )
        )
    return decided
