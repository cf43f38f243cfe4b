"""The store: one database, and for each port the class that satisfies it there."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from avisa.ports import Clock
from avisa.store import outbox
from avisa.store.database import database_url
from avisa.store.database.database import Database
from avisa.store.operations import SqlOperations
from avisa.store.orders import SqlOrders
from avisa.store.outbox import SqlOutbox
from avisa.store.queries import SqlQueries
from avisa.store.sql.moments import micros
from avisa.store.versions import SqlVersions


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Every method of its parts raises StoreUnavailable when the database cannot be reached, and StoreFailed when
    its disk failed."""

    database: Database
    orders: SqlOrders
    outbox: SqlOutbox
    versions: SqlVersions
    queries: SqlQueries
    operations: SqlOperations

    async def start(self) -> None:
        """Connect and verify the schema; on SQLite, when exclusive, bring it up to date and free all leases.

        Raises StoreOutdated, StoreInUse, StoreNotFound, StoreMisconfigured or StoreUnavailable.
        """
        try:
            await self.database.start()
        except BaseException:
            await self.database.close()
            raise

    async def close(self) -> None:
        """Finish the work that was handed over, then disconnect."""
        await self.database.close()


def open_store(url: str, *, clock: Clock, exclusive: bool) -> Store:
    """The store at `url`, not started yet. `exclusive` is the service itself: the only one on a SQLite file.

    Raises StoreMisconfigured when `url` is not the address of a store.
    """
    database = _database(url, clock, exclusive=exclusive)
    # Fences the leases of this process. It is longer than those of earlier versions (see migration 0009).
    lease_token = secrets.token_hex(9)
    shard = f"{secrets.randbelow(64):02}"  # where this process counts
    return Store(
        database=database,
        orders=SqlOrders(database, lease_token=lease_token, shard=shard),
        outbox=SqlOutbox(database, lease_token=lease_token, shard=shard),
        versions=SqlVersions(database),
        queries=SqlQueries(database),
        operations=SqlOperations(database, shard=shard),
    )


def _database(url: str, clock: Clock, *, exclusive: bool) -> Database:
    """Import the one that is asked for: the other would cost ten megabytes of memory for nothing."""
    where = database_url.read(url)
    if where.drivername == "sqlite":
        from avisa.store.database.sqlite import SQLite

        return SQLite(
            where,
            database_url.sqlite_file(where),
            lambda: micros(clock.real()),
            exclusive=exclusive,
            at_start=outbox.free_leases,
        )
    from avisa.store.database.postgres import PostgreSQL

    return PostgreSQL(where)
