"""The store as the flows, the reads and the commands see it: their Protocols, on either database."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from avisa.core.model import Order, State
from avisa.core.template_versions import Version
from avisa.ports import (
    Attempt,
    Change,
    Claimed,
    Clock,
    Committed,
    Counts,
    DeadLetter,
    Gauges,
    History,
    InForce,
    OutboxRow,
    Pause,
    RecentOrders,
    Sent,
    Settlement,
    Tally,
    Unreadable,
)
from avisa.store import (
    catalogs,
    counters,
    dead_letters,
    operations,
    orders,
    outbox,
    queries,
    recent_orders,
    recipient_queues,
    versions,
)
from avisa.store.database import database_url
from avisa.store.database.database import Database
from avisa.store.sql.dialect import clock as shared_clock
from avisa.store.sql.rows import micros, moment_or_none

_MICROSECOND = timedelta(microseconds=1)


def open_store(url: str, *, clock: Clock, exclusive: bool) -> Store:
    """The store at `url`, not started yet. `exclusive` is the service itself: the only one on a SQLite file.

    Raises StoreMisconfigured when `url` is not the address of a store.
    """
    where = database_url.read(url)
    if where.drivername == "sqlite":
        # Each of the two is ten megabytes for those who have the other.
        from avisa.store.database.sqlite import SQLite

        file = database_url.sqlite_file(where)
        real_micros = lambda: micros(clock.real())  # noqa: E731 -- a name for an argument
        return Store(SQLite(where, file, real_micros, exclusive=exclusive, at_start=outbox.free_leases))
    from avisa.store.database.postgres import PostgreSQL

    return Store(PostgreSQL(where))


class Store:
    """Satisfies OrderBook, Outbox, VersionStore, Queries and Operations.

    Every method raises StoreUnavailable when the database can not be reached, and StoreFailed when its disk failed.
    """

    def __init__(self, database: Database) -> None:
        self._ground = database
        self._token = secrets.token_hex(8)  # fences the leases of this process
        self._shard = f"{secrets.randbelow(64):02}"  # where this process counts

    async def start(self) -> None:
        """Connect and verify the schema; on SQLite, when exclusive, bring it up to date and free all leases.

        Raises StoreOutdated, StoreInUse, StoreNotFound, StoreMisconfigured or StoreUnavailable.
        """
        try:
            await self._ground.start()
        except BaseException:
            await self._ground.close()
            raise

    async def close(self) -> None:
        """Finish what was asked and let go."""
        await self._ground.close()

    # ---------------------------------------------------------------- OrderBook

    async def load(self, order_ids: Collection[str]) -> dict[str, Order]:
        ids = tuple(order_ids)
        return await self._ground.look(lambda conn: orders.load(conn, ids)) if ids else {}

    async def commit(
        self,
        changes: Sequence[Change],
        *,
        tally: Tally | None = None,
        dead_letters: Sequence[Unreadable] = (),
        now: datetime,
        begin: Sequence[Attempt] = (),
        lease: timedelta = timedelta(0),
    ) -> Committed:
        return await self._ground.write(
            lambda conn: self._commit(conn, changes, tally, dead_letters, now, begin, lease)
        )

    def _commit(
        self,
        conn: Connection,
        changes: Sequence[Change],
        tally: Tally | None,
        letters: Sequence[Unreadable],
        now: datetime,
        begin: Sequence[Attempt],
        lease: timedelta,
    ) -> Committed:
        now_real = shared_clock(conn)
        ids = {change.order.order_id for change in changes}
        if len(ids) < len(changes):
            raise ValueError("a commit holds one change for each order")
        applied = orders.apply(
            conn,
            changes,
            orders.lock(conn, sorted(ids)) if ids else {},
            now=micros(now),
            now_real=now_real,
            lease=recipient_queues.Lease(self._token, now_real + lease // _MICROSECOND),
            begin={attempt.key: attempt for attempt in begin},
            shard=self._shard,
        )
        dead_letters.add(conn, letters, now=now)
        counted = Counter({} if tally is None else tally.by_reason)
        for change in changes:
            if change.order.order_id in applied.orders:
                counted.update(change.reasons)
        counters.tally(conn, counted)
        return Committed(lost=frozenset(ids) - applied.orders, begun=applied.begun)

    async def due(self, now: datetime, *, feeds: Collection[str], overdue: datetime, limit: int) -> list[Order]:
        return await self._ground.look(
            lambda conn: orders.due(conn, now=micros(now), feeds=feeds, overdue=micros(overdue), limit=limit)
        )

    async def next_wake(self, *, feeds: Collection[str]) -> datetime | None:
        return moment_or_none(await self._ground.look(lambda conn: orders.next_wake(conn, feeds)))

    async def nudge(self, *, after: str, now: datetime, limit: int) -> str | None:
        """Make up to `limit` open orders due, by id from beyond `after`, because the plan is another one.

        Answers the id to go on from, or None at the end.
        """
        return await self._ground.write(lambda conn: orders.nudge(conn, after=after, now=micros(now), limit=limit))

    # ---------------------------------------------------------------- Outbox

    async def claim(
        self, *, now_real: datetime, lease: timedelta, limit: int, feeds: Collection[str], overdue: datetime
    ) -> list[Claimed]:
        return await self._ground.write(
            lambda conn: outbox.claim(
                conn,
                now_real=micros(now_real),
                lease=lease // _MICROSECOND,
                limit=limit,
                feeds=feeds,
                overdue=micros(overdue),
                token=self._token,
            )
        )

    async def begin(self, attempts: Sequence[Attempt]) -> frozenset[str]:
        return await self._ground.write(lambda conn: outbox.begin(conn, attempts, token=self._token))

    async def settle(self, settlements: Sequence[Settlement]) -> frozenset[str]:
        return await self._ground.write(
            lambda conn: outbox.settle(conn, settlements, token=self._token, shard=self._shard)
        )

    async def renew(self, keys: Collection[str], *, now_real: datetime, lease: timedelta) -> frozenset[str]:
        kept = tuple(keys)
        return await self._ground.write(
            lambda conn: outbox.renew(conn, kept, lease=lease // _MICROSECOND, token=self._token)
        )

    async def unsubscribed(self, hashes: Collection[bytes]) -> frozenset[bytes]:
        return await self._ground.look(lambda conn: outbox.unsubscribed(conn, hashes))

    async def next_due(self, *, feeds: Collection[str], overdue: datetime) -> datetime | None:
        return moment_or_none(
            await self._ground.look(lambda conn: outbox.next_due(conn, feeds=feeds, overdue=micros(overdue)))
        )

    async def paused(self) -> Pause | None:
        return await self._ground.look(operations.paused)

    # ---------------------------------------------------------------- VersionStore

    async def keep_catalog(self, version: str, content: bytes, *, at: datetime) -> None:
        await self._ground.write(lambda conn: catalogs.keep(conn, version, content, at=at))

    async def kept_catalog(self, version: str) -> bytes | None:
        return await self._ground.look(lambda conn: catalogs.kept(conn, version))

    async def head(self) -> int:
        return await self._ground.look(versions.head)

    async def versions(self) -> list[Version]:
        return await self._ground.look(versions.lineage)

    async def add_version(self, version: Version, content: bytes) -> bool:
        return await self._ground.write(lambda conn: versions.add(conn, version, content))

    async def based_on(self, place: str) -> int | None:
        return await self._ground.look(lambda conn: versions.based_on(conn, place))

    async def set_base(self, place: str, version: int) -> None:
        await self._ground.write(lambda conn: versions.made(conn, place, version))

    async def has_in_force(self, replica: str, version: int) -> None:
        await self._ground.write(lambda conn: versions.has(conn, replica, version))

    async def who_has_in_force(self) -> list[InForce]:
        return await self._ground.look(versions.in_force)

    # ---------------------------------------------------------------- Queries

    async def history(self, order_id: str) -> History | None:
        return await self._ground.read(lambda conn: queries.history(conn, order_id))

    async def outbox(self, *, state: State | None = None, order_id: str | None = None) -> list[OutboxRow]:
        return await self._ground.read(lambda conn: queries.outbox(conn, state=state, order_id=order_id))

    async def sent(self, order_id: str) -> list[Sent]:
        return await self._ground.read(lambda conn: queries.sent(conn, order_id))

    async def counts(self) -> Counts:
        return await self._ground.read(queries.counts)

    async def gauges(self) -> Gauges:
        return await self._ground.read(queries.gauges)

    async def dead_letters(self, ids: Collection[int] | None = None) -> list[DeadLetter]:
        return await self._ground.read(lambda conn: dead_letters.read(conn, ids))

    async def heard_of(self, *, each: int) -> Mapping[str, RecentOrders]:
        return await self._ground.read(lambda conn: recent_orders.heard_of(conn, each=each))

    async def newest_orders(self, limit: int) -> list[Order]:
        return await self._ground.read(lambda conn: queries.newest_orders(conn, limit))

    # ---------------------------------------------------------------- Operations

    async def retry(self, keys: Collection[str], *, now_real: datetime) -> frozenset[str]:
        return await self._ground.write(lambda conn: operations.retry(conn, keys, now_real=micros(now_real)))

    async def drop(self, keys: Collection[str], *, now: datetime) -> frozenset[str]:
        return await self._ground.write(lambda conn: operations.drop(conn, keys, now=now))

    async def pause(self, reason: str, *, now: datetime) -> None:
        await self._ground.write(lambda conn: operations.pause(conn, reason, now=now))

    async def resume(self) -> None:
        await self._ground.write(operations.resume)

    async def unsubscribe(self, address_hash: bytes, *, now: datetime) -> None:
        await self._ground.write(lambda conn: operations.unsubscribe(conn, address_hash, now=now))

    async def secret_key(self, fresh: bytes) -> bytes:
        return await self._ground.write(lambda conn: operations.secret_key(conn, fresh))

    async def remember(self, name: str, value: str) -> None:
        """Keep one word, in place of what was kept under this name before."""
        await self._ground.write(lambda conn: operations.remember(conn, name, value))

    async def recall(self, name: str) -> str | None:
        return await self._ground.look(lambda conn: operations.recall(conn, name))

    async def replayed(self, dead_letter: int) -> None:
        await self._ground.write(lambda conn: dead_letters.mark(conn, [dead_letter], state="replayed"))

    async def uncopied_dead_letters(self, limit: int) -> list[DeadLetter]:
        return await self._ground.look(lambda conn: dead_letters.uncopied(conn, limit))

    async def copied_dead_letters(self, ids: Collection[int]) -> None:
        await self._ground.write(lambda conn: dead_letters.mark(conn, ids, copied=1))

    async def retire(self, *, ended_before: datetime, limit: int) -> int:
        return await self._ground.write(
            lambda conn: operations.retire(conn, ended_before=micros(ended_before), limit=limit, shard=self._shard)
        )
