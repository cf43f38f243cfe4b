"""`python -m tests.bench.due`: how fast due reminders are claimed, decided and stored among many open orders, and how
fast people are told how all of them stand.

The store is filled by copying one order that Avisa itself made, with its told and settled update; a part of the
orders is due, scattered among all. Then the wake loop's own step is done batch by batch: claim, decide, commit.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import uvloop

from avisa import events, plan_file
from avisa.clock import VirtualClock
from avisa.core import decide
from avisa.core.decision import Decision
from avisa.core.model import OrderEvent, Position, Reason, State
from avisa.core.plan import Plan
from avisa.ports import Change, Record, Settlement
from avisa.store import migrate
from avisa.store.store import Store, open_store
from avisa.wake import BATCH
from tests.bench.orders import NOON, records
from tests.tools.postgres import running

PLAN = Path(__file__).parents[2] / "templates" / "plan.yaml"
WAKING = NOON + timedelta(days=1)  # when the reminders of orders confirmed at noon are due
FEED = "orders/0"
T = TypeVar("T")
_BATCHES = 20
_SPREAD = 3 * 24 * 3600  # seconds over which the orders that are not due yet will be


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Medians over the batches of one store."""

    orders: int
    claim_ms: float  # of a batch of 500
    commit_ms: float  # of their 500 reminders
    board_ms: float  # what `avisa counts` asks, then what /metrics asks
    decided_per_s: float  # claimed, decided and stored
    only_decided_per_s: float  # by the core alone, of processor time


def measure(url: str, orders: int, fill: Callable[[str], object]) -> Due:
    """Fill the empty store at `url`, by SQL given to `fill`, and wake what is due in it."""
    plan = plan_file.read(PLAN.read_text(), file=PLAN.name)
    assert isinstance(plan, Plan)
    uvloop.run(_with_store(url, lambda store: _one_order(store, plan)))
    for statement in _copies(orders, sqlite=url.startswith("sqlite")):
        fill(statement)
    return uvloop.run(_with_store(url, lambda store: _wake(store, plan, orders)))


def sqlite_fill(url: str) -> Callable[[str], None]:
    """Runs SQL on a SQLite file, without waiting for the disk."""

    def fill(statement: str) -> None:
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as conn:
            conn.execute("PRAGMA synchronous = OFF")
            conn.execute(statement)

    return fill


async def _with_store(url: str, work: Callable[[Store], Awaitable[T]]) -> T:
    clock = VirtualClock(start=WAKING, origin=datetime.now(UTC))
    store = open_store(url, clock=clock, exclusive=True)
    await store.start()
    try:
        return await work(store)
    finally:
        await store.close()


async def _wake(store: Store, plan: Plan, orders: int) -> Due:
    """The wake loop's own step, batch by batch."""
    claims, decisions, commits, boards, wholes = [], [], [], [], []
    for _ in range(_BATCHES):
        began = time.perf_counter()
        due = await store.orders.due(WAKING, feeds={FEED}, overdue=NOON, limit=BATCH)
        claimed, core_began = time.perf_counter(), time.thread_time()
        decided = [decide.on_wake(order, plan, WAKING) for order in due]
        core_ended = time.thread_time()
        if len(due) != BATCH or any(one.reason is not Reason.WINDOW_PASSED for one in decided):
            raise RuntimeError("not all of them were due")
        changes = [Change(order=one.order, notifications=one.notifications) for one in decided]
        commit_began = time.perf_counter()
        await store.orders.commit(changes, now=WAKING)
        ended = time.perf_counter()
        await store.queries.counts()
        await store.queries.gauges()
        boards.append(time.perf_counter() - ended)
        claims.append(claimed - began)
        decisions.append(core_ended - core_began)
        commits.append(ended - commit_began)
        wholes.append(ended - began)
    return Due(
        orders=orders,
        claim_ms=statistics.median(claims) * 1000,
        commit_ms=statistics.median(commits) * 1000,
        board_ms=statistics.median(boards) * 1000,
        decided_per_s=BATCH / statistics.median(wholes),
        only_decided_per_s=BATCH / statistics.median(decisions),
    )


