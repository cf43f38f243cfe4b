"""Recipient queues: the notifications of one order for one recipient on one channel, first in, first out.

Only the head of a queue has a `due_real`. The others cost a claim nothing, and the next one gets its `due_real` when
the head is settled. An alert that is gathered heads none: it is due by itself, and nothing waits behind it. Whoever
reads a queue in order to change it locks its notifications, so nobody can settle the head while another process puts
something behind it unseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from avisa.core.model import SETTLED, Reason, State
from avisa.core.quick_dataclass import dataclass
from avisa.ports import Attempt, Change
from avisa.store import drafts
from avisa.store.sql.dialect import as_rows, writes_short
from avisa.store.sql.rows import begun_row, named, notification_row
from avisa.store.sql.statements import query, statement

_LOCK_UNSETTLED = query("lock_unsettled")
_INSERT = statement("insert_notifications")
_LEASED = query("leased_keys")
_DROP = statement("drop_notifications")
_MAKE_DUE = statement("make_due")
_RAISE_REVISION = statement("raise_revision")
_PROMOTE_NEXT = statement("promote_next")


@dataclass(frozen=True, slots=True)
class Lease:
    """The token of the process that holds it, and when it ends, in real microseconds since 1970."""

    token: str
    until: int


@dataclass(frozen=True, slots=True)
class Unsettled:
    """An unsettled notification; its row is locked."""

    queue: tuple[str, str, str]  # order, recipient, channel
    begun: bool
    blocks: bool  # what comes after it in its queue waits for it


def lock_unsettled(conn: Connection, order_ids: Sequence[str]) -> dict[str, Unsettled]:
    """The unsettled notifications of these orders, by key, locked until the transaction ends."""
    if not order_ids:
        return {}
    rows = _LOCK_UNSETTLED.fetch(conn, as_rows("order_id", order_ids))
    return {
        key: Unsettled((order_id, recipient, channel), first_attempt is not None, bool(blocks))
        for key, order_id, recipient, channel, first_attempt, blocks in rows
    }


def add(
    conn: Connection,
    changes: Sequence[Change],
    unsettled: Mapping[str, Unsettled],
    *,
    now: int,
    now_real: int,
    lease: Lease | None,
    begin: Mapping[str, Attempt],
) -> frozenset[str]:
    """Queue what is new and drop what it supersedes. A new head of its queue with an attempt in `begin` is begun and
    leased by `lease`; returns the keys of these."""
    superseded = {key for change in changes for key in change.superseded}
    dropped = {key for key in superseded if key in unsettled and not unsettled[key].begun}
    if dropped:
        drop(conn, dropped, Reason.SUPERSEDED, now=now)
    already_begun = superseded & unsettled.keys() - dropped
    if already_begun:  # the sender has to find out at once what became of it: others wait behind it
        _MAKE_DUE.execute(conn, named(already_begun))
    absorbing = [change.absorbed_by for change in changes if change.absorbed_by is not None]
    if absorbing:
        _RAISE_REVISION.execute(conn, named(absorbing))
    occupied = {item.queue for key, item in unsettled.items() if item.blocks and key not in dropped}
    begun: dict[str, drafts.Place] = {}
    rows: list[dict[str, Any]] = []
    short = writes_short(conn)
    for change in changes:
        for notification in sorted(change.notifications, key=lambda item: item.seq):
            if notification.key in unsettled:
                continue
            row = notification_row(notification, short=short)
            rows.append(row)
            if notification.state in SETTLED or notification.key in superseded:  # decided and overtaken in one batch
                row |= {"state": State.DROPPED, "reason": Reason.SUPERSEDED, "settled_at": now}
                continue
            queue = (notification.order_id, notification.recipient, notification.channel)
            if queue in occupied:
                continue
            occupied.add(queue)
            attempt = begin.get(notification.key)
            if attempt is None or lease is None:
                row["due_real"] = now_real
            else:
                row |= {"due_real": lease.until, "lease_token": lease.token, **begun_row(attempt)}
                begun[notification.key] = (notification.order_id, notification.seq)
    freed = {unsettled[key].queue[0] for key in dropped}
    if rows and _INSERT.execute(conn, rows) < len(rows):
        # Some key was there already, and is settled: it heads no queue and nobody leases it. So look which do.
        freed |= {row["order_id"] for row in rows}
        if begun and lease is not None:
            begun = {key: begun[key] for (key,) in _LEASED.fetch(conn, named(begun), token=lease.token)}
    drafts.add(conn, {place: begin[key] for key, place in begun.items()})
    if freed:
        promote_next(conn, freed)
    return frozenset(begun)


def drop(conn: Connection, keys: Iterable[str], reason: Reason, *, now: int) -> None:
    """Settle them as dropped. The caller has locked them, and calls `promote_next` for their orders."""
    _DROP.execute(conn, named(keys), reason=reason, now=now)


def promote_next(conn: Connection, order_ids: Iterable[str]) -> None:
    """Make the head of each queue of these orders due at once, unless it is due or leased already."""
    _PROMOTE_NEXT.execute(conn, as_rows("order_id", sorted(order_ids)))
