"""Orders: how they are loaded and woken, and the one conditional commit.

Orders are locked before their notifications, and both in the order of their keys, so that two writers seldom wait for
each other in a circle.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from avisa.core.flood import NO_BUDGETS, Budgets
from avisa.core.model import Notification, Order
from avisa.core.promise import Promise, PromiseState
from avisa.core.quick_dataclass import dataclass
from avisa.ports import Attempt, Change, Committed, Tally, Unreadable
from avisa.store import counters, flood, questions, recipient_queues, timeline
from avisa.store.database.database import Database, OnDatabase, latest, transaction
from avisa.store.dead_letters import set_aside
from avisa.store.sql import packing
from avisa.store.sql.dialect import as_rows, clock, writes_short
from avisa.store.sql.moments import MICROSECOND, micros, moment_or_none
from avisa.store.sql.rows import notification_of, order_of, order_row
from avisa.store.sql.statements import query, statement

_LOAD = query("load_orders")
_LOAD_PENDING = query("load_pending")
_LOCK = query("lock_orders")
_INSERT = statement("insert_orders")
_UPDATE = statement("update_orders")
_REPLACE = statement("replace_orders")
_FEEDS = query("partitions_to_wake")
_DUE = query("orders_to_wake")
_NEXT_WAKE = query("next_wake")
_OPEN_AFTER = query("open_orders_after")
_WAKE = statement("wake_orders")


def load(conn: Connection, order_ids: Collection[str]) -> dict[str, Order]:
    """The orders that are known, each with its pending notifications."""
    ids = as_rows("order_id", order_ids)
    pending: defaultdict[str, list[Notification]] = defaultdict(list)
    stored = _LOAD.fetch(conn, ids)
    for row in _LOAD_PENDING.fetch(conn, ids) if stored else ():
        pending[row[1]].append(notification_of(row))
    return {
        row[0]: order_of(row, tuple(sorted(pending.pop(row[0], ()), key=lambda item: item.seq))) for row in stored
    }


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of an order that is about to change; its row is locked."""

    version: int
    final: bool
    stuck: bool
    promise: Promise | None  # no more of it than its state


def lock(conn: Connection, order_ids: Iterable[str]) -> dict[str, Stored]:
    """Lock these orders until the transaction ends; returns those that are stored, by id."""
    rows = _LOCK.fetch(conn, as_rows("order_id", order_ids))
    return {
        order_id: Stored(version, bool(final), bool(stuck), promise and Promise(state=PromiseState(promise)))
        for order_id, version, final, stuck, promise in rows
    }


@dataclass(frozen=True, slots=True)
class Applied:
    """Ids of the orders that changed, and keys of their new notifications that were begun."""

    orders: frozenset[str]
    begun: frozenset[str] = frozenset()


def apply(
    conn: Connection,
    changes: Sequence[Change],
    stored: Mapping[str, Stored],
    *,
    now: int,
    now_real: int,
    lease: recipient_queues.Lease | None,
    shard: str,
    begin: Mapping[str, Attempt] = MappingProxyType({}),
) -> Applied:
    """Store each change whose order has not changed since it was loaded, and nothing of the others.

    `now` is virtual, `now_real` real; both in microseconds since 1970.
    """
    first = {change.order.order_id: change for change in reversed(changes)}
    chosen = [first[order_id] for order_id in sorted(first)]
    new = [change for change in chosen if change.order.version == 0 and change.order.order_id not in stored]
    known = [
        change
        for change in chosen
        if (before := stored.get(change.order.order_id)) and before.version == change.order.version
    ]
    rows = _rows(conn, (change.order for change in new))
    born = _INSERT.insert(conn, rows, "order_id") if rows else set()
    touching = [change.order.order_id for change in known if _touches_outbox(change)]
    unsettled = recipient_queues.lock_unsettled(conn, touching)
    known = [change for change in known if _absorbs(change, unsettled)]
    won = [change for change in new if change.order.order_id in born] + known
    _update(conn, [change.order for change in known])
    begun = recipient_queues.add(conn, won, unsettled, now=now, now_real=now_real, lease=lease, begin=begin)
    questions.add(conn, won, shard=shard)
    timeline.add(conn, [entry for change in won for entry in change.entries])
    counters.count_orders(conn, [(stored.get(change.order.order_id), change.order) for change in won], shard=shard)
    return Applied(frozenset(change.order.order_id for change in won), begun)


