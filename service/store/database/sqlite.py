"""SQLite: one file, one process, one writer.

WAL with `synchronous=FULL`: a commit is durable when it returns, so an offset may be acknowledged. Checkpoints
are made beside the writer, not inside its commits, which they would stall for up to 300 ms.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.pool import NullPool

from avisa import private_file
from avisa.core.model import Reason, State
from avisa.core.promise import PromiseState
from avisa.store.database.connection_thread import ConnectionThread
from avisa.store.errors import StoreInUse, StoreMisconfigured, StoreNotFound, StoreOutdated
from avisa.store.sql import schema

T = TypeVar("T")

GROUP = 32  # the most jobs that share a commit: enough to gain by it, few enough to keep it short
STATEMENTS = 128  # kept prepared by each connection: those of a mail in every size of a batch take 7 MB
CHECKPOINT = 0.25  # seconds between looks whether there is something to checkpoint
TALL_WAL = 16_384  # pages, 64 MiB: then the writer waits until all is checkpointed, and starts the log anew
CACHE = 12_288  # KiB of pages that the writer may keep; the kernel keeps the others
READS = ("PRAGMA query_only = ON", "PRAGMA cache_size = -4096")

# Without an adapter the driver asks whatever is neither number nor text how to adapt it, which takes twice as long. A
# mail binds a dozen such values.
sqlite3.register_adapter(type(None), lambda none: none)
sqlite3.register_adapter(bytes, bytes)
for _words in (PromiseState, Reason, State):
    sqlite3.register_adapter(_words, str)


class SQLite:
    """One thread that writes to the file and two that read it.

    `exclusive` is the service; without it, a command beside the service.
    """

    def __init__(
        self,
        url: URL,
        file: Path,
        real_micros: Callable[[], int],
        *,
        exclusive: bool,
        at_start: Callable[[Connection], None],
    ) -> None:
        self._url = url
        self._file = file
        self._real_micros = real_micros
        self._exclusive = exclusive
        self._at_start = at_start  # done first by the only process on the file
        self._lock: int | None = None
        self._writer = ConnectionThread("store-writer", lambda: self._open("BEGIN IMMEDIATE"), group=GROUP)
        self._latest_reader = ConnectionThread("store-reader", lambda: self._open("BEGIN", *READS))
        # Long questions of people keep no flow waiting.
        self._snapshot_reader = ConnectionThread("store-console", lambda: self._open("BEGIN", *READS))
        self._checkpointer = threading.Thread(target=self._checkpoint, name="store-checkpoint", daemon=True)
        self._stopping = threading.Event()

    async def start(self) -> None:
        """Raises StoreInUse, StoreMisconfigured, StoreNotFound or StoreOutdated."""
        if self._exclusive:
            self._lock = _lock(self._file)
            private_file.create(self._file)  # SQLite gives its other files the same mode
        elif not self._file.exists():
            raise StoreNotFound(f"there is no store at {self._file}")
        await self._writer.start()
        if self._exclusive:
            await self._writer.run(schema.make)
            await self._writer.run(self._at_start)
        await self._latest_reader.start()
        await self._snapshot_reader.start()
        wrong = schema.wrong(await self._latest_reader.run(schema.status))
        if wrong is not None:
            raise StoreOutdated(wrong)
        if self._exclusive:
            self._checkpointer.start()

    async def write(self, work: Callable[[Connection], T]) -> T:
        return await self._writer.run(work)

    async def read_latest(self, work: Callable[[Connection], T]) -> T:
        return await self._latest_reader.run(work)

    async def read_snapshot(self, work: Callable[[Connection], T]) -> T:
        return await self._snapshot_reader.run(work)

    async def close(self) -> None:
        """The last connection to close folds the log into the file: the writer's."""
        self._stopping.set()
        if self._checkpointer.is_alive():
            self._checkpointer.join()
        await self._snapshot_reader.close()
        await self._latest_reader.close()
        await self._writer.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _open(self, begin: str, *pragmas: str) -> Connection:
        """A connection for the thread that calls; its transactions begin with `begin`."""
        engine = create_engine(
            self._url, poolclass=NullPool, hide_parameters=True, connect_args={"cached_statements": STATEMENTS}
        )

        @event.listens_for(engine, "connect")
        def connected(raw: Any, record: Any) -> None:
            raw.isolation_level = None  # the driver begins nothing by itself
            record.info["clock"] = self._real_micros
            for pragma in (
                "PRAGMA busy_timeout = 5000",
                "PRAGMA journal_mode = WAL",
                "PRAGMA synchronous = FULL",
                "PRAGMA foreign_keys = ON",
                "PRAGMA wal_autocheckpoint = 0",
                f"PRAGMA cache_size = -{CACHE}",
                "PRAGMA temp_store = MEMORY",  # a container may forbid the temporary file for undoing a statement
                *pragmas,
            ):
                raw.execute(pragma).close()

        @event.listens_for(engine, "begin")
        def began(conn: Connection) -> None:
            conn.exec_driver_sql(begin)

        return engine.connect()

    # ------------------------------------------------------------ the checkpointer's thread

    def _checkpoint(self) -> None:
        """Fold the log into the file, beside the writer.

        SQLite before 3.51.3 can lose pages when a checkpoint begins on a log that is wholly folded in while a
        writer starts that log anew (sqlite.org/wal.html#walresetbug). So one begins only after a commit that
        came after the last one ended: then the log is not wholly folded in, and no writer can start it anew.
        """
        with closing(self._open("BEGIN")) as conn:
            raw = conn.connection.driver_connection
            assert raw is not None
            seen = raw.execute("PRAGMA data_version").fetchone()
            while not self._stopping.wait(CHECKPOINT):
                if raw.execute("PRAGMA data_version").fetchone() == seen:
                    continue
                _, pages, _ = raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                seen = raw.execute("PRAGMA data_version").fetchone()
                if pages > TALL_WAL:
                    self._writer.run_between_transactions(_fold)


def _fold(conn: Connection) -> None:
    """Fold the whole log into the file while nobody writes; the next commit then starts the log anew."""
    raw = conn.connection.driver_connection
    assert raw is not None
    raw.execute("PRAGMA busy_timeout = 100").close()  # do not wait for a slow reader
    raw.execute("PRAGMA wal_checkpoint(FULL)").fetchall()
    raw.execute("PRAGMA busy_timeout = 5000").close()


def _lock(file: Path) -> int:
    """Lock the file beside `file` for as long as this process lives, however it ends.

    Raises StoreInUse with the process that has it, and StoreMisconfigured if a link lies in its place.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = file.with_name(file.name + ".lock")
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise StoreMisconfigured(f"{lock} is a link, and would lead to a file that is not ours") from None
        raise
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(handle, 32).decode("ascii", "replace").strip()
        os.close(handle)
        raise StoreInUse(f"process {owner or 'unknown'} runs on {file}; SQLite is for one") from None
    os.ftruncate(handle, 0)
    os.write(handle, f"{os.getpid()}\n".encode("ascii"))
    return handle
