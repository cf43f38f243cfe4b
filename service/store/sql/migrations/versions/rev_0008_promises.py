"""The state of each order's promise, by which `avisa promises` finds them and the metrics count them.

Of an order that has ended nobody noted whether its promise was kept, so it has none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("orders", sa.Column("promise", _WORD))
    # To read one key of its JSON PostgreSQL unescapes all of them, and refuses U+0000.
    postgresql = 'substring(state from \'"promise_state":"(open|moved)"\')'
    given = postgresql if op.get_bind().dialect.name == "postgresql" else "json_extract(state, '$.promise_state')"
    op.execute(f"UPDATE orders SET promise = {given} WHERE final = 0 AND state LIKE '%\"promise_state\"%'")  # noqa: S608 -- our own words
    op.execute(
        "INSERT INTO counts (kind, word, shard, n)"
        " SELECT 'promise', promise, 'migrated', count(*) FROM orders WHERE promise IS NOT NULL GROUP BY promise"
    )
    promised = sa.text("promise IS NOT NULL")
    op.create_index(
        "orders_promise", "orders", ["promise", "final"], sqlite_where=promised, postgresql_where=promised
    )
