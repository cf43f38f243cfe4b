"""Events in: load, decide, commit; if the commit lost a race, again.

A batch is folded order by order, in the order of arrival, and stored in one transaction. When `take`
returns, everything the batch means is durable, and only then may its offsets be committed (promise 1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from avisa import telemetry
from avisa.core import decide, facts, gate
from avisa.core.model import Notification, Order, OrderEvent, Reason, State, evolve
from avisa.ports import (
    Attempt,
    Catalog,
    CatalogCache,
    Change,
    Claimed,
    Clock,
    Committed,
    Entry,
    OrderBook,
    Sender,
    Skipped,
    Taken,
    Tally,
    Unreadable,
)

log = structlog.get_logger()


class Intake:
    """Takes batches of what was read from Kafka."""

    def __init__(
        self,
        orders: OrderBook,
        shelf: CatalogCache,
        clock: Clock,
        sender: Sender,
        *,
        lease: timedelta,
        on_wake_at: Callable[[datetime], None],
    ) -> None:
        self._orders = orders
        self._shelf = shelf
        self._clock = clock
        self._sender = sender
        self._lease = lease
        self._on_wake_at = on_wake_at

    async def take(self, taken: Sequence[Taken]) -> None:
        """Store the whole effect of a batch.

        Raises what the store raises when it is away; then nothing of the batch may be acknowledged.
        """
        dead = [item for item in taken if isinstance(item, Unreadable)]
        events = [item for item in taken if isinstance(item, OrderEvent)]
        counted = Counter((item.position.feed, item.reason) for item in taken if isinstance(item, Skipped))
        while True:
            events = await self._store(events, dead, counted)
            if not events:
                return
            dead, counted = [], Counter()  # these are stored; only what lost a race is decided again

    async def _store(
        self, events: list[OrderEvent], dead: list[Unreadable], counted: Counter[tuple[str, Reason]]
    ) -> list[OrderEvent]:
        """Decide and commit once; answers the events of orders that lost a race."""
        room = await self._sender.soon()
        now, now_real = self._clock.now(), self._clock.real()
        catalog = self._shelf.in_force
        known = await self._orders.load({event.order_id for event in events})
        folds: dict[str, Fold] = {}
        for event in events:
            fold = folds.get(event.order_id)
            if fold is None:
                fold = folds[event.order_id] = Fold(known.get(event.order_id))
            fold.add(event, catalog, now)
        attempts = await self._sender.draft(list(_newborn(folds))) if room else []
        committed = await self._orders.commit(
            [fold.change() for fold in folds.values()],
            tally=Tally(by_reason=counted),
            dead_letters=dead,
            now=now,
            lease=self._lease if room else None,
            begin=attempts,
        )
        self._spread(folds, committed, attempts, since=now_real)
        self._log(folds, dead, committed.lost, at=now_real)
        for (_, reason), number in counted.items():
            telemetry.decided(reason, number)
        for letter in dead:
            telemetry.dead_lettered(letter.reason)
        return [event for event in events if event.order_id in committed.lost]

    def _spread(
        self, folds: dict[str, Fold], committed: Committed, attempts: Sequence[Attempt], *, since: datetime
    ) -> None:
        """Tell sender, wake loop and metrics what became durable."""
        drafted = {attempt.key: attempt for attempt in attempts}
        begun: list[tuple[Claimed, Attempt]] = []
        ready: list[Claimed] = []
        waiting = False
        for order_id, fold in folds.items():
            if order_id in committed.lost:
                continue
            order = fold.stored()
            for _, reason in fold.reasons:
                telemetry.decided(reason)
            if order.wake_at is not None:
                self._on_wake_at(order.wake_at)
            for notification in fold.born:
                telemetry.queued(notification.purpose, notification.channel)
                if notification.key not in committed.leased:
                    waiting = True
                elif attempt := drafted.get(notification.key):
                    begun.append((Claimed(notification=notification, order=order), attempt))
                else:
                    ready.append(Claimed(notification=notification, order=order))
        if begun:
            self._sender.send(begun, since=since)
        if ready:
            self._sender.hand_over(ready, since=since)
        if waiting:
            self._sender.nudge()

    def _log(self, folds: dict[str, Fold], dead: list[Unreadable], lost: frozenset[str], *, at: datetime) -> None:
        """One line for each event and each record set aside, with its reason; no more than the timeline says."""
        entries = [entry for order_id, fold in folds.items() if order_id not in lost for entry in fold.entries]
        if entries:
            telemetry.log_entries("event", map(_told, entries), at=at)
        for letter in dead:
            where = letter.record.position
            log.warning("dead_letter", feed=where.feed, offset=where.offset, stage=letter.stage, reason=letter.reason)


def _newborn(folds: Mapping[str, Fold]) -> Iterator[Claimed]:
    """What heads its line as soon as it is stored."""
    for fold in folds.values():
        if fold.born:
            order = fold.stored()
            heads: dict[tuple[str, str], Notification] = {}
            for waiting in order.pending:  # by seq
                heads.setdefault((waiting.recipient, waiting.channel), waiting)
            keys = {head.key for head in heads.values()}
            yield from (Claimed(notification=item, order=order) for item in fold.born if item.key in keys)


@dataclass(slots=True)
class Fold:
    """One order while the events of a batch are folded into it."""

    order: Order | None
    version: int = field(init=False)
    born: list[Notification] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    superseded: set[str] = field(default_factory=set)
    reasons: list[tuple[str, Reason]] = field(default_factory=list)
    absorbed_by: str | None = None
    _stored: Order | None = None

    def __post_init__(self) -> None:
        self.version = 0 if self.order is None else self.order.version

    def add(self, event: OrderEvent, catalog: Catalog, now: datetime) -> None:
        """Decide one event on top of those before it."""
        plan = catalog.plan
        decision = decide.on_event(self.order, event, plan, now)
        order = decision.order
        if decision.absorbed_by is not None:
            self._absorb(decision.absorbed_by)
        born = [evolve(item, published_real=event.published_real) for item in decision.notifications]
        pending = (*order.pending, *born)
        self.born.extend(born)
        overtaken = [item for item in pending if gate.superseded(item, order, plan)]
        if overtaken:
            self.superseded.update(item.key for item in overtaken)
            stale = {item.key for item in overtaken if not item.begun}
            self.born = [evolve(item, state=State.DROPPED) if item.key in stale else item for item in self.born]
            pending = tuple(item for item in pending if item.key not in stale)
        if pending is not order.pending and pending != order.pending:
            order = evolve(order, pending=pending)
        self.order = order
        self.reasons.append((event.position.feed, decision.reason))
        self.entries.append(
            Entry(
                order_id=order.order_id,
                at=now,
                kind="event",
                reason=decision.reason,
                status=event.status,
                episode=order.episode,
                event_id=event.event_id,
                note=_note(event, catalog, now),
            )
        )

    def change(self) -> Change:
        """All that the order becomes."""
        assert self.order is not None
        return Change(
            order=self.order,
            notifications=tuple(self.born),
            entries=tuple(self.entries),
            superseded=tuple(self.superseded),
            absorbed_by=self.absorbed_by,
            reasons=tuple(self.reasons),
        )

    def stored(self) -> Order:
        """The order as it is once the change is stored; nothing is added after it was asked."""
        if self._stored is None:
            assert self.order is not None
            self._stored = evolve(self.order, version=self.version + 1)
        return self._stored

    def _absorb(self, key: str) -> None:
        """An update of this same batch can not have been sent meanwhile; an older one can, and is guarded."""
        if all(item.key != key for item in self.born):
            self.absorbed_by = key


def _told(entry: Entry) -> dict[str, object]:
    return {
        "order": entry.order_id,
        "status": entry.status,
        "episode": entry.episode,
        "reason": entry.reason,
        "note": entry.note,
    }


def _note(event: OrderEvent, catalog: Catalog, now: datetime) -> str | None:
    """What was odd about an event that could still be used, free of personal data."""
    odd = []
    if event.occurred_at > now + decide.CLOCK_SKEW:
        odd.append("occurred_at lies ahead and was taken as now")
    zone = event.facts.get("customer.time_zone")
    if zone is not None and not facts.is_zone(zone):
        odd.append("the customer's time zone is unknown, the brand's is used")
    locale = event.facts.get("customer.locale")
    if locale is not None and not catalog.speaks(locale, event.status):
        odd.append("no message is written in the customer's language, the brand's is used")
    brand = event.facts.get("brand")
    if brand is not None and brand not in catalog.plan.brands:
        odd.append("the brand is unknown, the default one is used")
    return "; ".join(odd) or None
