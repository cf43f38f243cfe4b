"""What an operator can do: retry, drop, pause, and forget what is old; and the flags kept for all processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime

import orjson
from sqlalchemy import Connection

from avisa.core.evolve import evolve
from avisa.core.model import Reason
from avisa.core.snooze import Snooze
from avisa.ports import Change, DeadLetter, Entry, Pause
from avisa.store import alert_lists, counters, dead_letters, drafts, orders, questions, recipient_queues, snoozes
from avisa.store.database.database import Database, OnDatabase, latest, transaction
from avisa.store.sql.dialect import as_rows, clock
from avisa.store.sql.moments import micros, moment
from avisa.store.sql.rows import named
from avisa.store.sql.statements import query, statement

_LOCK_TO_RETRY = query("lock_to_retry")
_RETRY = statement("retry")
_LOCK_TO_DROP = query("lock_to_drop")
MOST_NOTES = 5  # that an order keeps, besides its timeline
_SET_FLAG = statement("set_flag")
_SET_FLAG_ONCE = statement("set_flag_once")
_CLEAR_FLAG = statement("clear_flag")
_FLAG = query("flag")
_UNSUBSCRIBE = statement("unsubscribe")
_LOCK_QUIET = query("lock_quiet_orders")
_STATES_OF_ORDERS = query("count_states_of_orders")
_FORGET = [statement(f"forget_{kept}") for kept in ("questions", "drafts", "notifications", "entries", "orders")]


class SqlOperations(OnDatabase):
    """Satisfies Operations, and the clock's Memory."""

    def __init__(self, database: Database, *, shard: str) -> None:
        super().__init__(database)
        self._shard = shard

    @transaction
    def retry(self, conn: Connection, keys: Collection[str], *, now_real: datetime) -> frozenset[str]:
        """Make waiting notifications due at once, and queue failed ones again; returns the keys of both."""
        chosen = [key for (key,) in _LOCK_TO_RETRY.fetch(conn, named(keys))]
        if chosen:
            _RETRY.execute(conn, named(chosen), now=micros(now_real))
        return frozenset(chosen)

    @transaction
    def drop(self, conn: Connection, keys: Collection[str], *, now: datetime) -> frozenset[str]:
        """Settle as dropped what is unsettled and not being sent at this moment; returns the keys of these."""
        rows = _LOCK_TO_DROP.fetch(conn, named(keys))
        chosen = {key: order_id for key, order_id, _ in rows}
        if chosen:
            drafts.discard(conn, [(order_id, seq) for _, order_id, seq in rows])
            recipient_queues.drop(conn, chosen, Reason.DROPPED_BY_OPERATOR, now=micros(now))
            recipient_queues.promote_next(conn, set(chosen.values()))
            alert_lists.free(conn, chosen)
        return frozenset(chosen)

    @transaction
    def pause(self, conn: Connection, reason: str, *, now: datetime) -> None:
        _SET_FLAG.execute(conn, name="pause", value=orjson.dumps({"reason": reason, "since": micros(now)}).decode())

    @transaction
    def resume(self, conn: Connection) -> None:
        _CLEAR_FLAG.execute(conn, name="pause")

    @transaction
    def unsubscribe(self, conn: Connection, address_hash: bytes, *, now: datetime) -> None:
        _UNSUBSCRIBE.execute(conn, address_hash=address_hash.hex(), at=micros(now))

    @transaction
    def note(self, conn: Connection, order_id: str, text: str, *, author: str, now: datetime) -> bool:
        stored = orders.lock(conn, [order_id])
        known = orders.load(conn, [order_id]).get(order_id)
        if known is None:
            return False
        noted = evolve(known, notes=(*known.notes, text)[-MOST_NOTES:])
        entry = Entry(
            order_id=order_id,
            at=now,
            kind="note",
            status=known.status,
            episode=known.episode,
            note=text,
            author=author,
        )
        change = Change(order=noted, entries=(entry,))
        orders.apply(conn, [change], stored, now=micros(now), now_real=clock(conn), lease=None, shard=self._shard)
        return True

    @transaction
    def snooze(self, conn: Connection, snooze: Snooze) -> None:
        snoozes.add(conn, snooze)

    @latest
    def snoozes(self, conn: Connection, *, now: datetime) -> list[Snooze]:
        return snoozes.lasting(conn, now)

    @transaction
    def end_snooze(self, conn: Connection, id: int) -> bool:
        return snoozes.end(conn, id)

    @transaction
    def secret_key(self, conn: Connection, fresh: bytes) -> bytes:
        _SET_FLAG_ONCE.execute(conn, name="secret_key", value=fresh.hex())
        ((kept,),) = _FLAG.fetch(conn, name="secret_key")
        return bytes.fromhex(kept)

    @transaction
    def remember(self, conn: Connection, name: str, value: str) -> None:
        """Keep a text under `name`, in place of the one kept before, for this process after a restart and for all
        others."""
        _SET_FLAG.execute(conn, name=name, value=value)

    @latest
    def recall(self, conn: Connection, name: str) -> str | None:
        return next((value for (value,) in _FLAG.fetch(conn, name=name)), None)

    @transaction
    def replayed(self, conn: Connection, dead_letter: int) -> None:
        dead_letters.mark_replayed(conn, dead_letter)

    @latest
    def uncopied_dead_letters(self, conn: Connection, limit: int) -> list[DeadLetter]:
        return dead_letters.uncopied(conn, limit)

    @transaction
    def copied_dead_letters(self, conn: Connection, ids: Collection[int]) -> None:
        dead_letters.mark_copied(conn, ids)

    @transaction
    def retire(self, conn: Connection, *, quiet_since: datetime, limit: int) -> int:
        quiet = _LOCK_QUIET.fetch(conn, since=micros(quiet_since), limit=limit)
        if not quiet:
            return 0
        ids = as_rows("order_id", (order_id for order_id, _, _, _ in quiet))
        settled = {(state, self._shard): int(n) for state, n in _STATES_OF_ORDERS.fetch(conn, ids)}
        counters.add(conn, "retired", settled)
        gone = Counter(("final" if final else "open", self._shard) for _, final, _, _ in quiet)
        gone["stuck", self._shard] = sum(stuck for _, _, stuck, _ in quiet)
        counters.add(conn, "order", {word: -n for word, n in gone.items()})
        questions.retire(conn, ids, shard=self._shard)
        promises = Counter((promise, self._shard) for _, _, _, promise in quiet if promise)
        counters.add(conn, "promise", {word: -n for word, n in promises.items()})
        for forget in _FORGET:
            forget.execute(conn, ids)
        return len(quiet)

    @transaction
    def forget_drafts(self, conn: Connection, *, before: datetime, limit: int) -> int:
        return drafts.forget(conn, before=before, limit=limit)

    @transaction
    def forget_dead_letters(self, conn: Connection, *, before: datetime, limit: int) -> int:
        gone = dead_letters.forget(conn, before=before, limit=limit)
        counters.add(conn, "dead_letter", {("open", self._shard): gone["open"]})  # a replayed one is counted anew
        return gone.total()


def paused(conn: Connection) -> Pause | None:
    """The pause, if an operator has stopped all sending."""
    for (value,) in _FLAG.fetch(conn, name="pause"):
        kept = orjson.loads(value)
        return Pause(reason=kept["reason"], since=moment(kept["since"]))
    return None
