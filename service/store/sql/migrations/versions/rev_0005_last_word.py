"""When an order was last heard of or spoken of, and the index by which those are found that can be forgotten.

Of an order that has not ended nobody kept that moment, so it counts as heard of at the upgrade.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    seconds = sa.func.strftime("%s", "now") if sqlite else sa.extract("epoch", sa.func.now())
    upgraded = sa.cast(seconds, sa.BigInteger) * 1_000_000
    op.add_column("orders", sa.Column("last_word_at", sa.BigInteger))
    orders = sa.table("orders", sa.column("last_word_at"), sa.column("ended_at"))
    op.execute(orders.update().values(last_word_at=sa.func.coalesce(orders.c.ended_at, upgraded)))
    op.drop_index("orders_ended", "orders")
    quiet = sa.text("wake_at IS NULL")
    op.create_index("orders_quiet", "orders", ["last_word_at"], sqlite_where=quiet, postgresql_where=quiet)
