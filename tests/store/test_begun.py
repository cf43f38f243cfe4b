"""Notifications whose first attempt begins with the commit that decides them."""

from __future__ import annotations

from avisa.core.model import State
from avisa.store import Store
from tests.builders import NOW, notification
from tests.store.conftest import FreshDatabase
from tests.store.harness import LEASE, MINUTE, READER, attempt, change, lease_all


async def test_a_commit_begins_a_notification_with_its_attempt(store: Store, database: FreshDatabase) -> None:
    key = notification().key
    committed = await store.orders.commit([change(seqs=(1,))], now=NOW, lease=LEASE, begin=[attempt(key)])
    assert committed.begun == {key}
    (row,) = await store.queries.outbox()
    assert row.notification.state is State.SENDING
    assert (row.notification.attempts, row.notification.first_attempt_real) == (1, NOW)
    assert (row.message, row.locale, row.template_version) == ("order-confirmed", "pt-PT", "v1")
    database.pass_time(LEASE + MINUTE)
    (claimed,) = await store.outbox.claim(now_real=database.clock.real(), lease=LEASE, limit=10, **READER)
    assert claimed.draft == attempt(key).draft, "whoever claims it can only send the same bytes"


async def test_a_notification_behind_another_does_not_begin(store: Store) -> None:
    await store.orders.commit([change(seqs=(1,))], now=NOW)
    await lease_all(store)
    second = notification("A-1", 2).key
    committed = await store.orders.commit(
        [change("A-1", 1, seqs=(2,))], now=NOW, lease=LEASE, begin=[attempt(second)]
    )
    assert committed.begun == frozenset()
    states = {row.notification.key: row.notification.state for row in await store.queries.outbox()}
    assert states[second] is State.QUEUED


async def test_a_lost_change_begins_nothing(store: Store) -> None:
    await store.orders.commit([change()], now=NOW)
    key = notification().key
    committed = await store.orders.commit([change("A-1", 7, seqs=(1,))], now=NOW, lease=LEASE, begin=[attempt(key)])
    assert committed.lost == {"A-1"}
    assert await store.queries.outbox() == []


async def test_without_an_attempt_nothing_begins(store: Store) -> None:
    committed = await store.orders.commit([change(seqs=(1,))], now=NOW, lease=LEASE)
    assert committed.begun == frozenset()
    (row,) = await store.queries.outbox()
    assert row.notification.state is State.QUEUED
