"""Versions of the words, of which one each folder was made, and which one each replica has in force."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Text

revision = "0002"
down_revision = "0001"

Word = Text().with_variant(Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "versions",
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("content", Word, nullable=False),
        Column("catalog", Word, nullable=False),
        Column("parent", Word),
        Column("origin", Word, nullable=False),
        Column("author", Text, nullable=False),
        Column("note", Text),
        Column("at", BigInteger, nullable=False),
        Column("at_real", BigInteger, nullable=False),
    )
    op.create_table(
        "folders",
        Column("place", Text, primary_key=True),
        Column("version", BigInteger, nullable=False),
        Column("at_real", BigInteger, nullable=False),
    )
    op.create_table(
        "replicas",
        Column("name", Text, primary_key=True),
        Column("version", BigInteger, nullable=False),
        Column("at_real", BigInteger, nullable=False),
    )
    op.create_index("versions_content", "versions", ["content", "at_real"])
