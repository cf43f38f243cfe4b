"""PostgreSQL sweeps the large tables by what has changed, not when a fifth of all that there ever was has.

An order that is updated finds room on its page more often than not, so fewer pages are touched and logged. Drafts and
entries are only ever inserted; to vacuum them now and then marks their pages, so that later ones skip them.
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in ("orders", "notifications"):
            op.execute(
                f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.01,"
                " autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_limit = 2000)"
            )
        for table in ("drafts", "entries"):
            op.execute(
                f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.02,"
                " autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_vacuum_cost_limit = 2000)"
            )
