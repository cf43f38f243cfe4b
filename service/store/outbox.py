"""Notifications that are decided but not settled: claim, begin, settle.

A lease is a token and an end. Until its end no other process can claim the notification. Once another process has
claimed it, the token differs, and what the slower process still wants to store is lost.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection

from avisa.core import bucket
from avisa.core.flood import NO_BUDGETS, Budgets
from avisa.core.model import SETTLED, Notification, Reason, State
from avisa.core.snooze import Snooze
from avisa.ports import Attempt, Begun, Claimed, Gathered, Pause, Settlement
from avisa.store import alert_lists, counters, drafts, flood, operations, orders, recipient_queues, snoozes, timeline
from avisa.store.database.database import Database, OnDatabase, latest, transaction
from avisa.store.sql.dialect import Row, as_rows, clock
from avisa.store.sql.moments import MICROSECOND, micros, micros_or_none, moment
from avisa.store.sql.rows import NOTIFICATION_COLUMNS, draft_of, draft_row, name_of, named, notification_of
from avisa.store.sql.statements import columns, query, statement

_CLAIMABLE = query("claimable")
_LEASE = statement("lease")
_CLAIMED = query("claimed")
_RENEW = statement("renew_leases")
_LEASED = columns("leased")
_LOCK_LEASED = query("lock_leased")
_BEGIN = statement("begin_attempts")
_GIVE_BACK = statement("give_back")
_HOLD_OR_RETRY = statement("hold_or_retry")
_SETTLE = statement("settle")
_NEXT_DUE = query("next_due")
_FREE_LEASES = statement("free_leases")
_UNSUBSCRIBED = query("unsubscribed")

# So long what is due is left to the process whose bucket it is in. If that has not claimed it then, it reads its
# partition no more, or has too much to do.
_PATIENCE = timedelta(seconds=5) // MICROSECOND


def free_leases(conn: Connection) -> None:
    """End every lease, at the start of the only process on a SQLite file: those who held them are gone."""
    _FREE_LEASES.execute(conn)


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
        buckets: Collection[int] = bucket.ALL,
    ) -> list[Claimed]:
        """Lease the due heads of queues, the longest due first."""
        now, callers_now = clock(conn), micros(now_real)
        found = _CLAIMABLE.fetch(
            conn,
            as_rows("feed", feeds),
            latest=max(now, callers_now),
            now=callers_now,
            clock_now=now,
            limit=limit,
            overdue=micros(overdue),
            buckets=_written(buckets),
            left_over=min(now, callers_now) - _PATIENCE,
        )
        keys = [key for (key,) in found]
        if not keys:
            return []
        leased = named(keys)
        _LEASE.execute(conn, leased, token=self._lease_token, until=now + lease // MICROSECOND)
        rows = {row[0]: row for row in _CLAIMED.fetch(conn, leased)}
        known = orders.load(conn, {row[1] for row in rows.values()})
        width = len(NOTIFICATION_COLUMNS)
        claimed = {key: notification_of(rows[key]) for key in keys if key in rows}
        frozen = drafts.read(conn, [key for key, notification in claimed.items() if notification.begun])
        return [
            Claimed(
                notification=notification,
                order=known[notification.order_id],
                draft=draft_of(rows[key][width:], frozen.get(key)),
            )
            for key, notification in claimed.items()
        ]

    @transaction
    def begin(self, conn: Connection, attempts: Sequence[Attempt], budgets: Budgets = NO_BUDGETS) -> Begun:
        """Store the drafts and mark SENDING."""
        over_budget = flood.waits(conn, attempts, budgets)
        leased = self._lock_leased(conn, [attempt.key for attempt in attempts])
        ready = [
            attempt
            for attempt in attempts
            if attempt.key not in over_budget
            and leased.get(attempt.key, _NOT_OURS).revision == attempt.claimed.notification.revision
        ]
        incomplete = alert_lists.list_with(conn, ready)
        ready = [attempt for attempt in ready if attempt.key not in incomplete]
        if ready:
            _BEGIN.execute(conn, [_attempt_row(attempt) for attempt in ready])
            drafts.add(conn, {leased[attempt.key].place: attempt for attempt in ready})
        return Begun(keys=frozenset(attempt.key for attempt in ready), over_budget=over_budget)

    @transaction
    def settle(self, conn: Connection, settlements: Sequence[Settlement]) -> frozenset[str]:
        """Store outcomes with what they do to their orders; returns the keys that were lost.

        Of two that change the same order only the first can be stored: the other was decided on what it overtook.
        """
        changing = {item.change.order.order_id: item for item in reversed(settlements) if item.change is not None}
        applied = self._apply(conn, list(changing.values()))
        done = [item for item in settlements if item.change is None or item.key in applied]
        leased = self._store(conn, done)
        done = [item for item in done if item.key in leased]
        drafts.discard(conn, [leased[item.key].place for item in done if _discards(item)])
        timeline.add(conn, [item.entry for item in done if item.entry is not None])
        counters.add(conn, "doubt", {("in_doubt", self._shard): sum(item.counts_doubt for item in done)})
        freeing = [item for item in done if item.state in SETTLED or item.reason is Reason.GATHERED]
        freed = {leased[item.key].order_id for item in freeing}
        if freed:
            recipient_queues.promote_next(conn, freed)
        alert_lists.settle_with(conn, [item for item in done if item.state in SETTLED])
        return frozenset(item.key for item in settlements) - {item.key for item in done}

    @transaction
    def renew(
        self, conn: Connection, keys: Collection[str], *, now_real: datetime, lease: timedelta
    ) -> frozenset[str]:
        """Renew the leases that this process still holds; returns their keys."""
        leased = self._lock_leased(conn, keys)
        if leased:
            _RENEW.execute(conn, named(leased), until=clock(conn) + lease // MICROSECOND)
        return frozenset(leased)

    @latest
    def gathered(self, conn: Connection, leader: Notification) -> Gathered:
        return alert_lists.gathered(conn, leader)

    @latest
    def unsubscribed(self, conn: Connection, hashes: Collection[bytes]) -> frozenset[bytes]:
        rows = _UNSUBSCRIBED.fetch(conn, [{"address_hash": address_hash.hex()} for address_hash in hashes])
        return frozenset(bytes.fromhex(address_hash) for (address_hash,) in rows)

    @latest
    def snoozes(self, conn: Connection, *, now: datetime) -> list[Snooze]:
        return snoozes.lasting(conn, now)

    @latest
    def next_due(
        self, conn: Connection, *, feeds: Collection[str], overdue: datetime, buckets: Collection[int] = bucket.ALL
    ) -> datetime | None:
        """When the head that is due first, or whose lease ends first, can be claimed with these buckets, real."""
        rows = _NEXT_DUE.fetch(
            conn, as_rows("feed", feeds), overdue=micros(overdue), buckets=_written(buckets), patience=_PATIENCE
        )
        return next((moment(due) for (due,) in rows), None)

    @latest
    def paused(self, conn: Connection) -> Pause | None:
        return operations.paused(conn)

    def _lock_leased(self, conn: Connection, keys: Iterable[str]) -> dict[str, _Leased]:
        """Those keys that are unsettled and leased to this process; their rows are locked."""
        return _by_key(_LOCK_LEASED.fetch(conn, named(sorted(keys)), token=self._lease_token))

    def _apply(self, conn: Connection, settlements: Sequence[Settlement]) -> frozenset[str]:
        """Store what these do to their orders, each to another; returns the keys of those that lost no race."""
        changes = {item.key: item.change for item in settlements if item.change is not None}
        if not changes:
            return frozenset()
        stored = orders.lock(conn, sorted(change.order.order_id for change in changes.values()))
        leased = self._lock_leased(conn, changes)
        ours = [item for item in settlements if item.key in leased]
        if not ours:
            return frozenset()
        applied = orders.apply(
            conn,
            [changes[item.key] for item in ours],
            stored,
            now=micros(max(item.at for item in ours)),
            now_real=clock(conn),
            lease=None,
            shard=self._shard,
        ).orders
        return frozenset(item.key for item in ours if changes[item.key].order.order_id in applied)

    def _store(self, conn: Connection, settlements: Sequence[Settlement]) -> dict[str, _Leased]:
        """Store the outcomes of those that are unsettled and leased to this process; returns where these stand.

        They are looked for by the statement that changes them: to lock them before would take a third of its time.
        """
        leased: dict[str, _Leased] = {}
        ordered = sorted(settlements, key=attrgetter("key"))
        for stored, states, row in _OUTCOMES:
            rows = [row(conn, item) for item in ordered if item.state in states]
            if rows:
                leased |= _by_key(stored.execute_found(conn, rows, _LOCK_LEASED, _LEASED, token=self._lease_token))
        return leased


def _written(buckets: Collection[int]) -> str:
    """A digit for each bucket, 1 if it is one of these: `in_our_buckets` looks it up."""
    return "".join("1" if each in buckets else "0" for each in range(bucket.BUCKETS))


class _Leased(NamedTuple):
    order_id: str
    seq: int
    revision: int

    @property
    def place(self) -> drafts.Place:
        return self.order_id, self.seq


_NOT_OURS = _Leased("", 0, -1)


def _by_key(rows: Iterable[Row]) -> dict[str, _Leased]:
    """From rows of the part `leased`."""
    return {key: _Leased(order_id, seq, revision) for key, order_id, seq, revision in rows}


_NOT_SENT = SETTLED - {State.SENT, State.IN_DOUBT}


def _discards(item: Settlement) -> bool:
    """Whether it needs no draft any more. Only what was sent, or may have been, can be shown again."""
    return item.discards_draft or item.state in _NOT_SENT


def _ended(_: Connection, item: Settlement) -> Mapping[str, Any]:
    return {**name_of(item.key), "state": item.state, "reason": item.reason, "settled_at": micros(item.at)}


def _returned(conn: Connection, item: Settlement) -> Mapping[str, Any]:
    return {**name_of(item.key), "due_real": _due_real(conn, item)}


def _waiting(conn: Connection, item: Settlement) -> Mapping[str, Any]:
    return {
        **name_of(item.key),
        "state": item.state,
        "gate": item.reason,
        "not_before": micros_or_none(item.not_before),
        "due_real": _due_real(conn, item),
        "discards_draft": int(item.discards_draft),
    }


# How each state is stored: by which statement, and with which row.
_OUTCOMES = (
    (_SETTLE, SETTLED, _ended),
    (_GIVE_BACK, {State.QUEUED}, _returned),
    (_HOLD_OR_RETRY, {State.HELD, State.RETRYING}, _waiting),
)


def _due_real(conn: Connection, item: Settlement) -> int:
    return clock(conn) if item.due_real is None else micros(item.due_real)


def _attempt_row(attempt: Attempt) -> Mapping[str, Any]:
    return {
        **name_of(attempt.key),
        "at_real": micros(attempt.at_real),
        "next_update": micros_or_none(attempt.claimed.notification.next_update),
        **draft_row(attempt.draft),
    }
