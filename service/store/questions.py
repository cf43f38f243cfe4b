"""Questions to owners: which one a link is about, and how many there are in each state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from avisa.core import questions
from avisa.core.model import Purpose
from avisa.core.question import QuestionState
from avisa.core.question_token import link_of
from avisa.ports import Asked, Change
from avisa.store import counters, drafts
from avisa.store.sql.dialect import Rows, as_rows
from avisa.store.sql.rows import DRAFT_COLUMNS, draft_of, notification_of, order_of
from avisa.store.sql.statements import query, statement

_INSERT = statement("insert_questions")
_QUESTION = query("question")
_ORDERS = query("orders_with_questions")
_LOAD = query("load_orders")


def add(conn: Connection, changes: Sequence[Change], *, shard: str) -> None:
    """Remember the new questions among the changes, and count what became of the others."""
    rows: list[dict[str, Any]] = []
    moved: Counter[tuple[str, str]] = Counter()
    for change in changes:
        for state, number in change.questions.items():
            moved[state, shard] += number
        for item in change.notifications:
            if item.purpose is Purpose.ASK_OWNER:
                rows.append({"link": link_of(item.key).hex(), "key": item.key, "order_id": item.order_id})
    if rows:
        _INSERT.execute(conn, rows)
    if moved:
        counters.add(conn, "question", moved)


def retire(conn: Connection, ids: Rows, *, shard: str) -> None:
    """Count the open questions of these orders, which are about to be forgotten, as unanswered."""
    asked = as_rows("order_id", sorted({order_id for (order_id,) in _ORDERS.fetch(conn, ids)}))
    if not asked:
        return
    known = (order_of(row, ()) for row in _LOAD.fetch(conn, asked))
    left = sum(questions.newest_open(order) is not None for order in known)
    counters.add(conn, "question", {(QuestionState.OPEN, shard): -left, (QuestionState.UNANSWERED, shard): left})


def read(conn: Connection, link: bytes) -> Asked | None:
    """The question that the link is about, and the draft of its mail; None if it is not known."""
    for row in _QUESTION.fetch(conn, link=link.hex()):
        notification = notification_of(row[len(DRAFT_COLUMNS) :])
        frozen = drafts.read(conn, [notification.key])
        return Asked(
            notification=notification, draft=draft_of(row[: len(DRAFT_COLUMNS)], frozen.get(notification.key))
        )
    return None
