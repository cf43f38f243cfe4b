"""What an operator can do to what is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime

import orjson
from sqlalchemy import Connection

from avisa.core.model import Reason
from avisa.ports import Pause
from avisa.store import counters, recipient_queues
from avisa.store.sql.dialect import Query, Statement
from avisa.store.sql.rows import micros, moment

_KEYS = "key text"
# What is on its way at this moment is not taken from under the sender.
_TO_RETRY = Query(
    ("key",),
    "FROM notifications WHERE key IN (SELECT r.key FROM {given}) AND (state = 'failed' OR settled_at IS NULL"
    " AND due_real IS NOT NULL AND (lease_token IS NULL OR due_real <= {clock})) ORDER BY key {lock}",
    _KEYS,
)
_RETRY = Statement(
    "UPDATE notifications SET due_real = :now, not_before = NULL, lease_token = NULL,"
    " state = CASE WHEN settled_at IS NULL THEN state ELSE 'queued' END,"
    " first_attempt_real = CASE WHEN settled_at IS NULL THEN first_attempt_real END,"
    " settled_at = NULL, reason = NULL WHERE key IN (SELECT r.key FROM {given})",
    _KEYS,
)
_TO_DROP = Query(
    ("key", "order_id"),
    "FROM notifications WHERE key IN (SELECT r.key FROM {given}) AND settled_at IS NULL"
    " AND (state <> 'sending' OR lease_token IS NULL OR due_real <= {clock}) ORDER BY key {lock}",
    _KEYS,
)
_SET = Statement(
    "INSERT INTO flags (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_KEEP = Statement("INSERT INTO flags (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING")
_CLEAR = Statement("DELETE FROM flags WHERE name = :name")
_FLAG = Query(("value",), "FROM flags WHERE name = :name")
_UNSUBSCRIBE = Statement(
    "INSERT INTO unsubscribed (address_hash, at) VALUES (:address_hash, :at) ON CONFLICT (address_hash) DO NOTHING"
)


def retry(conn: Connection, keys: Collection[str], *, now_real: int) -> frozenset[str]:
    """Make due at once what waits, and queue again what failed."""
    chosen = [key for (key,) in _TO_RETRY.ask(conn, [{"key": key} for key in keys])]
    if chosen:
        _RETRY.run(conn, [{"key": key} for key in chosen], now=now_real)
    return frozenset(chosen)


def drop(conn: Connection, keys: Collection[str], *, now: datetime) -> frozenset[str]:
    """Settle as dropped what is not settled and not being sent at this moment."""
    rows = _TO_DROP.ask(conn, [{"key": key} for key in keys])
    chosen: dict[str, str] = {row[0]: row[1] for row in rows}
    if chosen:
        recipient_queues.drop(conn, chosen, Reason.DROPPED_BY_OPERATOR, now=micros(now))
        recipient_queues.advance(conn, set(chosen.values()))
    return frozenset(chosen)


def pause(conn: Connection, reason: str, *, now: datetime) -> None:
    value = orjson.dumps({"reason": reason, "since": micros(now)}).decode()
    _SET.run(conn, name="pause", value=value)


def resume(conn: Connection) -> None:
    _CLEAR.run(conn, name="pause")


def paused(conn: Connection) -> Pause | None:
    """Whether an operator has stopped all sending."""
    for (value,) in _FLAG.ask(conn, name="pause"):
        told = orjson.loads(value)
        return Pause(reason=told["reason"], since=moment(told["since"]))
    return None


def remember(conn: Connection, name: str, value: str) -> None:
    """Keep one word for whoever comes after: this process started anew, or a command beside it."""
    _SET.run(conn, name=name, value=value)


def recall(conn: Connection, name: str) -> str | None:
    return next((value for (value,) in _FLAG.ask(conn, name=name)), None)


def secret_key(conn: Connection, fresh: bytes) -> bytes:
    """The key kept, else `fresh`, which is then kept."""
    _KEEP.run(conn, name="secret_key", value=fresh.hex())
    ((kept,),) = _FLAG.ask(conn, name="secret_key")
    return bytes.fromhex(kept)


def unsubscribe(conn: Connection, address_hash: bytes, *, now: datetime) -> None:
    _UNSUBSCRIBE.run(conn, address_hash=address_hash.hex(), at=micros(now))


# ---------------------------------------------------------------- retention

_IDS = "order_id text"
_ENDED = Query(
    ("order_id", "final", "stuck"),
    "FROM orders WHERE ended_at IS NOT NULL AND ended_at < :before AND NOT EXISTS (SELECT 1 FROM notifications n"
    " WHERE n.order_id = orders.order_id AND n.settled_at IS NULL) ORDER BY ended_at LIMIT :limit {lock}",
)
_SETTLED = Query(
    ("state", "count(*)"),
    "FROM notifications WHERE order_id IN (SELECT r.order_id FROM {given}) GROUP BY state",
    _IDS,
)
_FORGET = [
    Statement("DELETE FROM notifications WHERE order_id IN (SELECT r.order_id FROM {given})", _IDS),
    Statement("DELETE FROM entries WHERE order_id IN (SELECT r.order_id FROM {given})", _IDS),
    Statement("DELETE FROM orders WHERE order_id IN (SELECT r.order_id FROM {given})", _IDS),
]


def retire(conn: Connection, *, ended_before: int, limit: int, shard: str) -> int:
    """Forget orders that ended long ago with all of their settled notifications, whose number stays known."""
    ended = _ENDED.ask(conn, before=ended_before, limit=limit)
    if not ended:
        return 0
    given = [{"order_id": order_id} for order_id, _, _ in ended]
    counters.add(conn, "retired", {(state, shard): int(n) for state, n in _SETTLED.ask(conn, given)})
    gone = Counter(("final" if final else "open", shard) for _, final, _ in ended)
    gone["stuck", shard] = sum(stuck for _, _, stuck in ended)
    counters.add(conn, "order", {word: -n for word, n in gone.items()})
    for statement in _FORGET:
        statement.run(conn, given)
    return len(ended)
