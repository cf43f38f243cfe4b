"""PostgreSQL: for any number of processes, all equal.

Everything here has a time limit: connecting, waiting for a connection, a statement, a transaction, and closing a
connection whose server is frozen, for which asyncpg would wait for ever.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from avisa.store.database.database_url import encryption
from avisa.store.database.driver_errors import may_be_repeated, store_error_of_postgres
from avisa.store.errors import StoreMisconfigured, StoreOutdated
from avisa.store.sql import schema
from avisa.store.sql.dialect import SHORT

T = TypeVar("T")

CONNECT = 5.0  # seconds; also to wait for a free connection
STATEMENT = 10.0
TRANSACTION = 20.0
CLOSE = 2.0
TRIES = 6  # one, and five more against other transactions

_SETTINGS = {
    "application_name": "avisa",
    "statement_timeout": "10s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "15s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "jit": "off",  # the few short statements are the same for ever: compiling them costs more than it saves
}


def engine(url: URL, *, connections: int, settings: Mapping[str, str] = _SETTINGS) -> AsyncEngine:
    """A pool of up to `connections`, with a time limit on everything."""
    bare, encrypted = encryption(url)
    return create_async_engine(
        bare,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=CONNECT,
        hide_parameters=True,
        connect_args={
            "timeout": CONNECT,
            "command_timeout": STATEMENT,
            "server_settings": dict(settings),
            **encrypted,
        },
    )


# The flows find everything by an index, one nested loop deep. With statistics of an hour ago, or a plan kept from
# when the tables were small, the planner sometimes reads a whole table; once in every batch, nothing would move any
# more. And only a plain index scan clears away the index entries that settled notifications leave behind.
_BY_INDEX_ONLY = {f"enable_{way}": "off" for way in ("seqscan", "bitmapscan", "hashjoin", "mergejoin", "material")}


class PostgreSQL:
    """Two pools to one database, so that queries of people take no connection from the flows."""

    def __init__(self, url: URL) -> None:
        self._flows = engine(url, connections=6, settings=_SETTINGS | _BY_INDEX_ONLY)
        self._console = engine(url, connections=2)
        self._snapshot = self._console.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._dice = random.Random()  # noqa: S311 - spreads retries, keeps no secret

    async def start(self) -> None:
        """Raises StoreMisconfigured where a commit would not be durable, StoreOutdated, or StoreUnavailable."""
        if await self.write(_synchronous_commit) == "off":
            raise StoreMisconfigured("synchronous_commit is off: what PostgreSQL calls committed could still be lost")
        found = await self.write(schema.status)
        wrong = schema.wrong(found)
        if wrong is not None:
            raise StoreOutdated(wrong)
        self._flows = self._flows.execution_options(**{SHORT: found.short})

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction; again if it lost against another one."""
        return await self._run(self._flows, work)

    read_latest = write

    async def read_snapshot(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one snapshot."""
        return await self._run(self._snapshot, work)

    async def close(self) -> None:
        for pool in (self._flows, self._console):
            with suppress(Exception):  # an unreachable server needs no goodbye
                async with asyncio.timeout(CLOSE):
                    await pool.dispose()

    async def _run(self, pool: AsyncEngine, work: Callable[[Connection], T]) -> T:
        for left in reversed(range(TRIES)):
            try:
                return await _once(pool, work)
            except Exception as error:
                if not (left and may_be_repeated(error)):
                    raise store_error_of_postgres(error) from None
            await asyncio.sleep(self._dice.uniform(0.01, 0.05) * 2 ** (TRIES - 1 - left))
        raise AssertionError("the last try returns or raises")


async def _once(pool: AsyncEngine, work: Callable[[Connection], T]) -> T:
    async with asyncio.timeout(2 * CONNECT):
        conn = await pool.connect()
    whole = False
    try:
        async with asyncio.timeout(TRANSACTION):
            await conn.begin()
            result = await conn.run_sync(work)
            await conn.commit()
        whole = True
    except Exception:
        with suppress(Exception):  # then the connection is cut
            async with asyncio.timeout(CLOSE):
                await conn.rollback()
            whole = True
        raise
    finally:
        await _give_back(conn, whole=whole)
    return result


async def _give_back(conn: AsyncConnection, *, whole: bool) -> None:
    """Give the connection back to its pool; cut it if its server may be stuck in the middle of a statement."""
    with suppress(Exception):
        if not whole and not conn.invalidated:
            driver: Any = (await conn.get_raw_connection()).driver_connection
            driver.terminate()
            await conn.invalidate()
        async with asyncio.timeout(CLOSE):
            await conn.close()


def _synchronous_commit(conn: Connection) -> str:
    return str(conn.execute(text("SHOW synchronous_commit")).scalar_one())
