"""An order is forgotten so long after the last word, ended or not; but not while something is still to be said."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection

from avisa.core.model import State
from avisa.store import Store, migrate, operations, queries
from avisa.store.sql.moments import micros
from tests.builders import NOW, notification
from tests.store.conftest import FreshDatabase, undivided
from tests.store.harness import change, lease_all, order, send
from tests.store.test_schema import explain

DAY = timedelta(days=1)
KEPT = 400 * DAY
LONG_AGO = NOW - KEPT - DAY
LATELY = NOW - KEPT + DAY


async def _kept(store: Store, **fields: object) -> bool:
    """Whether an order with these fields, whose one mail went out long ago, is still there after retiring."""
    rests = {"last_word_at": LONG_AGO, "wake_at": None} | fields
    await store.orders.commit([change("A", seqs=(1,), **rests)], now=NOW)  # type: ignore[arg-type]
    await lease_all(store)
    await send(store, notification("A").key, at=LONG_AGO)
    await store.operations.retire(quiet_since=NOW - KEPT, limit=9)
    return "A" in await store.orders.load(["A"])


STUCK: dict[str, object] = {"spent": True}
ENDED: dict[str, object] = {"final": True, "ended_at": LONG_AGO}
WITHOUT_A_WINDOW: dict[str, object] = {}


@pytest.mark.parametrize("fields", [STUCK, ENDED, WITHOUT_A_WINDOW])
async def test_an_order_is_forgotten_long_after_the_last_word(store: Store, fields: dict[str, object]) -> None:
    assert not await _kept(store, **fields)
    assert await store.queries.history("A") is None
    assert await store.queries.outbox() == []
    gauges = await store.queries.gauges()
    assert (gauges.orders_open, gauges.orders_final, gauges.orders_stuck) == (0, 0, 0)
    assert (await store.queries.counts()).by_state == {State.SENT: 1}


@pytest.mark.parametrize("fields", [STUCK, ENDED, WITHOUT_A_WINDOW])
async def test_an_order_that_was_heard_of_lately_is_kept(store: Store, fields: dict[str, object]) -> None:
    assert await _kept(store, **fields, last_word_at=LATELY)


@pytest.mark.parametrize("wake_at", [NOW + DAY, LONG_AGO])
async def test_an_order_with_a_deadline_is_kept(store: Store, wake_at: datetime) -> None:
    """One that lies ahead, and one that passed while we were blind: the customer is still to hear."""
    assert await _kept(store, wake_at=wake_at)


async def test_an_order_whose_mail_waits_is_kept(store: Store) -> None:
    await store.orders.commit([change("A", seqs=(1,), last_word_at=LONG_AGO, wake_at=None)], now=NOW)
    assert await store.operations.retire(quiet_since=NOW - KEPT, limit=9) == 0


async def test_an_order_whose_mail_waited_and_went_out_lately_is_kept(store: Store) -> None:
    await store.orders.commit([change("A", seqs=(1,), last_word_at=LONG_AGO, wake_at=None)], now=NOW)
    await lease_all(store)
    await send(store, notification("A").key, at=LATELY)
    assert await store.operations.retire(quiet_since=NOW - KEPT, limit=9) == 0
    assert await store.operations.retire(quiet_since=LATELY + DAY, limit=9) == 1


async def test_what_is_kept_holds_nothing_up(store: Store) -> None:
    """Even if more of it than is looked at in one go has been quiet for longer."""
    waiting = [change(f"W-{n}", seqs=(1,), last_word_at=LONG_AGO - DAY, wake_at=None) for n in range(3)]
    quiet = [change(f"Q-{n}", last_word_at=LONG_AGO, wake_at=None) for n in range(3)]
    await store.orders.commit([*waiting, *quiet], now=NOW)
    assert await store.operations.retire(quiet_since=NOW - KEPT, limit=2) == 2
    assert await store.operations.retire(quiet_since=NOW - KEPT, limit=2) == 1
    assert await store.operations.retire(quiet_since=NOW - KEPT, limit=2) == 0


async def test_the_last_word_is_kept_through_a_changed_plan(store: Store) -> None:
    """A changed plan wakes all open orders, and that is no word about any of them."""
    await store.orders.commit([change("A", last_word_at=LONG_AGO, wake_at=None)], now=NOW)
    await store.orders.wake_open_orders(after="", now=NOW, limit=9)
    assert await store.operations.retire(quiet_since=NOW - KEPT, limit=9) == 0
    woken = (await store.orders.load(["A"]))["A"]
    assert woken.last_word_at == LONG_AGO
    await store.orders.commit([change("A", woken.version, last_word_at=woken.last_word_at, wake_at=None)], now=NOW)
    assert await store.operations.retire(quiet_since=NOW - KEPT, limit=9) == 1


async def test_quiet_orders_are_found_by_index(database: FreshDatabase) -> None:
    store = await database.open()
    for start in range(0, 3000, 500):
        changes = [change(f"A-{n}", seqs=(1,)) for n in range(start, start + 500)]
        await store.orders.commit(changes, now=NOW)

    def plans(conn: Connection) -> list[str]:
        return [
            explain(conn, operations._LOCK_QUIET, since=micros(NOW), limit=500),
            explain(conn, queries._NEWEST_ENDED, limit=500),
        ]

    for plan in await store.database.write(plans):
        assert ("orders_0_last_word_at_idx" if database.divided else "orders_quiet") in plan, plan
        for table in ("orders", "notifications", "n"):
            assert f"SCAN {table}\n" not in plan + "\n", plan
        assert "Seq Scan" not in plan, plan


@undivided
async def test_an_upgrade_dates_the_last_word(database: FreshDatabase) -> None:
    """Of an order that ended to its end, of any other to the upgrade: nobody knows better."""
    store = await database.open()
    ended = {"final": True, "ended_at": LONG_AGO, "wake_at": None}
    await store.orders.commit([change("ended", **ended), change("open", wake_at=None)], now=NOW)  # type: ignore[arg-type]
    await database.close()
    database.undo_drafts()
    for statement in (
        "DROP INDEX orders_promise",
        "ALTER TABLE orders DROP COLUMN promise",
        "DROP TABLE questions",
        "DROP TABLE snoozes",
        "DROP INDEX notifications_alerts",
        "DROP INDEX notifications_told_by",
        "ALTER TABLE notifications DROP COLUMN alert",
        "ALTER TABLE notifications DROP COLUMN told_by",
        "DROP INDEX orders_quiet",
        "ALTER TABLE orders DROP COLUMN last_word_at",
        "CREATE INDEX orders_ended ON orders (ended_at) WHERE ended_at IS NOT NULL",
        "UPDATE alembic_version SET version_num = '0004'",
    ):
        database.sql(statement)
    assert (await migrate.upgrade(database.url, contract=True)).applied[0] == "0005"
    store = await database.open()
    known = await store.orders.load(["ended", "open"])
    assert known["ended"].last_word_at == LONG_AGO
    upgraded = known["open"].last_word_at
    assert upgraded is not None
    assert abs(upgraded - database.clock.real()) < DAY
    assert known["open"].facts == order().facts
    assert await store.operations.retire(quiet_since=NOW - KEPT, limit=9) == 1
