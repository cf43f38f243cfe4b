"""The contract of OrderBook, on both databases."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from avisa.core.model import Reason, State
from avisa.core.promise import Promise, PromiseState
from avisa.ports import Tally
from avisa.store import Store
from tests.builders import NOW, notification
from tests.store.conftest import FreshDatabase
from tests.store.harness import FEED, LEASE, MINUTE, READER, attempt, change, lease_all, send


async def test_a_committed_order_is_loaded_as_it_was(store: Store) -> None:
    first = change(seqs=(1,), reminders=2)
    committed = await store.orders.commit([first], now=NOW)
    loaded = (await store.orders.load(["A-1", "unknown"]))["A-1"]
    assert committed.lost == frozenset()
    assert loaded.version == 1
    assert loaded.pending == (notification(),)
    assert loaded.facts == first.order.facts
    assert loaded.reminders == 2
    assert await store.orders.load(["unknown"]) == {}
    assert await store.orders.load([]) == {}


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 33, 1_500])
async def test_a_batch_of_any_size_is_stored_whole_and_nothing_besides(store: Store, size: int) -> None:
    ids = [f"A-{n}" for n in range(size)]
    committed = await store.orders.commit([change(each, seqs=(1,)) for each in ids], now=NOW)
    loaded = await store.orders.load(ids)
    assert committed.lost == frozenset()
    assert sorted(loaded) == sorted(ids)
    assert all(len(order.pending) == 1 for order in loaded.values())
    gauges = await store.queries.gauges()
    assert gauges.orders_open == size
    history = await store.queries.history(ids[-1])
    assert history is not None
    assert len(history.entries) == 1


async def test_a_lost_order_is_untouched_and_the_others_are_stored(store: Store) -> None:
    await store.orders.commit([change("A"), change("B")], now=NOW)
    await store.orders.commit([change("A", 1)], now=NOW)
    committed = await store.orders.commit(
        [change("A", 1, seqs=(1,), reminders=9), change("B", 1, seqs=(1,)), change("C", seqs=(1,))], now=NOW
    )
    orders = await store.orders.load(["A", "B", "C"])
    assert committed.lost == {"A"}
    assert {order_id: order.version for order_id, order in orders.items()} == {"A": 2, "B": 2, "C": 1}
    assert orders["A"].reminders == 0
    assert orders["A"].pending == ()
    history = await store.queries.history("A")
    assert history is not None
    assert len(history.entries) == 2


async def test_a_new_order_that_somebody_else_made_is_lost(store: Store) -> None:
    await store.orders.commit([change("A")], now=NOW)
    assert (await store.orders.commit([change("A", seqs=(1,))], now=NOW)).lost == {"A"}
    assert (await store.orders.load(["A"]))["A"].pending == ()


async def test_an_order_that_vanished_is_lost(store: Store) -> None:
    assert (await store.orders.commit([change("A", 3, seqs=(1,))], now=NOW)).lost == {"A"}
    assert await store.orders.load(["A"]) == {}


async def test_a_key_that_exists_is_not_queued_again(store: Store, database: FreshDatabase) -> None:
    """A notification that is there already, settled even, is not queued again, and holds up no queue."""
    await store.orders.commit([change(seqs=(1,))], now=NOW)
    await lease_all(store)
    await send(store, notification().key)
    committed = await store.orders.commit([change("A-1", 1, seqs=(1, 2))], now=NOW, lease=LEASE)
    assert committed.lost == frozenset()
    assert [row.notification.state for row in await store.queries.outbox()] == [State.SENT, State.QUEUED]
    (claimed,) = await store.outbox.claim(now_real=database.clock.real(), lease=LEASE, limit=10, **READER)
    assert claimed.notification == notification(seq=2)


async def test_a_commit_with_two_changes_of_one_order_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="one change"):
        await store.orders.commit([change("A"), change("A")], now=NOW)


async def test_new_notifications_begin_unless_they_wait(store: Store) -> None:
    """Only the head of a queue begins; the owner's queue is another one."""
    owner = notification(seq=3, recipient="owner:production")
    first = change(notifications=(notification(seq=2), notification(seq=1), owner))
    begin = [attempt(item.key) for item in first.notifications]
    assert (await store.orders.commit([first], now=NOW, lease=LEASE, begin=begin)).begun == {
        notification().key,
        owner.key,
    }
    behind = change("A-1", 1, seqs=(4,))
    begin = [attempt(item.key) for item in behind.notifications]
    assert (await store.orders.commit([behind], now=NOW, lease=LEASE, begin=begin)).begun == frozenset()
    assert await store.outbox.claim(now_real=NOW, lease=LEASE, limit=10, **READER) == []


