"""Drafts are kept by themselves: compressed, read back byte for byte, and forgotten before their orders are."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from resource import RUSAGE_SELF, getrusage

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avisa.core.model import Reason, State
from avisa.ports import Draft
from avisa.store import Store, compression
from avisa.store.compression import zstd
from tests.builders import NOW, notification
from tests.store.conftest import FreshDatabase
from tests.store.harness import LEASE, MINUTE, READER, attempt, change, lease_all, send, settlement
from tests.templates.harness import drafted, usual

DAY = timedelta(days=1)


async def begun(store: Store, order_id: str = "A-1", *, at: datetime = NOW, words: str = "Olá") -> str:
    """The key of a mail that was begun."""
    key = notification(order_id).key
    await store.orders.commit([change(order_id, seqs=(1,))], now=NOW)
    await lease_all(store)
    assert (await store.outbox.begin([replace(attempt(key, words=words), at_real=at)])).keys == {key}
    return key


async def words_of(store: Store, order_id: str = "A-1") -> list[bytes | None]:
    return [None if sent.draft is None else sent.draft.json for sent in await store.queries.sent(order_id)]


# ---------------------------------------------------------------- how they are compressed

_TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**53) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(_TEXTS, _VALUES, max_size=4), st.dictionaries(_TEXTS, _VALUES, max_size=4), st.booleans())
def test_a_draft_comes_back_as_it_was(values: dict[str, object], sample: dict[str, object], named: bool) -> None:
    message_id, address_hash = ("<1@example.com>", b"\x01" * 16) if named else ("", b"")
    written = {"message_id": message_id, "values": values, "address_hash": address_hash.hex()}
    draft = Draft(
        catalog="v", locale="en", json=orjson.dumps(written), message_id=message_id, address_hash=address_hash
    )
    dictionary = compression.dictionary_of(orjson.dumps({"values": sample}))
    content = compression.compress(draft, dictionary)
    restored = compression.decompress(content, dictionary, message_id=message_id, address_hash=address_hash.hex())
    assert restored == draft.json


def test_a_draft_takes_a_third_of_its_length() -> None:
    details = {"details_items": [{"name": "Mesa de carvalho", "quantity": 2}, {"name": "Vaso", "quantity": 1}]}
    first = drafted(usual(), customer_email="rui@example.org", **details)
    second = drafted(usual(), customer_email="ana@example.com", **details)
    assert len(compression.compress(second, compression.dictionary_of(first.json))) < len(second.json) / 3


def test_a_dictionary_knows_nothing_of_order_and_customer() -> None:
    """It outlives both."""
    draft = drafted(
        usual(), customer_email="ana@example.net", customer_name="Ana Sousa", details_items=[{"name": "Mesa"}],
        details_url="https://shop.example.com/orders/77", reason="A madeira atrasou-se.",
    )  # fmt: skip
    dictionary = compression.dictionary_of(draft.json)
    for theirs in (
        b"Ana",
        b"ana@",
        b"Mesa",
        b"77",
        b"madeira",
        draft.message_id.encode(),
        draft.address_hash.hex().encode(),
    ):
        assert theirs not in dictionary
    assert b'"items"' in dictionary


def test_what_inflates_beyond_any_draft_is_not_inflated() -> None:
    dictionary = b'{"values":{}}'
    bomb = zstd.compress(b" " * 64 * 1024 * 1024, zstd_dict=zstd.ZstdDict(dictionary, is_raw=True))
    assert len(bomb) < 8 * 1024
    before = getrusage(RUSAGE_SELF).ru_maxrss
    assert compression.decompress(bomb, dictionary, message_id="", address_hash="") == b""
    assert getrusage(RUSAGE_SELF).ru_maxrss - before < 16 * 1024  # KiB


# ---------------------------------------------------------------- how they are kept


async def test_the_drafts_of_a_message_share_a_dictionary(database: FreshDatabase, store: Store) -> None:
    for order_id in ("A", "B", "C"):
        await begun(store, order_id, words=order_id)
    other = await database.open() if database.shared else store
    await begun(other, "D", words="D")
    assert database.sql("SELECT catalog, message FROM dictionaries") == ["v1|order-confirmed"]
    database.pass_time(LEASE + MINUTE)
    claimed = await store.outbox.claim(now_real=database.clock.real(), lease=LEASE, limit=9, **READER)
    words = {it.notification.order_id: it.draft and it.draft.json for it in claimed}
    assert words == {order_id: b'{"words":"%s"}' % order_id.encode() for order_id in "ABCD"}


DAMAGES = [
    "UPDATE drafts SET content = {} WHERE order_id = 'bad'",
    "DELETE FROM dictionaries",
    "UPDATE dictionaries SET content = {}",
]


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_draft_that_cannot_be_read_keeps_no_other_from_being_claimed(
    database: FreshDatabase, store: Store, damage: str
) -> None:
    """Its mail cannot be written again in the same bytes, so it is not written otherwise either."""
    for order_id in ("bad", "good"):
        await begun(store, order_id)
    database.sql(damage.format("'\\x28b52ffd00'::bytea" if database.shared else "x'28b52ffd00'"))
    database.pass_time(LEASE + MINUTE)
    claimed = await store.outbox.claim(now_real=database.clock.real(), lease=LEASE, limit=9, **READER)
    drafts = {one.notification.order_id: one.draft for one in claimed}
    assert drafts["bad"] is not None
    assert drafts["bad"].json == b""
    assert drafts["good"] is not None
    if "bad" in damage:
        assert drafts["good"].json == attempt("").draft.json


async def test_a_mail_is_forgotten_after_a_time_and_that_it_was_sent_is_not(store: Store) -> None:
    for days, order_id in enumerate(("old", "older", "new")):
        await begun(store, order_id, at=NOW if order_id == "new" else NOW - 2 * DAY - days * DAY)
    await store.outbox.settle([settlement(notification(order_id).key) for order_id in ("old", "older", "new")])
    assert await store.operations.forget_drafts(before=NOW, limit=1) == 1
    assert await store.operations.forget_drafts(before=NOW, limit=1) == 1
    assert await store.operations.forget_drafts(before=NOW, limit=1) == 0
    assert await words_of(store, "old") == await words_of(store, "older") == [None]
    assert await words_of(store, "new") == [attempt("").draft.json]
    (row,) = await store.queries.outbox(order_id="old")
    assert (row.notification.state, row.message, row.message_id) == (State.SENT, "order-confirmed", "<1@example.com>")


async def test_what_may_still_be_sent_is_kept_however_old(database: FreshDatabase, store: Store) -> None:
    key = await begun(store)
    assert await store.operations.forget_drafts(before=NOW + 900 * DAY, limit=9) == 0
    database.pass_time(LEASE + MINUTE)
    (claimed,) = await store.outbox.claim(now_real=database.clock.real(), lease=LEASE, limit=9, **READER)
    assert claimed.draft == attempt(key).draft


async def test_drafts_in_the_rows_of_earlier_versions_are_forgotten_too(
    database: FreshDatabase, store: Store
) -> None:
    key = await begun(store)
    database.sql("DELETE FROM drafts")
    database.sql("""UPDATE notifications SET draft = '{"words":"then"}'""")
    assert await store.operations.forget_drafts(before=NOW + DAY, limit=9) == 0
    assert not await store.outbox.settle([settlement(key)])
    assert await words_of(store) == [b'{"words":"then"}']
    assert await store.operations.forget_drafts(before=NOW, limit=9) == 0
    assert await store.operations.forget_drafts(before=NOW + DAY, limit=9) == 1
    assert await words_of(store) == [None]


async def test_what_an_earlier_order_of_that_id_left_behind_is_never_sent(
    database: FreshDatabase, store: Store
) -> None:
    """The version before this one forgets orders and does not know where their drafts are."""
    await begun(store, words="earlier")
    for table in ("notifications", "entries", "orders"):
        database.sql(f"DELETE FROM {table}")
    await store.orders.commit([change(seqs=(1,))], now=NOW)
    (claimed,) = await store.outbox.claim(now_real=NOW + 10_000 * DAY, lease=LEASE, limit=9, **READER)
    assert claimed.draft is None
    await send(store, notification().key)
    assert await words_of(store) == [attempt("").draft.json]


@pytest.mark.parametrize("state", [State.FAILED, State.DROPPED])
async def test_of_what_was_not_sent_no_draft_is_kept(database: FreshDatabase, store: Store, state: State) -> None:
    reason = Reason.REFUSED if state is State.FAILED else Reason.SUPERSEDED
    await store.outbox.settle([settlement(await begun(store), state, reason)])
    assert database.sql("SELECT count(*) FROM drafts") == ["0"]


async def test_a_drop_and_a_retired_order_take_their_drafts_along(database: FreshDatabase, store: Store) -> None:
    for order_id in ("A", "B"):
        await store.orders.commit([change(order_id, seqs=(1,), wake_at=None, last_word_at=NOW - 500 * DAY)], now=NOW)
    await lease_all(store)
    dropped, sent = (notification(order_id).key for order_id in "AB")
    await send(store, sent, at=NOW - 500 * DAY)
    await store.outbox.begin([attempt(dropped)])
    database.pass_time(LEASE + MINUTE)
    await store.operations.drop([dropped], now=NOW)
    assert database.sql("SELECT order_id FROM drafts") == ["B"]
    assert await store.operations.retire(quiet_since=NOW - 400 * DAY, limit=9) == 1
    assert database.sql("SELECT count(*) FROM drafts") == ["0"]
