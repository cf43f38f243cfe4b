"""The table by which a signed link finds its question."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

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
    op.create_index("questions_order", "questions", ["order_id"])
