"""Promise 5: the counts add up, whatever is forgotten; and dead letters are set aside once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from avisa.core.model import Reason, State
from avisa.ports import Tally
from avisa.store import Store
from avisa.store.dead_letters import HEAD, WHOLE
from tests.builders import NOW, notification
from tests.store.conftest import FreshDatabase
from tests.store.harness import FEED, LEASE, READER, attempt, change, lease_all, send, settlement, unreadable

LONG_AGO = NOW - timedelta(days=500)
ENDED_LONG_AGO = {"final": True, "ended_at": LONG_AGO, "last_word_at": LONG_AGO, "wake_at": None}


async def test_the_counts_add_up_after_retiring(store: Store, database: FreshDatabase) -> None:
    ended = [change(f"old-{n}", seqs=(1, 2), **ENDED_LONG_AGO) for n in range(3)]
    await store.orders.commit(
        [*ended, change("open", seqs=(1,)), change("new", seqs=(1,), **ENDED_LONG_AGO | {"last_word_at": NOW})],
        tally=Tally(by_reason={(FEED, Reason.ENTERED): 5}),
        dead_letters=[unreadable(7)],
        now=NOW,
    )
    await lease_all(store)
    for seq in (1, 2):
        await send(store, *(notification(f"old-{n}", seq).key for n in range(2)), at=LONG_AGO)
        await store.outbox.claim(now_real=database.clock.real(), lease=LEASE, limit=100, **READER)
    await store.outbox.settle([settlement(notification("old-2").key, State.FAILED, Reason.EXPIRED)])
    before = await store.queries.counts()
    assert before.decided == sum(before.by_state.values()) == 8
    assert before.read == 6
    assert await store.operations.retire(quiet_since=NOW - timedelta(days=400), limit=1) == 1
    assert await store.operations.retire(quiet_since=NOW - timedelta(days=400), limit=9) == 1
    # The third has a notification that is not settled: it is kept.
    assert await store.operations.retire(quiet_since=NOW - timedelta(days=400), limit=9) == 0
    assert await store.queries.counts() == before
    assert before.by_state == Counter({State.SENT: 4, State.FAILED: 1, State.QUEUED: 3})
    assert set(await store.orders.load(["old-0", "old-1", "old-2", "open", "new"])) == {"old-2", "open", "new"}
    assert database.sql("SELECT count(*) FROM entries") == ["3"]
    gauges = await store.queries.gauges()
    assert (gauges.orders_open, gauges.orders_final) == (1, 2)


async def test_a_retired_order_may_come_again(store: Store) -> None:
    await store.orders.commit([change("A", seqs=(1,), **ENDED_LONG_AGO)], now=NOW)
    await lease_all(store)
    await send(store, notification("A").key, at=LONG_AGO)
    await store.operations.retire(quiet_since=NOW, limit=9)
    key = notification("A").key
    committed = await store.orders.commit([change("A", seqs=(1,))], now=NOW, lease=LEASE, begin=[attempt(key)])
    assert committed.begun == {key}
    assert (await store.queries.counts()).by_state == {State.SENT: 1, State.SENDING: 1}


async def test_a_dead_letter_is_set_aside_once(store: Store) -> None:
    for _ in range(2):
        await store.orders.commit([], dead_letters=[unreadable(7), unreadable(8)], now=NOW)
    listed = await store.queries.dead_letters()
    first, second = await store.queries.dead_letters_by_id([letter.id for letter in listed])
    assert first.record.position.offset == 7
    assert first.record.value == b"{"
    assert first.record.key == b"A-1"
    assert first.record.timestamp == NOW
    assert first.record.headers == (("ce_id", b"1"), ("odd␀", None))
    assert (first.stage, first.reason, first.message) == ("data", Reason.NOT_JSON, "not JSON at ␀ 1")
    assert (first.state, first.whole, first.size) == ("open", True, 1)
    assert await store.queries.dead_letters_by_id([second.id, 999]) == [second]
    assert (await store.queries.counts()).dead_letters == 2


async def test_another_record_at_the_same_position_is_another_dead_letter(store: Store) -> None:
    """A topic that was made anew counts from nought again."""
    await store.orders.commit([], dead_letters=[unreadable(7, b"{"), unreadable(7, b"}")], now=NOW)
    assert len(await store.queries.dead_letters()) == 2


async def test_of_a_huge_dead_letter_the_head_is_kept(store: Store) -> None:
    await store.orders.commit(
        [], dead_letters=[unreadable(1, b"x" * WHOLE), unreadable(2, b"x" * (WHOLE + 1))], now=NOW
    )
    whole, head = await store.queries.dead_letters_by_id([1, 2])
    assert whole.whole
    assert whole.record.value == b"x" * WHOLE
    assert not head.whole
    assert head.record.value == b"x" * HEAD
    assert head.size == WHOLE + 1


async def test_copies_and_replays_are_marked(store: Store) -> None:
    await store.orders.commit([], dead_letters=[unreadable(n) for n in range(3)], now=NOW)
    first, second = await store.operations.uncopied_dead_letters(2)
    await store.operations.copied_dead_letters([first.id, second.id])
    (third,) = await store.operations.uncopied_dead_letters(2)
    assert third.record.position.offset == 2
    await store.operations.replayed(first.id)
    assert [letter.state for letter in await store.queries.dead_letters()] == ["replayed", "open", "open"]