async def test_superseded_notifications_are_dropped_unless_begun(store: Store, database: FreshDatabase) -> None:
    await store.orders.commit([change("A", seqs=(1,)), change("B", seqs=(1,))], now=NOW)
    await lease_all(store)
    begun, waits = notification("A").key, notification("B").key
    await store.outbox.begin([attempt(begun)])
    await store.orders.commit(
        [change("A", 1, seqs=(2,), superseded=(begun,)), change("B", 1, seqs=(2,), superseded=(waits,))], now=NOW
    )
    rows = {row.notification.key: row for row in await store.queries.outbox()}
    assert rows[begun].notification.state is State.SENDING
    assert rows[waits].notification.state is State.DROPPED
    assert rows[waits].reason is Reason.SUPERSEDED
    assert rows[waits].settled_at == NOW
    # B's second is the head of its queue now, A's still waits for the first.
    claimed = await store.outbox.claim(now_real=database.clock.real(), lease=LEASE, limit=10, **READER)
    assert [item.notification.key for item in claimed] == [notification("B", 2).key]
    # Whoever has the dropped one in hand does not begin it any more.
    assert (await store.outbox.begin([attempt(waits)])).keys == frozenset()


async def test_a_notification_superseded_in_its_own_batch_is_stored_as_dropped(
    store: Store, database: FreshDatabase
) -> None:
    both = change(
        notifications=(notification(seq=1, state=State.DROPPED), notification(seq=2)),
        superseded=(notification().key,),
    )
    begin = [attempt(item.key) for item in both.notifications]
    committed = await store.orders.commit([both], now=NOW, lease=LEASE, begin=begin)
    assert committed.begun == {notification(seq=2).key}
    dropped, queued = await store.queries.outbox()
    assert (dropped.notification.state, dropped.reason) == (State.DROPPED, Reason.SUPERSEDED)
    assert queued.notification.state is State.SENDING
    assert (await store.queries.counts()).decided == 2


async def test_a_superseded_head_promotes_the_next_of_its_queue(store: Store, database: FreshDatabase) -> None:
    await store.orders.commit([change(seqs=(1, 2))], now=NOW)
    await store.orders.commit([change("A-1", 1, superseded=(notification().key,))], now=NOW)
    (claimed,) = await store.outbox.claim(now_real=database.clock.real(), lease=LEASE, limit=10, **READER)
    assert claimed.notification == notification(seq=2)


async def test_an_attempt_that_was_absorbed_into_does_not_begin(store: Store) -> None:
    await store.orders.commit([change(seqs=(1,))], now=NOW)
    await lease_all(store)
    key = notification().key
    assert (await store.orders.commit([change("A-1", 1, absorbed_by=key)], now=NOW)).lost == frozenset()
    assert (await store.outbox.begin([attempt(key)])).keys == frozenset()
    assert (await store.orders.load(["A-1"]))["A-1"].pending[0].revision == 1
    assert (await store.outbox.begin([attempt(key, revision=1)])).keys == {key}


@pytest.mark.parametrize("meanwhile", ["begun", "settled", "unknown"])
async def test_a_begun_or_settled_update_cannot_absorb(store: Store, meanwhile: str) -> None:
    key = notification().key
    await store.orders.commit([change(seqs=(1,) if meanwhile != "unknown" else ())], now=NOW)
    await lease_all(store)
    if meanwhile == "begun":
        await store.outbox.begin([attempt(key)])
    if meanwhile == "settled":
        await send(store, key)
    committed = await store.orders.commit([change("A-1", 1, seqs=(2,), absorbed_by=key), change("B")], now=NOW)
    assert committed.lost == {"A-1"}
    orders = await store.orders.load(["A-1", "B"])
    assert orders["A-1"].version == 1
    assert orders["B"].version == 1
    assert notification(seq=2).key not in {row.notification.key for row in await store.queries.outbox()}


async def test_an_order_is_due_to_its_feed_and_when_overdue_to_all(store: Store) -> None:
    def at(minutes: int) -> object:
        return NOW + minutes * MINUTE

    await store.orders.commit(
        [
            change("late", wake_at=at(-30), feed="t/1"),
            change("blind", wake_at=at(-10), feed="t/1"),
            change("second", wake_at=at(-2), feed="t/0", notifications=(notification("second"),)),
            change("first", wake_at=at(-5), feed="t/0"),
            change("later", wake_at=at(+7), feed="t/0"),
            change("never", wake_at=None, feed="t/0"),
        ],
        now=NOW,
    )
    due = await store.orders.due(NOW, feeds={"t/0"}, overdue=NOW - 20 * MINUTE, limit=10)
    assert [order.order_id for order in due] == ["late", "first", "second"]
    assert due[2].pending == (notification("second"),)
    assert [
        order.order_id for order in await store.orders.due(NOW, feeds={"t/0"}, overdue=NOW - LEASE * 99, limit=1)
    ] == ["first"]
    assert await store.orders.due(NOW, feeds=(), overdue=NOW - LEASE * 99, limit=9) == []
    assert await store.orders.next_wake(feeds={"t/0", "t/9"}) == at(-5)
    assert await store.orders.next_wake(feeds=()) is None


