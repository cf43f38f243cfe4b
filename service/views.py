"""What commands with `--json` print: timeline, outbox, counts, dead letters (docs/reference.md, JSON).

Each shape is a pure function of values of the ports. Times are RFC 3339 in UTC; what is absent is None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import orjson

from avisa.core import facts, parts
from avisa.core.model import Json, Order, State
from avisa.core.observed import ObservedVariables, observed_variables
from avisa.core.plan import Plan
from avisa.core.promise import Promise, PromiseState
from avisa.core.snooze import Snooze
from avisa.core.timestamps import BEGINNING, rfc3339
from avisa.ports import Counts, DeadLetter, Entry, History, OutboxPlace, OutboxRow, Promised, Queries

Shape = dict[str, Json]
Expiry = Callable[[datetime], datetime]  # the moment at which it was decided -> the moment at which it expires


async def timeline(queries: Queries, order_id: str) -> Shape | None:
    """What happened to one order and why; None if it is not known."""
    history = await queries.history(order_id)
    return None if history is None else timeline_json(history)


async def outbox(
    queries: Queries,
    expiry: Expiry,
    *,
    state: State | None = None,
    order_id: str | None = None,
    before: OutboxPlace | None = None,
    limit: int | None = None,
) -> list[Shape]:
    """Notifications, each with its state; with `limit` the newest of those before `before`."""
    rows = await queries.outbox(state=state, order_id=order_id, before=before, limit=limit)
    return [outbox_json(row, expiry) for row in rows]


async def promises(
    queries: Queries, plan: Plan, *, state: PromiseState | None = None, owner: str | None = None
) -> list[Shape]:
    """The promises of the orders that have not ended, or with `state` all in that state; the first to end first."""
    found = [it for it in await queries.promises(state=state) if owner in (None, facts.owner(it.order, plan))]
    return [promise_json(it, plan) for it in sorted(found, key=lambda it: _end(it.order, plan))]


async def counts(queries: Queries) -> Shape:
    """Promise 5 as numbers."""
    return counts_json(await queries.counts())


async def dead_letters(queries: Queries, *, before: int | None = None, limit: int | None = None) -> list[Shape]:
    """Records that could not be read; with `limit` the newest of those with an id below `before`."""
    return [dead_letter_json(letter) for letter in await queries.dead_letters(before=before, limit=limit)]


async def observed(queries: Queries, *, each: int) -> list[ObservedVariables]:
    """By status, how often real orders had each variable; up to `each` orders with the newest events."""
    recent = await queries.recent_orders(each=each)
    return [
        observed_variables(status, orders.present, [orjson.loads(draft)["values"] for draft in orders.drafts])
        for status, orders in sorted(recent.items())
    ]


# ---------------------------------------------------------------- shapes


def timeline_json(history: History) -> Shape:
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
        "parts": _parts(order),
        "entries": [line for _, line in sorted(lines, key=lambda dated: dated[0])],
    }


# What the lines are sorted by: moment, episode, cause before effect, order of decision. A whole batch is decided at
# one moment, so the moment alone would not tell a story.
_Place = tuple[datetime, int, int, int]
_CAUSE_FIRST = {
    "event": 0,
    "answer": 0,
    "promise": 1,
    "decision": 2,
    "gate": 3,
    "attempt": 4,
    "settled": 5,
    "note": 6,
}


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
        "author": None,
        "part": None,
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
        state=State.HELD if entry.kind == "gate" else entry.state,
        note=entry.note,
        author=entry.author,
        part=entry.part,
    )


def _decided(row: OutboxRow) -> tuple[_Place, Shape]:
    notification = row.notification
    return _line("decision", notification.decided_at, row, reason=notification.reason, state=State.QUEUED)


def _settled(row: OutboxRow, at: datetime) -> tuple[_Place, Shape]:
    return _line("settled", at, row, reason=row.reason, state=row.notification.state)


def _end(order: Order, plan: Plan) -> tuple[datetime, str]:
    date = order.promise and order.promise.date
    return (facts.promise_moment(date, facts.zone(order, plan)) if date else BEGINNING), order.order_id


def _promise(order: Order) -> Shape | None:
    fact = order.facts.get("promised_at")
    if fact is None or fact.value is None:
        return None
    return {"date": fact.value, "state": order.promise and order.promise.state}


def _parts(order: Order) -> list[Shape] | None:
    """The parts of an order, by number; None if it has none."""
    if order.parts is None:
        return None
    return [
        {"id": part.id, "number": part.number, "status": parts.newest(part, order)[1]} for part in order.parts.known
    ]


def outbox_json(row: OutboxRow, expiry: Expiry) -> Shape:
    """A notification with its state; an unsettled one also with the moment at which it expires."""
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


def promise_json(promised: Promised, plan: Plan) -> Shape:
    """An order's promise with its state, who looks after the order, and when the customer was told of it."""
    order = promised.order
    promise = order.promise or Promise()
    return {
        "order_id": order.order_id,
        "date": promise.date,
        "state": promise.state,
        "since": moment(promise.since),
        "owner": facts.owner(order, plan),
        "told_at": moment(promised.sent_at),
    }


def counts_json(counted: Counts) -> Shape:
    """How many events were read and notifications decided, and what became of them."""
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


def dead_letter_json(letter: DeadLetter) -> Shape:
    """A dead letter, without its value."""
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


def snooze_json(snooze: Snooze) -> Shape:
    """What is held back, until when, by whom and why."""
    return {
        "id": snooze.id or None,
        "of": snooze.of,
        "name": snooze.name,
        "until": moment(snooze.until),
        "author": snooze.author,
        "reason": snooze.reason or None,
        "at": moment(snooze.at),
    }


def variables_json(observed: ObservedVariables) -> Shape:
    """How often the orders of one status had each variable, without any value."""
    return {
        "status": observed.status,
        "orders": observed.orders,
        "present": observed.present,
        "variables": [
            {"name": it.name, "known": it.known, "said": it.said, "example": it.example} for it in observed.variables
        ],
    }


def moment(at: datetime | None) -> str | None:
    """The moment as RFC 3339 in UTC."""
    return None if at is None else rfc3339(at)
