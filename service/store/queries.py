"""Queries for people; each is answered from one snapshot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from avisa.core.model import Order, Reason, State
from avisa.ports import Counts, DeadLetter, Gauges, History, OutboxRow, RecentOrders, Sent
from avisa.store import dead_letters, orders, recent_orders
from avisa.store.database.database import OnDatabase, snapshot
from avisa.store.sql.dialect import Query, Row
from avisa.store.sql.rows import (
    DRAFT_COLUMNS,
    NOTICE_COLUMNS,
    draft_of,
    entry_of,
    moment_or_none,
    notification_of,
    order_of,
)

# Of the versions with the words of its catalog, the newest that there was when it was written. The clocks of
# database and process may differ a little, so there may be none from before.
_WRITTEN_BY = (
    "(SELECT coalesce(max(CASE WHEN v.at_real <= notifications.first_attempt_real THEN v.number END), min(v.number))"
    " FROM versions v WHERE v.content = substr(notifications.catalog, 1, 16))"
)
_OUTBOX = (*NOTICE_COLUMNS, "settled_at", "reason", "message", "locale", "catalog", _WRITTEN_BY, "message_id")
_OF_ORDER = Query(_OUTBOX, "FROM notifications WHERE order_id = :order_id ORDER BY seq")
_IN_STATE = Query(_OUTBOX, "FROM notifications WHERE state = :state ORDER BY decided_at, key")
_ALL = Query(_OUTBOX, "FROM notifications ORDER BY decided_at, key")
_SENT = Query(
    (*_OUTBOX, *DRAFT_COLUMNS),
    "FROM notifications WHERE order_id = :order_id AND state IN ('sent', 'in_doubt') ORDER BY seq",
)
_LINES = Query(("order_id", "line"), "FROM entries WHERE order_id = :order_id ORDER BY id")
_COUNTS = Query(("kind", "word", "sum(n)"), "FROM counts GROUP BY kind, word")
_BY_STATE = Query(("state", "count(*)"), "FROM notifications GROUP BY state")
# One that was replayed has been read anew, and is counted by what came of it.
_DEAD = Query(("count(*)",), "FROM dead_letters WHERE state = 'open'")
_HEADS = Query(
    (
        "state",
        "count(*)",
        "min(CASE WHEN due_real <= {clock} OR lease_token IS NOT NULL THEN decided_at END)",
    ),
    "FROM notifications WHERE due_real IS NOT NULL GROUP BY state",
)
_BEHIND = Query(
    ("state", "count(*)"),
    "FROM notifications WHERE due_real IS NULL AND settled_at IS NULL GROUP BY state",
)
_STATE = ("order_id", "version", "wake_at", "state")
_ENDED = Query(_STATE, "FROM orders WHERE ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT :most")
_OPEN = Query(_STATE, "FROM orders WHERE ended_at IS NULL LIMIT :most")


class SqlQueries(OnDatabase):
    """Satisfies Queries."""

    @snapshot
    def history(self, conn: Connection, order_id: str) -> History | None:
        order = orders.load(conn, [order_id]).get(order_id)
        if order is None:
            return None
        return History(
            order=order,
            entries=tuple(entry_of(row) for row in _LINES.fetch(conn, order_id=order_id)),
            outbox=tuple(_outbox_row(row) for row in _OF_ORDER.fetch(conn, order_id=order_id)),
        )

    @snapshot
    def outbox(self, conn: Connection, *, state: State | None = None, order_id: str | None = None) -> list[OutboxRow]:
        """Notifications in `state`, of `order_id`, or all."""
        if order_id is not None:
            rows = [_outbox_row(row) for row in _OF_ORDER.fetch(conn, order_id=order_id)]
            return [row for row in rows if state is None or row.notification.state is state]
        if state is not None:
            return [_outbox_row(row) for row in _IN_STATE.fetch(conn, state=state.value)]
        return [_outbox_row(row) for row in _ALL.fetch(conn)]

    @snapshot
    def sent(self, conn: Connection, order_id: str) -> list[Sent]:
        rows = _SENT.fetch(conn, order_id=order_id)
        return [Sent(row=_outbox_row(row), draft=draft_of(row[len(_OUTBOX) :])) for row in rows]

    @snapshot
    def counts(self, conn: Connection) -> Counts:
        """Where every event and notification ended, those long forgotten too (promise 5)."""
        kept = _kept_counts(conn)
        by_reason = {Reason(word): n for (kind, word), n in kept.items() if kind == "event" and n}
        by_state = Counter({State(word): n for (kind, word), n in kept.items() if kind == "retired"})
        by_state.update({State(state): int(n) for state, n in _BY_STATE.fetch(conn)})
        ((dead,),) = _DEAD.fetch(conn)
        return Counts(
            read=sum(by_reason.values()) + dead,
            by_reason=by_reason,
            dead_letters=dead,
            decided=sum(by_state.values()),
            by_state=dict(by_state),
        )

    @snapshot
    def gauges(self, conn: Connection) -> Gauges:
        """Reads no more rows than the backlog has."""
        kept = _kept_counts(conn)
        heads = _HEADS.fetch(conn)
        oldest = min((decided_at for _, _, decided_at in heads if decided_at is not None), default=None)
        unsettled = Counter({State(state): n for state, n, _ in heads})
        unsettled.update({State(state): n for state, n in _BEHIND.fetch(conn)})
        return Gauges(
            outbox=dict(unsettled),
            oldest_decided_at=moment_or_none(oldest),
            orders_open=kept.get(("order", "open"), 0),
            orders_final=kept.get(("order", "final"), 0),
            orders_stuck=kept.get(("order", "stuck"), 0),
            in_doubt=kept.get(("doubt", "in_doubt"), 0),
        )

    @snapshot
    def dead_letters(self, conn: Connection, ids: Collection[int] | None = None) -> list[DeadLetter]:
        return dead_letters.read(conn, ids)

    @snapshot
    def recent_orders(self, conn: Connection, *, each: int) -> Mapping[str, RecentOrders]:
        return recent_orders.heard_of(conn, each=each)

    @snapshot
    def newest_orders(self, conn: Connection, limit: int) -> list[Order]:
        return [order_of(row, ()) for query in (_ENDED, _OPEN) for row in query.fetch(conn, most=limit)]


def _kept_counts(conn: Connection) -> dict[tuple[str, str], int]:
    return {(kind, word): int(n) for kind, word, n in _COUNTS.fetch(conn)}


def _outbox_row(row: Row) -> OutboxRow:
    settled_at, reason, message, locale, catalog, version, message_id = row[len(NOTICE_COLUMNS) : len(_OUTBOX)]
    notification = notification_of(row)
    return OutboxRow(
        notification=notification,
        settled_at=moment_or_none(settled_at),
        reason=notification.gate if reason is None else Reason(reason),
        message=message or None,
        locale=locale,
        template_version=catalog,
        version=version,
        message_id=message_id or None,
    )
