"""Two services on one PostgreSQL: nobody elects a leader, and nothing is done twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from avisa.core.model import Reason, State
from avisa.ports import Change, Tally
from avisa.store import Store
from tests.builders import NOW, notification
from tests.store.conftest import FreshDatabase
from tests.store.harness import FEED, LEASE, MINUTE, READER, attempt, change, lease_all, settlement

pytestmark = pytest.mark.parametrize(
    "database", [pytest.param("postgres", marks=pytest.mark.needs_postgres)], indirect=True
)


@pytest.fixture
async def pair(database: FreshDatabase) -> tuple[Store, Store]:
    return await database.open(), await database.open()


async def test_one_of_two_commits_to_an_order_wins(pair: tuple[Store, Store]) -> None:
    for version in range(20):
        answers = await asyncio.gather(
            *(store.orders.commit([change("A", version, seqs=(version + 1,))], now=NOW) for store in pair)
        )
        assert sorted(len(answer.lost) for answer in answers) == [0, 1]
    assert len(await pair[0].queries.outbox()) == 20


async def test_no_notification_is_claimed_twice(pair: tuple[Store, Store], database: FreshDatabase) -> None:
    await pair[0].orders.commit([change(f"A-{n}", seqs=(1, 2)) for n in range(300)], now=NOW)
    seen: Counter[str] = Counter()

    async def work(store: Store) -> None:
        while claimed := await store.outbox.claim(now_real=database.clock.real(), lease=LEASE, limit=20, **READER):
            keys = [item.notification.key for item in claimed]
            seen.update(keys)
            assert (await store.outbox.begin([attempt(key) for key in keys])).keys == set(keys)
            assert await store.outbox.settle([settlement(key) for key in keys]) == frozenset()

    await asyncio.gather(*(work(store) for store in pair for _ in range(2)))
    await work(pair[0])  # what the others had locked when this one looked
    assert len(seen) == 600
    assert set(seen.values()) == {1}
    assert (await pair[1].queries.counts()).by_state == {State.SENT: 600}


async def test_the_lease_token_fences_a_slow_process(pair: tuple[Store, Store], database: FreshDatabase) -> None:
    slow, quick = pair
    await slow.orders.commit([change(seqs=(1,))], now=NOW)
    await lease_all(slow)
    key = notification().key
    database.pass_time(LEASE + MINUTE)
    (claimed,) = await quick.outbox.claim(now_real=database.clock.real(), lease=LEASE, limit=9, **READER)
    assert claimed.notification.key == key
    assert (await slow.outbox.begin([attempt(key)])).keys == frozenset()
    assert (await quick.outbox.begin([attempt(key)])).keys == {key}
    assert await slow.outbox.settle([settlement(key, State.FAILED, Reason.REFUSED, change=change("A-1", 1))]) == {key}
    assert (await slow.orders.load(["A-1"]))["A-1"].version == 1
    await slow.outbox.renew([key], now_real=database.clock.real(), lease=timedelta(days=1))
    database.pass_time(LEASE + MINUTE)
    assert await quick.outbox.settle([settlement(key)]) == frozenset()  # late, yet nobody took it: still ours


async def test_a_notification_queued_behind_one_that_settles_becomes_due(
    pair: tuple[Store, Store], database: FreshDatabase
) -> None:
    """The one moment at which a queue could stop for ever: its head settles while another joins it unseen."""
    ids = [f"A-{n}" for n in range(40)]
    await pair[0].orders.commit([change(order_id, seqs=(1,)) for order_id in ids], now=NOW)
    await lease_all(pair[0])
    await pair[0].outbox.begin([attempt(notification(order_id).key) for order_id in ids])

    async def settle(order_id: str) -> None:
        await pair[0].outbox.settle([settlement(notification(order_id).key)])

    async def join(order_id: str) -> None:
        await pair[1].orders.commit([change(order_id, 1, seqs=(2,))], now=NOW)

    await asyncio.gather(*(step(order_id) for order_id in ids for step in (settle, join)))
    claimed = await pair[0].outbox.claim(now_real=database.clock.real(), lease=LEASE, limit=99, **READER)
    assert {item.notification.key for item in claimed} == {notification(order_id, 2).key for order_id in ids}


async def test_an_update_is_begun_or_absorbed_into_never_both(pair: tuple[Store, Store]) -> None:
    ids = [f"A-{n}" for n in range(40)]
    await pair[0].orders.commit([change(order_id, seqs=(1,)) for order_id in ids], now=NOW)
    await lease_all(pair[0])

    async def begin(order_id: str) -> bool:
        return bool((await pair[0].outbox.begin([attempt(notification(order_id).key)])).keys)

    async def absorb(order_id: str) -> bool:
        return not (
            await pair[1].orders.commit([change(order_id, 1, absorbed_by=notification(order_id).key)], now=NOW)
        ).lost

    begun, absorbed = await asyncio.gather(asyncio.gather(*map(begin, ids)), asyncio.gather(*map(absorb, ids)))
    assert all(one is not other for one, other in zip(begun, absorbed, strict=True))


async def test_concurrent_batches_over_the_same_orders_all_end(
    pair: tuple[Store, Store], database: FreshDatabase
) -> None:
    """Deadlocks, if there are any, are retried; and every effect is there once."""
    dice = random.Random(3)
    ids = [f"A-{n}" for n in range(12)]
    wins: Counter[str] = Counter()

    async def work(store: Store, rounds: int) -> None:
        for _ in range(rounds):
            chosen = dice.sample(ids, 6)
            known = await store.orders.load(chosen)
            changes: list[Change] = []
            for order_id in chosen:
                order = known.get(order_id)
                version = 0 if order is None else order.version
                old = () if order is None else tuple(item.key for item in order.pending)
                changes.append(change(order_id, version, seqs=(version + 1,), superseded=old))
            tally = Tally(by_reason={(FEED, Reason.ENTERED): 1})
            lost = (await store.orders.commit(changes, tally=tally, now=NOW, lease=LEASE)).lost
            wins.update(set(chosen) - lost)
            mine = [change.notifications[0].key for change in changes if change.order.order_id not in lost]
            begun = (await store.outbox.begin([attempt(key) for key in dice.sample(mine, len(mine))])).keys
            await store.outbox.settle([settlement(key) for key in dice.sample(sorted(begun), len(begun))])

    await asyncio.gather(*(work(store, 15) for store in pair for _ in range(2)))
    orders = await pair[0].orders.load(ids)
    assert {order_id: order.version for order_id, order in orders.items()} == dict(wins)
    counts = await pair[0].queries.counts()
    assert counts.decided == sum(wins.values())
    assert counts.read == 60


async def test_a_deadlock_is_retried(database: FreshDatabase) -> None:
    """Two transactions that take two locks crosswise: PostgreSQL ends one, and it runs again."""
    store = await database.open()
    await store.orders.commit([change("A"), change("B")], now=NOW)
    tries: Counter[str] = Counter()
    locked: set[str] = set()
    lock = text("SELECT 1 FROM orders WHERE order_id = :id FOR UPDATE")

    def crosswise(name: str, first: str, second: str):  # type: ignore[no-untyped-def]
        def work(conn):  # type: ignore[no-untyped-def]
            tries[name] += 1
            conn.execute(lock, {"id": first})
            locked.add(first)
            while second not in locked:
                conn.execute(text("SELECT pg_sleep(0.01)"))
            conn.execute(lock, {"id": second})
            return name

        return work

    answers = await asyncio.gather(
        store.database.write(crosswise("x", "A", "B")), store.database.write(crosswise("y", "B", "A"))
    )
    assert answers == ["x", "y"]
    assert sum(tries.values()) >= 3


async def test_replicas_that_start_together_keep_one_catalog(pair: tuple[Store, Store]) -> None:
    for number in range(20):
        await asyncio.gather(*(store.versions.keep_catalog(f"v{number}", b"words", at=NOW) for store in pair * 2))
        assert await pair[0].versions.kept_catalog(f"v{number}") == b"words"


async def test_the_events_of_a_lost_change_are_not_counted(pair: tuple[Store, Store]) -> None:
    """They are decided and counted anew; a process that dies in between has counted nothing twice (promise 5)."""
    reasons = ((FEED, Reason.ENTERED), (FEED, Reason.REPEATED))
    for store in pair:
        await store.orders.commit([replace(change("A", 0), reasons=reasons)], now=NOW)
    counted = await pair[0].queries.counts()
    assert (counted.read, counted.by_reason) == (2, {Reason.ENTERED: 1, Reason.REPEATED: 1})
