"""The one write path: whatever was decided is prepared, committed and handed to dispatch.

    event      intake  \
    silence    wake     > decide -> prepare -> commit -> send -> settle
    a person   answers /

What may leave at once begins in the transaction of its decision. Everything else is queued in the outbox, and
dispatch claims it when it is due.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from avisa import telemetry
from avisa.core import promises, questions
from avisa.core.decision import Decision
from avisa.core.fold import Fold
from avisa.core.model import Purpose, Reason, State
from avisa.dispatch.preparation import Prepared
from avisa.dispatch.settlements import Now
from avisa.ports import Change, Claimed, Committed, Entry, OrderBook, Sender, Tally, Unreadable

Prepare = Callable[[Sequence[Claimed], Now], Awaitable[Prepared]]


@dataclass(slots=True)
class DecidedOrder:
    """An order, its decisions, and the timeline entries for them."""

    fold: Fold
    entries: list[Entry] = field(default_factory=list)
    reasons: list[tuple[str, Reason]] = field(default_factory=list)  # (feed, reason) of each event, to be counted

    def add(self, decision: Decision, at: datetime) -> None:
        """Apply the next decision on the order, with a line for a promise whose state it changes."""
        promise = promises.change(self.fold.order, decision.order)
        self.fold.add(decision)
        if promise is not None:
            self.entries.append(
                Entry(
                    order_id=decision.order.order_id,
                    at=at,
                    kind="promise",
                    state=promise.state,
                    status=decision.order.status,
                    episode=decision.order.episode,
                    note=promise.date,
                )
            )

    def change(self) -> Change:
        """The change to store for this order."""
        return Change(
            order=self.fold.latest(),
            notifications=tuple(self.fold.notifications),
            entries=tuple(self.entries),
            superseded=tuple(self.fold.superseded),
            absorbed_by=self.fold.absorbed_by,
            reasons=tuple(self.reasons),
            questions=questions.moves(self.fold.loaded, self.fold.latest()),
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
        decided: Collection[DecidedOrder],
        *,
        at: Now,
        send_now: bool,
        tally: Tally | None = None,
        dead_letters: Sequence[Unreadable] = (),
    ) -> frozenset[str]:
        """Store all decisions in one transaction; return the ids of the orders that lost a race.

        With `send_now`, whatever may leave at once is prepared first. The transaction then stores the decisions
        together with the drafts, which marks the attempts as begun, and dispatch sends them after the commit. `tally`
        and `dead_letters` are the records that changed no order; they are stored in the same transaction.
        """
        prepared = await self._prepared(decided, at) if send_now else Prepared()
        attempts = [attempt for attempt in prepared.attempts if attempt.key not in prepared.redated]
        committed = await self._orders.commit(
            [item.change() for item in decided],
            tally=tally,
            dead_letters=dead_letters,
            now=at.virtual,
            begin=attempts,
            lease=self._lease,
            budgets=prepared.budgets,
        )
        begun = [attempt for attempt in attempts if attempt.key in committed.begun]
        if begun:
            self._sender.send(begun, since=at.real)
        self._follow_up(decided, committed)
        return committed.lost

    async def _prepared(self, decided: Collection[DecidedOrder], at: Now) -> Prepared:
        """Prepare the notifications with no earlier one queued for the same recipient and channel.

        A notification that the gate holds or drops, that needs a new date, or that is over a budget, stays in the
        outbox for a later claim.
        """
        newborn: list[Claimed] = []
        for item in decided:
            if heads := item.fold.heads():
                order = item.fold.after_commit()
                newborn += [Claimed(notification=head, order=order) for head in heads]
        return await self._prepare(newborn, at) if newborn else Prepared()

    def _follow_up(self, decided: Collection[DecidedOrder], committed: Committed) -> None:
        """Tell the wake loop, dispatch and the metrics what is stored."""
        some_wait = False
        queued: Counter[tuple[Purpose, str]] = Counter()  # what was decided
        for item in decided:
            order = item.fold.latest()
            if order.order_id in committed.lost:
                continue
            if order.wake_at is not None:
                self._on_wake_at(order.wake_at)
            for notification in item.fold.notifications:
                queued[notification.purpose, notification.channel] += 1
                some_wait |= notification.state is State.QUEUED and notification.key not in committed.begun
        for (purpose, channel), number in queued.items():
            telemetry.queued(purpose, channel, number)
        if some_wait:
            self._sender.nudge()
