"""From the outbox to the channel: claim, gate, draft, begin, deliver, settle.

What was just committed is handed over in memory; what a hold, a retry, another process or a crash left is
claimed. Before the first octet of a mail leaves, its draft is stored; after the channel's answer, its
outcome. Between the two lies the one doubt that no sender can remove (promise 4), and there only the same
octets go out again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from avisa.core.model import Notification
from avisa.core.retry import RetryPolicy
from avisa.dispatch.claiming import SAFE, Permission
from avisa.dispatch.in_flight import InFlight
from avisa.dispatch.preparation import Preparation, Ready
from avisa.dispatch.sending import Posting
from avisa.dispatch.settlements import Moment, Outcomes
from avisa.ports import (
    Attempt,
    CatalogCache,
    Channel,
    Claimed,
    Clock,
    Draft,
    DurabilityLost,
    Lag,
    OrderBook,
    Outbox,
)

log = structlog.get_logger()

IN_FLIGHT = 1500  # mails between claim and settle: enough to keep the pool busy, little enough for memory
CLAIM = 500
POLL = 1.0  # seconds between looks for what other processes left
A_FEW = 4  # mails written between two looks at everything else: a millisecond, in which a batch waits for the loop
PATIENCE = 0.25  # seconds a decision waits for room to be sent at once
BETWEEN = 0.02  # seconds between two looks for what waited behind what was just settled
BREATH = 0.05  # seconds between looks while something due can not be claimed yet
AFTER_TROUBLE = 1.0  # seconds before a store that is away is asked again


class Dispatch:
    """Sends what the outbox holds, first in, first out per order, recipient and channel."""

    def __init__(
        self,
        orders: OrderBook,
        outbox: Outbox,
        shelf: CatalogCache,
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
        self._shelf = shelf
        self._channel = channel
        self._clock = clock
        self._lag = lag
        self._lease = lease
        self._outcomes = Outcomes(clock=clock, policy=policy, jitter=jitter)
        self._drafting = Preparation(orders, outbox, shelf, lag, clock, self._outcomes)
        self._begun: deque[tuple[Claimed, Attempt]] = deque()
        self._handed: deque[Claimed] = deque()
        self._look = asyncio.Event()
        self._in_hand = InFlight(orders, outbox, shelf, clock, self._outcomes, freed=self._freed)
        self._deliver = Posting(shelf, channel, self._in_hand).deliver
        self._permission = Permission(outbox, clock, lease)
        self._stopping = False
        self._asked_at = self._ask_at = 0.0  # when the outbox was asked last, and will be next, by the loop's clock
        self._behind = False  # something waits in the outbox behind what is on its way

    # ------------------------------------------------------------ for the other flows

    def room(self) -> bool:
        """Whether what is decided now can be sent at once."""
        return self._may_send() and len(self._in_hand) < IN_FLIGHT

    def _may_send(self) -> bool:
        """Whether nothing stands in the way but, perhaps, how much is on its way already."""
        return (
            not self.paused and not self._stopping and self._channel.open and self._lag.caught_up(self._clock.real())
        )

    async def soon(self) -> bool:
        """Whether there is room, now or within a moment."""
        if self._may_send():
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._in_hand.fewer_than(IN_FLIGHT)
        return self.room()

    async def draft(self, newborn: Sequence[Claimed]) -> list[Attempt]:
        """First attempts at those that may leave as soon as they are stored."""
        at = Moment.of(self._clock)
        ready, _ = await self._drafting.prepare(newborn, at, stored=False)
        return [_attempt(*item, at) for item in ready]

    def send(self, begun: Sequence[tuple[Claimed, Attempt]], *, since: datetime) -> None:
        """Deliver what was begun as it was stored, leased to this process."""
        self._in_hand.take([claimed for claimed, _ in begun], until=since + SAFE * self._lease)
        self._begun.extend(begun)
        self._look.set()

    def hand_over(self, claimed: Sequence[Claimed], *, since: datetime) -> None:
        """Take notifications leased to this process; they are sent before anything is claimed."""
        self._handed.extend(claimed)
        self._in_hand.take(claimed, until=since + SAFE * self._lease)
        self._look.set()

    def nudge(self) -> None:
        """Look into the outbox soon, and again whenever something was settled: it may wait behind that."""
        self._behind = True
        self._ask_soon()

    @property
    def paused(self) -> bool:
        """Whether an operator has stopped all sending, as last seen."""
        return self._permission.paused

    # ------------------------------------------------------------ the loops

    async def run(self) -> None:
        """Send until cancelled; `drain` first, to end in good order. Raises DurabilityLost."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for step in (self._feed, self._in_hand.settle_answers, self._renew):
                    tasks.create_task(_forever(step))
        except BaseExceptionGroup as ended:
            raise ended.exceptions[0] from None  # only one thing ends a loop of ours, and once is enough

    async def drain(self, grace: float) -> None:
        """Begin nothing new, give back what was not begun, and wait up to `grace` seconds for answers."""
        self._stopping = True
        self._look.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                while len(self._in_hand):  # noqa: ASYNC110 -- it empties from several places, once in a process's life
                    await asyncio.sleep(BREATH)
                return
        log.warning("answers_outstanding", notifications=len(self._in_hand))

    async def _feed(self) -> None:
        """One round: what was begun, what was handed over, what is due in the outbox, else rest.

        However much there is to do, the outbox is asked once every POLL: what was left there by others, a reminder
        too, and an operator's pause come by no other way.
        """
        self._look.clear()
        now = asyncio.get_running_loop().time()
        if now >= self._ask_at:
            await self._ask(now)
        if self._begun:
            await self._send_on()
        batch = [self._handed.popleft() for _ in range(min(CLAIM, len(self._handed)))]
        if batch:
            await self._work(batch)
        elif not self._begun:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._ask_at):
                    await self._look.wait()

    async def _ask(self, now: float) -> None:
        """Take what is due in the outbox, and see when to ask again."""
        self._asked_at, self._ask_at = now, now + POLL
        claimed = await self._claim()
        self._handed.extend(claimed)  # at once: it is ours, and must outlast a store that goes away now
        if len(claimed) == CLAIM:
            self._ask_at = now
        elif self.room():
            real = self._clock.real()
            due = await self._outbox.next_due(feeds=self._lag.feeds, overdue=self._drafting.overdue(real))
            if due is not None:
                self._ask_soon(max(BREATH, (due - self._clock.real()).total_seconds()))

    def _ask_soon(self, seconds: float = 0.0) -> None:
        """Ask the outbox after so long, if not sooner; but never at every turn."""
        now = asyncio.get_running_loop().time()
        self._ask_at = min(self._ask_at, max(now + seconds, self._asked_at + BETWEEN))
        self._look.set()

    async def _claim(self) -> list[Claimed]:
        may_claim = await self._permission.asked()
        if not may_claim or not self.room():
            return []
        real = self._clock.real()
        claimed = await self._outbox.claim(
            now_real=real,
            lease=self._lease,
            limit=min(CLAIM, IN_FLIGHT - len(self._in_hand)),
            feeds=self._lag.feeds,
            overdue=self._drafting.overdue(real),
        )
        # A lease that ran out may be our own, while the store was away: its answer is still awaited.
        fresh = [item for item in claimed if item.notification.key not in self._in_hand]
        self._in_hand.take(fresh, until=real + SAFE * self._lease)
        return fresh

    def _freed(self, *, left: bool) -> None:
        """Something was settled; `left`: and something left in the outbox by that."""
        if left or self._behind:
            self._behind = bool(len(self._in_hand))
            self._ask_soon()

    async def _renew(self) -> None:
        """Keep the leases of what is on its way: an answer may take ten minutes (RFC 5321 section 4.5.3.2.6)."""
        await asyncio.sleep(self._lease.total_seconds() / 3)
        if keys := self._in_hand.keys():
            real = self._clock.real()
            kept = await self._outbox.renew(keys, now_real=real, lease=self._lease)
            self._in_hand.renewed(keys, kept, until=real + SAFE * self._lease)

    async def _send_on(self) -> None:
        """Write a few of the mails that were begun; then let those who carry and settle them have a turn."""
        for _ in range(min(A_FEW, len(self._begun))):
            claimed, attempt = self._begun.popleft()
            await self._deliver(claimed, attempt.draft, begun=attempt.at_real)
        await asyncio.sleep(0)

    # ------------------------------------------------------------ one batch

    async def _work(self, batch: list[Claimed]) -> None:
        """Gate, draft and begin a batch, then hand it to the channel."""
        at = Moment.of(self._clock)
        try:
            if self._stopping or self._permission.paused:
                ready: list[Ready] = []
                settlements = [self._outcomes.given_back(item.notification, at) for item in batch]
            else:
                ready, settlements = await self._drafting.prepare(batch, at)
            began = await self._outbox.begin([_attempt(*item, at) for item in ready]) if ready else frozenset()
        except BaseException:
            self._in_hand.give_back(item.notification for item in batch)
            raise
        for claimed, draft in ready:
            if claimed.notification.key in began:
                await self._deliver(claimed, draft, begun=at.real)
            else:  # it absorbed new facts, or is not ours any more: look at it afresh
                settlements.append(self._outcomes.given_back(claimed.notification, at))
        lost: Collection[str] = [item.key for item in settlements]
        try:
            lost = await self._in_hand.settle(settlements)
        finally:
            # Their orders changed meanwhile: whoever claims them next decides on what is true then.
            self._in_hand.give_back(_of(batch, lost))


async def _forever(step: Callable[[], Awaitable[None]]) -> None:
    """Take one step after another; trouble is said once and waited out."""
    said: type[Exception] | None = None
    while True:
        try:
            await step()
            said = None
        except DurabilityLost:
            raise
        except Exception as trouble:
            if type(trouble) is not said:
                log.error("dispatch_failed", error=type(trouble).__name__, exc_info=True)
            said = type(trouble)
            await asyncio.sleep(AFTER_TROUBLE)


def _of(batch: Sequence[Claimed], keys: Collection[str]) -> list[Notification]:
    return [item.notification for item in batch if item.notification.key in keys]


def _attempt(claimed: Claimed, draft: Draft, at: Moment) -> Attempt:
    return Attempt(
        key=claimed.notification.key,
        revision=claimed.notification.revision,
        at_real=at.real,
        draft=draft,
        next_update=claimed.notification.next_update,
    )