async def test_concurrent_commits_are_all_counted(store: Store) -> None:
    """Commits that share a transaction do not share a fate."""
    answers = await asyncio.gather(
        *(
            store.orders.commit([change("same")], tally=Tally(by_reason={(FEED, Reason.ENTERED): 1}), now=NOW)
            for _ in range(40)
        ),
        *(store.orders.commit([change("A"), change("A")], now=NOW) for _ in range(3)),
        return_exceptions=True,
    )
    committed = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(committed) == 40
    assert sum(not answer.lost for answer in committed) == 1
    assert (await store.queries.counts()).by_reason == {Reason.ENTERED: 40}


async def test_a_tally_can_be_taken_back(store: Store) -> None:
    await store.orders.commit([], tally=Tally(by_reason={(FEED, Reason.ENTERED): 3}), now=NOW)
    await store.orders.commit(
        [], tally=Tally(by_reason={(FEED, Reason.ENTERED): -3, ("x/1", Reason.REPEATED): 2}), now=NOW
    )
    counts = await store.queries.counts()
    assert counts.by_reason == {Reason.REPEATED: 2}
    assert counts.read == 2


async def test_another_plan_wakes_every_open_order(store: Store) -> None:
    await store.orders.commit([change(f"A-{n}", final=n == 2, wake_at=None) for n in range(5)], now=NOW)
    after: str | None = ""
    seen = []
    while after is not None:
        after = await store.orders.wake_open_orders(after=after, now=NOW, limit=2)
        seen.append(after)
    assert seen == ["A-1", "A-4", None]
    due = await store.orders.due(NOW, feeds={FEED}, overdue=NOW, limit=9)
    assert [order.order_id for order in due] == ["A-0", "A-1", "A-3", "A-4"]
    assert (await store.orders.commit([change("A-0", 1)], now=NOW)).lost == {"A-0"}  # it was decided by the old plan


async def test_gauges_count_orders_as_they_change(store: Store) -> None:
    await store.orders.commit([change("A"), change("B"), change("C", final=True, ended_at=NOW)], now=NOW)
    await store.orders.commit([change("A", 1, spent=True), change("B", 1, final=True, ended_at=NOW)], now=NOW)
    gauges = await store.queries.gauges()
    assert (gauges.orders_open, gauges.orders_final, gauges.orders_stuck) == (1, 2, 1)
    await store.orders.commit([change("A", 2), change("B", 2)], now=NOW)
    gauges = await store.queries.gauges()
    assert (gauges.orders_open, gauges.orders_final, gauges.orders_stuck) == (2, 1, 0)
    assert gauges.outbox == {}
    assert gauges.oldest_decided_at is None


async def test_promises_are_counted_and_found_by_their_state(store: Store) -> None:
    broken, kept, stands = (
        Promise(date="2026-03-02", state=state, since=NOW, message_seq=seq)
        for state, seq in ((PromiseState.BROKEN, 1), (PromiseState.KEPT, 2), (PromiseState.OPEN, 0))
    )
    late, ended = change("late", seqs=(1,), promise=stands), change("ended", promise=kept, final=True, ended_at=NOW)
    await store.orders.commit([late, ended, change("stands", promise=stands), change("bare")], now=NOW)
    await store.orders.commit([change("late", 1, promise=broken)], now=NOW)
    counted = (await store.queries.gauges()).promises
    assert {state: n for state, n in counted.items() if n} == {"open": 1, "broken": 1, "kept": 1}
    await lease_all(store)
    await send(store, "late/1/update/1/customer", at=NOW + timedelta(hours=1))

    async def found(state: PromiseState | None) -> list[tuple[str, datetime | None]]:
        return [(it.order.order_id, it.sent_at) for it in await store.queries.promises(state=state)]

    assert await found(None) == [("late", NOW + timedelta(hours=1)), ("stands", None)]
    assert await found(PromiseState.KEPT) == [("ended", None)]
    assert await found(PromiseState.MOVED) == []


async def test_timeline_entries_keep_their_order(store: Store) -> None:
    for version in range(3):
        await store.orders.commit([change("A", version)], now=NOW + timedelta(hours=version))
    history = await store.queries.history("A")
    assert history is not None
    assert [entry.kind for entry in history.entries] == ["event"] * 3
    assert await store.queries.history("unknown") is None
