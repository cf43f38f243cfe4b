"""Orders, notifications, timeline, counts, dead letters and what belongs to them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Text, UniqueConstraint, text

revision = "0001"
down_revision = None

Word = Text().with_variant(Text(collation="C"), "postgresql")
Serial = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "orders",
        Column("order_id", Word, primary_key=True),
        Column("version", BigInteger, nullable=False),
        Column("feed", Word, nullable=False),
        Column("wake_at", BigInteger),
        Column("ended_at", BigInteger),
        Column("final", Integer, nullable=False),
        Column("stuck", Integer, nullable=False),
        Column("state", Text, nullable=False),
    )
    op.create_table(
        "notifications",
        Column("key", Word, primary_key=True),
        Column("order_id", Word, nullable=False),
        Column("seq", BigInteger, nullable=False),
        Column("recipient", Word, nullable=False),
        Column("channel", Word, nullable=False),
        Column("decided", Text, nullable=False),
        Column("decided_at", BigInteger, nullable=False),
        Column("state", Word, nullable=False),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        Column("revision", Integer, nullable=False, server_default=text("0")),
        Column("first_attempt_real", BigInteger),
        Column("next_update", BigInteger),
        Column("not_before", BigInteger),
        Column("gate", Word),
        Column("due_real", BigInteger),
        Column("lease_token", Word),
        Column("draft", Text),
        Column("catalog", Word),
        Column("message", Word),
        Column("locale", Word),
        Column("message_id", Word),
        Column("address_hash", Word),
        Column("settled_at", BigInteger),
        Column("reason", Word),
    )
    op.create_table(
        "entries",
        Column("id", Serial, primary_key=True, autoincrement=True),
        Column("order_id", Word, nullable=False),
        Column("line", Text, nullable=False),
    )
    op.create_table(
        "counts",
        Column("kind", Word, primary_key=True),
        Column("word", Word, primary_key=True),
        Column("shard", Word, primary_key=True),
        Column("n", BigInteger, nullable=False),
    )
    op.create_table(
        "dead_letters",
        Column("id", Serial, primary_key=True, autoincrement=True),
        Column("topic", Word, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("offset", BigInteger, nullable=False),
        Column("sha256", LargeBinary, nullable=False),
        Column("timestamp_real", BigInteger, nullable=False),
        Column("key", LargeBinary),
        Column("headers", Text, nullable=False),
        Column("value", LargeBinary),
        Column("size", BigInteger, nullable=False),
        Column("whole", Integer, nullable=False),
        Column("stage", Word, nullable=False),
        Column("reason", Word, nullable=False),
        Column("message", Text, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("state", Word, nullable=False),
        Column("copied", Integer, nullable=False),
        UniqueConstraint("topic", "partition", "offset", "sha256", name="dead_letters_record"),
    )
    op.create_table(
        "unsubscribed",
        Column("address_hash", Word, primary_key=True),
        Column("at", BigInteger, nullable=False),
    )
    op.create_table(
        "flags",
        Column("name", Word, primary_key=True),
        Column("value", Text, nullable=False),
    )
    op.create_table(
        "catalogs",
        Column("version", Word, primary_key=True),
        Column("content", LargeBinary, nullable=False),
        Column("at", BigInteger, nullable=False),
    )
    _partial("orders_wake", "orders", ["feed", "wake_at"], "wake_at IS NOT NULL")
    _partial("orders_ended", "orders", ["ended_at"], "ended_at IS NOT NULL")
    _partial("notifications_due", "notifications", ["due_real"], "due_real IS NOT NULL")
    _partial("notifications_waiting", "notifications", ["order_id"], "due_real IS NULL AND settled_at IS NULL")
    _partial("dead_letters_uncopied", "dead_letters", ["id"], "copied = 0")
    op.create_index("notifications_order", "notifications", ["order_id", "seq"])
    op.create_index("entries_order", "entries", ["order_id"])
    if op.get_bind().dialect.name == "postgresql":
        # These two change all day long: room for it on their pages, and dead rows swept before they pile up.
        for table in ("orders", "notifications"):
            op.execute(
                f"ALTER TABLE {table} SET (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02,"
                " autovacuum_analyze_scale_factor = 0.05)"
            )


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=text(where), postgresql_where=text(where))
