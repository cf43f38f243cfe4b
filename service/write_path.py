"""The one write path: whatever was decided is prepared, committed and handed to dispatch.

    event      intake \
                        > decide -> prepare -> commit -> send -> settle
    silence    wake   /

What may leave at once begins in the transaction of its decision. Everything else is queued in the outbox, and
dispatch claims it when it is due.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from avisa import telemetry
from avisa.core.fold import Fold
from avisa.core.model import Reason, State
from avisa.dispatch.preparation import Prepared
from avisa.dispatch.settlements import Now
from avisa.ports import Attempt, Change, Claimed, Committed, Entry, OrderBook, Sender, Tally, Unreadable

Prepare = Callable[[Sequence[Claimed], Now], Awaitable[Prepared]]


@dataclass(slots=True)
class Decided:
    """One order with all that was decided about it, and what to say of that on its timeline."""

    fold: Fold
    entries: list[Entry] = field(default_factory=list)
    reasons: list[tuple[str, Reason]] = field(default_factory=list)  # (feed, reason) of each event, to be counted

    def change(self) -> Change:
        """What the store is to make of the order."""
        return Change(
            order=self.fold.decided(),
            notifications=tuple(self.fold.notifications),
            entries=tuple(self.entries),
            superseded=tuple(self.fold.superseded),
            absorbed_by=self.fold.absorbed_by,
            reasons=tuple(self.reasons),
        )


class WritePath:
    """Prepares, commits and sends what was decided."""

    def __init__(
        self,
        orders: OrderBook,
        prepare: Prepare,
        sender: Sender,
        *,
        lease: timedelta,
        on_wake_at: Callable[[datetime], None],
    ) -> None:
        """`on_wake_at` is called with the moment at which a stored order is to be woken."""
        self._orders = orders
        self._prepare = prepare
        self._sender = sender
        self._lease = lease
        self._on_wake_at = on_wake_at

    async def capacity(self) -> bool:
        """True if what is decided now can leave at once. Ask before deciding: the answer may take a moment."""
        return await self._sender.capacity()

    async def commit(
        self,
        decided: Collection[Decided],
        *,
        at: Now,
        begin: bool,
        tally: Tally | None = None,
        dead_letters: Sequence[Unreadable] = (),
    ) -> frozenset[str]:
        """Store all that was decided, in one transaction; return the ids of the orders that lost a race.

        With `begin`, whatever may leave at once is prepared before, begun in that transaction and sent after it.
        """
        attempts = await self._first_attempts(decided, at) if begin else []
        committed = await self._orders.commit(
            [item.change() for item in decided],
            tally=tally,
            dead_letters=dead_letters,
            now=at.now,
            begin=attempts,
            lease=self._lease,
        )
        begun = [attempt for attempt in attempts if attempt.key in committed.begun]
        if begun:
            self._sender.send(begun, since=at.real)
        self._follow_up(decided, committed)
        return committed.lost

    async def _first_attempts(self, decided: Collection[Decided], at: Now) -> list[Attempt]:
        """Attempts at what waits behind nothing. A message whose date passed meanwhile is left for a later claim."""
        newborn: list[Claimed] = []
        for item in decided:
            if heads := item.fold.heads():
                order = item.fold.stored()
                newborn += [Claimed(notification=head, order=order) for head in heads]
        if not newborn:
            return []
        prepared = await self._prepare(newborn, at)
        return [attempt for attempt in prepared.attempts if attempt.key not in prepared.redated]

    def _follow_up(self, decided: Collection[Decided], committed: Committed) -> None:
        """Let the wake loop, dispatch and the metrics know of what became durable."""
        some_wait = False
        for item in decided:
            order = item.fold.decided()
            if order.order_id in committed.lost:
                continue
            if order.wake_at is not None:
                self._on_wake_at(order.wake_at)
            for notification in item.fold.notifications:
                telemetry.queued(notification.purpose, notification.channel)
                some_wait |= notification.state is State.QUEUED and notification.key not in committed.begun
        if some_wait:
            self._sender.nudge()
