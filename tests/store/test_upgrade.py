"""A store of the version before this one: it comes over with what it had begun, and while both run on it, neither
loses a mail nor sends other bytes in place of those that were begun."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from avisa.core.model import State
from avisa.ports import Attempt
from avisa.store import Store, migrate, open_store
from tests.builders import NOW
from tests.fakes import RealClock
from tests.readme import documents
from tests.store.harness import LEASE, attempt, change, settlement
from tests.store.previous import COMMITS, FEED, NotInHistoryError, Previous, checkout
from tests.tools.parts import needs
from tests.tools.postgres import Postgres

ORDERS = [f"A-{n}" for n in range(12)]


@pytest.fixture(scope="module", params=COMMITS)
def before(request: pytest.FixtureRequest) -> str:
    """The schema of a version before."""
    return str(request.param)


@pytest.fixture(scope="module")
def package(before: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return checkout(tmp_path_factory.mktemp("previous"), before)
    except (NotInHistoryError, FileNotFoundError) as reason:
        pytest.skip(f"the version before this one is not in this checkout's history: {reason}")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/avisa.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture
@needs("process")
def previous(package: Path, url: str) -> Iterator[Previous]:
    running = Previous(package, url)
    yield running
    running.kill()


class Ours:
    """This version on the same store, taking the same steps."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._clock = RealClock()
        self._begun: list[Attempt] = []

    async def begin(self, words: str) -> dict[str, str]:
        now = self._clock.real()
        claimed = await self.store.outbox.claim(
            now_real=now, lease=LEASE, limit=99, feeds={FEED}, overdue=now - LEASE
        )
        attempts = [
            Attempt(claimed=each, draft=each.draft or attempt("", words=words).draft, at_real=now) for each in claimed
        ]
        keys = (await self.store.outbox.begin(attempts)).keys
        self._begun = [each for each in attempts if each.key in keys]
        return {each.key: each.draft.json.decode() for each in self._begun}

    async def settle(self) -> list[str]:
        keys = [each.key for each in self._begun]
        lost = await self.store.outbox.settle([settlement(key) for key in keys])
        self._begun = []
        return [key for key in keys if key not in lost]


async def opened(url: str, before: str, *, contract: bool = False) -> Ours:
    """Ours, on the store after its upgrade."""
    if url.startswith("postgresql"):
        done = await migrate.upgrade(url, contract=contract)
        assert done.before == before
        assert bool(done.contracts) is not contract
    store = open_store(url, clock=RealClock(), exclusive=True)
    await store.start()
    return Ours(store)


@pytest.mark.parametrize("contract", [False, True])
async def test_what_was_begun_before_the_upgrade_goes_out_as_it_was_begun(
    previous: Previous, url: str, before: str, contract: bool, request: pytest.FixtureRequest
) -> None:
    assert previous.ask("commit", "A-1", 0) == 0
    assert previous.ask("commit", "B-1", 0) == 0
    begun = previous.ask("begin", "Ol\u00e1")
    assert set(begun.values()) == {'{"words":"Ol\u00e1"}'}
    previous.kill()
    ours = await opened(url, before, contract=contract)
    try:
        if url.startswith("postgresql"):
            expire(request.getfixturevalue("postgres"), url)
        assert await ours.begin("other words") == begun
        assert await ours.settle() == list(begun)
        (kept,) = await ours.store.queries.sent("A-1")
        assert kept.draft is not None
        assert kept.draft.json.decode() == begun[kept.row.notification.key]
    finally:
        await ours.store.close()


def expire(server: Postgres, url: str) -> None:
    """Let every lease and wait run out."""
    span = int(LEASE.total_seconds() * 2e6)
    server.sql(f"UPDATE notifications SET due_real = due_real - {span}", url.rpartition("/")[2])


@pytest.mark.needs_postgres
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
async def test_two_versions_take_turns_on_one_outbox(
    previous: Previous, url: str, before: str, postgres: Postgres
) -> None:
    """Each now and then dies between what it began and what it was to settle; a new one finds that in any case."""
    chance = random.Random(seed := random.randrange(1_000_000))
    print(f"seed {seed}")
    previous.ask("commit", "before", 0)
    ours = await opened(url, before)
    versions = {"before": 1} | dict.fromkeys(ORDERS, 0)
    mails: defaultdict[str, set[str]] = defaultdict(set)  # all that may have left, by key
    settled: list[str] = []
    begun_by: Counter[str] = Counter()
    try:
        for turn in range(40):
            for order_id in chance.sample(ORDERS, 3):
                assert previous.ask("commit", order_id, versions[order_id]) == 0
                versions[order_id] += 1
            old = chance.random() < 0.5
            begun = previous.ask("begin", f"old {turn}") if old else await ours.begin(f"new {turn}")
            begun_by["old" if old else "new"] += len(begun)
            for key, mail in begun.items():
                mails[key].add(mail)
            if chance.random() < 0.6:
                settled += previous.ask("settle") if old else await ours.settle()
            expire(postgres, url)
        assert previous.ask("loaded", list(versions)) == versions
        while (await ours.store.queries.gauges()).outbox:
            expire(postgres, url)
            for key, mail in (await ours.begin("rest")).items():
                mails[key].add(mail)
            settled += await ours.settle()
        left = (await ours.store.queries.counts()).by_state
    finally:
        await ours.store.close()
    wanted = {f"{order}/{n}/update/1/customer" for order in versions for n in range(1, versions[order] + 1)}
    assert left == {State.SENT: len(wanted)}
    assert sorted(settled) == sorted(wanted), "each once"
    assert {key: len(written) for key, written in mails.items()} == dict.fromkeys(wanted, 1), "no other bytes"
    assert min(begun_by.values()) > 0


