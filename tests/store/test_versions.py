"""The lineage, the folders and the replicas, kept in both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from avisa.core.model import Reason, State
from avisa.core.template_versions import Origin, Version, next_version
from avisa.ports import Draft, InForce
from avisa.store import Store
from avisa.store import versions as kept
from avisa.store.sql.moments import micros
from tests.builders import NOW
from tests.store.conftest import FreshDatabase
from tests.store.harness import LEASE, READER, attempt, change, settlement


def version(lineage: list[Version], content: str = "a", **fields: object) -> Version:
    given: dict[str, object] = {"catalog": f"{content}-1", "origin": Origin.PUSH, "author": "ana", "note": None}
    return next_version(lineage, content=content, at=NOW, **(given | fields))  # type: ignore[arg-type]


async def test_versions_are_kept_newest_first_with_their_catalog(store: Store) -> None:
    assert await store.versions.head() == 0
    assert await store.versions.versions() == []
    first = version([], note="ç \"and\" 'quotes'\n")
    assert await store.versions.add_version(first, b"one")
    second = version([first], "b", origin=Origin.ROLLBACK, author="João", note=None)
    assert await store.versions.add_version(second, b"two")
    assert await store.versions.head() == 2
    assert await store.versions.versions() == [second, first]
    assert await store.versions.kept_catalog("b-1") == b"two"
    assert (await store.versions.versions())[0].parent == "a"


async def test_of_two_versions_with_one_number_one_is_added(database: FreshDatabase) -> None:
    stores = [await database.open()]
    stores.append(await database.open() if database.shared else stores[0])
    lineage: list[Version] = []
    for turn in range(20):
        rivals = [version(lineage, f"{turn}-{n}") for n in range(4)]
        won = await asyncio.gather(
            *(stores[n % 2].versions.add_version(one, b"words") for n, one in enumerate(rivals))
        )
        assert won.count(True) == 1
        lineage = await stores[1].versions.versions()
        assert lineage[0] == rivals[won.index(True)]
    assert [one.number for one in lineage] == list(range(20, 0, -1))


async def test_the_version_that_a_folder_is_based_on_is_kept(store: Store) -> None:
    assert await store.versions.based_on("web:/t") is None
    await store.versions.set_base("web:/t", 1)
    await store.versions.set_base("other:/t", 7)
    await store.versions.set_base("web:/t", 2)
    assert await store.versions.based_on("web:/t") == 2
    await store.versions.set_base("web:/t", 0)
    assert await store.versions.based_on("web:/t") is None
    assert await store.versions.based_on("other:/t") == 7


async def test_only_living_replicas_have_a_version_in_force(database: FreshDatabase, store: Store) -> None:
    await store.versions.has_in_force("one:8080", 1)
    await store.versions.has_in_force("two:8080", 1)
    await store.versions.has_in_force("two:8080", 2)
    await store.versions.has_in_force("three:8080", 2)
    await store.versions.has_in_force("three:8080", 0)
    one, two = InForce(replica="one:8080", version=1), InForce(replica="two:8080", version=2)
    assert await store.versions.who_has_in_force() == [one, two]
    silent = int(kept.SILENT.total_seconds() * 1e6) + 1
    database.sql(f"UPDATE replicas SET at_real = at_real - {silent} WHERE name = 'one:8080'")
    assert await store.versions.who_has_in_force() == [two]
    forgotten = int(kept.FORGOTTEN.total_seconds() * 1e6)
    database.sql(f"UPDATE replicas SET at_real = at_real - {forgotten} WHERE name = 'one:8080'")
    await store.versions.has_in_force("two:8080", 2)
    assert database.sql("SELECT name FROM replicas") == ["two:8080"]


async def _sent(store: Store, key: str, state: State, reason: Reason, catalog: str = "a" * 16 + "-1") -> None:
    begun = attempt(key)
    draft = Draft(**{name: getattr(begun.draft, name) for name in ("locale", "json", "message", "message_id")},
                  address_hash=b"\1" * 16, catalog=catalog)  # fmt: skip
    await store.orders.commit([change(key.partition("/")[0], seqs=(1,))], now=NOW)
    await store.outbox.claim(now_real=NOW + timedelta(days=10_000), lease=LEASE, limit=9, **READER)
    assert await store.outbox.begin([replace(begun, draft=draft)])
    assert not await store.outbox.settle([settlement(key, state, reason)])


async def test_only_sent_messages_keep_their_draft(store: Store) -> None:
    for order, state, reason in (
        ("A", State.SENT, Reason.ACCEPTED),
        ("B", State.IN_DOUBT, Reason.IN_DOUBT),
        ("C", State.FAILED, Reason.REFUSED),
        ("D", State.DROPPED, Reason.SUPERSEDED),
    ):
        await _sent(store, f"{order}/1/update/1/customer", state, reason)
    for order in "AB":
        (sent,) = await store.queries.sent(order)
        assert sent.draft is not None
        assert sent.draft.json == attempt("").draft.json
        assert sent.draft.address_hash == b"\1" * 16
    assert await store.queries.sent("C") == await store.queries.sent("D") == []


async def test_a_failed_message_keeps_no_draft(database: FreshDatabase, store: Store) -> None:
    await _sent(store, "C/1/update/1/customer", State.FAILED, Reason.REFUSED)
    await _sent(store, "D/1/update/1/customer", State.DROPPED, Reason.SUPERSEDED)
    assert database.sql("SELECT count(*) FROM drafts") == ["0"]


async def test_a_notification_names_the_version_that_wrote_it(database: FreshDatabase, store: Store) -> None:
    """Of two versions with the same words it is the one that was in force when it was begun."""
    lineage: list[Version] = []
    for number, content in enumerate(("a" * 16, "b" * 16, "a" * 16), start=1):
        await store.versions.add_version(version(lineage, content), b"words")
        lineage = await store.versions.versions()
        at = micros(NOW + timedelta(hours=number - 2))  # 09:15, 10:15, 11:15; begun at 10:15
        database.sql(f"UPDATE versions SET at_real = {at} WHERE number = {number}")
    key = "A/1/update/1/customer"
    await _sent(store, key, State.SENT, Reason.ACCEPTED)
    (row,) = await store.queries.outbox(order_id="A")
    assert (row.version, row.template_version) == (1, "a" * 16 + "-1")
    database.sql(f"UPDATE versions SET at_real = {micros(NOW) - 1} WHERE number = 3")
    assert [row.version for row in await store.queries.outbox()] == [3]
    database.sql(f"UPDATE versions SET at_real = {micros(NOW) + 1}")  # the clocks differ
    history = await store.queries.history("A")
    assert history is not None
    assert [row.version for row in history.outbox] == [1]
    database.sql("UPDATE notifications SET catalog = 'c0ffee'")
    assert [row.version for row in await store.queries.outbox()] == [None]
