"""Notifications that are decided but not settled: claim, begin, settle.

A lease is a token and an end. While it lasts nobody else is given the notification; once it was given to
somebody else, the token no longer fits, and whatever the slow one wanted to store is lost.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from avisa.core.model import SETTLED, State
from avisa.ports import Attempt, Claimed, Pause, Settlement
from avisa.store import counters, operations, orders, recipient_queues, timeline
from avisa.store.database.database import Database, OnDatabase, latest, transaction
from avisa.store.sql.dialect import Query, Statement, clock
from avisa.store.sql.rows import (
    DRAFT_COLUMNS,
    MICROSECOND,
    NOTICE_COLUMNS,
    draft_of,
    micros,
    micros_or_none,
    moment,
    notification_of,
)

_KEYS = "key text"

# What blindness holds is left to whoever reads its feed. Others would only put it off, and as long as they are the
# quicker ones, again and again. All other holds and retries have a moment before which they must not go out.
_FOR_US = (
    "(n.not_before IS NOT NULL OR n.state NOT IN ('held', 'retrying') OR n.decided_at <= :overdue OR EXISTS"
    " (SELECT 1 FROM orders o WHERE o.order_id = n.order_id AND o.feed IN (SELECT r.feed FROM {given})))"
)
_FEEDS = "feed text"

# A due line head. Its lease, if it has one, ran out by the shared clock; the rest is due by the caller's.
_CLAIMABLE = Query(
    ("n.key",),
    "FROM notifications n WHERE n.due_real <= :latest"  # noqa: S608 - a condition of ours
    " AND n.due_real <= CASE WHEN n.lease_token IS NULL THEN CAST(:now AS bigint) ELSE :clock_now END"
    f" AND {_FOR_US} AND NOT EXISTS (SELECT 1 FROM notifications e WHERE e.order_id = n.order_id AND e.seq < n.seq"
    " AND e.recipient = n.recipient AND e.channel = n.channel AND e.settled_at IS NULL)"
    " ORDER BY n.due_real LIMIT :limit {skip}",
    _FEEDS,
)
_LEASE = Statement(
    "UPDATE notifications SET lease_token = :token, due_real = :until"
    " WHERE key IN (SELECT r.key FROM {given}) AND settled_at IS NULL",
    _KEYS,
)
_RENEW = Statement(
    "UPDATE notifications SET due_real = :until WHERE key IN (SELECT r.key FROM {given})",
    _KEYS,
)
_CLAIMED = Query(
    (*NOTICE_COLUMNS, *DRAFT_COLUMNS),
    "FROM notifications WHERE key IN (SELECT r.key FROM {given}) AND settled_at IS NULL",
    _KEYS,
)
_HELD = Query(
    ("key", "order_id", "revision"),
    "FROM notifications WHERE key IN (SELECT r.key FROM {given}) AND settled_at IS NULL AND lease_token = :token"
    " ORDER BY key {lock}",
    _KEYS,
)
_BEGIN = Statement(
    "UPDATE notifications SET state = 'sending', attempts = attempts + 1,"
    " first_attempt_real = coalesce(first_attempt_real, r.at_real), next_update = r.told, draft = r.frozen,"
    " catalog = r.written_by, message = r.named, locale = r.tongue, message_id = r.mail, address_hash = r.address"
    " FROM {given} WHERE notifications.key = r.notice",
    "notice text, at_real bigint, told bigint, frozen text, written_by text, named text, tongue text, mail text,"
    " address text",
)
_GIVE_BACK = Statement(
    "UPDATE notifications SET lease_token = NULL, due_real = r.again FROM {given} WHERE notifications.key = r.notice",
    "notice text, again bigint",
)
_WAIT = Statement(
    "UPDATE notifications SET state = r.became, gate = r.word, not_before = r.earliest, due_real = r.again,"
    " lease_token = NULL, draft = CASE WHEN r.discard = 1 THEN NULL ELSE draft END,"
    " first_attempt_real = CASE WHEN r.discard = 1 THEN NULL ELSE first_attempt_real END"
    " FROM {given} WHERE notifications.key = r.notice",
    "notice text, became text, word text, earliest bigint, again bigint, discard int",
)
# What was sent, or may have been, can be shown again as long as its order is known; of the rest nothing is kept,
# and what failed is written anew if it is retried.
_SETTLE = Statement(
    "UPDATE notifications SET state = r.became, reason = r.word, settled_at = r.at, gate = NULL, not_before = NULL,"
    " due_real = NULL, lease_token = NULL, draft = CASE WHEN r.became IN ('sent', 'in_doubt') THEN draft END"
    " FROM {given} WHERE notifications.key = r.notice",
    "notice text, became text, word text, at bigint",
)
_NEXT_DUE = Query(
    ("n.due_real",),
    f"FROM notifications n WHERE n.due_real IS NOT NULL AND {_FOR_US} ORDER BY n.due_real LIMIT 1",
    _FEEDS,
)
_FREE_LEASES = Statement(
    "UPDATE notifications SET lease_token = NULL, due_real = {clock}"
    " WHERE due_real IS NOT NULL AND lease_token IS NOT NULL"
)
_UNSUBSCRIBED = Query(
    ("address_hash",),
    "FROM unsubscribed WHERE address_hash IN (SELECT r.address_hash FROM {given})",
    "address_hash text",
)


def _order(item: Settlement) -> str:
    assert item.change is not None
    return item.change.order.order_id


def _store(conn: Connection, settlements: Sequence[Settlement]) -> None:
    ended = [item for item in settlements if item.state in SETTLED]
    back = [item for item in settlements if item.state is State.QUEUED]
    waits = [item for item in settlements if item.state in (State.HELD, State.RETRYING)]
    if ended:
        _SETTLE.execute(
            conn,
            [
                {"notice": item.key, "became": item.state, "word": item.reason, "at": micros(item.at)}
                for item in ended
            ],
        )
    if back:
        _GIVE_BACK.execute(conn, [{"notice": item.key, "again": _again(conn, item)} for item in back])
    if waits:
        _WAIT.execute(
            conn,
            [
                {
                    "notice": item.key,
                    "became": item.state,
                    "word": item.reason,
                    "earliest": micros_or_none(item.not_before),
                    "again": _again(conn, item),
                    "discard": int(item.discards_draft),
                }
                for item in waits
            ],
        )


def _again(conn: Connection, item: Settlement) -> int:
    return clock(conn) if item.due_real is None else micros(item.due_real)


def _attempt_row(attempt: Attempt) -> Mapping[str, Any]:
    draft = attempt.draft
    return {
        "notice": attempt.key,
        "at_real": micros(attempt.at_real),
        "told": micros_or_none(attempt.claimed.notification.next_update),
        "frozen": draft.json.decode(),
        "written_by": draft.catalog,
        "named": draft.message,
        "tongue": draft.locale,
        "mail": draft.message_id,
        "address": draft.address_hash.hex(),
    }


def free_leases(conn: Connection) -> None:
    """Forget every lease: whoever held one is no more."""
    _FREE_LEASES.execute(conn)


def _read(feeds: Collection[str]) -> list[dict[str, str]]:
    return [{"feed": feed} for feed in feeds]


def _given(keys: Collection[str]) -> list[dict[str, str]]:
    return [{"key": key} for key in keys]


class SqlOutbox(OnDatabase):
    """Satisfies Outbox."""

    def __init__(self, database: Database, *, lease_token: str, shard: str) -> None:
        super().__init__(database)
        self._lease_token = lease_token
        self._shard = shard

    @transaction
    def claim(
        self,
        conn: Connection,
        *,
        now_real: datetime,
        lease: timedelta,
        limit: int,
        feeds: Collection[str],
        overdue: datetime,
    ) -> list[Claimed]:
        """Lease what is due: the earliest of each queue, the longest due first."""
        now, callers_now = clock(conn), micros(now_real)
        found = _CLAIMABLE.fetch(
            conn,
            _read(feeds),
            latest=max(now, callers_now),
            now=callers_now,
            clock_now=now,
            limit=limit,
            overdue=micros(overdue),
        )
        keys = [key for (key,) in found]
        if not keys:
            return []
        given = _given(keys)
        _LEASE.execute(conn, given, token=self._lease_token, until=now + lease // MICROSECOND)
        rows = {row[0]: row for row in _CLAIMED.fetch(conn, given)}
        known = orders.load(conn, {row[1] for row in rows.values()})
        drafted = len(NOTICE_COLUMNS)
        return [
            Claimed(
                notification=notification_of(row),
                order=known[row[1]],
                draft=draft_of(row[drafted:]),
            )
            for key in keys
            if (row := rows.get(key)) is not None
        ]

    @transaction
    def begin(self, conn: Connection, attempts: Sequence[Attempt]) -> frozenset[str]:
        """Freeze the drafts and mark SENDING; returns the keys that did."""
        held = self._held(conn, [attempt.key for attempt in attempts])
        ready = [
            attempt
            for attempt in attempts
            if held.get(attempt.key, ("", -1))[1] == attempt.claimed.notification.revision
        ]
        if ready:
            _BEGIN.execute(conn, [_attempt_row(attempt) for attempt in ready])
        return frozenset(attempt.key for attempt in ready)

    @transaction
    def settle(self, conn: Connection, settlements: Sequence[Settlement]) -> frozenset[str]:
        """Store outcomes with what they do to their orders; answers the keys that were lost."""
        changes = {item.change.order.order_id: item for item in reversed(settlements) if item.change is not None}
        standing = orders.lock(conn, sorted(changes)) if changes else {}
        held = self._held(conn, [item.key for item in settlements])
        mine = [item for item in settlements if item.key in held]
        stands = [item for item in mine if item.change is not None and changes[_order(item)] is item]
        applied: frozenset[str] = frozenset()
        if stands:
            applied = orders.apply(
                conn,
                [item.change for item in stands if item.change is not None],
                standing,
                now=micros(max(item.at for item in stands)),
                now_real=clock(conn),
                lease=None,
                shard=self._shard,
            ).orders
        done = [item for item in mine if item.change is None or (item in stands and _order(item) in applied)]
        _store(conn, done)
        timeline.add(conn, [item.entry for item in done if item.entry is not None])
        counters.add(conn, "doubt", {("in_doubt", self._shard): sum(item.counts_doubt for item in done)})
        ended = {held[item.key][0] for item in done if item.state in SETTLED}
        if ended:
            recipient_queues.promote_next(conn, ended)
        return frozenset(item.key for item in settlements) - {item.key for item in done}

    @transaction
    def renew(
        self, conn: Connection, keys: Collection[str], *, now_real: datetime, lease: timedelta
    ) -> frozenset[str]:
        """Lengthen the leases that this process still holds; returns their keys."""
        held = self._held(conn, keys)
        if held:
            _RENEW.execute(conn, _given(held), until=clock(conn) + lease // MICROSECOND)
        return frozenset(held)

    @latest
    def unsubscribed(self, conn: Connection, hashes: Collection[bytes]) -> frozenset[bytes]:
        rows = _UNSUBSCRIBED.fetch(conn, [{"address_hash": address_hash.hex()} for address_hash in hashes])
        return frozenset(bytes.fromhex(address_hash) for (address_hash,) in rows)

    @latest
    def next_due(self, conn: Connection, *, feeds: Collection[str], overdue: datetime) -> datetime | None:
        """The earliest real moment at which the head of a queue is to be looked at; of a leased one, when its lease
        ends."""
        rows = _NEXT_DUE.fetch(conn, _read(feeds), overdue=micros(overdue))
        return next((moment(due) for (due,) in rows), None)

    @latest
    def paused(self, conn: Connection) -> Pause | None:
        return operations.paused(conn)

    def _held(self, conn: Connection, keys: Iterable[str]) -> dict[str, tuple[str, int]]:
        """Order and revision of those keys that are unsettled and leased to this process; their rows are locked."""
        rows = _HELD.fetch(conn, _given(sorted(keys)), token=self._lease_token)
        return {key: (order_id, revision) for key, order_id, revision in rows}
