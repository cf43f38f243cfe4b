"""One thread with one SQLite connection, and the queue of jobs for it.

Group commit: jobs of a writer that wait together run in one transaction, each in a savepoint of its own. They share
the `fsync` of one commit, and a job that fails takes no other with it. A single job needs no savepoint, which makes
its transaction cheaper by a third. A caller gets its result only when the transaction is durable.
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

from avisa.store.database.driver_errors import store_error_of_sqlite
from avisa.store.errors import StoreFailed, StoreUnavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    work: Callable[[Connection], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


@dataclass(slots=True)
class _Outcome:
    job: _Job
    result: Any = None
    error: Exception | None = None


@dataclass(slots=True)
class ConnectionThread:
    """Runs jobs on one connection, first in, first out; up to `group` of them in one transaction."""

    name: str
    connect: Callable[[], Connection]
    group: int = 1
    _jobs: queue.SimpleQueue[_Job | None] = field(default_factory=queue.SimpleQueue)
    _between_transactions: queue.SimpleQueue[Callable[[Connection], None]] = field(default_factory=queue.SimpleQueue)
    _thread: threading.Thread | None = None
    _failed: StoreFailed | None = None

    async def start(self) -> None:
        """Start the thread and open the connection. Raises what is wrong with the file."""
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[None] = loop.create_future()
        # A daemon: a store that nobody closed must not keep the process alive after SIGTERM.
        self._thread = threading.Thread(target=self._run_jobs, args=(loop, opened), name=self.name, daemon=True)
        self._thread.start()
        await opened

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Returns the result of `work` once it is durable; raises what `work` raises.

        Raises StoreUnavailable after `close`.
        """
        if self._thread is None:
            raise StoreUnavailable("the store is closed")
        loop = asyncio.get_running_loop()
        job = _Job(work, loop, loop.create_future())
        self._jobs.put(job)
        result: T = await job.future
        return result

    def run_between_transactions(self, work: Callable[[Connection], None]) -> None:
        """Have `work` done soon, after the transaction that runs now."""
        self._between_transactions.put(work)

    async def close(self) -> None:
        """Finish the jobs that wait, then close the connection."""
        if self._thread is not None:
            thread, self._thread = self._thread, None
            self._jobs.put(None)
            await asyncio.to_thread(thread.join)

    # ------------------------------------------------------------ in the thread

    def _run_jobs(self, loop: asyncio.AbstractEventLoop, opened: asyncio.Future[None]) -> None:
        try:
            conn = self.connect()
        except Exception as error:
            _deliver(loop, [_Outcome(_Job(lambda _: None, loop, opened), error=store_error_of_sqlite(error))])
            return
        _deliver(loop, [_Outcome(_Job(lambda _: None, loop, opened))])
        with conn:
            while jobs := self._next():
                outcomes = self._refuse(jobs) if self._failed else self._durably(conn, jobs)
                for loop in {job.loop for job in jobs}:
                    _deliver(loop, [outcome for outcome in outcomes if outcome.job.loop is loop])
                del outcomes, jobs  # a thread that waits keeps nothing alive
                with contextlib.suppress(queue.Empty):
                    self._between_transactions.get_nowait()(conn)

    def _next(self) -> list[_Job]:
        """Wait for a job and take all that wait with it, up to a group. Empty: the end."""
        jobs: list[_Job] = []
        with contextlib.suppress(queue.Empty):
            job = self._jobs.get()
            while job is not None:
                jobs.append(job)
                if len(jobs) == self.group:
                    return jobs
                job = self._jobs.get_nowait()
            if jobs:
                self._jobs.put(None)  # the end comes after this group
        return jobs

    def _refuse(self, jobs: Sequence[_Job]) -> list[_Outcome]:
        return [_Outcome(job, error=self._failed) for job in jobs]

    def _durably(self, conn: Connection, jobs: Sequence[_Job]) -> list[_Outcome]:
        try:
            with conn.begin():
                return [_Outcome(jobs[0], jobs[0].work(conn))] if len(jobs) == 1 else _together(conn, jobs)
        except Exception as error:
            wrong = store_error_of_sqlite(error)
            if isinstance(wrong, StoreFailed):
                self._failed = wrong
            return [_Outcome(job, error=wrong) for job in jobs]


def _together(conn: Connection, jobs: Sequence[_Job]) -> list[_Outcome]:
    outcomes: list[_Outcome] = []
    for job in jobs:
        outcomes.append(_Outcome(job))
        try:
            with conn.begin_nested():
                outcomes[-1].result = job.work(conn)
        except Exception as error:
            if not _in_transaction(conn):
                # A full disk ends the whole transaction. The next job would begin another one unseen, and the jobs
                # before it would be reported as stored.
                raise
            outcomes[-1].error = store_error_of_sqlite(error)
    return outcomes


def _in_transaction(conn: Connection) -> bool:
    raw = conn.connection.driver_connection
    assert raw is not None
    return bool(raw.in_transaction)


def _deliver(loop: asyncio.AbstractEventLoop, outcomes: Sequence[_Outcome]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits for them
        loop.call_soon_threadsafe(_resolve, outcomes)


def _resolve(outcomes: Sequence[_Outcome]) -> None:
    for outcome in outcomes:
        if outcome.job.future.done():  # its caller was cancelled
            continue
        if outcome.error is None:
            outcome.job.future.set_result(outcome.result)
        else:
            outcome.job.future.set_exception(outcome.error)
