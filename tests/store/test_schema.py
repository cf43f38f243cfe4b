"""One schema in both databases, made by the migrations alone; and the hot questions find their way by index."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from avisa.core.promise import PromiseState
from avisa.store import (
    StoreMisconfigured,
    alert_lists,
    drafts,
    flood,
    migrate,
    open_store,
    orders,
    outbox,
    queries,
    questions,
    recent_orders,
)
from avisa.store.database import database_url
from avisa.store.sql import dialect, rows, schema, statements
from avisa.store.sql.moments import micros
from avisa.store.sql.tables import metadata
from tests.builders import NOW
from tests.fakes import RealClock
from tests.store.conftest import FreshDatabase, undivided
from tests.store.harness import change, order


async def test_the_migrations_create_the_declared_tables(database: FreshDatabase) -> None:
    if not database.shared:  # an empty file is made without them
        await migrate.upgrade(database.url)
    store = await database.open()

    parts = re.compile(r"_\d$")
    elsewhere = {"sqlite": "entries_id", "postgresql": "entries_order"}  # is an index of the other only

    def differences(conn: Connection) -> list[object]:
        def here(_: object, name: str | None, kind: str, reflected: bool, __: object) -> bool:
            if kind == "table":
                return not parts.search(name or "")
            return reflected or kind != "index" or name != elsewhere[conn.dialect.name]

        context = MigrationContext.configure(conn, opts={"compare_type": True, "include_object": here})
        return compare_metadata(context, metadata)

    assert await store.database.write(differences) == []


async def test_tables_created_at_once_equal_migrated_ones(tmp_path: Path) -> None:
    made, migrated = (f"sqlite:///{tmp_path}/{name}.db" for name in ("made", "migrated"))
    await migrate.upgrade(migrated)
    store = open_store(made, clock=RealClock(), exclusive=True)
    await store.start()
    await store.close()
    assert _shape(made) == _shape(migrated)
    assert (await migrate.status(made)).missing == ()


def _shape(url: str) -> set[tuple[object, ...]]:
    """Every column of every table, and every index."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as raw:
        names = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {(name, *column) for name in names for column in raw.execute(f"PRAGMA table_info({name})")}
        indexes = set(raw.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index'"))
    return columns | indexes


def test_migrations_are_named_in_their_order() -> None:
    steps = ScriptDirectory(str(schema._STEPS)).walk_revisions()
    assert tuple(step.revision for step in steps)[::-1] == schema.REVISIONS


@undivided
async def test_an_upgrade_takes_the_promises_of_orders_that_have_not_ended(database: FreshDatabase) -> None:
    """Of those that have, nobody noted what became of theirs."""
    store = await database.open()
    await store.orders.commit([change("ended", final=True, ended_at=NOW), change("open"), change("bare")], now=NOW)
    await database.close()
    database.undo_drafts()
    bare = rows.order_row(order("bare"))["state"]
    old = bare.replace("{", '{"promise_state":"moved","odd":"a \\u0000 b",', 1)
    for statement in (
        "DROP INDEX orders_promise",
        "ALTER TABLE orders DROP COLUMN promise",
        f"UPDATE orders SET state = '{bare}'",
        f"UPDATE orders SET state = '{old}' WHERE order_id <> 'bare'",
        "UPDATE alembic_version SET version_num = '0007'",
    ):
        database.sql(statement)
    assert (await migrate.upgrade(database.url, contract=True)).applied[0] == "0008"
    store = await database.open()
    assert (await store.queries.gauges()).promises[PromiseState.MOVED] == 1


async def test_an_upgrade_applies_all_and_a_second_one_nothing(tmp_path: object) -> None:
    url = f"sqlite:///{tmp_path}/deep/avisa.db"
    before = await migrate.status(url)
    assert before.current is None
    assert before.missing[-1] == before.head
    done = await migrate.upgrade(url)
    assert (done.before, done.after, done.applied) == (None, before.head, before.missing)
    after = await migrate.status(url)
    assert (after.current, after.missing) == (before.head, ())
    assert (await migrate.upgrade(url)).applied == ()


def explain(
    conn: Connection, asked: dialect.Query | dialect.Statement, rows: dialect.Rows = (), **values: object
) -> str:
    """The plan of a query, as it is asked, or of a statement."""
    explain = "EXPLAIN"
    if conn.dialect.name == "sqlite":
        explain = "EXPLAIN QUERY PLAN"
        asked = dialect._as_json(asked) if isinstance(asked, dialect.Query) else asked
    explained = dialect.Statement(f"{explain} {asked.sql}", asked.columns)
    return "\n".join(str(row[-1]) for row in dialect._execute(conn, explained, rows, dict(values)))


def test_every_statement_of_the_file_is_used() -> None:
    """A statement that no module asks for by name is dead."""
    store = Path(statements.__file__).parents[1]
    code = "".join(module.read_text("utf-8") for module in store.glob("*.py"))
    asked = re.findall(r'\b(?:query|statement)\("(\w+)"\)', code)
    asked += [
        f"forget_{kept}" for kept in re.findall(r'"(\w+)"', code.partition("for kept in (")[2].partition(")")[0])
    ]
    named = re.findall(r"^-- name: (\w+)$", statements._FILE.read_text("utf-8"), flags=re.MULTILINE)
    assert sorted(set(asked)) == sorted(named)


@undivided  # each part has names of its own for them; test_divided asks which parts are touched
async def test_the_hot_queries_go_by_index(database: FreshDatabase) -> None:
    store = await database.open()
    for start in range(0, 3000, 500):
        await store.orders.commit([change(f"A-{n}", seqs=(1,)) for n in range(start, start + 500)], now=NOW)
    if database.shared:
        # Else the planner would go by what autovacuum last saw: a test before this one, or these rows half inserted.
        database.sql("ANALYZE")
    now = micros(NOW)

    def plans(conn: Connection) -> dict[str, str]:
        ids = dialect.as_rows("order_id", ["A-1"])
        due = {
            "latest": now,
            "now": now,
            "clock_now": now,
            "limit": 9,
            "overdue": now,
            "left_over": now,
            "buckets": "1",
        }
        feeds = dialect.as_rows("feed", ["t/0"])
        key = [{"order_id": "A-1", "key": "A-1/1/update/1/customer", "state": "sent", "reason": "", "settled_at": 1}]
        return {
            "orders_wake": explain(conn, orders._DUE, feed="t/0", until=now, limit=9),
            "orders_wake ": explain(conn, orders._NEXT_WAKE, feed="t/0"),
            "orders_wake  ": explain(conn, orders._FEEDS),
            "orders_promise": explain(conn, queries._BY_PROMISE, dialect.as_rows("promise", ["broken"]), final=1),
            "notifications_due": explain(conn, outbox._CLAIMABLE, feeds, **due),
            "notifications_pkey  ": explain(conn, outbox._CLAIMABLE, feeds, **due),
            "notifications_due ": explain(conn, outbox._NEXT_DUE, feeds, overdue=now, buckets="1", patience=1),
            "notifications_pkey   ": explain(conn, orders._LOAD_PENDING, ids),
            "drafts_pkey": explain(conn, drafts._DRAFTS, key),
            "drafts_day": explain(conn, drafts._OLD, day=1, limit=9),
            "orders_pkey": explain(conn, orders._LOAD, ids),
            "questions_": explain(conn, questions._QUESTION, link="a"),
            "entries_id" if database.shared else "entries": explain(conn, recent_orders._NEWEST, before=9, limit=9),
            "entries_pkey" if database.shared else "entries_order": explain(conn, queries._TIMELINE, order_id="A-1"),
            "notifications_alerts": explain(conn, alert_lists._TO_LIST, alert="stuck/owner:a", key="A", limit=9),
            "notifications_alerts ": explain(conn, flood._ALERTS_WAITING, dialect.as_rows("alert", ["a"])),
            "notifications_told_by": explain(conn, alert_lists._LOCK_LISTED, dialect.as_rows("told_by", ["A"])),
            "notifications_pkey": explain(conn, outbox._LOCK_LEASED, key, token="t"),
            "notifications_pkey ": explain(conn, outbox._SETTLE, key, token="t"),
        }

    for index, plan in (await store.database.read_latest(plans)).items():
        wanted = index.strip()
        if not database.shared and wanted.endswith("_pkey"):
            wanted = f"sqlite_autoindex_{wanted.removesuffix('_pkey')}_1"
        assert wanted in plan, plan
        for table in ("orders", "notifications", "drafts", "n", "d"):
            assert f"SCAN {table}\n" not in plan + "\n", plan
            assert f"Seq Scan on {table}" not in plan, plan


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:s3cret@h/d",
        "s3cret",
        "",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql://u:s3cret@h:port/d",
        "postgresql://u:s3cret@[::1/d",
    ],
)
def test_a_wrong_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(StoreMisconfigured) as caught:
        open_store(url, clock=RealClock(), exclusive=True)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_sslmode_is_translated_for_asyncpg() -> None:
    url, words = database_url.encryption(database_url.read("postgresql://u@h/d?sslmode=require"))
    assert words == {"ssl": "require"}
    assert "sslmode" not in url.query