@pytest.mark.needs_postgres
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
@pytest.mark.parametrize("before", ["0008"], indirect=True)
async def test_what_we_began_is_kept_from_a_version_that_cannot_read_it(
    previous: Previous, url: str, before: str, postgres: Postgres
) -> None:
    previous.ask("commit", "A-1", 0)
    ours = await opened(url, before)
    try:
        begun = await ours.begin("ours")
        assert len(begun) == 1
        expire(postgres, url)
        assert previous.ask("begin", "theirs") == {}
        assert previous.ask("settle") == []
        expire(postgres, url)
        assert await ours.begin("ours again") == begun
        assert await ours.settle() == list(begun)
    finally:
        await ours.store.close()


@pytest.mark.needs_postgres
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
async def test_what_we_store_is_read_by_the_version_before(previous: Previous, url: str, before: str) -> None:
    assert previous.ask("loaded", []) == {}  # it runs when the schema is changed
    ours = await opened(url, before)
    try:
        await ours.store.orders.commit([change("A-1", seqs=(1,)), change("B-1")], now=NOW)
        await ours.store.orders.commit([change("B-1", 1, final=True, ended_at=NOW)], now=NOW)
        assert previous.ask("loaded", ["A-1", "B-1"]) == {"A-1": 1, "B-1": 2}
    finally:
        await ours.store.close()


@pytest.mark.needs_postgres
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
@pytest.mark.parametrize("before", ["0010"], indirect=True)
async def test_a_process_that_started_before_the_contract_reads_what_is_written_after_it(
    previous: Previous, url: str, before: str
) -> None:
    assert previous.ask("commit", "A-1", 0) == 0
    previous.kill()
    early = (await opened(url, before)).store
    try:
        assert (await migrate.upgrade(url, contract=True)).contracts == ()
        late = open_store(url, clock=RealClock(), exclusive=True)
        await late.start()
        try:
            await late.orders.commit([change("A-1", 1, final=True, ended_at=NOW)], now=NOW)
            stored = text("SELECT state FROM orders")
            state = await late.database.write(lambda conn: conn.execute(stored).scalar_one())
            assert state.startswith("z"), "packed"
        finally:
            await late.close()
        known = (await early.orders.load(["A-1"]))["A-1"]
        assert (known.version, known.final) == (2, True)
        await early.orders.commit([change("A-1", 2, final=True, ended_at=NOW)], now=NOW)
        history = await early.queries.history("A-1")
        assert history is not None
        assert (history.order.version, len(history.entries)) == (3, 2)
    finally:
        await early.close()


@pytest.mark.needs_postgres
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
@pytest.mark.parametrize("before", ["0010"], indirect=True)
async def test_an_older_process_that_is_left_after_the_contract_reads_no_order_wrongly(
    previous: Previous, url: str, before: str
) -> None:
    """It fails at one that was written since; in the service, at its batch, which it reads again and again."""
    assert previous.ask("commit", "A-1", 0) == 0
    ours = await opened(url, before, contract=True)
    try:
        assert previous.ask("loaded", ["A-1"]) == {"A-1": 1}
        await ours.store.orders.commit([change("A-1", 1)], now=NOW)
        assert previous.ask("loaded", ["A-1"]) == "ValueError"
    finally:
        await ours.store.close()


@pytest.mark.needs_postgres
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
@pytest.mark.parametrize("before", ["0012"], indirect=True)
async def test_an_older_process_that_is_left_when_the_keys_change_stores_nothing_more(
    previous: Previous, url: str, before: str
) -> None:
    """What it would insert names a key that is gone, so its batch fails as a whole and is read again."""
    assert previous.ask("commit", "A-1", 0) == 0
    ours = await opened(url, before, contract=True)
    try:
        assert previous.ask("commit", "A-1", 1) == "StoreError"
        assert previous.ask("loaded", ["A-1"]) == {"A-1": 1}
        assert list(await ours.begin("ours")) == ["A-1/1/update/1/customer"]
        assert await ours.settle() == ["A-1/1/update/1/customer"]
    finally:
        await ours.store.close()


@pytest.mark.needs_postgres
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
@pytest.mark.parametrize("before", ["0012"], indirect=True)
async def test_the_contract_takes_the_indexes_that_an_operator_made_before(
    previous: Previous, url: str, before: str, postgres: Postgres
) -> None:
    assert previous.ask("commit", "A-1", 0) == 0
    database = url.rpartition("/")[2]
    (made,) = documents.blocks("tried: indexes")
    for statement in made.strip().split(";"):
        postgres.sql(statement, database)
    assert previous.ask("commit", "A-1", 1) == 0, "it goes on beside them"
    of_key = "SELECT indexrelid FROM pg_index WHERE indrelid = 'notifications'::regclass AND {}"
    before_it = postgres.sql(of_key.format("indexrelid = 'notifications_by_order'::regclass"), database)
    ours = await opened(url, before, contract=True)
    try:
        assert postgres.sql(of_key.format("indisprimary"), database) == before_it
        assert (await ours.store.orders.load(["A-1"]))["A-1"].version == 2
    finally:
        await ours.store.close()
