"""The index by which the dead letters are found whose values are kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    kept = sa.text("value IS NOT NULL")
    op.create_index(
        "dead_letters_kept", "dead_letters", ["id", "size", "whole"], sqlite_where=kept, postgresql_where=kept
    )
