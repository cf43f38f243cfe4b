"""The contract of Outbox and Operations, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta

import pytest

from avisa.core import bucket
from avisa.core.model import Reason, State
from avisa.ports import Claimed, Entry
from avisa.store import Store
from tests.builders import NOW, notification
from tests.store.conftest import FreshDatabase
from tests.store.harness import FEED, LEASE, MINUTE, READER, attempt, change, lease_all, send, settlement

SECOND = timedelta(seconds=1)


async def claim(store: Store, database: FreshDatabase, limit: int = 100) -> list[Claimed]:
    return await store.outbox.claim(now_real=database.clock.real(), lease=LEASE, limit=limit, **READER)


def keys(claimed: list[Claimed]) -> list[str]:
    return [item.notification.key for item in claimed]


async def test_a_claim_returns_notification_and_order(store: Store, database: FreshDatabase) -> None:
    await store.orders.commit([change(seqs=(1, 2))], now=NOW)
    (claimed,) = await claim(store, database)
    assert claimed == Claimed(notification=notification(), order=(await store.orders.load(["A-1"]))["A-1"])
    assert claimed.order.pending == (notification(), notification(seq=2))
    assert await claim(store, database) == []


async def test_recipient_queues_are_first_in_first_out_and_independent(store: Store, database: FreshDatabase) -> None:
    owner = notification(seq=2, recipient="owner:production")
    await store.orders.commit([change("A", notifications=(notification("A", 3), notification("A", 1)))], now=NOW)
    await store.orders.commit([change("A-1", notifications=(notification(), owner))], now=NOW)
    assert keys(await claim(store, database)) == [notification("A", 1).key, notification().key, owner.key]
    await send(store, notification("A", 1).key)
    assert keys(await claim(store, database)) == [notification("A", 3).key]


async def test_a_notification_behind_a_held_one_is_never_claimed(store: Store, database: FreshDatabase) -> None:
    await store.orders.commit([change(seqs=(1, 2))], now=NOW)
    await lease_all(store)
    held = settlement(
        notification().key,
        State.HELD,
        Reason.QUIET_HOURS,
        due_real=database.clock.real() + timedelta(hours=8),
        not_before=NOW + timedelta(hours=8),
    )
    assert await store.outbox.settle([held]) == frozenset()
    database.pass_time(timedelta(hours=7))
    assert await claim(store, database) == []
    (row, _) = await store.queries.outbox()
    assert (row.notification.state, row.reason) == (State.HELD, Reason.QUIET_HOURS)
    assert row.notification.not_before == NOW + timedelta(hours=8)
    database.pass_time(timedelta(hours=1, minutes=1))
    (claimed,) = await claim(store, database)
    assert (claimed.notification.key, claimed.notification.gate) == (notification().key, Reason.QUIET_HOURS)


async def test_a_notification_held_by_blindness_is_left_to_the_reader_of_its_feed(
    store: Store, database: FreshDatabase
) -> None:
    """Somebody who does not read its feed would only put it off, and could do so for ever."""
    await store.orders.commit([change(seqs=(1,))], now=NOW)
    await lease_all(store)
    assert not await store.outbox.settle(
        [settlement(notification().key, State.HELD, Reason.BLIND, due_real=database.clock.real())]
    )

    async def given(*feeds: str, overdue: datetime = NOW - MINUTE) -> list[str]:
        known = {"feeds": feeds, "overdue": overdue}
        due = await store.outbox.next_due(**known)
        claimed = await store.outbox.claim(now_real=database.clock.real(), lease=timedelta(0), limit=9, **known)
        assert bool(claimed) is (due is not None)
        return keys(claimed)

    assert await given() == []
    assert await given("another/0") == []
    assert await given("another/0", FEED) == [notification().key]
    assert await given(overdue=NOW) == [notification().key]


async def test_a_claim_with_a_limit_takes_the_longest_due(store: Store, database: FreshDatabase) -> None:
    for order_id in ("C", "A", "B"):
        await store.orders.commit([change(order_id, seqs=(1,))], now=NOW)
    assert keys(await claim(store, database, 2)) == [notification("C").key, notification("A").key]
    assert keys(await claim(store, database, 2)) == [notification("B").key]


async def test_begin_stores_the_draft_and_counts_the_attempt(store: Store, database: FreshDatabase) -> None:
    await store.orders.commit([change(seqs=(1,))], now=NOW)
    await lease_all(store)
    key = notification().key
    assert (await store.outbox.begin([attempt(key), attempt("unknown")])).keys == {key}
    (row,) = await store.queries.outbox()
    assert row.notification.state is State.SENDING
    assert (row.notification.attempts, row.notification.first_attempt_real) == (1, NOW)
    assert row.notification.next_update == NOW + timedelta(hours=24)
    assert (row.message, row.locale, row.template_version) == ("order-confirmed", "pt-PT", "v1")
    assert row.message_id == "<1@example.com>"
    history = await store.queries.history("A-1")
    assert history is not None
    assert history.outbox == (row,)
    assert history.order.pending == (row.notification,)


async def test_an_expired_lease_comes_back_with_its_draft(store: Store, database: FreshDatabase) -> None:
    await store.orders.commit([change(seqs=(1,))], now=NOW)
    await lease_all(store)
    begun = attempt(notification().key)
    await store.outbox.begin([begun])
    database.pass_time(LEASE - MINUTE)
    assert await claim(store, database) == []
    database.pass_time(2 * MINUTE)
    (claimed,) = await claim(store, database)
    assert claimed.draft == begun.draft
    assert claimed.notification.state is State.SENDING


async def test_the_moment_of_the_first_attempt_is_kept(store: Store, database: FreshDatabase) -> None:
    await store.orders.commit([change(seqs=(1,))], now=NOW)
    await lease_all(store)
    key = notification().key
    await store.outbox.begin([attempt(key)])
    later = database.clock.real() + MINUTE
    await store.outbox.settle(
        [settlement(key, State.RETRYING, Reason.REFUSED, due_real=later, not_before=NOW + MINUTE)]
    )
    database.pass_time(2 * MINUTE)
    (claimed,) = await claim(store, database)
    assert claimed.draft == attempt(key).draft
    assert claimed.notification.gate is Reason.REFUSED
    assert claimed.notification.state is State.RETRYING
    again = attempt(key)
    await store.outbox.begin([type(again)(**{**_fields(again), "at_real": NOW + 5 * MINUTE})])
    (row,) = await store.queries.outbox()
    assert (row.notification.attempts, row.notification.first_attempt_real) == (2, NOW)


async def test_a_discarded_draft_is_forgotten(store: Store, database: FreshDatabase) -> None:
    await store.orders.commit([change(seqs=(1,))], now=NOW)
    await lease_all(store)
    key = notification().key
    await store.outbox.begin([attempt(key)])
    await store.outbox.settle(
        [settlement(key, State.RETRYING, Reason.REFUSED, due_real=database.clock.real(), discards_draft=True)]
    )
    (claimed,) = await claim(store, database)
    assert claimed.draft is None
    assert not claimed.notification.begun
    assert claimed.notification.attempts == 1
    # Not begun, so it may still absorb and be superseded.
    assert (await store.orders.commit([change("A-1", 1, absorbed_by=key)], now=NOW)).lost == frozenset()


async def test_a_notification_given_back_is_untouched(store: Store, database: FreshDatabase) -> None:
    await store.orders.commit([change(seqs=(1,))], now=NOW)
    await lease_all(store)
    key = notification().key
    await store.outbox.begin([attempt(key)])
    database.pass_time(LEASE + MINUTE)
    (before,) = await claim(store, database)
    await store.outbox.settle([settlement(key, State.QUEUED, None, due_real=database.clock.real())])
    (after,) = await claim(store, database)
    assert after == before


async def test_a_settled_notification_cannot_be_settled_again(store: Store, database: FreshDatabase) -> None:
    await store.orders.commit([change(seqs=(1,))], now=NOW)
    await lease_all(store)
    key = notification().key
    await store.outbox.begin([attempt(key)])
    entry = Entry(order_id="A-1", at=NOW, kind="attempt", reason=Reason.REFUSED, key=key, note="dot: 550\0")
    assert await store.outbox.settle([settlement(key, State.FAILED, Reason.REFUSED, entry=entry)]) == frozenset()
    assert await store.outbox.settle([settlement(key)]) == {key}
    assert (await store.outbox.begin([attempt(key)])).keys == frozenset()
    history = await store.queries.history("A-1")
    assert history is not None
    (row,) = history.outbox
    assert (row.notification.state, row.reason, row.settled_at) == (State.FAILED, Reason.REFUSED, NOW)
    assert row.message == "order-confirmed"
    assert history.entries[-1] == entry
    assert history.order.pending == ()
    assert database.sql("SELECT count(*) FROM drafts") == ["0"]


async def test_an_outcome_is_lost_with_its_change(store: Store, database: FreshDatabase) -> None:
    await store.orders.commit([change("A", seqs=(1,)), change("B", seqs=(1,))], now=NOW)
    await lease_all(store)
    await store.outbox.begin([attempt(notification("A").key), attempt(notification("B").key)])
    await store.orders.commit([change("B", 1)], now=NOW)
    alert = notification("A", 2, recipient="owner:production")
    lost = await store.outbox.settle(
        [
            settlement(notification("A").key, change=change("A", 1, reminders=7, notifications=(alert,))),
            settlement(notification("B").key, change=change("B", 1, reminders=7)),
        ]
    )
    assert lost == {notification("B").key}
    orders = await store.orders.load(["A", "B"])
    assert (orders["A"].reminders, orders["B"].reminders) == (7, 0)
    assert [item.key for item in orders["A"].pending] == [alert.key]
    assert orders["B"].pending[0].state is State.SENDING
    assert keys(await claim(store, database)) == [alert.key]


async def test_of_two_outcomes_that_change_one_order_the_second_is_lost(store: Store) -> None:
    """They were decided on the same order, so the second is decided again on what the first left."""
    owner = notification(seq=2, recipient="owner:production")
    await store.orders.commit([change(notifications=(notification(), owner))], now=NOW)
    await lease_all(store)
    await store.outbox.begin([attempt(notification().key), attempt(owner.key)])
    both = [
        settlement(notification().key, change=change("A-1", 1, reminders=1)),
        settlement(owner.key, change=change("A-1", 1, reminders=2)),
    ]
    assert await store.outbox.settle(both) == {owner.key}
    assert (await store.orders.load(["A-1"]))["A-1"].reminders == 1
    assert await store.outbox.settle([settlement(owner.key, change=change("A-1", 2, reminders=2))]) == frozenset()


async def test_a_renewed_lease_is_not_claimed_by_others(store: Store, database: FreshDatabase) -> None:
    await store.orders.commit([change(seqs=(1,))], now=NOW)
    await lease_all(store)
    database.pass_time(LEASE - MINUTE)
    await store.outbox.renew([notification().key, "unknown"], now_real=database.clock.real(), lease=LEASE)
    database.pass_time(2 * MINUTE)
    assert await claim(store, database) == []


async def test_next_due_is_when_the_earliest_can_be_claimed(store: Store, database: FreshDatabase) -> None:
    assert await store.outbox.next_due(**READER) is None
    await store.orders.commit([change(seqs=(1,))], now=NOW)
    due = await store.outbox.next_due(**READER)
    assert due is not None
    assert due <= database.clock.real()


async def test_a_settlement_in_doubt_is_counted(store: Store) -> None:
    await store.orders.commit([change(seqs=(1,))], now=NOW)
    await lease_all(store)
    await store.outbox.begin([attempt(notification().key)])
    await store.outbox.settle([settlement(notification().key, State.IN_DOUBT, Reason.IN_DOUBT, counts_doubt=True)])
    assert (await store.queries.gauges()).in_doubt == 1


async def test_gauges_show_what_is_unsettled(store: Store, database: FreshDatabase) -> None:
    await store.orders.commit([change("A", seqs=(1, 2)), change("B", seqs=(1,))], now=NOW)
    gauges = await store.queries.gauges()
    assert gauges.outbox == {State.QUEUED: 3}
    assert gauges.oldest_decided_at == NOW


# ---------------------------------------------------------------- commands


async def test_retry_queues_the_failed_and_makes_the_held_due(store: Store, database: FreshDatabase) -> None:
    await store.orders.commit([change("A", seqs=(1, 2)), change("B", seqs=(1,)), change("C", seqs=(1,))], now=NOW)
    await lease_all(store)
    failed, held, sent = (notification(order_id).key for order_id in "ABC")
    await store.outbox.begin([attempt(failed), attempt(sent)])
    later = database.clock.real() + 99 * MINUTE
    await store.outbox.settle(
        [
            settlement(failed, State.FAILED, Reason.EXPIRED),
            settlement(held, State.HELD, Reason.QUIET_HOURS, due_real=later, not_before=NOW + 99 * MINUTE),
            settlement(sent),
        ]
    )
    behind = notification("A", 2).key
    assert await store.operations.retry([failed, held, sent, "unknown"], now_real=database.clock.real()) == {
        failed,
        held,
    }
    claimed = await claim(store, database)
    assert set(keys(claimed)) == {failed, held}  # and not the second of the queue of the failed one
    again = next(item for item in claimed if item.notification.key == failed)
    assert again.draft is None
    assert not again.notification.begun
    await send(store, failed)
    assert keys(await claim(store, database)) == [behind]


async def test_retry_and_drop_leave_what_is_being_sent(store: Store, database: FreshDatabase) -> None:
    await store.orders.commit([change(seqs=(1,))], now=NOW)
    await lease_all(store)
    key = notification().key
    await store.outbox.begin([attempt(key)])
    assert await store.operations.retry([key], now_real=database.clock.real()) == frozenset()
    assert await store.operations.drop([key], now=NOW) == frozenset()
    database.pass_time(LEASE + MINUTE)
    assert await store.operations.drop([key], now=NOW) == {key}


async def test_a_drop_promotes_the_next_of_the_queue(store: Store, database: FreshDatabase) -> None:
    await store.orders.commit([change(seqs=(1, 2))], now=NOW)
    await lease_all(store)
    key = notification().key
    assert await store.operations.drop([key, "unknown"], now=NOW) == {key}
    assert keys(await claim(store, database)) == [notification(seq=2).key]
    assert (await store.outbox.begin([attempt(key)])).keys == frozenset()
    assert await store.operations.drop([key], now=NOW) == frozenset()
    (row, _) = await store.queries.outbox(order_id="A-1")
    assert row.reason is Reason.DROPPED_BY_OPERATOR


async def test_a_pause_is_kept_until_resumed(store: Store) -> None:
    assert await store.outbox.paused() is None
    await store.operations.pause("the relay moves", now=NOW)
    pause = await store.outbox.paused()
    assert pause is not None
    assert (pause.reason, pause.since) == ("the relay moves", NOW)
    await store.operations.resume()
    assert await store.outbox.paused() is None


async def test_an_address_that_unsubscribed_twice_is_known_as_unsubscribed(store: Store) -> None:
    address = b"\x01" * 16
    await store.operations.unsubscribe(address, now=NOW)
    await store.operations.unsubscribe(address, now=NOW)
    assert await store.outbox.unsubscribed([address, b"\x02" * 16]) == {address}


async def test_the_secret_key_is_made_once(store: Store) -> None:
    first, second = await asyncio.gather(
        store.operations.secret_key(b"one" * 8), store.operations.secret_key(b"two" * 8)
    )
    assert first == second
    assert await store.operations.secret_key(b"three") == first


async def test_a_kept_catalog_is_returned_and_never_overwritten(store: Store, database: FreshDatabase) -> None:
    await store.versions.keep_catalog("v1", b"\x00words", at=NOW)
    await store.versions.keep_catalog("v1", b"other", at=NOW)
    assert await store.versions.kept_catalog("v1") == b"\x00words"
    assert await store.versions.kept_catalog("v2") is None
    literal = r"'\x7b7d'" if database.shared else "X'7b7d'"
    database.sql(f"INSERT INTO catalogs (version, content, at) VALUES ('unpacked', {literal}, 0)")
    assert await store.versions.kept_catalog("unpacked") == b"{}"


@pytest.mark.parametrize("state", [None, State.SENT, State.QUEUED])
async def test_the_outbox_is_filtered_by_state_and_order(store: Store, state: State | None) -> None:
    await store.orders.commit([change("A", seqs=(1, 2)), change("B", seqs=(1,))], now=NOW)
    await lease_all(store)
    await send(store, notification("A").key)
    rows = await store.queries.outbox(state=state, order_id="A")
    assert len(rows) == (2 if state is None else 1)
    assert len(await store.queries.outbox(state=state)) == {None: 3, State.SENT: 1, State.QUEUED: 2}[state]


def _fields(noun: object) -> dict[str, object]:
    return {name: getattr(noun, name) for name in noun.__dataclass_fields__}  # type: ignore[attr-defined]


async def test_what_is_in_the_bucket_of_another_process_is_left_to_it_for_seconds(database: FreshDatabase) -> None:
    """On SQLite there is no other."""
    store = await database.open()
    ids = [f"A-{n}" for n in range(40)]
    await store.orders.commit([change(order_id, seqs=(1,)) for order_id in ids], now=NOW)
    now = database.clock.real()

    async def claimed(buckets: Collection[int]) -> set[str]:
        found = await store.outbox.claim(now_real=now, lease=LEASE, limit=99, **READER, buckets=buckets)
        return {claimed.notification.order_id for claimed in found}

    due = await store.outbox.next_due(**READER)
    assert due is not None
    others = await store.outbox.next_due(**READER, buckets=())
    assert others == (due + 5 * SECOND if database.shared else due)
    even = await claimed(range(0, bucket.BUCKETS, 2))
    if not database.shared:
        assert even == set(ids)
        return
    assert 0 < len(even) < len(ids)
    assert not await claimed(range(0, bucket.BUCKETS, 2))
    assert not await claimed(())
    odd = await claimed(range(1, bucket.BUCKETS, 2))
    assert (even | odd, even & odd) == (set(ids), set())


async def test_what_its_owner_left_is_claimed_by_anybody(database: FreshDatabase) -> None:
    store = await database.open()
    await store.orders.commit([change("A-1", seqs=(1,))], now=NOW)
    database.pass_time(6 * SECOND)
    now = database.clock.real()
    assert await store.outbox.claim(now_real=now, lease=LEASE, limit=9, **READER, buckets=())
