"""`python -m tests.bench.space`: how many bytes an order takes, and how many are logged for a mail.

Real orders in everything but their number: each lives through five statuses, is told of each by a mail of the shipped
templates, and ends. They go through intake, preparation, store and dispatch as in the service; only the channel
accepts everything. They come in waves, each as a neighbour of those before it, as ids that grow with time do.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from avisa import events
from avisa.core.model import OrderEvent, Position, State
from avisa.ports import Record
from avisa.store import Store, migrate, open_store
from avisa.store.database import sqlite
from avisa.templates import template_folder
from tests.bench.orders import address, event
from tests.fakes import HandClock
from tests.flows.harness import FEED, Flows, empty_catalogs
from tests.tools.postgres import running
from tests.tools.waiting import until

STATUSES = ("confirmed", "in_production", "shipped", "out_for_delivery", "delivered")
ORDERS = 5_000
WAVE = 500  # orders that are at one status at a time
MAILS = len(STATUSES)
_OFFSETS = itertools.count(1)
_NAMES = ("Ana", "Beatriz", "Carlos", "Diogo", "Eduarda", "Filipe", "Gabriela", "Hugo", "Inês", "João")
# What an ended order with five mails may take, and the log for each mail, in bytes.
MOST = {"sqlite": (6_000, 2_500), "postgres": (8_000, 2_500)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """What was found in one store, in bytes; `hot` is the share of updates that wrote no index (PostgreSQL)."""

    order: float
    log: float  # for each mail
    tables: dict[str, float]  # an order, each with its indexes
    hot: dict[str, float]


def main() -> int:
    """0 if all is within its bounds."""
    words = argparse.ArgumentParser(prog="python -m tests.bench.space", description=__doc__)
    words.add_argument("--orders", type=int, default=ORDERS, help=f"a multiple of {WAVE}")
    words.add_argument("--store", choices=("sqlite", "postgres"), action="append")
    asked = words.parse_args()
    over = False
    for name in asked.store or ("sqlite", "postgres"):
        space = _MEASURED[name](asked.orders)
        print(_shown(name, space))
        over |= space.order > MOST[name][0] or space.log > MOST[name][1]
    return int(over)


def _shown(name: str, space: Space) -> str:
    order, log = MOST[name]
    lines = [
        f"{name}: {space.order:,.0f} bytes an ended order with {MAILS} mails (at most {order:,});"
        f" {space.log:,.0f} bytes of log a mail (at most {log:,})"
    ]
    for table, size in sorted(space.tables.items(), key=lambda item: -item[1]):
        if size == 0:
            continue
        hot = f"  {space.hot[table]:4.0%} of its updates are HOT" if table in space.hot else ""
        lines.append(f"  {table:<28} {size:8,.1f}{hot}")
    return "\n".join(lines)


async def fill(store: Store, orders: int) -> None:
    """Let so many orders live and end in the store."""
    clock = HandClock()
    files, _ = template_folder.read(template_folder.shipped())
    flows = Flows(store, empty_catalogs(store), clock)
    await flows.push(files)
    async with flows.sending():
        for first in range(0, orders, WAVE):
            for status in STATUSES:
                await flows.intake.take([_event(number, status, clock) for number in range(first, first + WAVE)])
                await until(lambda: _all_sent(store))
                await flows.pass_time(timedelta(minutes=1))


async def _all_sent(store: Store) -> bool:
    return not (await store.queries.gauges()).outbox


def _event(number: int, status: str, clock: HandClock) -> OrderEvent:
    order_id = f"2026-{100_000 + number}"
    fields = event(number) | {"order_id": order_id, "status": status, "occurred_at": clock.now().isoformat()}
    customer = {"name": f"{_NAMES[number % len(_NAMES)]} Sousa", "email": address(number), "locale": "pt-PT"}
    fields["customer"] = customer
    topic, _, partition = FEED.partition("/")
    read = events.read(
        Record(
            position=Position(topic=topic, partition=int(partition), offset=next(_OFFSETS)),
            timestamp=clock.now(),
            key=order_id.encode(),
            headers=(),
            value=json.dumps(fields, ensure_ascii=False).encode(),
        )
    )
    assert isinstance(read, OrderEvent)
    return read


async def _filled(url: str, orders: int, log: Callable[[], int]) -> int:
    """Fill the store at `url`; what `log` says then, while it is open."""
    store = open_store(url, clock=HandClock(), exclusive=True)
    await store.start()
    try:
        await fill(store, orders)
        counts = await store.queries.counts()
        if counts.by_state != ({State.SENT: orders * MAILS} if orders else {}):
            raise RuntimeError(f"not every mail was sent: {counts.by_state}")
        return log()
    finally:
        await store.close()


def _space(
    before: Mapping[str, float], after: Mapping[str, float], log: int, orders: int, hot: dict[str, float]
) -> Space:
    tables = {table: (size - before.get(table, 0)) / orders for table, size in after.items()}
    return Space(order=sum(tables.values()), log=log / orders / MAILS, tables=tables, hot=hot)


# ---------------------------------------------------------------- SQLite


def _sqlite(orders: int) -> Space:
    sqlite.CHECKPOINT = 3600.0  # so that the log holds all that was written to it
    with tempfile.TemporaryDirectory(prefix="avisa-space-") as folder:
        file = Path(folder) / "avisa.db"
        url, wal = f"sqlite:///{file}", file.with_name(file.name + "-wal")
        asyncio.run(_filled(url, 0, lambda: 0))
        before = _pages(file)
        log = asyncio.run(_filled(url, orders, lambda: wal.stat().st_size))
        return _space(before, _pages(file), log, orders, {})


def _pages(file: Path) -> dict[str, int]:
    """Bytes of each table with its indexes."""
    of = "SELECT m.tbl_name, sum(s.pgsize) FROM dbstat s JOIN sqlite_master m ON m.name = s.name"
    with closing(sqlite3.connect(file)) as raw:
        return dict(raw.execute(f"{of} WHERE s.aggregate = TRUE GROUP BY m.tbl_name"))


# ---------------------------------------------------------------- PostgreSQL

_DURABLE = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "256MB", "max_wal_size": "2GB"}
_HOT = "SELECT relname, n_tup_hot_upd::float / n_tup_upd FROM pg_stat_user_tables WHERE n_tup_upd > 0"
_SIZES = "SELECT relname, pg_total_relation_size(relid) FROM pg_stat_user_tables"


def _postgres(orders: int) -> Space:
    with contextmanager(running)(**_DURABLE, autovacuum_naptime="'1s'") as server:
        url = server.database()

        def numbers(statement: str) -> dict[str, float]:
            """Two columns, by the first."""
            lines = server.sql(statement, url.rpartition("/")[2]).splitlines()
            return {name: float(number) for name, number in (line.split("|") for line in lines)}

        def log() -> int:
            return int(server.sql("SELECT pg_current_wal_lsn() - '0/0'"))

        asyncio.run(migrate.upgrade(url))
        asyncio.run(_filled(url, 0, log))
        before = numbers(_SIZES)
        server.sql("CHECKPOINT")
        start = log()
        logged = asyncio.run(_filled(url, orders, log)) - start
        return _space(before, numbers(_SIZES), logged, orders, numbers(_HOT))


_MEASURED = {"sqlite": _sqlite, "postgres": _postgres}


if __name__ == "__main__":
    sys.exit(main())
