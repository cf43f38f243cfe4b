"""Orders: load, the one conditional commit, and what is due.

Whoever writes locks orders first, by id, and their unsettled notifications after, by key; so two writers
seldom wait for each other in a circle.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy import Connection

from avisa.core.model import Notification, Order
from avisa.ports import Attempt, Change, Committed, Tally, Unreadable
from avisa.store import counters, recipient_queues, timeline
from avisa.store.database.database import Database, OnDatabase, latest, transaction
from avisa.store.dead_letters import set_aside
from avisa.store.sql.dialect import Query, Statement, clock
from avisa.store.sql.rows import (
    MICROSECOND,
    NOTICE_COLUMNS,
    ORDER_GIVEN,
    micros,
    moment_or_none,
    notification_of,
    order_of,
    order_row,
)

IDS = "order_id text"

_STORED = Query(
    ("order_id", "version", "wake_at", "state"), "FROM orders WHERE order_id IN (SELECT r.order_id FROM {given})", IDS
)
_PENDING = Query(
    NOTICE_COLUMNS,
    "FROM notifications WHERE order_id IN (SELECT r.order_id FROM {given}) AND settled_at IS NULL",
    IDS,
)
_LOCK = Query(
    ("order_id", "version", "final", "stuck"),
    "FROM orders WHERE order_id IN (SELECT r.order_id FROM {given}) ORDER BY order_id {lock}",
    IDS,
)
_INSERT = Statement(
    "INSERT INTO orders (order_id, version, feed, wake_at, ended_at, final, stuck, state)"
    " SELECT order_id, 1, feed, wake_at, ended_at, final, stuck, state FROM {given} WHERE 1 = 1"
    " ORDER BY order_id ON CONFLICT (order_id) DO NOTHING",
    ORDER_GIVEN,
)
_UPDATE = Statement(
    "UPDATE orders SET version = orders.version + 1, feed = r.feed, wake_at = r.wake_at, ended_at = r.ended_at,"
    " final = r.final, stuck = r.stuck, state = r.state FROM {given} WHERE orders.order_id = r.order_id",
    ORDER_GIVEN,
)


def load(conn: Connection, order_ids: Collection[str]) -> dict[str, Order]:
    """The orders that are known, each with its pending notifications."""
    ids = _ids(order_ids)
    pending: defaultdict[str, list[Notification]] = defaultdict(list)
    stored = _STORED.fetch(conn, ids)
    for row in _PENDING.fetch(conn, ids) if stored else ():
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


def lock(conn: Connection, order_ids: Iterable[str]) -> dict[str, Stored]:
    """Keep these orders as they are until the transaction ends."""
    rows = _LOCK.fetch(conn, _ids(order_ids))
    return {order_id: Stored(version, bool(final), bool(stuck)) for order_id, version, final, stuck in rows}


@dataclass(frozen=True, slots=True)
class Applied:
    """Which orders changed, and which of their new notifications were begun."""

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
    """Store those changes whose order still stands as it was loaded, whole, and nothing of the others."""
    first = {change.order.order_id: change for change in reversed(changes)}
    chosen = [first[order_id] for order_id in sorted(first)]
    new = [change for change in chosen if change.order.version == 0 and change.order.order_id not in stored]
    known = [
        change
        for change in chosen
        if (before := stored.get(change.order.order_id)) and before.version == change.order.version
    ]
    born = _INSERT.inserted(conn, [order_row(change.order) for change in new], "order_id") if new else set()
    waiting = recipient_queues.unsettled(conn, [change.order.order_id for change in known if _touches_outbox(change)])
    known = [change for change in known if _absorbs(change, waiting)]
    won = [change for change in new if change.order.order_id in born] + known
    if known:
        _UPDATE.execute(conn, [order_row(change.order) for change in known])
    begun = recipient_queues.add(conn, won, waiting, now=now, now_real=now_real, lease=lease, begin=begin)
    timeline.add(conn, [entry for change in won for entry in change.entries])
    counters.orders(
        conn,
        [(stored.get(change.order.order_id), change.order) for change in won],
        shard=shard,
    )
    return Applied(frozenset(change.order.order_id for change in won), begun)


def _touches_outbox(change: Change) -> bool:
    return bool(change.notifications or change.superseded or change.absorbed_by)


def _absorbs(change: Change, waiting: Mapping[str, recipient_queues.Waiting]) -> bool:
    """Whether the update that is to tell the changed facts can still do so."""
    if change.absorbed_by is None:
        return True
    update = waiting.get(change.absorbed_by)
    return update is not None and not update.begun


# ---------------------------------------------------------------- what is due

# Each feed that has anything to wake, found by leaping through the index from one to the next.
_FEEDS = Query(
    ("feed",),
    "FROM (WITH RECURSIVE feeds(feed) AS (SELECT min(feed) FROM orders WHERE wake_at IS NOT NULL UNION ALL"
    " SELECT (SELECT min(o.feed) FROM orders o WHERE o.wake_at IS NOT NULL AND o.feed > feeds.feed)"
    " FROM feeds WHERE feeds.feed IS NOT NULL) SELECT feed FROM feeds WHERE feed IS NOT NULL) AS known",
)
# One walk along the index a feed: a sort of all that is due would cost what the backlog is long.
_DUE = Query(
    ("order_id", "wake_at"),
    "FROM orders WHERE feed = :feed AND wake_at IS NOT NULL AND wake_at <= :until ORDER BY wake_at LIMIT :limit",
)
_NEXT = Query(("wake_at",), "FROM orders WHERE feed = :feed AND wake_at IS NOT NULL ORDER BY wake_at LIMIT 1")

# ---------------------------------------------------------------- another plan

_OPEN_AFTER = Query(
    ("order_id",), "FROM orders WHERE order_id > :after AND final = 0 ORDER BY order_id LIMIT :limit {lock}"
)
# The version rises, so that whoever decided by the old plan loses, and decides again by the new one.
_NUDGE = Statement(
    "UPDATE orders SET version = version + 1,"
    " wake_at = CASE WHEN wake_at IS NULL OR wake_at > :now THEN :now ELSE wake_at END"
    " WHERE order_id IN (SELECT r.order_id FROM {given})",
    IDS,
)


def _ids(order_ids: Iterable[str]) -> list[dict[str, str]]:
    return [{"order_id": order_id} for order_id in order_ids]


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
    ) -> Committed:
        now_real = clock(conn)
        ids = {change.order.order_id for change in changes}
        if len(ids) < len(changes):
            raise ValueError("a commit holds one change for each order")
        applied = apply(
            conn,
            changes,
            lock(conn, sorted(ids)) if ids else {},
            now=micros(now),
            now_real=now_real,
            lease=recipient_queues.Lease(self._lease_token, now_real + lease // MICROSECOND),
            begin={attempt.key: attempt for attempt in begin},
            shard=self._shard,
        )
        set_aside(conn, dead_letters, now=now)
        counted = Counter({} if tally is None else tally.by_reason)
        for change in changes:
            if change.order.order_id in applied.orders:
                counted.update(change.reasons)
        counters.tally(conn, counted)
        return Committed(lost=frozenset(ids) - applied.orders, begun=applied.begun)

    @latest
    def due(
        self, conn: Connection, now: datetime, *, feeds: Collection[str], overdue: datetime, limit: int
    ) -> list[Order]:
        """Orders of `feeds` to be woken by `now`, and of all others by `overdue`, the oldest first."""
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
            min((wake_at for feed in feeds for (wake_at,) in _NEXT.fetch(conn, feed=feed)), default=None)
        )

    @transaction
    def nudge(self, conn: Connection, *, after: str, now: datetime, limit: int) -> str | None:
        """Make the next `limit` open orders due, by id from beyond `after`, because the plan is another one.

        Returns the last of their ids, to go on from; None when there are no more.
        """
        ids = [order_id for (order_id,) in _OPEN_AFTER.fetch(conn, after=after, limit=limit)]
        if ids:
            _NUDGE.execute(conn, _ids(ids), now=micros(now))
        return ids[-1] if len(ids) == limit else None
