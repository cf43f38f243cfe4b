"""On PostgreSQL the tables can be divided by the order: a statement that names one order looks into one part."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Connection

from avisa.store.sql import statements
from avisa.store.sql.dialect import Query, Row, _execute, column_names
from tests.builders import NOW, notification
from tests.store.conftest import FreshDatabase
from tests.store.harness import change

_EXPLAIN = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF)"
_SCANNED = re.compile(r" on \w+_(\d) .*actual rows")
# What statements take besides numbers.
_TEXTS = {
    "order_id": "A-1",
    "key": notification().key,
    "told_by": notification().key,
    "told_by_order": "A-1",
    "state": "dropped",
    "promise": "kept",
    "content": "\\x00",
}

# So many orders that to look into all parts does not pay.
_MANY = (
    "INSERT INTO orders (order_id, version, feed, final, stuck, state)"
    " SELECT 'B-' || n, 1, 'orders/0', 0, 0, '{}' FROM generate_series(1, 30000) AS n",
    "INSERT INTO notifications (key, order_id, seq, recipient, channel, decided, decided_at, state, due_real,"
    " first_attempt_real, address_hash)"
    " SELECT order_id || '/1/update/' || seq || '/customer', order_id, seq, 'customer', 'email', '{}', 1, 'queued',"
    " CASE seq WHEN 1 THEN 4000000000000000 END, seq, md5(order_id)"
    " FROM orders CROSS JOIN generate_series(1, 2) AS seq WHERE order_id <> 'A-1'",
    "INSERT INTO entries (order_id, line) SELECT order_id, '{}' FROM orders",
    "INSERT INTO drafts SELECT order_id, seq, 1, '' FROM notifications",
    "INSERT INTO questions SELECT md5(key), key, order_id FROM notifications",
    "ANALYZE",
)


def _of_orders() -> list[str]:
    """The names of the statements that find by its order what they read or change."""
    found = []
    for name, block in statements._blocks().items():
        sql = statements._block(name).sql
        finds = re.match("SELECT|UPDATE|DELETE", sql)
        if finds and ("order_id" in column_names(block.rows) or ":order_id" in sql):
            found.append(name)
    return found


@pytest.fixture(params=[pytest.param("divided", marks=pytest.mark.needs_postgres)])
def database(database: FreshDatabase) -> FreshDatabase:
    return database


async def test_a_statement_that_names_an_order_looks_into_one_part(database: FreshDatabase) -> None:
    store = await database.open()
    await store.orders.commit([change("A-1", seqs=(1,))], now=NOW)
    for statement in _MANY:
        database.sql(statement)
    (part,) = database.sql("SELECT right(CAST(tableoid AS regclass)::text, 1) FROM orders WHERE order_id = 'A-1'")

    def explained(conn: Connection) -> dict[str, list[Row]]:
        return {name: _plan(conn, name) for name in _of_orders()}

    found = await store.database.write(explained)
    assert len(found) > 30
    plans = {name: "\n".join(str(line) for (line,) in rows) for name, rows in found.items()}
    wrong = {
        name: plan for name, plan in plans.items() if set(_SCANNED.findall(plan)) != {part} or "Seq Scan" in plan
    }
    assert not wrong, "\n".join(f"{name}: {plan}" for name, plan in wrong.items())


def _plan(conn: Connection, name: str) -> list[Row]:
    """How the statement ran for one order; what it changed is undone."""
    block = statements._block(name)
    columns = [column.split() for column in block.rows.split(",") if column]
    row = {column: _value(column, kind) for column, kind in columns}
    values = {word: _value(word) for word in re.findall(r"(?<!:):(\w+)", block.sql)}
    with conn.begin_nested() as undone:
        explained = _execute(conn, Query(f"{_EXPLAIN} {block.sql}", block.rows), [row], values).all()
        undone.rollback()
    return list(explained)


def _value(name: str, kind: str = "") -> str | int:
    return _TEXTS.get(name, "t" if kind == "text" or name in ("token", "reason") else 1)
