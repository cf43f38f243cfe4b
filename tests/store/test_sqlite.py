"""What only SQLite promises: one file, one process, and every answered commit durable."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from avisa.core.model import Reason
from avisa.ports import Tally
from avisa.store import (
    StoreError,
    StoreFailed,
    StoreInUse,
    StoreNotFound,
    StoreOutdated,
    StoreUnavailable,
    dead_letters,
    migrate,
    open_store,
)
from avisa.store.database import sqlite as ours
from tests.builders import NOW, notification
from tests.fakes import RealClock
from tests.store.conftest import FreshDatabase
from tests.store.harness import FEED, LEASE, READER, attempt, change, lease_all, order, unreadable
from tests.tools.parts import needs
from tests.tools.waiting import PATIENCE

MIB = 1 << 20

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


async def test_a_second_service_is_refused_with_the_process_id_of_the_first(database: FreshDatabase) -> None:
    await database.open()
    with pytest.raises(StoreInUse, match=f"process {os.getpid()} "):
        await database.open()


async def test_the_lock_ends_with_the_process(database: FreshDatabase) -> None:
    await database.open()
    await database.close()
    await database.open()


async def test_commands_read_and_write_beside_the_service(database: FreshDatabase) -> None:
    store = await database.open()
    await store.orders.commit([change(seqs=(1,))], now=NOW)
    await lease_all(store)
    command = await database.open(exclusive=False)
    assert len(await command.queries.outbox()) == 1
    await asyncio.gather(
        *(command.operations.pause(f"reason {n}", now=NOW) for n in range(20)),
        *(store.orders.commit([change(f"B-{n}")], now=NOW) for n in range(20)),
    )
    assert await store.outbox.paused() is not None
    # A command frees nobody's lease.
    assert (await store.outbox.begin([attempt(notification().key)])).keys == {notification().key}


async def test_leases_are_freed_at_the_start(database: FreshDatabase) -> None:
    store = await database.open()
    await store.orders.commit([change(seqs=(1, 2))], now=NOW)
    await lease_all(store)
    await store.outbox.begin([attempt(notification().key)])
    await database.close()
    store = await database.open()
    (claimed,) = await store.outbox.claim(now_real=database.clock.real(), lease=LEASE, limit=9, **READER)
    assert claimed.draft is not None
    assert claimed.notification.key == notification().key


async def test_a_command_creates_no_file(database: FreshDatabase) -> None:
    with pytest.raises(StoreNotFound):
        await database.open(exclusive=False)


async def test_a_schema_of_a_later_version_is_refused(database: FreshDatabase) -> None:
    await migrate.upgrade(database.url)
    database.sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreOutdated, match="later version"):
        await database.open()
    with pytest.raises(StoreOutdated, match="later version"):
        await database.open(exclusive=False)


async def test_sqlite_runs_with_wal_and_full_synchronous(database: FreshDatabase) -> None:
    store = await database.open()

    def asked(conn) -> list[object]:  # type: ignore[no-untyped-def]
        raw = conn.connection.driver_connection
        names = ("journal_mode", "synchronous", "foreign_keys", "wal_autocheckpoint", "busy_timeout")
        return [raw.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    assert await store.database.write(asked) == ["wal", 2, 1, 0, 5000]


async def test_the_log_is_checkpointed_beside_the_writer(
    database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And starts anew when it has grown tall, so that it never outgrows the disk."""
    monkeypatch.setattr(ours, "CHECKPOINT", 0.01)
    monkeypatch.setattr(ours, "TALL_WAL", 200)
    store = await database.open()
    log = Path(database.url.removeprefix("sqlite:///") + "-wal")
    for n in range(150):
        await store.orders.commit([change(f"A-{n}-{m}", seqs=(1,)) for m in range(20)], now=NOW)
    assert size(log) < 150 * 20 * 2000
    assert (await store.queries.gauges()).orders_open == 3000


