"""`avisa migrate`: tells the revision of the schema, and brings it up to date."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.pool import NullPool

from avisa import private_file
from avisa.store.database import database_url
from avisa.store.database.driver_errors import store_error_of_postgres, store_error_of_sqlite
from avisa.store.database.postgres import engine
from avisa.store.sql import schema
from avisa.store.sql.schema import Status, Upgraded

T = TypeVar("T")


async def status(url: str) -> Status:
    """How far the schema is. Changes nothing, and creates no file. Raises StoreMisconfigured or StoreUnavailable."""
    where = database_url.read(url)
    if where.drivername == "sqlite" and not database_url.sqlite_file(where).exists():
        return schema.ahead_of(None)
    return await _run(where, schema.status)


async def upgrade(url: str, *, contract: bool = False) -> Upgraded:
    """Apply what is missing, one process at a time, all or nothing.

    With `contract`, contracts too: then no process of the version before may be left. Raises StoreMisconfigured or
    StoreUnavailable.
    """
    where = database_url.read(url)
    if where.drivername == "sqlite":
        file = database_url.sqlite_file(where)
        file.parent.mkdir(parents=True, exist_ok=True)
        private_file.create(file)
    return await _run(where, partial(schema.upgrade, contract=contract))


async def _run(where: URL, work: Callable[[Connection], T]) -> T:
    if where.drivername == "sqlite":
        return await asyncio.to_thread(_on_sqlite, where, work)
    pool = engine(where, connections=1)
    try:
        async with pool.begin() as conn:
            return await conn.run_sync(work)
    except Exception as error:
        raise store_error_of_postgres(error) from None
    finally:
        await pool.dispose()


def _on_sqlite(where: URL, work: Callable[[Connection], T]) -> T:
    one = create_engine(where, poolclass=NullPool, hide_parameters=True)

    @event.listens_for(one, "connect")
    def connected(raw: object, _: object) -> None:
        raw.isolation_level = None  # type: ignore[attr-defined]  # a sqlite3.Connection, which begins nothing itself

    @event.listens_for(one, "begin")
    def began(conn: Connection) -> None:
        conn.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        with one.begin() as conn:
            return work(conn)
    except Exception as error:
        raise store_error_of_sqlite(error) from None
