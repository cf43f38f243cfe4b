"""The database under the store, SQLite or PostgreSQL, and how a class puts its work on it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")
P = ParamSpec("P")


class Database(Protocol):
    """A database that runs our work in transactions.

    Each method raises StoreUnavailable when the database cannot be reached, and StoreFailed when its disk failed.
    """

    async def start(self) -> None: ...

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction; return its result once that is durable."""

    async def read_latest(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, which sees every commit that has returned. For the flows."""

    async def read_snapshot(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one snapshot, without keeping a flow waiting. For people."""

    async def close(self) -> None: ...


class OnDatabase:
    """Base of the classes that satisfy a port. A method marked `@transaction`, `@latest` or `@snapshot` is written
    as a function of a connection and called, with await, without one."""

    def __init__(self, database: Database) -> None:
        self.database = database


S = TypeVar("S", bound=OnDatabase)
Work = Callable[Concatenate[S, Connection, P], T]
Method = Callable[Concatenate[S, P], Coroutine[Any, Any, T]]


def transaction(work: Work[S, P, T]) -> Method[S, P, T]:
    """Run the method by `Database.write`."""

    @wraps(work)
    async def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.database.write(lambda conn: work(self, conn, *args, **kwargs))

    return method


def latest(work: Work[S, P, T]) -> Method[S, P, T]:
    """Run the method by `Database.read_latest`."""

    @wraps(work)
    async def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.database.read_latest(lambda conn: work(self, conn, *args, **kwargs))

    return method


def snapshot(work: Work[S, P, T]) -> Method[S, P, T]:
    """Run the method by `Database.read_snapshot`."""

    @wraps(work)
    async def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.database.read_snapshot(lambda conn: work(self, conn, *args, **kwargs))

    return method
