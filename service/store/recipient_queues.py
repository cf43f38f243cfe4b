"""Lines: the notifications of one order for one recipient on one channel, first in, first out.

Only the head of a line is ever due. Those behind it have no `due_real`, so they cost a claim nothing, and the
next one gets it when the head settles. A writer who looks who is in a line locks them; so nobody can settle
the head while somebody else queues behind it unseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from avisa.core.model import SETTLED, Reason, State
from avisa.ports import Attempt, Change
from avisa.store.sql.dialect import Query, Statement
from avisa.store.sql.rows import NOTICE_GIVEN, begun_row, notification_row


@dataclass(frozen=True, slots=True)
class Lease:
    """Whose what is claimed is, and until when (real microseconds)."""

    token: str
    until: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """An unsettled notification, locked."""

    line: tuple[str, str, str]
    begun: bool


_UNSETTLED = Query(
    ("key", "order_id", "recipient", "channel", "first_attempt_real"),
    "FROM notifications WHERE order_id IN (SELECT r.order_id FROM {given}) AND settled_at IS NULL"
    " ORDER BY key {lock}",
    "order_id text",
)
_BORN = ", ".join(column.split()[0] for column in NOTICE_GIVEN.split(","))
_INSERT = Statement(
    f"INSERT INTO notifications ({_BORN}) SELECT {_BORN} FROM {{given}} WHERE 1 = 1"  # noqa: S608 - columns of ours
    " ORDER BY key ON CONFLICT (key) DO NOTHING",
    NOTICE_GIVEN,
)
_OURS = Query(
    ("key",),
    "FROM notifications WHERE key IN (SELECT r.key FROM {given}) AND settled_at IS NULL AND lease_token = :token",
    "key text",
)
_DROP = Statement(
    "UPDATE notifications SET state = 'dropped', reason = :reason, settled_at = :now, due_real = NULL,"
    " lease_token = NULL, draft = NULL WHERE key IN (SELECT r.key FROM {given}) AND settled_at IS NULL",
    "key text",
)
_MAKE_DUE = Statement(
    "UPDATE notifications SET due_real = {clock} WHERE key IN (SELECT r.key FROM {given}) AND settled_at IS NULL"
    " AND lease_token IS NULL AND due_real > {clock}",
    "key text",
)
_ABSORB = Statement(
    "UPDATE notifications SET revision = revision + 1 WHERE key IN (SELECT r.key FROM {given})", "key text"
)
_PROMOTE_NEXT = Statement(
    "UPDATE notifications SET due_real = {clock}"
    " WHERE order_id IN (SELECT r.order_id FROM {given}) AND settled_at IS NULL AND due_real IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM notifications e WHERE e.order_id = notifications.order_id"
    " AND e.recipient = notifications.recipient AND e.channel = notifications.channel"
    " AND e.seq < notifications.seq AND e.settled_at IS NULL)",
    "order_id text",
)


def unsettled(conn: Connection, order_ids: Sequence[str]) -> dict[str, Waiting]:
    """All that is not settled of these orders, by key, kept as it is until the transaction ends."""
    if not order_ids:
        return {}
    rows = _UNSETTLED.fetch(conn, [{"order_id": order_id} for order_id in order_ids])
    return {
        key: Waiting((order_id, recipient, channel), first_attempt is not None)
        for key, order_id, recipient, channel, first_attempt in rows
    }


def add(
    conn: Connection,
    changes: Sequence[Change],
    waiting: Mapping[str, Waiting],
    *,
    now: int,
    now_real: int,
    lease: Lease | None,
    begin: Mapping[str, Attempt],
) -> frozenset[str]:
    """Queue what is new and drop what it supersedes. A new head of its queue with an attempt in `begin` is begun and
    leased by `lease`; returns the keys of these."""
    superseded = {key for change in changes for key in change.superseded}
    dropped = {key for key in superseded if key in waiting and not waiting[key].begun}
    if dropped:
        drop(conn, dropped, Reason.SUPERSEDED, now=now)
    in_doubt = superseded & waiting.keys() - dropped
    if in_doubt:  # the sender decides what became of it, and at once: others wait behind it
        _MAKE_DUE.execute(conn, [{"key": key} for key in in_doubt])
    absorbing = [change.absorbed_by for change in changes if change.absorbed_by is not None]
    if absorbing:
        _ABSORB.execute(conn, [{"key": key} for key in absorbing])
    taken = {item.line for key, item in waiting.items() if key not in dropped}
    begun: set[str] = set()
    rows: list[dict[str, Any]] = []
    for change in changes:
        for notification in sorted(change.notifications, key=lambda item: item.seq):
            if notification.key in waiting:
                continue
            row = notification_row(notification)
            rows.append(row)
            if notification.state in SETTLED or notification.key in superseded:  # born and overtaken in one batch
                row |= {"state": State.DROPPED, "reason": Reason.SUPERSEDED, "settled_at": now}
                continue
            line = (notification.order_id, notification.recipient, notification.channel)
            if line in taken:
                continue
            taken.add(line)
            attempt = begin.get(notification.key)
            if attempt is None or lease is None:
                row["due_real"] = now_real
            else:
                row |= {"due_real": lease.until, "lease_token": lease.token, **begun_row(attempt)}
                begun.add(notification.key)
    moved = {waiting[key].line[0] for key in dropped}
    if rows and _INSERT.execute(conn, rows) < len(rows):
        # A key was there already, and settled. It heads no line and is nobody's, so look who does and is.
        moved |= {row["order_id"] for row in rows}
        if begun and lease is not None:
            begun &= {key for (key,) in _OURS.fetch(conn, [{"key": key} for key in begun], token=lease.token)}
    if moved:
        promote_next(conn, moved)
    return frozenset(begun)


def drop(conn: Connection, keys: Iterable[str], reason: Reason, *, now: int) -> None:
    """Settle as dropped. The caller has locked them, and lets their lines advance."""
    _DROP.execute(conn, [{"key": key} for key in keys], reason=reason, now=now)


def promote_next(conn: Connection, order_ids: Iterable[str]) -> None:
    """Make the head of each line of these orders due at once, if nobody did before."""
    _PROMOTE_NEXT.execute(conn, [{"order_id": order_id} for order_id in sorted(order_ids)])
