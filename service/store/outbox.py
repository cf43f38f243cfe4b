"""Notifications that are decided but not settled: claim, begin, settle.

A lease is a token and an end. While it lasts nobody else is given the notification; once it was given to
somebody else, the token no longer fits, and whatever the slow one wanted to store is lost.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from avisa.core.model import SETTLED, State
from avisa.ports import Attempt, Claimed, Settlement
from avisa.store import counters, orders, recipient_queues, timeline
from avisa.store.sql.dialect import Query, Statement, clock
from avisa.store.sql.rows import DRAFT_COLUMNS, NOTICE_COLUMNS, draft_of, micros, micros_or_none, notification_of

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


def claim(
    conn: Connection, *, now_real: int, lease: int, limit: int, feeds: Collection[str], overdue: int, token: str
) -> list[Claimed]:
    """Lease what is due, the earliest of each line, the longest due first."""
    now = clock(conn)
    found = _CLAIMABLE.ask(
        conn, _read(feeds), latest=max(now, now_real), now=now_real, clock_now=now, limit=limit, overdue=overdue
    )
    keys = [key for (key,) in found]
    if not keys:
        return []
    given = _given(keys)
    _LEASE.run(conn, given, token=token, until=now + lease)
    rows = {row[0]: row for row in _CLAIMED.ask(conn, given)}
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


def renew(conn: Connection, keys: Collection[str], *, lease: int, token: str) -> frozenset[str]:
    """Lengthen what is still ours; answers what that is."""
    ours = _held(conn, sorted(keys), token)
    if ours:
        _RENEW.run(conn, _given(list(ours)), until=clock(conn) + lease)
    return frozenset(ours)


def begin(conn: Connection, attempts: Sequence[Attempt], *, token: str) -> frozenset[str]:
    """Freeze the drafts and mark SENDING; answers the keys that did."""
    held = _held(conn, [attempt.key for attempt in attempts], token)
    ready = [
        attempt for attempt in attempts if held.get(attempt.key, ("", -1))[1] == attempt.claimed.notification.revision
    ]
    if ready:
        _BEGIN.run(conn, [_attempt_row(attempt) for attempt in ready])
    return frozenset(attempt.key for attempt in ready)


def settle(conn: Connection, settlements: Sequence[Settlement], *, token: str, shard: str) -> frozenset[str]:
    """Store outcomes with what they do to their orders; answers the keys that were lost."""
    changes = {item.change.order.order_id: item for item in reversed(settlements) if item.change is not None}
    standing = orders.lock(conn, sorted(changes)) if changes else {}
    held = _held(conn, [item.key for item in settlements], token)
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
            shard=shard,
        ).orders
    done = [item for item in mine if item.change is None or (item in stands and _order(item) in applied)]
    _store(conn, done)
    timeline.add(conn, [item.entry for item in done if item.entry is not None])
    counters.add(conn, "doubt", {("in_doubt", shard): sum(item.counts_doubt for item in done)})
    ended = {held[item.key][0] for item in done if item.state in SETTLED}
    if ended:
        recipient_queues.advance(conn, ended)
    return frozenset(item.key for item in settlements) - {item.key for item in done}


def _order(item: Settlement) -> str:
    assert item.change is not None
    return item.change.order.order_id


def _store(conn: Connection, settlements: Sequence[Settlement]) -> None:
    ended = [item for item in settlements if item.state in SETTLED]
    back = [item for item in settlements if item.state is State.QUEUED]
    waits = [item for item in settlements if item.state in (State.HELD, State.RETRYING)]
    if ended:
        _SETTLE.run(
            conn,
            [
                {"notice": item.key, "became": item.state, "word": item.reason, "at": micros(item.at)}
                for item in ended
            ],
        )
    if back:
        _GIVE_BACK.run(conn, [{"notice": item.key, "again": _again(conn, item)} for item in back])
    if waits:
        _WAIT.run(
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


def _held(conn: Connection, keys: Sequence[str], token: str) -> dict[str, tuple[str, int]]:
    """Order and revision of those keys that are unsettled and leased to `token`, locked."""
    rows = _HELD.ask(conn, _given(sorted(keys)), token=token)
    return {key: (order_id, revision) for key, order_id, revision in rows}


def next_due(conn: Connection, *, feeds: Collection[str], overdue: int) -> int | None:
    """The earliest real moment at which a line head is to be looked at; of a leased one, when its lease ends."""
    return next((due for (due,) in _NEXT_DUE.ask(conn, _read(feeds), overdue=overdue)), None)


def free_leases(conn: Connection) -> None:
    """Forget every lease: whoever held one is no more."""
    _FREE_LEASES.run(conn)


def unsubscribed(conn: Connection, hashes: Collection[bytes]) -> frozenset[bytes]:
    """Those of the address hashes that want no reminders."""
    rows = _UNSUBSCRIBED.ask(conn, [{"address_hash": octets.hex()} for octets in hashes])
    return frozenset(bytes.fromhex(octets) for (octets,) in rows)


def _read(feeds: Collection[str]) -> list[dict[str, str]]:
    return [{"feed": feed} for feed in feeds]


def _given(keys: Collection[str]) -> list[dict[str, str]]:
    return [{"key": key} for key in keys]
