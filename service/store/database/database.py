"""What the store stands on: a database that runs our work, SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")


class Database(Protocol):
    """A database that runs our work in transactions."""

    async def start(self) -> None: ...

    async def write(self, work: Callable[[Connection], T]) -> T:
        """In a transaction; the answer comes when it is durable."""

    async def look(self, work: Callable[[Connection], T]) -> T:
        """For the flows: sees every commit that was answered before."""

    async def read(self, work: Callable[[Connection], T]) -> T:
        """For people: one snapshot, and in nobody's way."""

    async def close(self) -> None: ...
