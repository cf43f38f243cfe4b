"""The flood budget in both databases: two that write to one address at the same moment stay within it together."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from avisa.core.flood import Budgets
from avisa.core.plan import Allowance
from avisa.ports import Attempt, Claimed
from avisa.store.store import Store
from tests.builders import NOW, notification
from tests.store.conftest import FreshDatabase
from tests.store.harness import LEASE, attempt, change

HOUR = timedelta(hours=1)
BUDGETS = Budgets(per_order=Allowance(count=2, per=HOUR), per_address=Allowance(count=12, per=HOUR))


def _attempts(names: list[str], at: timedelta = timedelta(0)) -> list[Attempt]:
    made = []
    for name in names:
        told = notification(name)
        one = attempt(told.key)
        made.append(replace(one, claimed=Claimed(notification=told, order=one.claimed.order), at_real=NOW + at))
    return made


async def _commit(store: Store, names: list[str], at: timedelta = timedelta(0)) -> int:
    changes = [change(name, seqs=(1,)) for name in names]
    begin = _attempts(names, at)
    committed = await store.orders.commit(changes, now=NOW, begin=begin, lease=LEASE, budgets=BUDGETS)
    return len(committed.begun)


async def test_two_that_write_at_once_stay_within_the_budget(database: FreshDatabase) -> None:
    one = await database.open()
    other = await database.open() if database.shared else one
    begun = await asyncio.gather(
        *(
            _commit(store, [f"{who}-{n}-{k}" for k in range(5)])
            for n in range(4)
            for who, store in enumerate((one, other))
        )
    )
    assert sum(begun) == 12


async def test_there_is_room_again_once_the_while_is_over(store: Store) -> None:
    assert await _commit(store, [f"A-{n}" for n in range(20)]) == 12
    assert await _commit(store, ["B-1"], HOUR - timedelta(seconds=1)) == 0
    assert await _commit(store, [f"C-{n}" for n in range(20)], HOUR) == 12


async def test_each_that_is_over_the_budget_has_its_place(store: Store) -> None:
    names = [f"A-{n:02}" for n in range(30)]
    await store.orders.commit([change(name, seqs=(1,)) for name in names], now=NOW)
    await store.outbox.claim(
        now_real=NOW + timedelta(days=10_000), lease=LEASE, limit=99, feeds=("orders.status/0",), overdue=NOW
    )
    begun = await store.outbox.begin(_attempts(names), BUDGETS)
    assert begun.keys == {notification(name).key for name in names[:12]}
    places = [begun.over_budget[notification(name).key] - NOW for name in names[12:]]
    assert places == [HOUR] * 12 + [2 * HOUR] * 6


async def test_an_attempt_that_was_begun_before_spends_nothing(store: Store) -> None:
    assert await _commit(store, [f"A-{n}" for n in range(12)]) == 12
    again = [
        replace(
            item,
            claimed=replace(item.claimed, notification=replace(item.claimed.notification, first_attempt_real=NOW)),
        )
        for item in _attempts(["A-1"])
    ]
    begun = await store.outbox.begin(again, BUDGETS)
    assert begun.over_budget == {}
