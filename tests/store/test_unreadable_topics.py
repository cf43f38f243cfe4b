"""Topics of which nothing can be read any more, as the store knows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from avisa.core.model import Reason
from avisa.ports import Entry
from avisa.store.store import Store
from tests.builders import NOW
from tests.store.harness import change, unreadable

Batch = tuple[str, int, int]  # topic, how many records that could not be read, and how many events


async def _taken(store: Store, batches: Sequence[Batch]) -> None:
    """Each batch a second after the one before."""
    for number, (topic, bad, good) in enumerate(batches):
        at = NOW + timedelta(seconds=number)
        dead = [unreadable(1_000 * number + n) for n in range(bad)]
        dead = [
            replace(one, record=replace(one.record, position=replace(one.record.position, topic=topic)))
            for one in dead
        ]
        changes = []
        for n in range(good):
            made = change(f"{number}-{n}", feed=f"{topic}/{n % 3}")
            told = Entry(order_id=made.order.order_id, at=at, kind="event", reason=Reason.ENTERED, status="confirmed")
            changes.append(replace(made, notifications=(), entries=(told,)))
        await store.orders.commit(changes, dead_letters=dead, now=at)


STORIES: dict[str, tuple[Sequence[Batch], set[str]]] = {
    "nothing": ([], set()),
    "too few": ([("a", 9, 0)], set()),
    "enough, in one batch": ([("a", 25, 0)], {"a"}),
    "enough, across batches": ([("a", 4, 0), ("a", 3, 0), ("a", 3, 0)], {"a"}),
    "events before": ([("a", 5, 5), ("a", 10, 0)], {"a"}),
    "an event since": ([("a", 25, 0), ("a", 0, 1)], set()),
    "an event since, and more": ([("a", 25, 0), ("a", 0, 1), ("a", 9, 0)], set()),
    "an event since, and enough more": ([("a", 25, 0), ("a", 0, 1), ("a", 10, 0)], {"a"}),
    "an event in the batch": ([("a", 25, 1)], set()),
    "events of another topic": ([("a", 10, 0), ("b", 0, 9), ("a", 10, 0), ("b", 2, 9)], {"a"}),
    "both": ([("a", 10, 0), ("b", 10, 0)], {"a", "b"}),
    "both, and one is well again": ([("a", 10, 0), ("b", 10, 0), ("a", 0, 2)], {"b"}),
}


@pytest.mark.parametrize(("batches", "topics"), STORIES.values(), ids=STORIES.keys())
async def test_a_topic_is_named_while_none_of_its_last_records_could_be_read(
    store: Store, batches: Sequence[Batch], topics: set[str]
) -> None:
    await _taken(store, batches)
    assert await store.queries.unreadable_topics(run=10) == dict.fromkeys(topics, Reason.NOT_JSON)


async def test_what_was_read_after_all_counts_no_more(store: Store) -> None:
    await _taken(store, [("a", 10, 0)])
    assert set(await store.queries.unreadable_topics(run=10)) == {"a"}
    (first, *_) = await store.queries.dead_letters()
    await store.operations.replayed(first.id)
    assert await store.queries.unreadable_topics(run=10) == {}
