"""Both databases behind one fixture, PostgreSQL once more with its tables divided by the order: every test of the
contract runs on each, and makes no illegal move."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from avisa.store import Store, migrate, open_store
from avisa.store.database import postgres
from avisa.store.sql.tables import metadata
from tests.fakes import RealClock
from tests.readme import documents
from tests.store.legal_moves import postgres_triggers, sqlite_triggers
from tests.tools import made_store
from tests.tools.postgres import Postgres
from tests.tools.waiting import PATIENCE

_DIVIDED = {"orders", "notifications", "drafts", "entries", "questions"}
_FIRST_ENTRY = "ALTER SEQUENCE entries_id_seq RESTART"


class FreshDatabase:
    """A fresh database, the stores opened on it, and ways around them."""

    def __init__(self, url: str, server: Postgres | None, *, divided: bool = False) -> None:
        self.url = url
        self.divided = divided
        self.clock = RealClock()
        self._server = server
        self._opened: list[Store] = []

    @property
    def shared(self) -> bool:
        """Whether several services may share it."""
        return self._server is not None

    @property
    def _file(self) -> Path:
        return Path(self.url.removeprefix("sqlite:///"))

    async def open(self, *, exclusive: bool = True) -> Store:
        if exclusive and self._server is None:
            await made_store.make(self._file)
        store = open_store(self.url, clock=self.clock, exclusive=exclusive)
        await store.start()
        self._opened.append(store)
        if self._server is None:
            with closing(sqlite3.connect(self._file)) as raw, raw:
                for trigger in sqlite_triggers():
                    raw.execute(trigger)
        return store

    async def close(self) -> None:
        while self._opened:
            await self._opened.pop().close()

    def pass_time(self, span: timedelta) -> None:
        """Let `span` pass by the clock that leases run by."""
        if self._server is None:
            self.clock.ahead += span
        else:
            self.sql(f"UPDATE notifications SET due_real = due_real - {int(span.total_seconds() * 1e6)}")

    def undo_drafts(self) -> None:
        """Take the schema back to 0008. Whoever does must upgrade with the contracts: other tests come after.

        `undivided` only: no version so old was ever divided.
        """
        for statement in (
            "DROP INDEX notifications_drafts",
            "DROP TABLE drafts",
            "DROP TABLE dictionaries",
            "UPDATE alembic_version SET version_num = '0008'",
        ):
            self.sql(statement)

    def sql(self, statement: str) -> list[str]:
        """Behind the store's back."""
        if self._server is not None:
            return self._server.sql(statement, self.url.rpartition("/")[2]).splitlines()
        with closing(sqlite3.connect(self._file)) as raw, raw:
            return ["|".join(map(str, row)) for row in raw.execute(statement)]


@pytest.fixture(scope="session")
def migrated(request: pytest.FixtureRequest) -> tuple[Postgres, str]:
    """One database for all: emptying it again is faster than making another."""
    return _migrated(request.getfixturevalue("postgres"))


@pytest.fixture(scope="session")
def divided(request: pytest.FixtureRequest) -> tuple[Postgres, str]:
    """The same, with its tables divided as `docs/scale.md` says."""
    return _migrated(request.getfixturevalue("postgres"), *documents.blocks("tried: divide"))


def _migrated(server: Postgres, *statements: str) -> tuple[Postgres, str]:
    url = server.database()
    with ThreadPoolExecutor() as elsewhere:  # the first who asks has a loop running here
        elsewhere.submit(lambda: asyncio.run(migrate.upgrade(url))).result()
    for statement in (*statements, *postgres_triggers()):
        server.sql(statement, url.rpartition("/")[2])
    return server, url


_UNDIVIDED = ["sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)]

# For a test that has nothing to ask of divided tables. It is not skipped on them: what CI skips, it is missing.
undivided = pytest.mark.parametrize("database", _UNDIVIDED, indirect=True)


@pytest.fixture(params=[*_UNDIVIDED, pytest.param("divided", marks=pytest.mark.needs_postgres)])
async def database(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FreshDatabase]:
    for limit in ("CONNECT", "STATEMENT", "TRANSACTION"):  # they are tried elsewhere, against a server that is frozen
        monkeypatch.setattr(postgres, limit, PATIENCE)
    for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        monkeypatch.setitem(postgres._SETTINGS, limit, f"{PATIENCE:.0f}s")
    if request.param == "sqlite":
        database = FreshDatabase(f"sqlite:///{tmp_path}/avisa.db", None)
    else:
        divided = request.param == "divided"
        server, url = request.getfixturevalue("divided" if divided else "migrated")
        database = FreshDatabase(url, server, divided=divided)
        whole = {table.name for table in metadata.sorted_tables} - (_DIVIDED if divided else set())
        database.sql(f"TRUNCATE {', '.join(whole)} RESTART IDENTITY")
        if divided:  # to truncate its many files would take longer
            database.sql("; ".join([*(f"DELETE FROM {table}" for table in _DIVIDED), _FIRST_ENTRY]))
    try:
        yield database
    finally:
        with suppress(Exception):
            await database.close()


@pytest.fixture
async def store(database: FreshDatabase) -> Store:
    """The store of the running service."""
    return await database.open()