async def _one_order(store: Store, plan: Plan) -> None:
    """Confirmed, told, settled; its window running."""
    decision = confirmed(0, plan)
    change = Change(order=decision.order, notifications=decision.notifications)
    await store.orders.commit([change], now=NOON)
    now_real = datetime.now(UTC) + timedelta(days=1)
    await store.outbox.claim(now_real=now_real, lease=timedelta(minutes=5), limit=9, feeds={FEED}, overdue=NOON)
    sent = [
        Settlement(key=it.key, state=State.SENT, reason=Reason.ACCEPTED, at=NOON) for it in decision.notifications
    ]
    await store.outbox.settle(sent)


def confirmed(number: int, plan: Plan) -> Decision:
    """What comes of the event that confirms order `number`."""
    [(key, value)] = records(number, 1)
    position = Position(topic="orders", partition=0, offset=0)
    event = events.read(Record(position=position, timestamp=NOON, key=key, headers=(), value=value))
    assert isinstance(event, OrderEvent)
    return decide.on_event(None, event, plan, NOON)


_ORDER = ("order_id", "version", "feed", "wake_at", "ended_at", "final", "stuck", "state", "last_word_at")
_NOTIFICATION = (
    *("key", "order_id", "seq", "recipient", "channel", "decided", "decided_at", "state", "attempts", "revision"),
    *("first_attempt_real", "next_update", "settled_at", "reason"),
)


def _copies(orders: int, *, sqlite: bool) -> Iterator[str]:
    """SQL for so many copies of the one order, each with its notification. Neighbours in the table are due at
    different times; one of a hundred is due now, or more where that would be too few."""
    every = max(1, min(100, orders // (2 * _BATCHES * BATCH)))
    due = int(WAKING.timestamp()) * 1_000_000
    later = f"{due} + CAST(1000000 AS bigint) * (1 + (n.i * CAST(7919 AS bigint)) % {_SPREAD})"
    order = {
        "order_id": "'B-' || n.i",
        "wake_at": f"CASE WHEN n.i % {every} = 0 THEN {due} - n.i % 1000 ELSE {later} END",
        "feed": f"'{FEED}'",
    }
    notification = {"order_id": "'B-' || n.i", "key": "'B-' || n.i || substr(t.key, 4)"}
    for table, columns, new in (("orders", _ORDER, order), ("notifications", _NOTIFICATION, notification)):
        yield (
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {orders})"
            f" INSERT INTO {table} ({', '.join(columns)})"
            f" SELECT {', '.join(new.get(column, f't.{column}') for column in columns)}"
            f" FROM n CROSS JOIN {table} t WHERE t.order_id = 'A-0'"
        )
    yield "ANALYZE" if sqlite else "VACUUM ANALYZE"
    if not sqlite:
        yield "CHECKPOINT"


def main() -> None:
    """Print a line for each number of orders and store."""
    words = argparse.ArgumentParser(prog="python -m tests.bench.due", description=__doc__)
    words.add_argument("orders", type=int, nargs="*", default=[100_000, 1_000_000])
    words.add_argument("--store", choices=("sqlite", "postgres"), action="append")
    asked = words.parse_args()
    for store in asked.store or ("sqlite", "postgres"):
        for orders in asked.orders:
            found = _FRESH[store](orders)
            print(
                f"{store}: {found.orders:,} open orders: {found.claim_ms:.1f} ms to claim {BATCH},"
                f" {found.commit_ms:.1f} ms to commit them, {found.board_ms:.1f} ms to count all,"
                f" {found.decided_per_s:,.0f} claimed, decided and stored a second",
                flush=True,
            )


def _in_sqlite(orders: int) -> Due:
    with tempfile.TemporaryDirectory(prefix="avisa-due-") as folder:
        url = f"sqlite:///{folder}/avisa.db"
        return measure(url, orders, sqlite_fill(url))


def _in_postgres(orders: int) -> Due:
    with contextmanager(running)(fsync="on", full_page_writes="on", shared_buffers="256MB") as server:
        url = server.database()
        asyncio.run(migrate.upgrade(url))
        return measure(url, orders, lambda statement: server.sql(statement, url.rpartition("/")[2]))


_FRESH = {"sqlite": _in_sqlite, "postgres": _in_postgres}


if __name__ == "__main__":
    main()
