"""Alerts of owners that are told by the mail of another alert: listed with its attempt, settled with its settlement.

`told_by` names the alert that leads. What has it is claimed by nobody until that alert is settled. So a crash between
any two transactions loses none and tells none twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from avisa.core.alert_list import MOST_SHOWN, MOST_TOLD, kind_and_owner
from avisa.core.model import Notification, Purpose, Reason, State
from avisa.core.notification_key import order_id_of
from avisa.ports import Attempt, Claimed, Gathered, Settlement
from avisa.store import orders, recipient_queues
from avisa.store.sql.dialect import as_rows
from avisa.store.sql.moments import micros
from avisa.store.sql.rows import name_of, named, notification_of
from avisa.store.sql.statements import query, statement

_TO_LIST = query("to_list")
_CLAIMED = query("claimed")
_LOCK_TO_LIST = query("lock_to_list")
_LIST = statement("list_alerts")
_LOCK_LISTED = query("lock_listed")
_SETTLE = statement("settle_listed")
_FREE = statement("free_listed")

_ALERT = f"/{Purpose.OWNER_ALERT}/"  # stands in the key of every alert
_ARRIVED = frozenset({State.SENT, State.IN_DOUBT})


def gathered(conn: Connection, leader: Notification) -> Gathered:
    """What the mail of this alert may tell besides."""
    found = _TO_LIST.fetch(conn, key=leader.key, alert=kind_and_owner(leader), limit=MOST_TOLD)
    if not found:
        return Gathered()
    newest = {order_id: key for key, order_id in found}
    shown = list(newest.items())[:MOST_SHOWN]
    rows = {row[0]: row for row in _CLAIMED.fetch(conn, named([key for _, key in shown]))}
    known = orders.load(conn, [order_id for order_id, _ in shown])
    return Gathered(
        keys=tuple(key for key, _ in found),
        shown=tuple(
            Claimed(notification=notification_of(rows[key]), order=known[order_id])
            for order_id, key in shown
            if key in rows and order_id in known
        ),
        orders=len(newest.keys() | {leader.order_id}),
    )


def list_with(conn: Connection, attempts: Iterable[Attempt]) -> frozenset[str]:
    """List all that the mails of these attempts tell besides; return the keys of attempts of which one was lost.

    Then nothing is listed: what the mail says would not be so.
    """
    told_by = {key: attempt.key for attempt in attempts for key in attempt.lists}
    if not told_by:
        return frozenset()
    free = {
        key for key, leader in _LOCK_TO_LIST.fetch(conn, named(sorted(told_by))) if leader in (None, told_by[key])
    }
    lost = frozenset(leader for key, leader in told_by.items() if key not in free)
    listed = [{**name_of(key), "told_by": leader} for key, leader in sorted(told_by.items()) if leader not in lost]
    if listed:
        _LIST.execute(conn, listed)
    return lost


def settle_with(conn: Connection, ended: Collection[Settlement]) -> None:
    """Settle what the mails of these told, now that they are settled: it was told, or it failed with its mail."""
    by_key = {item.key: item for item in ended}
    rows: list[Mapping[str, Any]] = []
    settled: set[str] = set()
    dropped: list[str] = []
    for key, order_id, told_by in _listed(conn, by_key):
        leader = by_key[told_by]
        if leader.state in _ARRIVED:
            state, reason = State.DROPPED, Reason.LISTED
        elif leader.state is State.FAILED and leader.reason is not None:
            state, reason = State.FAILED, leader.reason
        else:
            dropped.append(key)
            continue
        rows.append(
            {
                "order_id": order_id,
                "key": key,
                "state": state,
                "reason": reason,
                "settled_at": micros(leader.at),
                "told_by_order": order_id_of(told_by),
            }
        )
        settled.add(order_id)
    if rows:
        _SETTLE.execute(conn, rows)
        recipient_queues.promote_next(conn, settled)
    if dropped:
        _FREE.execute(conn, named(dropped))


def free(conn: Connection, leaders: Collection[str]) -> None:
    """These will tell nothing: what they had listed is due again."""
    if listed := _listed(conn, leaders):
        _FREE.execute(conn, named([key for key, _, _ in listed]))


def _listed(conn: Connection, leaders: Collection[str]) -> Sequence[Sequence[Any]]:
    """Key, order and leader of all that is told by one of `leaders`, locked until the transaction ends."""
    alerts = sorted(key for key in leaders if _ALERT in key)
    return _LOCK_LISTED.fetch(conn, as_rows("told_by", alerts)) if alerts else ()
