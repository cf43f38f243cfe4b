"""A lane: one thread with one SQLite connection, and the work that waits for it.

A writer's jobs that wait together run in one transaction, each in a savepoint of its own: they share the one
`fsync` that a commit costs, and one that fails takes no other with it. A job that is alone needs none, which makes
its transaction cheaper by a third. A caller has its answer only when the transaction is durable.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection

from avisa.store.database.driver_errors import sqlite_trouble
from avisa.store.errors import StoreFailed, StoreUnavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    work: Callable[[Connection], Any]
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]


@dataclass(slots=True)
class _Outcome:
    job: _Job
    result: Any = None
    trouble: Exception | None = None


@dataclass(slots=True)
class ConnectionThread:
    """Work for one connection, in the order of asking; up to `group` jobs in one transaction."""

    name: str
    connect: Callable[[], Connection]
    group: int = 1
    _jobs: queue.SimpleQueue[_Job | None] = field(default_factory=queue.SimpleQueue)
    _between: queue.SimpleQueue[Callable[[Connection], None]] = field(default_factory=queue.SimpleQueue)
    _thread: threading.Thread | None = None
    _broken: StoreFailed | None = None

    async def start(self) -> None:
        """Open the connection. Raises what is wrong with it."""
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[None] = loop.create_future()
        # A daemon: a store that nobody closed must not keep the process alive after SIGTERM.
        self._thread = threading.Thread(target=self._live, args=(loop, opened), name=self.name, daemon=True)
        self._thread.start()
        await opened

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Answers what `work` answers, once that is durable."""
        if self._thread is None:
            raise StoreUnavailable("the store is closed")
        loop = asyncio.get_running_loop()
        job = _Job(work, loop, loop.create_future())
        self._jobs.put(job)
        result: T = await job.answer
        return result

    def between(self, work: Callable[[Connection], None]) -> None:
        """Have `work` done soon, outside of any transaction."""
        self._between.put(work)

    async def close(self) -> None:
        """Finish what was asked, then close the connection."""
        if self._thread is not None:
            thread, self._thread = self._thread, None
            self._jobs.put(None)
            await asyncio.to_thread(thread.join)

    # ------------------------------------------------------------ in the thread

    def _live(self, loop: asyncio.AbstractEventLoop, opened: asyncio.Future[None]) -> None:
        try:
            conn = self.connect()
        except Exception as trouble:
            _hand(loop, [_Outcome(_Job(lambda _: None, loop, opened), trouble=sqlite_trouble(trouble))])
            return
        _hand(loop, [_Outcome(_Job(lambda _: None, loop, opened))])
        with conn:
            while jobs := self._next():
                outcomes = self._refuse(jobs) if self._broken else self._durably(conn, jobs)
                for loop in {job.loop for job in jobs}:
                    _hand(loop, [outcome for outcome in outcomes if outcome.job.loop is loop])
                del outcomes, jobs  # a thread that waits keeps nothing alive
                with contextlib.suppress(queue.Empty):
                    self._between.get_nowait()(conn)

    def _next(self) -> list[_Job]:
        """All that waits, up to a group, at least one; nothing at the end."""
        jobs: list[_Job] = []
        with contextlib.suppress(queue.Empty):
            job = self._jobs.get()
            while job is not None:
                jobs.append(job)
                if len(jobs) == self.group:
                    return jobs
                job = self._jobs.get_nowait()
            if jobs:
                self._jobs.put(None)  # the end comes after these
        return jobs

    def _refuse(self, jobs: Sequence[_Job]) -> list[_Outcome]:
        return [_Outcome(job, trouble=self._broken) for job in jobs]

    def _durably(self, conn: Connection, jobs: Sequence[_Job]) -> list[_Outcome]:
        try:
            with conn.begin():
                return [_Outcome(jobs[0], jobs[0].work(conn))] if len(jobs) == 1 else _together(conn, jobs)
        except Exception as trouble:
            wrong = sqlite_trouble(trouble)
            if isinstance(wrong, StoreFailed):
                self._broken = wrong
            return [_Outcome(job, trouble=wrong) for job in jobs]


def _together(conn: Connection, jobs: Sequence[_Job]) -> list[_Outcome]:
    outcomes: list[_Outcome] = []
    for job in jobs:
        outcomes.append(_Outcome(job))
        try:
            with conn.begin_nested():
                outcomes[-1].result = job.work(conn)
        except Exception as trouble:
            if not _in_transaction(conn):
                # A full disk ends the whole transaction. Going on would begin another one unseen, and what was
                # done before would be reported as stored.
                raise
            outcomes[-1].trouble = sqlite_trouble(trouble)
    return outcomes


def _in_transaction(conn: Connection) -> bool:
    raw = conn.connection.driver_connection
    assert raw is not None
    return bool(raw.in_transaction)


def _hand(loop: asyncio.AbstractEventLoop, outcomes: Sequence[_Outcome]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(_resolve, outcomes)


def _resolve(outcomes: Sequence[_Outcome]) -> None:
    for outcome in outcomes:
        if outcome.job.answer.done():  # its caller was cancelled
            continue
        if outcome.trouble is None:
            outcome.job.answer.set_result(outcome.result)
        else:
            outcome.job.answer.set_exception(outcome.trouble)
