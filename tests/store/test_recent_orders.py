"""The orders that were heard of last, by the status that they are in or were in: on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from avisa.core.model import Reason
from avisa.ports import RecentOrders
from avisa.store import Store, recent_orders
from tests.builders import NOW, notification
from tests.store.harness import attempt, change, lease_all, settlement


async def take(
    store: Store, order_id: str, status: str, version: int = 0, *, episode: int = 1, reason: Reason = Reason.ENTERED
) -> None:
    """One event of one order."""
    made = change(order_id, version, status=status, episode=episode)
    entries = tuple(replace(entry, status=status, episode=episode, reason=reason) for entry in made.entries)
    committed = await store.orders.commit([replace(made, entries=entries)], now=NOW)
    assert not committed.lost


async def tell(store: Store, order_id: str) -> None:
    """Its customer is told of its first status."""
    updated = change(order_id, 1, seqs=(1,))
    await store.orders.commit([replace(updated, entries=())], now=NOW)
    await lease_all(store)
    key = notification(order_id).key
    assert await store.outbox.begin([attempt(key, words=order_id)])
    assert await store.outbox.settle([settlement(key)]) == frozenset()


def present(found: dict[str, RecentOrders]) -> dict[str, list[str]]:
    return {status: [order.order_id for order in it.present] for status, it in found.items() if it.present}


async def test_the_newest_orders_of_each_status_come_first(store: Store) -> None:
    for number in range(5):
        await take(store, f"C-{number}", "confirmed")
    await take(store, "S-1", "shipped")
    await take(store, "C-0", "confirmed", version=1, reason=Reason.REPEATED)
    await take(store, "C-4", "shipped", version=1, episode=2)  # it moved on, and nobody was told
    found = dict(await store.queries.recent_orders(each=3))
    assert present(found) == {"shipped": ["C-4", "S-1"], "confirmed": ["C-0", "C-3", "C-2"]}
    assert found["shipped"].present[1].facts["customer.name"].value == "Ana Sousa"
    assert found["confirmed"].drafts == []


async def test_an_order_that_left_its_status_is_returned_as_its_draft(store: Store) -> None:
    for order_id in ("A", "B"):
        await take(store, order_id, "confirmed")
        await tell(store, order_id)
        await take(store, order_id, "shipped", version=2, episode=2)
    await take(store, "B", "shipped", version=3, episode=2, reason=Reason.OLDER_THAN_KNOWN)
    found = dict(await store.queries.recent_orders(each=5))
    assert present(found) == {"shipped": ["B", "A"]}
    assert [draft.decode() for draft in found["confirmed"].drafts] == ['{"words":"B"}', '{"words":"A"}']
    assert len((await store.queries.recent_orders(each=1))["confirmed"].drafts) == 1


async def test_the_search_goes_back_page_by_page_up_to_its_limit(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent_orders, "_PAGE", 2)
    for number in range(9):
        await take(store, f"A-{number}", "confirmed")
    assert len((await store.queries.recent_orders(each=100))["confirmed"].present) == 9
    monkeypatch.setattr(recent_orders, "_LOOK_BACK", 4)
    assert present(dict(await store.queries.recent_orders(each=100))) == {"confirmed": ["A-8", "A-7", "A-6", "A-5"]}


async def test_an_empty_store_has_no_recent_orders(store: Store) -> None:
    assert await store.queries.recent_orders(each=3) == {}
