"""Events in: load, decide, commit; if the commit lost a race, again.

A batch is folded order by order, in the order of arrival, and stored in one transaction. When `take` returns, all
that the batch means is durable, and only then may its offsets be committed (promise 1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import structlog

from avisa import telemetry
from avisa.core import decide, facts
from avisa.core.fold import Fold
from avisa.core.model import OrderEvent, Reason
from avisa.dispatch.settlements import Now
from avisa.ports import Catalog, CatalogCache, Clock, Entry, OrderBook, Skipped, Taken, Tally, Unreadable
from avisa.write_path import DecidedOrder, WritePath

log = structlog.get_logger()


class Intake:
    """Takes batches of what was read from Kafka."""

    def __init__(self, orders: OrderBook, catalogs: CatalogCache, clock: Clock, write_path: WritePath) -> None:
        self._orders = orders
        self._catalogs = catalogs
        self._clock = clock
        self._write_path = write_path

    async def take(self, taken: Sequence[Taken]) -> None:
        """Store the whole effect of a batch.

        Raises what the store raises when it cannot be reached; then nothing of the batch may be acknowledged.
        """
        dead = [item for item in taken if isinstance(item, Unreadable)]
        events = [item for item in taken if isinstance(item, OrderEvent)]
        skipped = Counter((item.position.feed, item.reason) for item in taken if isinstance(item, Skipped))
        while True:
            events = await self._store(events, dead, skipped)
            if not events:
                return
            dead, skipped = [], Counter()  # these are stored; only what lost a race is decided again

    async def _store(
        self, events: list[OrderEvent], dead: list[Unreadable], skipped: Counter[tuple[str, Reason]]
    ) -> list[OrderEvent]:
        """Decide and commit once; return the events of the orders that lost a race."""
        send_now = await self._write_path.capacity()
        at = Now.of(self._clock)
        decided = await self._decided(events, at)
        lost = await self._write_path.commit(
            decided.values(), at=at, send_now=send_now, tally=Tally(by_reason=skipped), dead_letters=dead
        )
        _report([item for order_id, item in decided.items() if order_id not in lost], dead, skipped, at)
        return [event for event in events if event.order_id in lost]

    async def _decided(self, events: Sequence[OrderEvent], at: Now) -> dict[str, DecidedOrder]:
        """Each order with the decisions on its events, in the order of arrival."""
        catalog = self._catalogs.in_force
        known = await self._orders.load({event.order_id for event in events})
        decided: dict[str, DecidedOrder] = {}
        for event in events:
            item = decided.get(event.order_id)
            if item is None:
                item = decided[event.order_id] = DecidedOrder(Fold(known.get(event.order_id)))
            decision = decide.on_event(item.fold.order, event, catalog.plan, at.virtual)
            assert decision.reason is not None  # every event has one
            item.fold.add(decision)
            item.reasons.append((event.position.feed, decision.reason))
            item.entries.append(
                Entry(
                    order_id=event.order_id,
                    at=at.virtual,
                    kind="event",
                    reason=decision.reason,
                    status=event.status,
                    episode=decision.order.episode,
                    event_id=event.event_id,
                    note=_note(event, catalog, at),
                )
            )
        return decided


def _report(
    stored: Sequence[DecidedOrder], dead: Sequence[Unreadable], skipped: Counter[tuple[str, Reason]], at: Now
) -> None:
    """Count and log what became durable: a line for each event and each dead letter, with its reason."""
    for item in stored:
        for _, reason in item.reasons:
            telemetry.decided(reason)
    for (_, reason), number in skipped.items():
        telemetry.decided(reason, number)
    entries = [entry for item in stored for entry in item.entries]
    if entries:
        telemetry.log_entries("intake.event_taken", _fields(entries), at=at.real)
    for letter in dead:
        telemetry.dead_lettered(letter.reason)
        where = letter.record.position
        log.warning(
            "intake.dead_letter", feed=where.feed, offset=where.offset, stage=letter.stage, reason=letter.reason
        )


def _fields(entries: Iterable[Entry]) -> Iterable[dict[str, object]]:
    """What a log line says of an event: no more than the timeline."""
    for entry in entries:
        yield {
            "order": entry.order_id,
            "status": entry.status,
            "episode": entry.episode,
            "reason": entry.reason,
            "note": entry.note,
        }


def _note(event: OrderEvent, catalog: Catalog, at: Now) -> str | None:
    """What was odd about an event that could still be used, free of personal data."""
    odd = []
    if event.occurred_at > at.virtual + decide.CLOCK_SKEW:
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
