"""Which alerts of owners wait to be told together, and by whose mail they are told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

Word = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    for column in ("alert", "told_by"):
        op.add_column("notifications", sa.Column(column, Word))
    for name, column in (("notifications_alerts", "alert"), ("notifications_told_by", "told_by")):
        unsettled = sa.text(f"{column} IS NOT NULL AND settled_at IS NULL")
        op.create_index(name, "notifications", [column], sqlite_where=unsettled, postgresql_where=unsettled)
