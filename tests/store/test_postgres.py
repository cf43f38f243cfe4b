"""What only PostgreSQL can do to us: go away, freeze, and refuse."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from avisa.store import StoreMisconfigured, StoreOutdated, StoreUnavailable, migrate, open_store
from avisa.store.database import postgres as ours
from tests.builders import NOW, notification
from tests.fakes import RealClock
from tests.store.conftest import FreshDatabase
from tests.store.harness import change, lease_all
from tests.tools.parts import needs
from tests.tools.postgres import Postgres, running


@pytest.fixture(scope="module")
@needs("postgres")
def own() -> Iterator[Postgres]:
    """A server that may be stopped under the tests."""
    yield from running()


@pytest.fixture
async def database(own: Postgres) -> FreshDatabase:
    database = FreshDatabase(own.database(), own)
    await migrate.upgrade(database.url)
    return database


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_a_server_that_stops_and_starts_is_used_again(
    database: FreshDatabase, own: Postgres, mode: str
) -> None:
    store = await database.open()
    await store.orders.commit([change("A", seqs=(1,))], now=NOW)
    await lease_all(store)
    own.stop(mode)
    try:
        with pytest.raises(StoreUnavailable):
            await store.orders.commit([change("A", 1)], now=NOW)
        with pytest.raises(StoreUnavailable):
            await store.orders.load(["A"])
    finally:
        own.start()
    for _ in range(10):  # each pooled connection may have to learn it for itself
        try:
            await store.orders.load(["A"])
            break
        except StoreUnavailable:
            continue
    assert (await store.orders.load(["A"]))["A"].version == 1
    assert (await store.orders.commit([change("A", 1, seqs=(2,))], now=NOW)).lost == frozenset()
    assert [row.notification.key for row in await store.queries.outbox()] == [
        notification("A").key,
        notification("A", 2).key,
    ]
    await database.close()


async def test_a_frozen_server_is_unavailable_in_time(
    database: FreshDatabase, own: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing waits for ever, not even for the connection to be closed."""
    monkeypatch.setattr(ours, "TRANSACTION", 0.5)
    store = await database.open()
    pids = [int(pid) for pid in own.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'avisa'").split()]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(8):
            with pytest.raises(StoreUnavailable):
                await store.orders.commit([change("A")], now=NOW)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    assert (await store.orders.commit([change("A")], now=NOW)).lost == frozenset()
    await database.close()


async def test_a_port_where_nobody_listens_is_unavailable() -> None:
    store = open_store("postgresql://avisa:s3cret@127.0.0.1:9/none", clock=RealClock(), exclusive=True)
    with pytest.raises(StoreUnavailable) as caught:
        await store.start()
    assert "s3cret" not in str(caught.value)


async def test_a_read_only_standby_is_unavailable(database: FreshDatabase, own: Postgres) -> None:
    store = await database.open()
    name = database.url.rpartition("/")[2]
    own.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    own.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await store.orders.commit([change("A")], now=NOW)
    own.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = off")
    own.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    with pytest.raises(StoreUnavailable):
        await store.orders.commit([change("A")], now=NOW)
    assert (await store.orders.commit([change("A")], now=NOW)).lost == frozenset()
    await database.close()


async def test_synchronous_commit_off_is_refused(database: FreshDatabase, own: Postgres) -> None:
    name = database.url.rpartition("/")[2]
    own.sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    with pytest.raises(StoreMisconfigured, match="synchronous_commit"):
        await database.open()


async def test_a_database_without_tables_is_outdated(own: Postgres) -> None:
    store = open_store(own.database(), clock=RealClock(), exclusive=True)
    with pytest.raises(StoreOutdated, match="avisa migrate"):
        await store.start()


async def test_two_migrations_at_once_take_turns(own: Postgres) -> None:
    url = own.database()
    done = await asyncio.gather(*(migrate.upgrade(url) for _ in range(3)))
    assert sorted(len(one.applied) for one in done) == [0, 0, len((await migrate.status(own.database())).missing)]


async def test_an_upgrade_leaves_contracts_until_they_are_asked_for(database: FreshDatabase) -> None:
    database.sql("UPDATE alembic_version SET version_num = '0010'")
    done = await migrate.upgrade(database.url)
    assert (done.applied, done.contracts) == (("0011",), ("0012", "0013"))
    found = await migrate.status(database.url)
    assert (found.needed, found.contracts) == ((), ("0012", "0013"))
    await database.open()
    await database.close()
    done = await migrate.upgrade(database.url, contract=True)
    assert (done.before, done.after, done.contracts) == ("0011", "0013", ())


async def test_rows_stay_short_while_a_later_contract_is_left(database: FreshDatabase) -> None:
    database.sql("UPDATE alembic_version SET version_num = '0012'")
    assert (await migrate.upgrade(database.url)).contracts == ("0013",)
    store = await database.open()
    await store.orders.commit([change("A")], now=NOW)
    assert database.sql("SELECT substr(state, 1, 1) FROM orders") == ["z"]
    await database.close()
