"""From the outbox to the channel: claim, gate, draft, begin, deliver, settle.

What was just committed is handed over in memory; what a hold, a retry, another process or a crash left is
claimed. Before the first octet of a mail leaves, its draft is stored; after the channel's answer, its
outcome. Between the two lies the one doubt that no sender can remove (promise 4), and there only the same
octets go out again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from service import telemetry
from service.core import decide, gate
from service.core.model import SETTLED, Notification, Purpose, Reason, State, evolve
from service.core.retry import Receipt, RetryPolicy, Verdict
from service.dispatch.outcome import Moment, Outcomes
from service.ports import (
    Attempt,
    CannotRender,
    Catalog,
    Change,
    Channel,
    Claimed,
    Clock,
    Draft,
    NoAddress,
    OrderBook,
    Outbox,
    Settlement,
    Shelf,
    Sight,
)

log = structlog.get_logger()

IN_FLIGHT = 1500  # mails between claim and settle: enough to keep the pool busy, little enough for memory
CLAIM = 500
POLL = 1.0  # seconds between looks for what other processes left
BREATH = 0.05  # seconds between looks while something due can not be claimed yet
AFTER_TROUBLE = 1.0  # seconds before a store that is away is asked again
RACES = 5  # how often an outcome is worked out anew because its order changed meanwhile

# The channel was torn down with the answer outstanding.
_ABANDONED = Receipt(verdict=Verdict.IN_DOUBT, stage="dot", text="stopped before the answer came")


_BY_EVENT = frozenset({Reason.ENTERED, Reason.FACTS_CHANGED})


@dataclass(frozen=True, slots=True)
class Tried:
    """A notification as it was begun, its order as it was claimed, and the channel's answer."""

    claimed: Claimed
    receipt: Receipt


