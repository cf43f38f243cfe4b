"""Queries for people; each is answered from one snapshot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection

from avisa.core.model import Order, Reason, State
from avisa.core.notification_key import order_id_of
from avisa.core.promise import PromiseState
from avisa.core.question import QuestionState
from avisa.ports import (
    Asked,
    Counts,
    DeadLetter,
    Gauges,
    History,
    OutboxPlace,
    OutboxRow,
    Promised,
    RecentOrders,
    Sent,
)
from avisa.store import dead_letters, drafts, orders, questions, recent_orders, unreadable_topics
from avisa.store.database.database import OnDatabase, snapshot
from avisa.store.sql.dialect import Row, as_rows, no_bound
from avisa.store.sql.moments import micros, moment, moment_or_none
from avisa.store.sql.rows import DRAFT_COLUMNS, NOTIFICATION_COLUMNS, draft_of, entry_of, notification_of, order_of
from avisa.store.sql.statements import query

_OUTBOX = query("outbox")
_OUTBOX_OF_ORDER = query("outbox_of_order")
_OUTBOX_PLACE = query("outbox_place")
_SENT = query("sent")
_TIMELINE = query("timeline")
_COUNTS = query("counts")
_BY_STATE = query("count_by_state")
_DEAD_LETTERS = query("count_dead_letters")
_HEADS = query("count_heads")
_BEHIND = query("count_behind")
_NEWEST_ENDED = query("newest_ended_orders")
_OPEN = query("some_open_orders")
_BY_PROMISE = query("orders_by_promise")
_SENT_AT = query("sent_at")


class SqlQueries(OnDatabase):
    """Satisfies Queries."""

    @snapshot
    def history(self, conn: Connection, order_id: str) -> History | None:
        order = orders.load(conn, [order_id]).get(order_id)
        if order is None:
            return None
        return History(
            order=order,
            entries=tuple(entry_of(row) for row in _TIMELINE.fetch(conn, order_id=order_id)),
            outbox=tuple(_outbox(conn, None, order_id, None, None)),
        )

    @snapshot
    def outbox(
        self,
        conn: Connection,
        *,
        state: State | None = None,
        order_id: str | None = None,
        before: OutboxPlace | None = None,
        limit: int | None = None,
    ) -> list[OutboxRow]:
        return _outbox(conn, state, order_id, before, limit)

    @snapshot
    def outbox_place(self, conn: Connection, key: str) -> OutboxPlace | None:
        for decided_at, seq in _OUTBOX_PLACE.fetch(conn, order_id=order_id_of(key), key=key):
            return OutboxPlace(key=key, decided_at=moment(decided_at), seq=seq)
        return None

    @snapshot
    def sent(self, conn: Connection, order_id: str) -> list[Sent]:
        width = len(DRAFT_COLUMNS)
        rows = _SENT.fetch(conn, order_id=order_id)
        frozen = drafts.read(conn, [row[width] for row in rows])
        return [
            Sent(row=_outbox_row(row[width:]), draft=draft_of(row[:width], frozen.get(row[width]))) for row in rows
        ]

    @snapshot
    def question(self, conn: Connection, link: bytes) -> Asked | None:
        return questions.read(conn, link)

    @snapshot
    def counts(self, conn: Connection) -> Counts:
        """Where every event and notification ended, those long forgotten too (promise 5)."""
        kept = _kept_counts(conn)
        by_reason = {Reason(word): n for (kind, word), n in kept.items() if kind == "event" and n}
        by_state = Counter({State(word): n for (kind, word), n in kept.items() if kind == "retired"})
        by_state.update({State(state): int(n) for state, n in _BY_STATE.fetch(conn)})
        ((dead,),) = _DEAD_LETTERS.fetch(conn)
        dead += kept.get(("dead_letter", "open"), 0)
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
            questions={state: kept.get(("question", state), 0) for state in QuestionState},
            promises={state: kept.get(("promise", state), 0) for state in PromiseState},
            in_doubt=kept.get(("doubt", "in_doubt"), 0),
        )

    @snapshot
    def dead_letters(
        self, conn: Connection, *, before: int | None = None, limit: int | None = None
    ) -> list[DeadLetter]:
        return dead_letters.page(conn, before=before, limit=limit)

    @snapshot
    def open_dead_letters(self, conn: Connection, *, after: int, until: int, limit: int) -> list[DeadLetter]:
        return dead_letters.still_open(conn, after=after, until=until, limit=limit)

    @snapshot
    def dead_letters_by_id(self, conn: Connection, ids: Collection[int]) -> list[DeadLetter]:
        return dead_letters.by_id(conn, ids)

    @snapshot
    def promises(self, conn: Connection, *, state: PromiseState | None = None) -> list[Promised]:
        states = list(PromiseState) if state is None else [state]
        rows = _BY_PROMISE.fetch(conn, as_rows("promise", states), final=int(state is not None))
        found = [order_of(row, ()) for row in rows]
        messages = [
            {"order_id": order.order_id, "seq": order.promise.message_seq}
            for order in found
            if order.promise is not None and order.promise.message_seq
        ]
        sent = {order_id: moment(at) for order_id, at in _SENT_AT.fetch(conn, messages)} if messages else {}
        return [Promised(order=order, sent_at=sent.get(order.order_id)) for order in found]

    @snapshot
    def recent_orders(self, conn: Connection, *, each: int) -> Mapping[str, RecentOrders]:
        return recent_orders.by_status(conn, each=each)

    @snapshot
    def unreadable_topics(self, conn: Connection, *, run: int) -> Mapping[str, Reason]:
        return unreadable_topics.by_topic(conn, run=run)

    @snapshot
    def newest_orders(self, conn: Connection, limit: int) -> list[Order]:
        return [order_of(row, ()) for found in (_NEWEST_ENDED, _OPEN) for row in found.fetch(conn, limit=limit)]


def _kept_counts(conn: Connection) -> dict[tuple[str, str], int]:
    return {(kind, word): int(n) for kind, word, n in _COUNTS.fetch(conn)}


def _outbox(
    conn: Connection, state: State | None, order_id: str | None, before: OutboxPlace | None, limit: int | None
) -> list[OutboxRow]:
    """In the order of deciding."""
    page: dict[str, Any] = {"state": state or "", "limit": no_bound(limit)}
    if order_id is None:
        key, decided_at = (before.key, micros(before.decided_at)) if before else ("", None)
        rows = _OUTBOX.fetch(conn, **page, decided_at=no_bound(decided_at), key=key)
    else:
        rows = _OUTBOX_OF_ORDER.fetch(conn, **page, order_id=order_id, seq=no_bound(before.seq if before else None))
    return [_outbox_row(row) for row in reversed(rows)]


def _outbox_row(row: Row) -> OutboxRow:
    settled_at, reason, message, locale, catalog, version, message_id = row[len(NOTIFICATION_COLUMNS) :]
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
