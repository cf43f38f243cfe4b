"""The orders that a plan is held against."""

from __future__ import annotations

from datetime import timedelta

from avisa.store import Store
from tests.builders import NOW
from tests.store.harness import change, order


async def test_the_newest_orders_are_those_that_ended_last_and_those_that_did_not(store: Store) -> None:
    ended = [
        change(f"ended-{n}", final=True, ended_at=at, last_word_at=at, wake_at=None)
        for n, at in enumerate(NOW - timedelta(days=n) for n in range(4))
    ]
    still = [change(f"open-{n}", seqs=(1,)) for n in range(2)]
    await store.orders.commit([*ended, *still], now=NOW)
    known = await store.queries.newest_orders(3)
    assert [it.order_id for it in known[:3]] == ["ended-0", "ended-1", "ended-2"]
    assert {it.order_id for it in known[3:]} == {"open-0", "open-1"}
    assert {it.pending for it in known} == {()}
    assert known[-1].facts == order().facts
    assert len(await store.queries.newest_orders(1)) == 2