class Dispatch:
    """Sends what the outbox holds, first in, first out per order, recipient and channel."""

    def __init__(
        self,
        orders: OrderBook,
        outbox: Outbox,
        shelf: Shelf,
        channel: Channel,
        clock: Clock,
        sight: Sight,
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
        self._sight = sight
        self._lease = lease
        self._outcomes = Outcomes(clock=clock, policy=policy, jitter=jitter)
        self._handed: deque[Claimed] = deque()
        self._mine: dict[str, Notification] = {}  # what this process works on; never claimed a second time
        self._answers: deque[Tried] = deque()
        self._look = asyncio.Event()
        self._answered = asyncio.Event()
        self._paused = False
        self._stopping = False

    # ------------------------------------------------------------ for the other flows

    def room(self) -> bool:
        """Whether what is decided now can be sent at once."""
        return (
            not self._paused
            and not self._stopping
            and self._channel.open
            and len(self._mine) < IN_FLIGHT
            and self._sight.caught_up(self._clock.real())
        )

    def hand_over(self, claimed: Sequence[Claimed]) -> None:
        """Take notifications leased to this process; they are sent before anything is claimed."""
        self._handed.extend(claimed)
        self._mine.update((item.notification.key, item.notification) for item in claimed)
        self._look.set()

    def nudge(self) -> None:
        """Look into the outbox soon."""
        self._look.set()

    @property
    def paused(self) -> bool:
        """Whether an operator has stopped all sending, as last seen."""
        return self._paused

    # ------------------------------------------------------------ the loops

    async def run(self) -> None:
        """Send until cancelled; `drain` first, to end in good order."""
        async with asyncio.TaskGroup() as tasks:
            for step in (self._feed, self._settle_answers, self._renew):
                tasks.create_task(_forever(step))

    async def drain(self, grace: float) -> None:
        """Begin nothing new, give back what was not begun, and wait up to `grace` seconds for answers."""
        self._stopping = True
        self._look.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                while self._mine:  # noqa: ASYNC110 -- it empties from several places, once in a process's life
                    await asyncio.sleep(BREATH)
                return
        log.warning("answers_outstanding", notifications=len(self._mine))

    async def _feed(self) -> None:
        """One round: what was handed over, else what is due in the outbox, else rest."""
        self._look.clear()
        batch = [self._handed.popleft() for _ in range(min(CLAIM, len(self._handed)))] or await self._claim()
        if not batch:
            await self._rest()
            return
        try:
            await self._work(batch)
        except BaseException:
            # Not begun, so nothing of it left; the lease brings it back, to us or to another.
            self._forget(item.notification.key for item in batch)
            raise

    async def _claim(self) -> list[Claimed]:
        pause = await self._outbox.paused()
        if (pause is not None) is not self._paused:
            self._paused = pause is not None
            log.warning("paused", reason=pause.reason) if pause else log.info("resumed")
        if not self.room():
            return []
        claimed = await self._outbox.claim(
            now_real=self._clock.real(), lease=self._lease, limit=min(CLAIM, IN_FLIGHT - len(self._mine))
        )
        # A lease that ran out may be our own, while the store was away: its answer is still awaited.
        fresh = [item for item in claimed if item.notification.key not in self._mine]
        self._mine.update((item.notification.key, item.notification) for item in fresh)
        return fresh

    async def _rest(self) -> None:
        rest = POLL
        if self.room():
            due = await self._outbox.next_due()
            if due is not None:
                rest = min(POLL, max(BREATH, (due - self._clock.real()).total_seconds()))
        with suppress(TimeoutError):
            async with asyncio.timeout(rest):
                await self._look.wait()

    async def _renew(self) -> None:
        """Keep the leases of what is on its way: an answer may take ten minutes (RFC 5321 section 4.5.3.2.6)."""
        await asyncio.sleep(self._lease.total_seconds() / 3)
        if self._mine:
            await self._outbox.renew(tuple(self._mine), now_real=self._clock.real(), lease=self._lease)

    # ------------------------------------------------------------ one batch

    async def _work(self, batch: list[Claimed]) -> None:
        """Gate, draft and begin a batch, then hand it to the channel."""
        at = Moment.of(self._clock)
        sighted = self._sight.sighted(at.real)
        ready: list[tuple[Claimed, Draft]] = []
        settlements: list[Settlement] = []
        for claimed in batch:
            answer = await self._prepare(claimed, at, sighted)
            settlements.append(answer) if isinstance(answer, Settlement) else ready.append(answer)
        ready, dropped = await self._without_unsubscribed(ready, at)
        began = await self._outbox.begin([_attempt(*item, at) for item in ready]) if ready else frozenset()
        for claimed, draft in ready:
            if claimed.notification.key in began:
                await self._deliver(_begun(claimed, at), draft)
            else:  # it absorbed new facts, or is not ours any more: look at it afresh
                settlements.append(self._outcomes.given_back(claimed.notification, at))
        settlements += dropped
        lost = await self._settle(settlements)
        # Their orders changed meanwhile: whoever claims them next decides on what is true then.
        self._forget(await self._settle([self._outcomes.given_back(item, at) for item in _of(batch, lost)]))

    async def _prepare(
        self, claimed: Claimed, at: Moment, sighted: frozenset[str]
    ) -> Settlement | tuple[Claimed, Draft]:
        """The gate, and what is to be said; or what became of it instead."""
        notification, order = claimed.notification, claimed.order
        if self._stopping:
            return self._outcomes.given_back(notification, at)
        catalog = self._shelf.in_force
        doubtful = notification.state is State.SENDING or notification.gate is Reason.IN_DOUBT
        if doubtful and self._outcomes.expired(notification, at):
            return self._outcomes.settled(notification, order, State.IN_DOUBT, Reason.IN_DOUBT, catalog.plan, at)
        blind = order.feed not in sighted and not self._overdue(notification, catalog, at)
        word = gate.check(notification, order, catalog.plan, at.now, blind=blind)
        if isinstance(word, gate.Drop):
            state, reason = (State.IN_DOUBT, Reason.IN_DOUBT) if doubtful else (State.DROPPED, word.reason)
            return self._outcomes.settled(notification, order, state, reason, catalog.plan, at)
        if isinstance(word, gate.Hold):
            return self._outcomes.held(notification, word, at, doubtful=doubtful)
        if claimed.draft is not None:
            return claimed, claimed.draft
        return await self._drafted(claimed, catalog, at)

    async def _drafted(self, claimed: Claimed, catalog: Catalog, at: Moment) -> Settlement | tuple[Claimed, Draft]:
        """Freeze what is to be said. A date that has passed is replaced, and stored, before it is told."""
        decision = decide.on_attempt(claimed.order, claimed.notification, catalog.plan, at.now)
        if decision is not None:
            order = decision.order
            if order is not claimed.order:
                committed = await self._orders.commit([Change(order=order)], now=at.now)
                if committed.lost:
                    return self._outcomes.given_back(claimed.notification, at)
                order = evolve(order, version=order.version + 1)
            claimed = replace(claimed, notification=decision.notifications[0], order=order)
        notification, order = claimed.notification, claimed.order
        draft = catalog.draft(notification, order, at.now)
        if isinstance(draft, NoAddress):
            return self._outcomes.settled(notification, order, State.DROPPED, Reason.NO_ADDRESS, catalog.plan, at)
        if isinstance(draft, CannotRender):
            log.error("cannot_render", key=notification.key, problem=draft.problem)
            return self._outcomes.not_written(notification, order, draft, catalog.plan, at)
        return claimed, draft

    async def _without_unsubscribed(
        self, ready: list[tuple[Claimed, Draft]], at: Moment
    ) -> tuple[list[tuple[Claimed, Draft]], list[Settlement]]:
        """Reminders go only to addresses that did not unsubscribe from them."""
        hashes = {draft.address_hash for claimed, draft in ready if claimed.notification.purpose is Purpose.REMINDER}
        gone = await self._outbox.unsubscribed(hashes) if hashes else frozenset()
        if not gone:
            return ready, []
        kept: list[tuple[Claimed, Draft]] = []
        dropped: list[Settlement] = []
        plan = self._shelf.in_force.plan
        for claimed, draft in ready:
            word = gate.check(
                claimed.notification, claimed.order, plan, at.now, unsubscribed=draft.address_hash in gone
            )
            if isinstance(word, gate.Drop):
                dropped.append(
                    self._outcomes.settled(claimed.notification, claimed.order, State.DROPPED, word.reason, plan, at)
                )
            else:
                kept.append((claimed, draft))
        return kept, dropped

    async def _deliver(self, claimed: Claimed, draft: Draft) -> None:
        in_force = self._shelf.in_force
        catalog = in_force if draft.catalog == in_force.version else await self._shelf.version(draft.catalog)
        gone = CannotRender("the catalog that wrote it is gone")
        mail = gone if catalog is None else catalog.compose(claimed.notification, draft)
        if isinstance(mail, CannotRender):
            log.error("cannot_render", key=claimed.notification.key, problem=mail.problem)
            self._answer(claimed, Receipt(verdict=Verdict.TEMPORARY, stage="render", text=mail.problem))
            return
        answer = asyncio.ensure_future(self._channel.deliver(mail))
        answer.add_done_callback(
            lambda done: self._answer(claimed, _ABANDONED if done.cancelled() else done.result())
        )

    # ------------------------------------------------------------ outcomes

    def _answer(self, claimed: Claimed, receipt: Receipt) -> None:
        self._answers.append(Tried(claimed, receipt))
        self._answered.set()

    async def _settle_answers(self) -> None:
        """Store the channel's answers, all that there are at once. None is forgotten while this process lives."""
        await self._answered.wait()
        self._answered.clear()
        answers = list(self._answers)
        try:
            await self._conclude(answers)
        except BaseException:
            self._answered.set()
            raise
        for _ in answers:
            self._answers.popleft()
        self._measure(answers)

    def _measure(self, answers: Sequence[Tried]) -> None:
        """From the decision that an event brought about to the relay's word, in real time."""
        real = self._clock.real()
        for tried in answers:
            notification = tried.claimed.notification
            if tried.receipt.verdict is Verdict.ACCEPTED and notification.reason in _BY_EVENT:
                telemetry.event_to_accepted((real - self._clock.to_real(notification.decided_at)).total_seconds())

    async def _conclude(self, answers: Sequence[Tried]) -> None:
        """Settle; where an order changed meanwhile, work out again what the answer means for it."""
        for _ in range(RACES):
            at = Moment.of(self._clock)
            plan = self._shelf.in_force.plan
            settlements = [
                self._outcomes.of_receipt(tried.claimed.notification, tried.claimed.order, tried.receipt, plan, at)
                for tried in answers
            ]
            lost = await self._settle(settlements)
            raced = {item.key for item in settlements if item.key in lost and item.change is not None}
            if lost - raced:
                log.warning("leases_lost", notifications=len(lost - raced))
                self._forget(lost - raced)
            if not raced:
                return
            answers = [tried for tried in answers if tried.claimed.notification.key in raced]
            fresh = await self._orders.load({tried.claimed.order.order_id for tried in answers})
            answers = [
                Tried(replace(tried.claimed, order=fresh[tried.claimed.order.order_id]), tried.receipt)
                for tried in answers
            ]
        self._forget(tried.claimed.notification.key for tried in answers)

    async def _settle(self, settlements: Sequence[Settlement]) -> frozenset[str]:
        """Store outcomes; answers those that were lost, which are still ours to see to."""
        if not settlements:
            return frozenset()
        lost = await self._outbox.settle(settlements)
        for item in settlements:
            if item.key in lost:
                continue
            settled = self._mine.pop(item.key, None)
            if settled is not None and item.state in SETTLED:
                telemetry.settled(settled.purpose, settled.channel, item.state)
            for alert in item.change.notifications if item.change is not None else ():
                telemetry.queued(alert.purpose, alert.channel)
        self._look.set()
        return lost

    def _forget(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._mine.pop(key, None)

    def _overdue(self, notification: Notification, catalog: Catalog, at: Moment) -> bool:
        """Blindness holds a reminder only for so long: a told date outranks the guard."""
        due = notification.due
        return due is not None and at.real - self._clock.to_real(due) >= catalog.plan.feed.hold_at_most


async def _forever(step: Callable[[], Awaitable[None]]) -> None:
    """Take one step after another; trouble is said once and waited out."""
    while True:
        try:
            await step()
        except Exception as trouble:
            log.error("dispatch_failed", error=type(trouble).__name__, exc_info=True)
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


def _begun(claimed: Claimed, at: Moment) -> Claimed:
    notification = claimed.notification
    begun = evolve(
        notification,
        attempts=notification.attempts + 1,
        first_attempt_real=notification.first_attempt_real or at.real,
    )
    return replace(claimed, notification=begun)