async def test_a_full_disk_stores_nothing_and_is_survived(database: FreshDatabase) -> None:
    store = await database.open()
    await store.orders.commit([change("A")], now=NOW)

    def fill(conn) -> None:  # type: ignore[no-untyped-def]
        raw = conn.connection.driver_connection
        pages = raw.execute("PRAGMA page_count").fetchone()[0]
        raw.execute(f"PRAGMA max_page_count = {pages + 4}").fetchone()

    def mend(conn) -> None:  # type: ignore[no-untyped-def]
        conn.connection.driver_connection.execute("PRAGMA max_page_count = 1000000").fetchone()

    await store.database.write(fill)
    tally = Tally(by_reason={(FEED, Reason.ENTERED): 1})
    large = [change(f"B-{n}", seqs=(1, 2, 3)) for n in range(500)]
    with pytest.raises(StoreUnavailable):
        await store.orders.commit(large, tally=tally, now=NOW)
    assert set(await store.orders.load(["A", "B-0", "B-499"])) == {"A"}
    writer = asyncio.create_task(store.database.write(lambda _: time.sleep(0.2)))
    await asyncio.sleep(0.05)  # while it is busy the next three gather, and share a transaction
    answers = await asyncio.gather(
        store.orders.commit([change("before")], tally=tally, now=NOW),
        store.orders.commit(large, tally=tally, now=NOW),
        store.orders.commit([change("after")], tally=tally, now=NOW),
        return_exceptions=True,
    )
    await writer
    assert isinstance(answers[1], StoreUnavailable)
    await store.database.write(mend)
    # Whoever was answered is stored, whoever was refused is not.
    stored = {
        order_id
        for order_id, answer in zip(("before", "B-0", "after"), answers, strict=True)
        if not isinstance(answer, BaseException)
    }
    assert set(await store.orders.load(["A", "before", "B-0", "B-499", "after"])) == {"A"} | stored
    assert (await store.queries.counts()).read == len(stored)
    assert (await store.orders.commit([change("B")], now=NOW)).lost == frozenset()


async def test_an_error_that_ends_the_transaction_fails_all_its_jobs(database: FreshDatabase) -> None:
    """As some errors of a disk do: then nothing of the group is stored, and nobody is told that it is."""
    store = await database.open()

    def end(conn) -> None:  # type: ignore[no-untyped-def]
        conn.connection.driver_connection.execute("ROLLBACK")
        raise sqlite3.OperationalError

    writer = asyncio.create_task(store.database.write(lambda _: time.sleep(0.2)))
    await asyncio.sleep(0.05)
    answers = await asyncio.gather(
        store.orders.commit([change("before")], now=NOW),
        store.database.write(end),
        store.orders.commit([change("after")], now=NOW),
        return_exceptions=True,
    )
    await writer
    assert [isinstance(answer, StoreError) for answer in answers] == [True] * 3
    assert await store.orders.load(["before", "after"]) == {}
    assert (await store.orders.commit([change("A")], now=NOW)).lost == frozenset()


@needs("process")
async def test_a_store_left_open_lets_the_process_end(database: FreshDatabase) -> None:
    await migrate.upgrade(database.url)
    script = (
        "import asyncio, sys\nfrom avisa.store import open_store\nfrom tests.fakes import RealClock\n"
        "async def main():\n    store = open_store(sys.argv[1], clock=RealClock(), exclusive=True)\n"
        "    await store.start()\nasyncio.run(main())\n"
    )
    assert exit_code(script, database.url) == 0


def exit_code(script: str, *arguments: str) -> int:
    return subprocess.run([sys.executable, "-c", script, *arguments], timeout=PATIENCE, check=False).returncode


def size(file: Path) -> int:
    return file.stat().st_size


