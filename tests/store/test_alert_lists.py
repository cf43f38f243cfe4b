"""Alerts that the mail of another one tells, in both databases: listed with its attempt, settled with it."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from avisa.core.flood import Budgets
from avisa.core.model import Notification, Purpose, Reason, State
from avisa.ports import Attempt, Claimed, Settlement
from avisa.store.store import Store
from tests.builders import NOW, notification
from tests.store.conftest import FreshDatabase
from tests.store.harness import LEASE, MINUTE, READER, attempt, change, lease_all, send, settlement

HOUR = timedelta(hours=1)
BUDGETS = Budgets(alerts_every=HOUR)
LONG_AFTER = NOW + timedelta(days=10_000)


def alert(name: str, kind: str = "unknown_status", owner: str = "care") -> Notification:
    return notification(name, recipient=f"owner:{owner}", purpose=Purpose.OWNER_ALERT, ordinal=kind)


def attempt_at(told: Notification, at: timedelta = timedelta(0), lists: tuple[str, ...] = ()) -> Attempt:
    made = attempt(told.key)
    return replace(made, claimed=Claimed(notification=told, order=made.claimed.order), at_real=NOW + at, lists=lists)


def waits(key: str, until: datetime = NOW + HOUR) -> Settlement:
    return settlement(key, State.HELD, Reason.GATHERED, due_real=until, not_before=until)


async def waiting(store: Store, *names: str) -> list[Notification]:
    """Alerts about these orders, which are held to be gathered."""
    alerts = [alert(name) for name in names]
    changes = [change(name, notifications=(each,)) for name, each in zip(names, alerts, strict=True)]
    await store.orders.commit(changes, now=NOW)
    await lease_all(store)
    await store.outbox.settle([waits(each.key) for each in alerts])
    return [replace(each, state=State.HELD, gate=Reason.GATHERED) for each in alerts]


async def states(store: Store) -> Counter[str]:
    return Counter(str(row.notification.state) for row in await store.queries.outbox())


async def begun(store: Store, leader: Notification) -> tuple[str, ...]:
    """Its attempt begins, with all that it may tell."""
    await lease_all(store)
    lists = (await store.outbox.gathered(leader)).keys
    assert (await store.outbox.begin([attempt_at(leader, lists=lists)], BUDGETS)).keys == {leader.key}
    return lists


async def test_of_many_at_once_one_begins_and_the_others_wait_for_the_same_moment(store: Store) -> None:
    alerts = [alert(f"A-{n}") for n in range(6)]
    changes = [change(f"A-{n}", notifications=(each,)) for n, each in enumerate(alerts)]
    attempts = [attempt_at(each) for each in alerts]
    committed = await store.orders.commit(changes, now=NOW, begin=attempts, lease=LEASE, budgets=BUDGETS)
    assert len(committed.begun) == 1
    await lease_all(store)
    rest = [each for each in attempts if each.key not in committed.begun]
    over = (await store.outbox.begin(rest, BUDGETS)).over_budget
    assert set(over.values()) == {NOW + HOUR}
    assert len(over) == 5


async def test_two_that_alert_at_the_same_moment_send_one(database: FreshDatabase) -> None:
    one = await database.open()
    other = await database.open() if database.shared else one

    async def commit(store: Store, name: str) -> int:
        told = alert(name)
        committed = await store.orders.commit(
            [change(name, notifications=(told,))], now=NOW, begin=[attempt_at(told)], lease=LEASE, budgets=BUDGETS
        )
        return len(committed.begun)

    both = enumerate((one, other))
    begun = await asyncio.gather(*(commit(each, f"{n}-{who}") for who, each in both for n in range(8)))
    assert sum(begun) == 1


async def test_while_some_wait_a_new_one_joins_them(store: Store) -> None:
    """Else one after the other could begin before those that wait, and these would starve."""
    await waiting(store, "A-1")
    told = alert("A-2")
    later = attempt_at(told, 2 * HOUR)
    committed = await store.orders.commit(
        [change("A-2", notifications=(told,))], now=NOW, begin=[later], lease=LEASE, budgets=BUDGETS
    )
    assert not committed.begun
    other_kind = alert("A-3", "stuck")
    committed = await store.orders.commit(
        [change("A-3", notifications=(other_kind,))],
        now=NOW,
        begin=[attempt_at(other_kind, 2 * HOUR)],
        lease=LEASE,
        budgets=BUDGETS,
    )
    assert committed.begun == {other_kind.key}


async def test_what_is_listed_is_claimed_by_nobody_and_settled_with_the_mail(store: Store) -> None:
    leader, *others = await waiting(store, "A-1", "A-2", "A-3")
    await waiting(store, "A-4")
    assert set(await begun(store, leader)) == {*(each.key for each in others), alert("A-4").key}
    claimed = await store.outbox.claim(now_real=LONG_AFTER, lease=LEASE, limit=99, **READER)
    assert not claimed
    assert await states(store) == {"sending": 1, "held": 3}
    assert not await store.outbox.settle([settlement(leader.key)])
    rows = {row.notification.key: row for row in await store.queries.outbox()}
    assert await states(store) == {"sent": 1, "dropped": 3}
    assert {row.reason for row in rows.values()} == {Reason.ACCEPTED, Reason.LISTED}
    assert {row.message_id for row in rows.values()} == {"<1@example.com>"}


@pytest.mark.parametrize(
    ("state", "reason", "found"),
    [
        (State.IN_DOUBT, Reason.IN_DOUBT, {"in_doubt": 1, "dropped": 2}),
        (State.FAILED, Reason.REFUSED, {"failed": 3}),
    ],
)
async def test_it_shares_the_end_of_the_mail(
    store: Store, state: State, reason: Reason, found: dict[str, int]
) -> None:
    leader, *_ = await waiting(store, "A-1", "A-2", "A-3")
    await begun(store, leader)
    await store.outbox.settle([settlement(leader.key, state, reason)])
    assert await states(store) == found


async def test_what_failed_with_a_list_is_retried_by_itself(store: Store) -> None:
    leader, other = await waiting(store, "A-1", "A-2")
    await begun(store, leader)
    await store.outbox.settle([settlement(leader.key, State.FAILED, Reason.REFUSED)])
    assert await store.operations.retry([other.key], now_real=NOW) == {other.key}
    (claimed,) = await store.outbox.claim(now_real=LONG_AFTER, lease=LEASE, limit=9, **READER)
    assert claimed.notification.key == other.key
    assert not (await store.outbox.gathered(claimed.notification)).keys


async def test_a_mail_that_was_put_off_keeps_its_list_and_takes_what_came_since(store: Store) -> None:
    leader, other = await waiting(store, "A-1", "A-2")
    await begun(store, leader)
    again = settlement(leader.key, State.RETRYING, Reason.REFUSED, due_real=NOW, discards_draft=True)
    await store.outbox.settle([again])
    (late,) = await waiting(store, "A-3")
    assert set((await store.outbox.gathered(leader)).keys) == {other.key, late.key}
    assert not (await store.outbox.gathered(late)).keys, "what leads a list is in no other"


async def test_a_mail_that_an_operator_drops_frees_its_list(store: Store) -> None:
    leader, other = await waiting(store, "A-1", "A-2")
    await begun(store, leader)
    await store.outbox.settle([settlement(leader.key, State.RETRYING, Reason.REFUSED, due_real=NOW)])
    await store.operations.drop([leader.key], now=NOW)
    (claimed,) = await store.outbox.claim(now_real=LONG_AFTER, lease=LEASE, limit=9, **READER)
    assert claimed.notification.key == other.key


async def test_no_mail_begins_that_lists_what_is_no_longer_there(store: Store) -> None:
    leader, other = await waiting(store, "A-1", "A-2")
    lists = (await store.outbox.gathered(leader)).keys
    await store.operations.drop([other.key], now=NOW)
    await lease_all(store)
    assert not (await store.outbox.begin([attempt_at(leader, lists=lists)], BUDGETS)).keys
    assert await states(store) == {"held": 1, "dropped": 1}


async def test_two_leaders_of_two_processes_list_each_alert_once(database: FreshDatabase) -> None:
    one = await database.open()
    other = await database.open() if database.shared else one
    alerts = await waiting(one, *(f"A-{n}" for n in range(12)))
    now = {"now_real": LONG_AFTER, "lease": LEASE, **READER}
    halves = [await one.outbox.claim(limit=6, **now), await other.outbox.claim(limit=6, **now)]

    async def lead(store: Store, claimed: list[Claimed]) -> frozenset[str]:
        first = claimed[0].notification
        lists = (await store.outbox.gathered(first)).keys
        return (await store.outbox.begin([attempt_at(first, lists=lists)], BUDGETS)).keys

    begun = await asyncio.gather(lead(one, halves[0]), lead(other, halves[1]))
    assert sum(map(len, begun)) == 1
    (leader,) = frozenset().union(*begun)
    await (one if leader in begun[0] else other).outbox.settle([settlement(leader)])
    assert await states(one) == {"sent": 1, "dropped": len(alerts) - 1}


async def test_another_kind_does_not_wait_behind_what_is_gathered(store: Store, database: FreshDatabase) -> None:
    now = {"now_real": database.clock.real() + MINUTE, "lease": LEASE, "limit": 9, **READER}
    told, behind = alert("A-1"), replace(alert("A-1", "stuck"), seq=2)
    await store.orders.commit([change("A-1", notifications=(told, behind))], now=NOW)
    assert [item.notification.key for item in await store.outbox.claim(**now)] == [told.key]
    await store.outbox.settle([waits(told.key, database.clock.real() + HOUR)])
    assert [item.notification.key for item in await store.outbox.claim(**now)] == [behind.key]
    third = replace(alert("A-1", "unreachable"), seq=3)
    await send(store, behind.key)
    await store.orders.commit([change("A-1", version=1, notifications=(third,))], now=NOW)
    assert [item.notification.key for item in await store.outbox.claim(**now)] == [third.key]