def _update(conn: Connection, orders: Iterable[Order]) -> None:
    """Store these, which are stored already and locked."""
    known = list(orders)
    rows = _rows(conn, known)
    if conn.dialect.name == "sqlite":
        packed = [
            row | {"version": order.version + 1}
            for order, row in zip(known, rows, strict=True)
            if isinstance(row["state"], bytes)
        ]
        rows = [row for row in rows if isinstance(row["state"], str)]
        if packed:
            _REPLACE.execute(conn, packed)
    if rows:
        _UPDATE.execute(conn, rows)


def _rows(conn: Connection, orders: Iterable[Order]) -> list[dict[str, Any]]:
    """The orders as they are stored. `packing` says which are packed."""
    if conn.dialect.name == "sqlite":
        return [order_row(order, pack=packing.pack if order.ended_at is not None else str) for order in orders]
    pack = packing.pack_as_text if writes_short(conn) else str
    return [order_row(order, pack=pack) for order in orders]


def _touches_outbox(change: Change) -> bool:
    return bool(change.notifications or change.superseded or change.absorbed_by)


def _absorbs(change: Change, unsettled: Mapping[str, recipient_queues.Unsettled]) -> bool:
    """True if the queued update that is to show the changed facts can still do so: its attempt has not begun."""
    if change.absorbed_by is None:
        return True
    update = unsettled.get(change.absorbed_by)
    return update is not None and not update.begun


class SqlOrders(OnDatabase):
    """Satisfies OrderBook."""

    def __init__(self, database: Database, *, lease_token: str, shard: str) -> None:
        super().__init__(database)
        self._lease_token = lease_token
        self._shard = shard

    async def load(self, order_ids: Collection[str]) -> dict[str, Order]:
        ids = tuple(order_ids)
        return await self.database.read_latest(lambda conn: load(conn, ids)) if ids else {}

    @transaction
    def commit(
        self,
        conn: Connection,
        changes: Sequence[Change],
        *,
        tally: Tally | None = None,
        dead_letters: Sequence[Unreadable] = (),
        now: datetime,
        begin: Sequence[Attempt] = (),
        lease: timedelta = timedelta(0),
        budgets: Budgets = NO_BUDGETS,
    ) -> Committed:
        now_real = clock(conn)
        ids = {change.order.order_id for change in changes}
        if len(ids) < len(changes):
            raise ValueError("a commit holds one change for each order")
        stored = lock(conn, sorted(ids)) if ids else {}
        over_budget = flood.waits(conn, begin, budgets) if begin else {}
        applied = apply(
            conn,
            changes,
            stored,
            now=micros(now),
            now_real=now_real,
            lease=recipient_queues.Lease(self._lease_token, now_real + lease // MICROSECOND),
            begin={attempt.key: attempt for attempt in begin if attempt.key not in over_budget},
            shard=self._shard,
        )
        set_aside(conn, dead_letters, now=now)
        counted = Counter({} if tally is None else tally.by_reason)
        counted.update(
            reason for change in changes if change.order.order_id in applied.orders for reason in change.reasons
        )
        counters.count_events(conn, counted)
        return Committed(lost=frozenset(ids) - applied.orders, begun=applied.begun)

    @latest
    def due(
        self, conn: Connection, now: datetime, *, feeds: Collection[str], overdue: datetime, limit: int
    ) -> list[Order]:
        """Returns up to `limit` orders: those of `feeds` to be woken by `now`, those of other feeds by `overdue`."""
        by = {True: micros(now), False: min(micros(now), micros(overdue))}
        found: list[tuple[int, str]] = []
        for (feed,) in _FEEDS.fetch(conn):
            rows = _DUE.fetch(conn, feed=feed, until=by[feed in feeds], limit=limit)
            found += [(wake_at, order_id) for order_id, wake_at in rows]
        ids = [order_id for _, order_id in sorted(found)[:limit]]
        known = load(conn, ids) if ids else {}
        return [known[order_id] for order_id in ids if order_id in known]

    @latest
    def next_wake(self, conn: Connection, *, feeds: Collection[str]) -> datetime | None:
        return moment_or_none(
            min((wake_at for feed in feeds for (wake_at,) in _NEXT_WAKE.fetch(conn, feed=feed)), default=None)
        )

    @transaction
    def wake_open_orders(self, conn: Connection, *, after: str, now: datetime, limit: int) -> str | None:
        """Wake the next `limit` open orders, by id after `after`, because the plan has changed.

        Returns the id to go on after, or None when there are no more.
        """
        ids = [order_id for (order_id,) in _OPEN_AFTER.fetch(conn, after=after, limit=limit)]
        if ids:
            _WAKE.execute(conn, as_rows("order_id", ids), now=micros(now))
        return ids[-1] if len(ids) == limit else None
