"""The loop that empties the outbox: send what was begun, claim what was left over, settle what came back.

Dispatch stores the draft of a mail before the first byte leaves, and its outcome after the channel's receipt. If the
process dies between the two, nobody knows whether the mail arrived; the next attempt sends the same bytes (promise
4).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from avisa.core.evolve import evolve
from avisa.core.model import Notification
from avisa.core.retry import RetryPolicy
from avisa.dispatch.claiming import SAFE, Claiming
from avisa.dispatch.in_flight import InFlight
from avisa.dispatch.preparation import Preparation, Prepared
from avisa.dispatch.sending import Sending
from avisa.dispatch.settlements import Now, Settlements
from avisa.loops import keep_going
from avisa.ports import (
    Attempt,
    Begun,
    CatalogCache,
    Change,
    Claimed,
    Clock,
    Lag,
    Mailer,
    OrderBook,
    Outbox,
    Settlement,
)

log = structlog.get_logger()

MOST_IN_FLIGHT = 1500  # notifications: enough to keep the connections busy, little enough for memory
MOST_CLAIMED = 500  # notifications, by one claim
MAILS_A_ROUND = 25  # about half a millisecond of handing over, for which every other task waits

# Seconds.
CAPACITY_WAIT = 0.25  # how long a decision waits for room to be sent at once
ASK_EVERY = 1.0  # the outbox is asked at least so often
ASK_AGAIN_AFTER = 0.02  # and never sooner
LOOK_AGAIN_AFTER = 0.05  # while something due cannot be claimed yet, and while draining
PAUSE_AFTER_TROUBLE = 1.0


class Dispatch:
    """Sends what the outbox holds, first in, first out per order, recipient and channel. Satisfies `Sender`."""

    def __init__(
        self,
        orders: OrderBook,
        outbox: Outbox,
        catalogs: CatalogCache,
        mailer: Mailer,
        clock: Clock,
        lag: Lag,
        *,
        policy: RetryPolicy,
        lease: timedelta,
        jitter: Callable[[], float],
    ) -> None:
        self._orders = orders
        self._outbox = outbox
        self._catalogs = catalogs
        self._mailer = mailer
        self._clock = clock
        self._lag = lag
        self._lease = lease
        self._settlements = Settlements(clock=clock, policy=policy, jitter=jitter)
        self.preparation = Preparation(outbox, catalogs, lag, clock, self._settlements)
        self._begun: deque[Attempt] = deque()
        self._look = asyncio.Event()
        self._in_flight = InFlight(orders, outbox, catalogs, clock, self._settlements, on_settled=self._on_settled)
        self._sending = Sending(catalogs, mailer, self._in_flight)
        self._claiming = Claiming(outbox, lag, clock, lease)
        self._stopping = False
        self._asked_at = self._ask_at = 0.0  # when the outbox was asked last, and will be next, by the loop's clock
        self._more_waits = False  # in the outbox behind what is in flight, so each settlement may make it due

    # ------------------------------------------------------------ for the other flows

    async def capacity(self) -> bool:
        if self._may_send():
            with suppress(TimeoutError):
                async with asyncio.timeout(CAPACITY_WAIT):
                    await self._in_flight.wait_below(MOST_IN_FLIGHT)
        return self._has_room()

    def send(self, attempts: Sequence[Attempt], *, since: datetime) -> None:
        self._in_flight.take([attempt.claimed for attempt in attempts], until=since + SAFE * self._lease)
        self._begun.extend(attempts)
        self._look.set()

    def nudge(self) -> None:
        self._more_waits = True
        self._ask_soon()

    @property
    def paused(self) -> bool:
        """True if an operator has paused sending, as last seen. What has begun is still sent."""
        return self._claiming.paused

    def _has_room(self) -> bool:
        return self._may_send() and len(self._in_flight) < MOST_IN_FLIGHT

    def _may_send(self) -> bool:
        """True if nothing forbids sending, whether or not there is room for more in flight."""
        return (
            not self.paused and not self._stopping and self._mailer.open and self._lag.caught_up(self._clock.real())
        )

    # ------------------------------------------------------------ the loops

    async def run(self) -> None:
        """Send until cancelled; `drain` first, to end in good order. Raises DurabilityLost."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for step in (self._round, self._in_flight.settle_receipts, self._renew):
                    tasks.create_task(keep_going(step, event="dispatch.failed", pause=PAUSE_AFTER_TROUBLE))
        except BaseExceptionGroup as ended:
            raise ended.exceptions[0] from None  # only DurabilityLost ends a loop, and one report is enough

    async def drain(self, grace: float) -> None:
        """Begin nothing new, and wait up to `grace` seconds for the receipts of what was begun."""
        self._stopping = True
        self._look.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                while len(self._in_flight):  # noqa: ASYNC110 -- polled once in a process's life
                    await asyncio.sleep(LOOK_AGAIN_AFTER)
                return
        log.warning("dispatch.receipts_outstanding", notifications=len(self._in_flight))

    async def _round(self) -> None:
        """One round: claim what is due in the outbox, send a few mails of what was begun, else rest.

        However many mails wait to be sent, the outbox is asked at least every ASK_EVERY seconds: only there does this
        process see an operator's pause and what other processes left.
        """
        self._look.clear()
        now = asyncio.get_running_loop().time()
        if now >= self._ask_at:
            await self._ask(now)
        if self._begun:
            await self._send_some()
        else:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._ask_at):
                    await self._look.wait()

    async def _send_some(self) -> None:
        """Hand over some of the mails that were begun, then give every other task a turn."""
        for _ in range(min(MAILS_A_ROUND, len(self._begun))):
            await self._sending.send(self._begun.popleft())
        await asyncio.sleep(0)

    async def _renew(self) -> None:
        """Keep the leases of what is in flight: a receipt may take ten minutes (RFC 5321 section 4.5.3.2.6)."""
        await asyncio.sleep(self._lease.total_seconds() / 3)
        if keys := self._in_flight.keys():
            real = self._clock.real()
            kept = await self._outbox.renew(keys, now_real=real, lease=self._lease)
            self._in_flight.renewed(keys, kept, until=real + SAFE * self._lease)
            self._mailer.renew({key: self._in_flight.leased_until(key) for key in keys})

    # ------------------------------------------------------------ what was left over

    async def _ask(self, now: float) -> None:
        """Claim and begin what is due in the outbox, and see when to ask again."""
        self._asked_at, self._ask_at = now, now + ASK_EVERY
        claimed = await self._claim()
        if claimed:
            await self._begin(claimed)
        if len(claimed) == MOST_CLAIMED:
            self._ask_at = now
        elif self._has_room():
            real = self._clock.real()
            due = await self._outbox.next_due(
                feeds=self._lag.feeds, overdue=self.preparation.overdue(real), buckets=self._lag.buckets
            )
            if due is not None:
                self._ask_soon(max(LOOK_AGAIN_AFTER, (due - self._clock.real()).total_seconds()))

    def _ask_soon(self, seconds: float = 0.0) -> None:
        """Ask the outbox in so many seconds at the latest, but not within ASK_AGAIN_AFTER of the last time."""
        now = asyncio.get_running_loop().time()
        self._ask_at = min(self._ask_at, max(now + seconds, self._asked_at + ASK_AGAIN_AFTER))
        self._look.set()

    def _on_settled(self, *, left_in_outbox: bool) -> None:
        if left_in_outbox or self._more_waits:
            self._more_waits = bool(len(self._in_flight))
            self._ask_soon()

    async def _claim(self) -> list[Claimed]:
        if not await self._claiming.allowed() or not self._has_room():
            return []
        real = self._clock.real()
        limit = min(MOST_CLAIMED, MOST_IN_FLIGHT - len(self._in_flight))
        claimed = await self._claiming.claim(limit, real=real, overdue=self.preparation.overdue(real))
        # While the store was away our own lease may have ended, so that the claim returns what is in flight here.
        new = [item for item in claimed if item.notification.key not in self._in_flight]
        self._in_flight.take(new, until=real + SAFE * self._lease)
        return new

    async def _begin(self, batch: list[Claimed]) -> None:
        """Prepare a claimed batch, store the attempts as begun, and settle the rest."""
        at = Now.of(self._clock)
        try:
            if self._stopping or self.paused:
                prepared = Prepared(settlements=[self._released(item.notification, at) for item in batch])
            else:
                prepared = await self.preparation.prepare(batch, at)
                await self._store_new_dates(prepared, at)
            began = await self._outbox.begin(prepared.attempts, prepared.budgets) if prepared.attempts else Begun()
        except BaseException:
            self._in_flight.release(item.notification for item in batch)
            raise
        self._begun.extend(attempt for attempt in prepared.attempts if attempt.key in began.keys)
        settlements = prepared.settlements + [
            self._not_begun(attempt.claimed, began.over_budget.get(attempt.key), at)
            for attempt in prepared.attempts
            if attempt.key not in began.keys
        ]
        for key, listed in prepared.listed.items():
            if key in began.keys:
                self._in_flight.forget(item.notification.key for item in listed)
            else:
                settlements += [self._not_begun(item, began.over_budget.get(key), at) for item in listed]
        lost: Collection[str] = [item.key for item in settlements]
        try:
            lost = await self._in_flight.settle(settlements)
        finally:
            # The orders of these changed meanwhile, or the store went away. The next claim prepares them again.
            self._in_flight.release(item.notification for item in batch if item.notification.key in lost)

    async def _store_new_dates(self, prepared: Prepared, at: Now) -> None:
        """Store each new deadline before the attempt that tells it begins; release those that lose a race."""
        redated = [attempt for attempt in prepared.attempts if attempt.key in prepared.redated]
        if not redated:
            return
        orders = {attempt.claimed.order.order_id: attempt.claimed.order for attempt in redated}
        committed = await self._orders.commit([Change(order=order) for order in orders.values()], now=at.virtual)
        prepared.attempts = [attempt for attempt in prepared.attempts if attempt.key not in prepared.redated]
        for attempt in redated:
            order = attempt.claimed.order
            if order.order_id in committed.lost or orders[order.order_id] is not order:
                prepared.settlements.append(self._released(attempt.claimed.notification, at))
            else:
                stored = replace(attempt.claimed, order=evolve(order, version=order.version + 1))
                prepared.attempts.append(replace(attempt, claimed=stored))

    def _not_begun(self, claimed: Claimed, room_at: datetime | None, at: Now) -> Settlement:
        """The settlement of a notification that the store did not begin. Over a budget, it waits until `room_at`.

        None: it absorbed a later event, or its lease ended, so the next claim prepares it again.
        """
        if room_at is None:
            return self._released(claimed.notification, at)
        return self._settlements.over_budget(claimed, room_at, self._catalogs.in_force.plan, at)

    def _released(self, notification: Notification, at: Now) -> Settlement:
        return self._settlements.released(notification, at)
