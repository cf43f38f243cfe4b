"""The loop that empties the outbox: send what was begun, claim what was left over, settle what came back.

Before the first byte of a mail leaves, its draft is stored as begun; after the channel's receipt, its outcome is.
Between the two lies the one doubt that no sender can remove (promise 4), and there only the same bytes go out again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from avisa.core.model import Notification, evolve
from avisa.core.retry import RetryPolicy
from avisa.dispatch.claiming import SAFE, Claiming
from avisa.dispatch.in_flight import InFlight
from avisa.dispatch.preparation import Preparation, Prepared
from avisa.dispatch.sending import Sending
from avisa.dispatch.settlements import Now, Settlements
from avisa.loops import keep_going
from avisa.ports import Attempt, CatalogCache, Change, Channel, Claimed, Clock, Lag, OrderBook, Outbox, Settlement

log = structlog.get_logger()

IN_FLIGHT = 1500  # mails between claim and settlement: enough to keep the pool busy, little enough for memory
CLAIM = 500
POLL = 1.0  # seconds between looks for what other processes left
A_FEW = 4  # mails written between two looks at everything else: a millisecond, in which a batch waits for the loop
PATIENCE = 0.25  # seconds a decision waits for room to be sent at once
BETWEEN = 0.02  # seconds between two looks for what waited behind what was just settled
BREATH = 0.05  # seconds between looks while something due can not be claimed yet
AFTER_TROUBLE = 1.0  # seconds before a store that is away is asked again


class Dispatch:
    """Sends what the outbox holds, first in, first out per order, recipient and channel. Satisfies `Sender`."""

    def __init__(
        self,
        orders: OrderBook,
        outbox: Outbox,
        catalogs: CatalogCache,
        channel: Channel,
        clock: Clock,
        lag: Lag,
        *,
        policy: RetryPolicy,
        lease: timedelta,
        jitter: Callable[[], float],
    ) -> None:
        self._orders = orders
        self._outbox = outbox
        self._channel = channel
        self._clock = clock
        self._lag = lag
        self._lease = lease
        self._settlements = Settlements(clock=clock, policy=policy, jitter=jitter)
        self.preparation = Preparation(outbox, catalogs, lag, clock, self._settlements)
        self._begun: deque[Attempt] = deque()
        self._look = asyncio.Event()
        self._in_flight = InFlight(orders, outbox, catalogs, clock, self._settlements, on_settled=self._on_settled)
        self._sending = Sending(catalogs, channel, self._in_flight)
        self._claiming = Claiming(outbox, lag, clock, lease)
        self._stopping = False
        self._asked_at = self._ask_at = 0.0  # when the outbox was asked last, and will be next, by the loop's clock
        self._more_waits = False  # in the outbox, behind what is in flight

    # ------------------------------------------------------------ for the other flows

    async def capacity(self) -> bool:
        if self._may_send():
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._in_flight.wait_below(IN_FLIGHT)
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
        """True if an operator has stopped all sending, as last seen."""
        return self._claiming.paused

    def _has_room(self) -> bool:
        return self._may_send() and len(self._in_flight) < IN_FLIGHT

    def _may_send(self) -> bool:
        """True if nothing forbids sending; how much is in flight already is another question."""
        return (
            not self.paused and not self._stopping and self._channel.open and self._lag.caught_up(self._clock.real())
        )

    # ------------------------------------------------------------ the loops

    async def run(self) -> None:
        """Send until cancelled; `drain` first, to end in good order. Raises DurabilityLost."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for step in (self._round, self._in_flight.settle_receipts, self._renew):
                    tasks.create_task(keep_going(step, event="dispatch.failed", pause=AFTER_TROUBLE))
        except BaseExceptionGroup as ended:
            raise ended.exceptions[0] from None  # only one thing ends a loop of ours, and once is enough

    async def drain(self, grace: float) -> None:
        """Begin nothing new, and wait up to `grace` seconds for the receipts of what was begun."""
        self._stopping = True
        self._look.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                while len(self._in_flight):  # noqa: ASYNC110 -- it empties from several places, once in a process's life
                    await asyncio.sleep(BREATH)
                return
        log.warning("dispatch.receipts_outstanding", notifications=len(self._in_flight))

    async def _round(self) -> None:
        """One round: claim what is due in the outbox, send a few mails of what was begun, else rest.

        However much there is to do, the outbox is asked once every POLL: by no other way come an operator's pause
        and what others left there.
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
        """Write a few of the mails that were begun; then let those who carry and settle them have a turn."""
        for _ in range(min(A_FEW, len(self._begun))):
            await self._sending.send(self._begun.popleft())
        await asyncio.sleep(0)

    async def _renew(self) -> None:
        """Keep the leases of what is in flight: a receipt may take ten minutes (RFC 5321 section 4.5.3.2.6)."""
        await asyncio.sleep(self._lease.total_seconds() / 3)
        if keys := self._in_flight.keys():
            real = self._clock.real()
            kept = await self._outbox.renew(keys, now_real=real, lease=self._lease)
            self._in_flight.renewed(keys, kept, until=real + SAFE * self._lease)

    # ------------------------------------------------------------ what was left over

    async def _ask(self, now: float) -> None:
        """Claim and begin what is due in the outbox, and see when to ask again."""
        self._asked_at, self._ask_at = now, now + POLL
        claimed = await self._claim()
        if claimed:
            await self._begin(claimed)
        if len(claimed) == CLAIM:
            self._ask_at = now
        elif self._has_room():
            real = self._clock.real()
            due = await self._outbox.next_due(feeds=self._lag.feeds, overdue=self.preparation.overdue(real))
            if due is not None:
                self._ask_soon(max(BREATH, (due - self._clock.real()).total_seconds()))

    def _ask_soon(self, seconds: float = 0.0) -> None:
        """Ask the outbox after so long, if not sooner; but never at every turn."""
        now = asyncio.get_running_loop().time()
        self._ask_at = min(self._ask_at, max(now + seconds, self._asked_at + BETWEEN))
        self._look.set()

    def _on_settled(self, *, left_in_outbox: bool) -> None:
        if left_in_outbox or self._more_waits:
            self._more_waits = bool(len(self._in_flight))
            self._ask_soon()

    async def _claim(self) -> list[Claimed]:
        if not await self._claiming.allowed() or not self._has_room():
            return []
        real = self._clock.real()
        limit = min(CLAIM, IN_FLIGHT - len(self._in_flight))
        claimed = await self._claiming.claim(limit, real=real, overdue=self.preparation.overdue(real))
        # A lease that ran out may be our own, while the store was away: its receipt is still awaited.
        new = [item for item in claimed if item.notification.key not in self._in_flight]
        self._in_flight.take(new, until=real + SAFE * self._lease)
        return new

    async def _begin(self, batch: list[Claimed]) -> None:
        """Prepare a claimed batch, store the attempts as begun, and settle the rest."""
        at = Now.of(self._clock)
        try:
            if self._stopping or self.paused:
                prepared = Prepared(settlements=[self._given_back(item.notification, at) for item in batch])
            else:
                prepared = await self.preparation.prepare(batch, at)
                await self._store_new_dates(prepared, at)
            began = await self._outbox.begin(prepared.attempts) if prepared.attempts else frozenset()
        except BaseException:
            self._in_flight.give_back(item.notification for item in batch)
            raise
        self._begun.extend(attempt for attempt in prepared.attempts if attempt.key in began)
        # What did not begin absorbed new facts, or its lease is lost: whoever claims it next looks afresh.
        settlements = prepared.settlements + [
            self._given_back(attempt.claimed.notification, at)
            for attempt in prepared.attempts
            if attempt.key not in began
        ]
        lost: Collection[str] = [item.key for item in settlements]
        try:
            lost = await self._in_flight.settle(settlements)
        finally:
            # Their orders changed meanwhile: whoever claims them next decides on what is true then.
            self._in_flight.give_back(item.notification for item in batch if item.notification.key in lost)

    async def _store_new_dates(self, prepared: Prepared, at: Now) -> None:
        """Store each new deadline before the message that tells it begins; give back what loses a race."""
        redated = [attempt for attempt in prepared.attempts if attempt.key in prepared.redated]
        if not redated:
            return
        orders = {attempt.claimed.order.order_id: attempt.claimed.order for attempt in redated}
        committed = await self._orders.commit([Change(order=order) for order in orders.values()], now=at.now)
        prepared.attempts = [attempt for attempt in prepared.attempts if attempt.key not in prepared.redated]
        for attempt in redated:
            order = attempt.claimed.order
            if order.order_id in committed.lost or orders[order.order_id] is not order:
                prepared.settlements.append(self._given_back(attempt.claimed.notification, at))
            else:
                stored = replace(attempt.claimed, order=evolve(order, version=order.version + 1))
                prepared.attempts.append(replace(attempt, claimed=stored))

    def _given_back(self, notification: Notification, at: Now) -> Settlement:
        return self._settlements.given_back(notification, at)
