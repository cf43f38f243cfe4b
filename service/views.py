"""Questions about what was told and why, answered in the JSON shapes of CONTRACT 2.

Each shape is a pure function of the port's values. Times are RFC 3339 in UTC; what is absent is None.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime

import orjson

from avisa.core.model import Json, Order, State
from avisa.core.observed import ObservedVariables, observed_variables
from avisa.ports import Counts, DeadLetter, Entry, History, OutboxRow, Queries

Shape = dict[str, Json]
Expiry = Callable[[datetime], datetime]  # from when it was decided to when it is given up


async def timeline(reads: Queries, order_id: str) -> Shape | None:
    """What happened to one order and why; None if it is not known."""
    history = await reads.history(order_id)
    return None if history is None else told(history)


async def outbox(
    reads: Queries, expiry: Expiry, *, state: State | None = None, order_id: str | None = None
) -> list[Shape]:
    """Notifications, each with where it is."""
    return [waiting(row, expiry) for row in await reads.outbox(state=state, order_id=order_id)]


async def counts(reads: Queries) -> Shape:
    """Promise 5 as numbers."""
    return sums(await reads.counts())


async def dead_letters(reads: Queries, ids: Collection[int] | None = None) -> list[Shape]:
    """Records that were set aside."""
    return [set_aside(letter) for letter in await reads.dead_letters(ids)]


async def contract(reads: Queries, *, each: int) -> list[ObservedVariables]:
    """What live events bring: by status, how often each variable was there for the orders that are in it, or were
    and were told so; up to `each` of them, those that were heard of last."""
    heard = await reads.heard_of(each=each)
    return [
        observed_variables(status, orders.present, [orjson.loads(draft)["values"] for draft in orders.drafts])
        for status, orders in sorted(heard.items())
    ]


# ---------------------------------------------------------------- shapes


def told(history: History) -> Shape:
    """The timeline of one order."""
    order = history.order
    rows = {row.notification.key: row for row in history.outbox}
    lines = [_noted(entry, rows) for entry in history.entries]
    for row in history.outbox:
        lines.append(_decided(row))
        if row.settled_at is not None:
            lines.append(_settled(row, row.settled_at))
    return {
        "order_id": order.order_id,
        "status": order.status,
        "episode": order.episode,
        "final": order.final,
        "wake_at": moment(order.wake_at),
        "next_update": moment(order.told_until),
        "promise": _promise(order),
        "entries": [line for _, line in sorted(lines, key=lambda dated: dated[0])],
    }


# Where a line stands: its moment, then its episode, then cause before effect, then the order of telling. A whole
# batch is decided at one moment, so the moment alone would not tell a story.
_Place = tuple[datetime, int, int, int]
_CAUSE_FIRST = {"event": 0, "decision": 1, "gate": 2, "attempt": 3, "settled": 4}


def _line(kind: str, at: datetime, row: OutboxRow | None, **known: Json) -> tuple[_Place, Shape]:
    notification = row.notification if row else None
    line: Shape = {
        "at": moment(at),
        "kind": kind,
        "reason": None,
        "status": notification and notification.status,
        "episode": notification and notification.episode,
        "event_id": None,
        "key": notification and notification.key,
        "purpose": notification and notification.purpose,
        "channel": notification and notification.channel,
        "state": None,
        "message": row and row.message,
        "locale": row and row.locale,
        "template_version": row and row.template_version,
        "version": row and row.version,
        "message_id": row and row.message_id,
        "note": None,
        **known,
    }
    return (at, line["episode"] or 0, _CAUSE_FIRST[kind], notification.seq if notification else 0), line


def _noted(entry: Entry, rows: Mapping[str, OutboxRow]) -> tuple[_Place, Shape]:
    row = rows.get(entry.key) if entry.key is not None else None
    return _line(
        entry.kind,
        entry.at,
        row,
        reason=entry.reason,
        status=entry.status,
        episode=entry.episode,
        event_id=entry.event_id,
        key=entry.key,
        state=State.HELD if entry.kind == "gate" else None,
        note=entry.note,
    )


def _decided(row: OutboxRow) -> tuple[_Place, Shape]:
    notification = row.notification
    return _line("decision", notification.decided_at, row, reason=notification.reason, state=State.QUEUED)


def _settled(row: OutboxRow, at: datetime) -> tuple[_Place, Shape]:
    return _line("settled", at, row, reason=row.reason, state=row.notification.state)


def _promise(order: Order) -> Shape | None:
    fact = order.facts.get("promised_at")
    if fact is None or fact.value is None:
        return None
    return {"date": fact.value, "state": order.promise_state}


def waiting(row: OutboxRow, expiry: Expiry) -> Shape:
    """A notification and where it is; unsettled ones with when they will be given up."""
    notification = row.notification
    return {
        "key": notification.key,
        "order_id": notification.order_id,
        "episode": notification.episode,
        "purpose": notification.purpose,
        "ordinal": notification.ordinal,
        "channel": notification.channel,
        "recipient": notification.recipient,
        "state": notification.state,
        "reason": row.reason,
        "attempts": notification.attempts,
        "not_before": moment(notification.not_before),
        "expires_at": moment(expiry(notification.decided_at)) if row.settled_at is None else None,
        "next_update": moment(notification.next_update),
        "message_id": row.message_id,
        "template_version": row.template_version,
        "version": row.version,
    }


def sums(counted: Counts) -> Shape:
    """What was read and decided, and what came of each."""
    return {
        "events": {
            "read": counted.read,
            "by_reason": {str(reason): n for reason, n in counted.by_reason.items()},
            "dead_letters": counted.dead_letters,
        },
        "notifications": {
            "decided": counted.decided,
            "by_state": {str(state): counted.by_state.get(state, 0) for state in State},
        },
    }


def set_aside(letter: DeadLetter) -> Shape:
    """A dead letter, without what it holds."""
    position = letter.record.position
    return {
        "id": letter.id,
        "topic": position.topic,
        "partition": position.partition,
        "offset": position.offset,
        "stage": letter.stage,
        "reason": letter.reason,
        "message": letter.message,
        "at": moment(letter.at),
        "state": letter.state,
    }


def brought(seen: ObservedVariables) -> Shape:
    """What is known of the orders of one status, without what any of it says."""
    return {
        "status": seen.status,
        "orders": seen.orders,
        "present": seen.present,
        "variables": [
            {"name": it.name, "known": it.known, "said": it.said, "example": it.example} for it in seen.variables
        ],
    }


def moment(at: datetime | None) -> str | None:
    """RFC 3339 in UTC."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
