"""From claimed notifications to drafts, or to what became of them instead: the gate, and what is to be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from avisa.core import decide, gate
from avisa.core.model import Notification, Order, Purpose, Reason, State, evolve
from avisa.dispatch.settlements import Moment, Outcomes, in_doubt
from avisa.ports import (
    CannotRender,
    Catalog,
    CatalogCache,
    Change,
    Claimed,
    Clock,
    Draft,
    Lag,
    NoAddress,
    OrderBook,
    Outbox,
    Settlement,
)

log = structlog.get_logger()

Ready = tuple[Claimed, Draft]

# How long deciding may take when much is due at once. Real time, as all lateness: on a fast clock it may be an hour.
PROMPT = timedelta(seconds=5)


class Preparation:
    """Looks at each notification a last time, and freezes the words of those that may go."""

    def __init__(
        self,
        orders: OrderBook,
        outbox: Outbox,
        shelf: CatalogCache,
        lag: Lag,
        clock: Clock,
        outcomes: Outcomes,
    ) -> None:
        self._orders = orders
        self._outbox = outbox
        self._shelf = shelf
        self._lag = lag
        self._clock = clock
        self._outcomes = outcomes

    async def prepare(
        self, batch: Sequence[Claimed], at: Moment, *, stored: bool = True
    ) -> tuple[list[Ready], list[Settlement]]:
        """What is ready to be sent, and what became of the rest. `stored`: whether it is all in the store."""
        fresh_partitions, on_time = self._lag.fresh_partitions(at.real), self._on_time(at)
        ready: list[Ready] = []
        settlements: list[Settlement] = []
        for claimed in batch:
            answer = await self._one(claimed, at, fresh_partitions, on_time, stored=stored)
            settlements.append(answer) if isinstance(answer, Settlement) else ready.append(answer)
        ready, dropped = await self._without_unsubscribed(ready, at, on_time)
        return ready, settlements + dropped

    async def _one(
        self, claimed: Claimed, at: Moment, fresh_partitions: frozenset[str], on_time: timedelta, *, stored: bool
    ) -> Settlement | Ready:
        """The gate, and what is to be said; or what became of it instead."""
        notification, order = claimed.notification, claimed.order
        catalog = self._shelf.in_force
        doubtful = in_doubt(notification)
        if doubtful and self._outcomes.expired(notification, at):
            return self._outcomes.settled(notification, order, State.IN_DOUBT, Reason.IN_DOUBT, catalog.plan, at)
        blind = order.feed not in fresh_partitions and not (
            notification.due is not None and notification.due <= self.overdue(at.real)
        )
        word = gate.check(notification, order, catalog.plan, at.now, blind=blind, on_time=on_time)
        if isinstance(word, gate.Drop):
            state, reason = (State.IN_DOUBT, Reason.IN_DOUBT) if doubtful else (State.DROPPED, word.reason)
            return self._outcomes.settled(notification, order, state, reason, catalog.plan, at)
        if isinstance(word, gate.Hold):
            return self._outcomes.held(notification, word, at)
        if claimed.draft is not None:
            return claimed, claimed.draft
        return await self._drafted(claimed, catalog, at, stored=stored)

    async def _drafted(self, claimed: Claimed, catalog: Catalog, at: Moment, *, stored: bool) -> Settlement | Ready:
        """Freeze what is to be said. A date that has passed is replaced, and stored, before it is told."""
        decision = decide.on_attempt(claimed.order, claimed.notification, catalog.plan, at.now)
        if decision is not None:
            order = decision.order
            if order is not claimed.order:
                if not stored:
                    # Its version is the one it will have, and may be what somebody else has stored by now.
                    return self._outcomes.given_back(claimed.notification, at)
                committed = await self._orders.commit([Change(order=order)], now=at.now)
                if committed.lost:
                    return self._outcomes.given_back(claimed.notification, at)
                order = evolve(order, version=order.version + 1)
            claimed = replace(claimed, notification=decision.notifications[0], order=order)
        notification, order = claimed.notification, claimed.order
        draft = _draft(catalog, notification, order, at)
        if isinstance(draft, NoAddress):
            return self._outcomes.settled(notification, order, State.DROPPED, Reason.NO_ADDRESS, catalog.plan, at)
        if isinstance(draft, CannotRender):
            log.error("cannot_render", key=notification.key, problem=draft.problem)
            return self._outcomes.not_written(notification, order, draft, catalog.plan, at)
        return claimed, draft

    async def _without_unsubscribed(
        self, ready: list[Ready], at: Moment, on_time: timedelta
    ) -> tuple[list[Ready], list[Settlement]]:
        """Reminders go only to addresses that did not unsubscribe from them."""
        hashes = {draft.address_hash for claimed, draft in ready if claimed.notification.purpose is Purpose.REMINDER}
        gone = await self._outbox.unsubscribed(hashes) if hashes else frozenset()
        if not gone:
            return ready, []
        kept: list[Ready] = []
        dropped: list[Settlement] = []
        plan = self._shelf.in_force.plan
        for claimed, draft in ready:
            word = gate.check(
                claimed.notification,
                claimed.order,
                plan,
                at.now,
                unsubscribed=draft.address_hash in gone,
                on_time=on_time,
            )
            if isinstance(word, gate.Drop):
                dropped.append(
                    self._outcomes.settled(claimed.notification, claimed.order, State.DROPPED, word.reason, plan, at)
                )
            else:
                kept.append((claimed, draft))
        return kept, dropped

    def _on_time(self, at: Moment) -> timedelta:
        """How soon after its deadline, on the virtual clock, a reminder was decided that kept its date."""
        return max(gate.ON_TIME, self._clock.to_virtual(at.real + PROMPT) - at.now)

    def overdue(self, real: datetime) -> datetime:
        """What was due by then is held no longer for blindness: a told date outranks the guard."""
        return self._clock.to_virtual(real - self._shelf.in_force.plan.feed.hold_at_most)


def _draft(
    catalog: Catalog, notification: Notification, order: Order, at: Moment
) -> Draft | NoAddress | CannotRender:
    """The draft. A fault of ours is this notification's trouble alone, for others of its batch wait beside it."""
    try:
        return catalog.draft(notification, order, at.now)
    except Exception as fault:
        log.error("not_drafted", key=notification.key, error=type(fault).__name__, exc_info=True)
        return CannotRender(f"a fault of Avisa itself: {type(fault).__name__}")
