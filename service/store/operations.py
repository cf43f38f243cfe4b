"""What an operator can do to what is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime

import orjson
from sqlalchemy import Connection

from avisa.core.model import Reason
from avisa.ports import DeadLetter, Pause
from avisa.store import counters, dead_letters, recipient_queues
from avisa.store.database.database import Database, OnDatabase, latest, transaction
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


class SqlOperations(OnDatabase):
    """Satisfies Operations, and the clock's Memory."""

    def __init__(self, database: Database, *, shard: str) -> None:
        super().__init__(database)
        self._shard = shard

    @transaction
    def retry(self, conn: Connection, keys: Collection[str], *, now_real: datetime) -> frozenset[str]:
        """Make due at once what waits, and queue again what failed."""
        chosen = [key for (key,) in _TO_RETRY.fetch(conn, [{"key": key} for key in keys])]
        if chosen:
            _RETRY.execute(conn, [{"key": key} for key in chosen], now=micros(now_real))
        return frozenset(chosen)

    @transaction
    def drop(self, conn: Connection, keys: Collection[str], *, now: datetime) -> frozenset[str]:
        """Settle as dropped what is not settled and not being sent at this moment."""
        rows = _TO_DROP.fetch(conn, [{"key": key} for key in keys])
        chosen = {row[0]: row[1] for row in rows}
        if chosen:
            recipient_queues.drop(conn, chosen, Reason.DROPPED_BY_OPERATOR, now=micros(now))
            recipient_queues.promote_next(conn, set(chosen.values()))
        return frozenset(chosen)

    @transaction
    def pause(self, conn: Connection, reason: str, *, now: datetime) -> None:
        _SET.execute(conn, name="pause", value=orjson.dumps({"reason": reason, "since": micros(now)}).decode())

    @transaction
    def resume(self, conn: Connection) -> None:
        _CLEAR.execute(conn, name="pause")

    @transaction
    def unsubscribe(self, conn: Connection, address_hash: bytes, *, now: datetime) -> None:
        _UNSUBSCRIBE.execute(conn, address_hash=address_hash.hex(), at=micros(now))

    @transaction
    def secret_key(self, conn: Connection, fresh: bytes) -> bytes:
        _KEEP.execute(conn, name="secret_key", value=fresh.hex())
        ((kept,),) = _FLAG.fetch(conn, name="secret_key")
        return bytes.fromhex(kept)

    @transaction
    def remember(self, conn: Connection, name: str, value: str) -> None:
        """Keep a text under `name`, in place of the one kept before, for this process after a restart and for all
        others."""
        _SET.execute(conn, name=name, value=value)

    @latest
    def recall(self, conn: Connection, name: str) -> str | None:
        return next((value for (value,) in _FLAG.fetch(conn, name=name)), None)

    @transaction
    def replayed(self, conn: Connection, dead_letter: int) -> None:
        dead_letters.mark(conn, [dead_letter], state="replayed")

    @latest
    def uncopied_dead_letters(self, conn: Connection, limit: int) -> list[DeadLetter]:
        return dead_letters.uncopied(conn, limit)

    @transaction
    def copied_dead_letters(self, conn: Connection, ids: Collection[int]) -> None:
        dead_letters.mark(conn, ids, copied=1)

    @transaction
    def retire(self, conn: Connection, *, ended_before: datetime, limit: int) -> int:
        ended = _ENDED.fetch(conn, before=micros(ended_before), limit=limit)
        if not ended:
            return 0
        given = [{"order_id": order_id} for order_id, _, _ in ended]
        settled = {(state, self._shard): int(n) for state, n in _SETTLED.fetch(conn, given)}
        counters.add(conn, "retired", settled)
        gone = Counter(("final" if final else "open", self._shard) for _, final, _ in ended)
        gone["stuck", self._shard] = sum(stuck for _, _, stuck in ended)
        counters.add(conn, "order", {word: -n for word, n in gone.items()})
        for statement in _FORGET:
            statement.execute(conn, given)
        return len(ended)


def paused(conn: Connection) -> Pause | None:
    """Whether an operator has stopped all sending; for the outbox."""
    for (value,) in _FLAG.fetch(conn, name="pause"):
        kept = orjson.loads(value)
        return Pause(reason=kept["reason"], since=moment(kept["since"]))
    return None
