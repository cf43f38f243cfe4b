"""The order is in every key of what belongs to an order, so that the tables can be divided by it.

The version before looks for notifications and questions by the key that they had, and its inserts name that key. So
this is a contract (see `schema.CONTRACTS`); this version works with both. An index over order and `seq` goes, for the
new key begins with the order, too, and of one order there are few notifications.

On PostgreSQL the new keys are made in a moment where an operator has made their indexes before, while the service
ran: see `docs/operations.md`. SQLite cannot change a key, so it copies the two tables.
"""

from __future__ import annotations

from typing import Any

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Text, text

revision = "0013"
down_revision = "0012"

_WORD = Text().with_variant(Text(collation="C"), "postgresql")

_ON_POSTGRESQL = """
CREATE UNIQUE INDEX IF NOT EXISTS notifications_by_order ON notifications (order_id, key);
CREATE UNIQUE INDEX IF NOT EXISTS entries_by_order ON entries (order_id, id);
CREATE INDEX IF NOT EXISTS entries_id ON entries (id);
CREATE UNIQUE INDEX IF NOT EXISTS questions_by_order ON questions (order_id, link);
CREATE INDEX IF NOT EXISTS questions_link ON questions (link);
ALTER TABLE notifications DROP CONSTRAINT notifications_pkey,
    ADD CONSTRAINT notifications_pkey PRIMARY KEY USING INDEX notifications_by_order;
ALTER TABLE entries DROP CONSTRAINT entries_pkey,
    ADD CONSTRAINT entries_pkey PRIMARY KEY USING INDEX entries_by_order;
ALTER TABLE questions DROP CONSTRAINT questions_pkey,
    ADD CONSTRAINT questions_pkey PRIMARY KEY USING INDEX questions_by_order;
DROP INDEX IF EXISTS notifications_order, entries_order, questions_order;
DROP TRIGGER IF EXISTS keep_from_old ON notifications;
DROP FUNCTION IF EXISTS avisa_keep_from_old
"""

_Indexes = dict[str, tuple[list[str], str | None]]  # by name: columns, and which rows

_INDEXES: _Indexes = {
    "notifications_due": (["due_real"], "due_real IS NOT NULL"),
    "notifications_waiting": (["order_id"], "due_real IS NULL AND settled_at IS NULL"),
    "notifications_address": (["address_hash", "first_attempt_real"], None),
    "notifications_alerts": (["alert"], "alert IS NOT NULL AND settled_at IS NULL"),
    "notifications_told_by": (["told_by"], "told_by IS NOT NULL AND settled_at IS NULL"),
    "notifications_drafts": (["first_attempt_real"], "draft IS NOT NULL"),
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for statement in _ON_POSTGRESQL.split(";"):
            op.execute(statement)
    else:
        _copy_notifications()
        _copy_questions()


def _copy_notifications() -> None:
    columns = (
        Column("key", _WORD, nullable=False),
        Column("order_id", _WORD, nullable=False),
        Column("seq", BigInteger, nullable=False),
        Column("recipient", _WORD, nullable=False),
        Column("channel", _WORD, nullable=False),
        Column("decided", Text, nullable=False),
        Column("decided_at", BigInteger, nullable=False),
        Column("state", _WORD, nullable=False),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        Column("revision", Integer, nullable=False, server_default=text("0")),
        Column("first_attempt_real", BigInteger),
        Column("next_update", BigInteger),
        Column("not_before", BigInteger),
        Column("gate", _WORD),
        Column("due_real", BigInteger),
        Column("lease_token", _WORD),
        Column("draft", Text),
        Column("catalog", _WORD),
        Column("message", _WORD),
        Column("locale", _WORD),
        Column("message_id", _WORD),
        Column("address_hash", _WORD),
        Column("settled_at", BigInteger),
        Column("reason", _WORD),
        Column("alert", _WORD),
        Column("told_by", _WORD),
    )
    _copy("notifications", columns, key=("order_id", "key"), indexes=_INDEXES, order="order_id, seq")


def _copy_questions() -> None:
    columns = (
        Column("link", _WORD, nullable=False),
        Column("key", _WORD, nullable=False),
        Column("order_id", _WORD, nullable=False),
    )
    _copy("questions", columns, key=("order_id", "link"), indexes={"questions_link": (["link"], None)}, order="link")


def _copy(
    table: str, columns: tuple[Column[Any], ...], *, key: tuple[str, str], indexes: _Indexes, order: str
) -> None:
    """Put a table with this key in its place.

    Rows are walked in an order that an index has, and new indexes are there before them: what SQLite sorts it holds
    in memory.
    """
    names = ", ".join(column.name for column in columns)
    for index in indexes:
        op.execute(f"DROP INDEX IF EXISTS {index}")
    op.rename_table(table, "copied")
    op.create_table(table, *columns, PrimaryKeyConstraint(*key))
    for index, (indexed, where) in indexes.items():
        op.create_index(index, table, indexed, sqlite_where=None if where is None else text(where))
    op.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM copied ORDER BY {order}")  # noqa: S608 - names of ours
    op.drop_table("copied")
