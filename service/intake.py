"""Events in: load, decide, commit; if the commit lost a race, again.

A batch is folded order by order, in the order of arrival, and stored in one transaction. When `take` returns, all
that the batch means is durable, and only then may its offsets be committed (promise 1).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Literal

import structlog

from avisa import telemetry
from avisa.core import decide, facts, zones
from avisa.core.decision import Decision
from avisa.core.fold import Fold
from avisa.core.model import Order, OrderEvent, Reason
from avisa.dispatch.settlements import Now
from avisa.ports import Catalog, CatalogCache, Clock, Entry, OrderBook, Skipped, Taken, Tally, Unreadable
from avisa.write_path import DecidedOrder, WritePath

LONG_AGO = timedelta(days=365)  # an event that says it occurred before is most likely wrong about its time
UNREADABLE_RUN = 100  # records of a topic of which none could be read, before somebody is told

log = structlog.get_logger()


def unreadable_text(topic: str, reason: Reason) -> str:
    """What a person is told of a topic of which nothing can be read."""
    return f"none of the last {UNREADABLE_RUN} records of {topic} could be read, most often {reason}"


class Intake:
    """Takes batches of what was read from Kafka."""

    def __init__(self, orders: OrderBook, catalogs: CatalogCache, clock: Clock, write_path: WritePath) -> None:
        self._orders = orders
        self._catalogs = catalogs
        self._clock = clock
        self._write_path = write_path
        # By topic, why its newest records could not be read: those since the last one that could, 100 at most.
        self._unread: dict[str, deque[Reason]] = {}

    @property
    def unreadable(self) -> Mapping[str, Reason]:
        """The topics of which none of the last 100 records could be read, each with the commonest reason."""
        runs = {topic: run for topic, run in self._unread.items() if len(run) == UNREADABLE_RUN}
        return {topic: Counter(run).most_common(1)[0][0] for topic, run in runs.items()}

    async def take(self, taken: Sequence[Taken]) -> None:
        """Store the whole effect of a batch.

        Raises what the store raises when it cannot be reached; then nothing of the batch may be acknowledged.
        """
        dead = [item for item in taken if isinstance(item, Unreadable)]
        events = [item for item in taken if isinstance(item, OrderEvent)]
        skipped = Counter((item.position.feed, item.reason) for item in taken if isinstance(item, Skipped))
        unstored, unreported = events, dead
        while True:
            unstored = await self._store(unstored, unreported, skipped)
            if not unstored:
                break
            unreported, skipped = [], Counter()  # these are stored; only what lost a race is decided again
        if dead or self._unread:
            self._look_for_unreadable(taken)

    def _look_for_unreadable(self, taken: Sequence[Taken]) -> None:
        """Log once when nothing of a topic can be read any more, and once when something can be read again.

        A change that is undone within the batch is not logged. A record that is skipped counts for neither.
        """
        before = self.unreadable
        for item in taken:
            if isinstance(item, OrderEvent):
                self._unread.pop(item.position.topic, None)
            elif isinstance(item, Unreadable):
                topic = item.record.position.topic
                self._unread.setdefault(topic, deque(maxlen=UNREADABLE_RUN)).append(item.reason)
        after = self.unreadable
        for topic in sorted(after.keys() - before.keys()):
            log.error("intake.topic_unreadable", topic=topic, records=UNREADABLE_RUN, reason=after[topic])
        for topic in sorted(before.keys() - after.keys()):
            log.info("intake.topic_readable", topic=topic)

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
        _count_oddities((event for event in events if event.order_id not in lost), at)
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
            before = item.fold.order
            decision = decide.on_event(before, event, catalog.plan, at.virtual)
            assert decision.reason is not None  # every event has one
            item.add(decision, at.virtual)
            item.reasons.append((event.position.feed, decision.reason))
            item.entries.append(
                Entry(
                    order_id=event.order_id,
                    at=at.virtual,
                    kind="event",
                    reason=decision.reason,
                    status=event.status,
                    part=None if event.part is None else event.part.id,
                    episode=decision.order.episode,
                    event_id=event.event_id,
                    note=_note(event, before, decision, catalog, at),
                )
            )
        return decided


def _report(
    stored: Sequence[DecidedOrder], dead: Sequence[Unreadable], skipped: Counter[tuple[str, Reason]], at: Now
) -> None:
    """Count and log what became durable: a line for each event with its reason, and one for the
    dead letters of a feed and reason."""
    for reason, number in Counter(reason for item in stored for _, reason in item.reasons).items():
        telemetry.decided(reason, number)
    for (_, reason), number in skipped.items():
        telemetry.decided(reason, number)
    entries = [entry for item in stored for entry in item.entries]
    if entries:
        telemetry.log_entries("intake.event_taken", _fields(entries), at=at.real)
    offsets: dict[tuple[str, Reason], list[int]] = {}
    for letter in dead:
        telemetry.dead_lettered(letter.reason)
        where = letter.record.position
        offsets.setdefault((where.feed, letter.reason), []).append(where.offset)
    for (feed, reason), at_offsets in offsets.items():
        log.warning(
            "intake.dead_letters", feed=feed, reason=reason, records=len(at_offsets), first_offset=min(at_offsets)
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


def _count_oddities(events: Iterable[OrderEvent], at: Now) -> None:
    for event in events:
        for name in event.left_out:
            telemetry.field_ignored(facts.known_field(name))
        if (when := _odd_time(event, at)) is not None:
            telemetry.odd_time(when)


def _odd_time(event: OrderEvent, at: Now) -> Literal["ahead", "long_ago"] | None:
    if event.occurred_at > at.virtual + decide.CLOCK_SKEW:
        return "ahead"
    return "long_ago" if event.occurred_at < at.virtual - LONG_AGO else None


def _note(event: OrderEvent, before: Order | None, decision: Decision, catalog: Catalog, at: Now) -> str | None:
    """What was odd about an event that could still be used, free of personal data."""
    odd: list[str] = []
    match _odd_time(event, at):
        case "ahead":
            odd.append("occurred_at lies ahead and was taken as now")
        case "long_ago":
            odd.append(f"occurred on {event.occurred_at.date().isoformat()}, by its own word")
    if event.left_out:
        odd += _left_out(event.left_out)
    if event.cut:
        odd.append(f"cut, as they are too long: {', '.join(sorted(event.cut))}")
    if forgotten := _forgotten_details(event, before, decision):
        odd.append(f"an order keeps 64 KiB of details; left out, as the oldest: {forgotten}")
    zone = event.facts.get("customer.time_zone")
    if isinstance(zone, str) and zones.named(zone) is None:
        odd.append("the customer's time zone is unknown, the brand's is used")
    locale = event.facts.get("customer.locale")
    if locale is not None and not catalog.speaks(locale, event.status):
        odd.append("no message is written in the customer's language, the brand's is used")
    brand = event.facts.get("brand")
    if brand is not None and brand not in catalog.plan.brands:
        odd.append("the brand is unknown, the default one is used")
    return "; ".join(odd) or None


def _left_out(names: Sequence[str]) -> Iterable[str]:
    if "timestamp" in names:
        yield "the record's timestamp is no moment, and was taken as now"
    if unused := sorted(set(names) - {"timestamp"}):
        yield f"left out, as they could not be used: {', '.join(unused)}"


def _forgotten_details(event: OrderEvent, before: Order | None, decision: Decision) -> int:
    """How many details were left out because of this event; only an order of some size leaves any out."""
    if decision.order.size <= facts.MAX_DETAILS_BYTES or decision.reason is Reason.ALREADY_SEEN:
        return 0
    known = event.facts.keys() if before is None else before.facts.keys() | event.facts.keys()
    return len(known - decision.order.facts.keys())
