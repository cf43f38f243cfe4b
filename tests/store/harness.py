"""What the store's tests commit, claim and settle."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from avisa.core.model import Fact, Order, Position, Reason, State
from avisa.ports import Attempt, Change, Claimed, Draft, Entry, Record, Settlement, Unreadable
from avisa.store.store import Store
from tests import builders
from tests.builders import NOW, notification

FEED = "orders.status/0"
LEASE = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
READER = {"feeds": (FEED,), "overdue": NOW - timedelta(days=1)}  # who asks what is due


def order(order_id: str = "A-1", version: int = 0, **fields: object) -> Order:
    """An order of FEED with a fact, to be woken a day from now."""
    rests: dict[str, object] = {
        "feed": FEED,
        "facts": {"customer.name": Fact(rank=(1, -1, 1), value="Ana Sousa")},
        "wake_at": NOW + timedelta(hours=24),
    }
    return builders.order(order_id, version=version, **(rests | fields))


def change(order_id: str = "A-1", version: int = 0, *, seqs: tuple[int, ...] = (), **fields: object) -> Change:
    """A change of an order with new customer messages numbered `seqs`."""
    rest = {name: fields.pop(name) for name in ("superseded", "absorbed_by", "notifications") if name in fields}
    rest.setdefault("notifications", tuple(notification(order_id, seq) for seq in seqs))
    entry = Entry(order_id=order_id, at=NOW, kind="event", reason=Reason.ENTERED, status="confirmed", episode=1)
    return Change(order=order(order_id, version, **fields), entries=(entry,), **rest)  # type: ignore[arg-type]


async def lease_all(store: Store) -> None:
    """Claim whatever is due, as the process that `store` is."""
    await store.outbox.claim(now_real=NOW + timedelta(days=10_000), lease=LEASE, limit=99, **READER)


def attempt(key: str, revision: int = 0, words: str = "Olá") -> Attempt:
    draft = Draft(
        catalog="v1",
        locale="pt-PT",
        json=f'{{"words":"{words}"}}'.encode(),
        message="order-confirmed",
        message_id="<1@example.com>",
        address_hash=b"\x01" * 16,
    )
    begun = replace(notification(), key=key, revision=revision, next_update=NOW + timedelta(hours=24))
    return Attempt(claimed=Claimed(notification=begun, order=order()), at_real=NOW, draft=draft)


def settlement(
    key: str, state: State = State.SENT, reason: Reason = Reason.ACCEPTED, *, at: datetime = NOW, **fields: object
) -> Settlement:
    return Settlement(key=key, state=state, reason=reason, at=at, **fields)  # type: ignore[arg-type]


async def send(store: Store, *keys: str, at: datetime = NOW) -> None:
    """Begin these, which `store` has leased, and settle them as sent at `at`."""
    assert (await store.outbox.begin([attempt(key) for key in keys])).keys == set(keys)
    assert not await store.outbox.settle([settlement(key, at=at) for key in keys])


def unreadable(offset: int, value: bytes = b"{", **fields: object) -> Unreadable:
    record = Record(
        position=Position(topic="orders.status", partition=0, offset=offset),
        timestamp=NOW,
        key=b"A-1",
        headers=(("ce_id", b"1"), ("odd\0", None)),
        value=value,
    )
    return Unreadable(record=record, stage="data", reason=Reason.NOT_JSON, message="not JSON at \0 1", **fields)  # type: ignore[arg-type]
