"""Long lists come in pages: each one ends where the next begins, whatever is added meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from avisa.core.model import State
from avisa.store import Store
from tests.builders import NOW, notification
from tests.store.harness import change, lease_all, send, unreadable

MINUTE = timedelta(minutes=1)


async def _decided(store: Store, order_id: str, *, at: int, seqs: tuple[int, ...] = (1,)) -> None:
    told = tuple(replace(notification(order_id, seq), decided_at=NOW + at * MINUTE) for seq in seqs)
    await store.orders.commit([change(order_id, notifications=told)], now=NOW)


async def _keys(store: Store, before: str | None, **chosen: object) -> list[str]:
    place = None if before is None else await store.queries.outbox_place(before)
    rows = await store.queries.outbox(before=place, limit=2, **chosen)  # type: ignore[arg-type]
    return [row.notification.key for row in rows]


async def test_the_outbox_comes_in_pages_the_newest_first(store: Store) -> None:
    for order_id, at in (("E", 3), ("B", 2), ("A", 2), ("C", 1)):  # two were decided at one moment
        await _decided(store, order_id, at=at)
    first = await _keys(store, None)
    assert first == [notification("B").key, notification("E").key]
    await _decided(store, "F", at=4)
    second = await _keys(store, first[0])
    assert second == [notification("C").key, notification("A").key]
    assert await _keys(store, second[0]) == []
    assert len(await store.queries.outbox()) == 5
    assert await store.queries.outbox_place("nobody") is None


@pytest.mark.parametrize("order_id", [None, "A"])
async def test_a_page_may_be_of_one_state(store: Store, order_id: str | None) -> None:
    await _decided(store, "A", at=1, seqs=(1, 2, 3, 4))
    await lease_all(store)
    await send(store, notification("A", 1).key)
    chosen = {"state": State.QUEUED, "order_id": order_id}
    page = await _keys(store, None, **chosen)
    assert page == [notification("A", seq).key for seq in (3, 4)]
    assert await _keys(store, page[0], **chosen) == [notification("A", 2).key]
    assert await _keys(store, None, state=State.FAILED, order_id=order_id) == []


async def test_dead_letters_come_in_pages_without_their_values(store: Store) -> None:
    await store.orders.commit([], dead_letters=[unreadable(offset) for offset in range(5)], now=NOW)
    page = await store.queries.dead_letters(limit=2)
    assert [letter.record.position.offset for letter in page] == [3, 4]
    assert {letter.record.value for letter in page} == {None}
    page = await store.queries.dead_letters(before=page[0].id, limit=3)
    assert [letter.record.position.offset for letter in page] == [0, 1, 2]
    assert await store.queries.dead_letters(before=page[0].id, limit=3) == []
    assert len(await store.queries.dead_letters()) == 5


async def test_open_dead_letters_come_in_pages_with_their_values(store: Store) -> None:
    await store.orders.commit([], dead_letters=[unreadable(offset) for offset in range(5)], now=NOW)
    ids = [letter.id for letter in await store.queries.dead_letters()]
    await store.operations.replayed(ids[1])
    page = await store.queries.open_dead_letters(after=0, until=ids[3], limit=2)
    assert [letter.id for letter in page] == [ids[0], ids[2]]
    assert page[0].record.value == b"{"
    page = await store.queries.open_dead_letters(after=ids[2], until=ids[3], limit=2)
    assert [letter.id for letter in page] == [ids[3]]
