"""The table by which a signed link finds its question, and that of what operators snooze."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Text

revision = "0007"
down_revision = "0006"

_WORD = Text().with_variant(Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "questions",
        Column("link", _WORD, primary_key=True),
        Column("key", _WORD, nullable=False),
        Column("order_id", _WORD, nullable=False),
    )
    op.create_table(
        "snoozes",
        Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
        Column("of", _WORD, nullable=False),
        Column("name", _WORD, nullable=False),
        Column("until", BigInteger, nullable=False),
        Column("author", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("at", BigInteger, nullable=False),
    )
    op.create_index("questions_order", "questions", ["order_id"])
