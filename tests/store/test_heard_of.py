"""The orders whose events came last, by the status that they are in: on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.store import Store, reading
from tests.store.makings import NOW, change


async def take(store: Store, order_id: str, status: str, version: int = 0) -> None:
    """One event of one order."""
    made = change(order_id, version, status=status)
    entries = tuple(replace(entry, status=status) for entry in made.entries)
    committed = await store.commit([replace(made, entries=entries)], now=NOW)
    assert not committed.lost


async def test_the_newest_of_each_status_come_first(store: Store) -> None:
    for number in range(5):
        await take(store, f"C-{number}", "confirmed")
    await take(store, "S-1", "shipped")
    await take(store, "C-0", "confirmed", version=1)
    await take(store, "C-4", "shipped", version=1)  # it moved on
    found = await store.heard_of(each=3)
    assert {status: [order.order_id for order in orders] for status, orders in found.items()} == {
        "shipped": ["C-4", "S-1"],
        "confirmed": ["C-0", "C-3", "C-2"],
    }
    assert found["shipped"][1].facts["customer.name"].value == "Ana Sousa"


async def test_it_looks_back_page_by_page_and_no_further_than_it_should(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_AT_ONCE", 2)
    for number in range(9):
        await take(store, f"A-{number}", "confirmed")
    assert len((await store.heard_of(each=100))["confirmed"]) == 9
    monkeypatch.setattr(reading, "_LOOK_BACK", 4)
    found = await store.heard_of(each=100)
    assert [order.order_id for order in found["confirmed"]] == ["A-8", "A-7", "A-6", "A-5"]


async def test_an_empty_store_has_nothing_to_say(store: Store) -> None:
    assert await store.heard_of(each=3) == {}