WRITER = """
import asyncio, sys
from avisa.core.model import Reason
from avisa.ports import Tally
from avisa.store import open_store
from tests.builders import NOW
from tests.fakes import RealClock
from tests.store.harness import FEED, change, lease_all

async def main():
    store = open_store(sys.argv[1], clock=RealClock(), exclusive=sys.argv[2] == "exclusive")
    await store.start()
    batch = int(sys.argv[3])
    async def write(n):
        tally = Tally(by_reason={(FEED, Reason.ENTERED): 20})
        await store.orders.commit([change(f"{n}-{m}", seqs=(1,)) for m in range(20)], tally=tally, now=NOW)
        await lease_all(store)
        print(n, flush=True)
    while True:
        await asyncio.gather(*(write(batch + n) for n in range(4)))
        batch += 4

asyncio.run(main())
"""


def killed_after(lines: int, *arguments: str) -> list[str]:
    """What the writer said until it was killed, a little after so many lines."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    printed = [process.stdout.readline().strip() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    printed += process.stdout.read().split()
    process.stdout.close()
    process.wait()
    return printed


@needs("process")
async def test_what_was_committed_before_a_kill_is_there(database: FreshDatabase) -> None:
    """After kill -9 what was answered is there, and of nothing only a part."""
    answered: list[str] = []
    for run in range(4):
        answered += killed_after(3 + run * 5, database.url, "exclusive", str(run * 1000))
    store = await database.open()
    counts = await store.queries.counts()
    rows = database.sql("SELECT order_id FROM orders")
    batches = {row.partition("-")[0] for row in rows}
    assert set(answered) <= batches
    assert len(rows) == 20 * len(batches) == counts.read == counts.decided
    assert len(database.sql("SELECT id FROM entries")) == len(rows)
    assert (await store.queries.gauges()).orders_open == len(rows)


async def test_a_damaged_file_raises_store_failed(database: FreshDatabase, tmp_path: Path) -> None:
    (tmp_path / "avisa.db").write_bytes(b"not a database, " * 512)
    with pytest.raises(StoreFailed):
        await database.open()
    with pytest.raises(sqlite3.DatabaseError):
        database.sql("SELECT 1 FROM orders")


async def test_a_closed_store_is_unavailable(database: FreshDatabase) -> None:
    store = open_store(database.url, clock=RealClock(), exclusive=True)
    await store.start()
    await store.close()
    with pytest.raises(StoreUnavailable):
        await store.orders.commit([change("A")], now=NOW)
    await store.close()


async def test_many_large_dead_letters_are_shortened_within_little_memory(
    database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite keeps in memory what a statement changes, until the statement ends."""
    store = await database.open()
    for begin in range(0, 56, 8):
        large = [unreadable(offset, b"x" * MIB) for offset in range(begin, begin + 8)]
        await store.orders.commit([], dead_letters=large, now=NOW)
    monkeypatch.setattr(dead_letters, "MOST_WHOLE", 1)
    before = _peak(anew=True)
    await store.orders.commit([], dead_letters=[unreadable(56)], now=NOW)
    assert _peak() - before < 32 * MIB


def _peak(*, anew: bool = False) -> int:
    """Bytes of memory that this process has had at most; `anew` counts from here."""
    if anew:
        Path("/proc/self/clear_refs").write_text("5")
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(peak) * 1024


async def test_the_state_of_an_order_that_has_ended_is_packed_and_comes_back(database: FreshDatabase) -> None:
    store = await database.open()
    await store.orders.commit([change("A-1"), change("B-1")], now=NOW)
    await store.orders.commit([change("A-1", 1, final=True, ended_at=NOW)], now=NOW)
    assert database.sql("SELECT order_id || typeof(state) FROM orders ORDER BY 1") == ["A-1blob", "B-1text"]
    ended = (await store.orders.load(["A-1"]))["A-1"]
    assert ended == order("A-1", 2, final=True, ended_at=NOW)
    await store.orders.commit([change("A-1", 2, ended_at=NOW, seq=7)], now=NOW)
    again = (await store.orders.load(["A-1"]))["A-1"]
    assert (again.version, again.seq) == (3, 7)
