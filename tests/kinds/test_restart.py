"""A start does not try again what passed before with the same libraries: it opens the version in force,
and compiles each message when the first mail needs it. Whatever is new or has changed is tried whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import cast

import orjson
import pytest

from avisa.catalog import CatalogCache, Found, Installation, KeptCatalog, Versions
from avisa.core import samples
from avisa.core.plan import Holidays, Plan
from avisa.core.template_versions import Version
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.ports import Draft, Mail, VersionStore
from avisa.templates.compile_folder import compile_folder
from avisa.templates.open_folder import open_folder
from avisa.templates.renderer import Renderer
from tests.templates.harness import NOW, PLAIN, PLAN, SECRET, files, read_plan

Compiled = tuple[Renderer | None, list[Diagnostic]]

WARNED = files(plain=PLAIN + "<b>bold</b>\n")  # HTML is text, which is worth a warning
ANOTHER = files(plain=PLAIN + "\nMore.\n")
BROKEN = files(plain=PLAIN + "{{ custmer.name }}\n")
CLOSED = {**files(), "plan.yaml": PLAN + "calendars: {works: {hours: mon-fri 09:00-18:00, holidays: [PT, ES-CT]}}\n"}

# What the folder holds at the restart, with which libraries: how often it is tried, and what is said of it.
RESTARTS = {
    "the same": (WARNED, "one", 0, ["html_is_text"]),
    "another layout": (
        {**WARNED, "layout/button.txt": WARNED["layout/button.txt"] + " "},
        "one",
        1,
        ["html_is_text"],
    ),
    "another message": (ANOTHER, "one", 1, []),
    "another plan": ({**WARNED, "plan.yaml": WARNED["plan.yaml"] + "\n"}, "one", 1, ["html_is_text"]),
    "a broken message": (BROKEN, "one", 1, ["unknown_name"]),
    "other libraries": (WARNED, "two", 1, ["html_is_text"]),
}


class Process:
    """A process on the store, which counts how often it tries a folder."""

    def __init__(self, store: VersionStore, engine: str = "one") -> None:
        self.tries = 0
        self.catalogs = CatalogCache(
            read_plan=read_plan,
            compile_folder=self._tried,
            open_folder=open_folder,
            engine=engine,
            installation=Installation(secret=SECRET, public_url="https://avisa.example.com"),
            store=store,
        )
        self.versions = Versions(self.catalogs, store)

    def _tried(self, texts: Mapping[str, str], plan: Plan) -> Compiled:
        self.tries += 1
        return compile_folder(texts, plan)

    async def start(self, texts: Mapping[str, str], place: str = "desk:/templates") -> list[str]:
        """The codes of what is said about the folder."""
        await self.versions.look(Found(place=place, files=texts), at=NOW)
        return [problem.code for problem in self.catalogs.problems]

    def mail(self) -> bytes:
        catalog = self.catalogs.in_force
        order, notification = samples.samples("shown", catalog.plan, NOW)["full"]
        draft = catalog.draft(notification, order, NOW)
        assert isinstance(draft, Draft)
        mail = catalog.compose(notification, draft)
        assert isinstance(mail, Mail)
        return mail.data


class Memory:
    """A VersionStore in memory, as far as it is asked here."""

    def __init__(self) -> None:
        self._lineage: list[Version] = []
        self.kept: dict[str, bytes] = {}
        self._bases: dict[str, int] = {}

    async def keep_catalog(self, version: str, content: bytes, *, at: datetime) -> None:
        self.kept.setdefault(version, content)

    async def kept_catalog(self, version: str) -> bytes | None:
        return self.kept.get(version)

    async def versions(self) -> list[Version]:
        return self._lineage[::-1]

    async def add_version(self, version: Version, content: bytes) -> bool:
        self._lineage.append(version)
        self.kept[version.catalog] = content
        return True

    async def based_on(self, place: str) -> int | None:
        return self._bases.get(place)

    async def set_base(self, place: str, version: int) -> None:
        self._bases[place] = version


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def store(memory: Memory) -> VersionStore:
    return cast(VersionStore, memory)


@pytest.mark.parametrize(("texts", "engine", "tries", "codes"), RESTARTS.values(), ids=RESTARTS)
async def test_a_restart_tries_what_changed_and_nothing_else(
    texts: Mapping[str, str], engine: str, tries: int, codes: list[str], store: VersionStore
) -> None:
    before = Process(store)
    assert await before.start(WARNED) == ["html_is_text"]
    assert before.tries == 1
    after = Process(store, engine)
    assert await after.start(texts) == codes
    assert after.tries == tries
    if texts is WARNED and engine == "one":
        assert after.catalogs.in_force.version == before.catalogs.in_force.version
        assert after.mail() == before.mail()


async def test_after_an_upgrade_the_head_is_tried_once(store: VersionStore) -> None:
    await Process(store).start(WARNED)
    upgraded = Process(store, "two")
    await upgraded.start(WARNED)
    again = Process(store, "two")
    assert await again.start(WARNED) == ["html_is_text"]
    assert (upgraded.tries, again.tries) == (1, 0)


async def test_of_a_broken_folder_only_the_folder_is_tried(store: VersionStore) -> None:
    await Process(store).start(WARNED)
    for _ in range(2):
        restarted = Process(store)
        assert await restarted.start(BROKEN) == ["unknown_name"]
        assert restarted.tries == 1
        assert b"Subject" in restarted.mail()


async def test_a_rollback_is_tried_whole(store: VersionStore) -> None:
    process = Process(store)
    await process.start(WARNED)
    await process.start(ANOTHER)
    first = (await store.versions())[-1]
    await process.versions.roll_back(first, author="ana", note=None, at=NOW)
    assert process.tries == 3
    assert [problem.code for problem in process.catalogs.problems] == []


async def test_holidays_are_those_of_the_day_on_which_the_catalog_was_kept(
    memory: Memory, store: VersionStore
) -> None:
    await Process(store).start(CLOSED)
    ((version, content),) = memory.kept.items()
    kept = KeptCatalog.read(content)
    assert kept.holidays.keys() == {"PT", "ES-CT"}
    assert date(2026, 4, 25) in kept.holidays["PT"].closed
    decreed = Holidays("PT", frozenset({date(2026, 3, 3)}), frozenset({date(2026, 3, 7)}))
    memory.kept[version] = replace(kept, holidays={**kept.holidays, "PT": decreed}).written()
    restarted = Process(store)
    assert await restarted.start(CLOSED) == []
    assert restarted.tries == 0
    assert restarted.catalogs.in_force.plan.holidays["PT"] == decreed


async def test_a_catalog_that_was_kept_without_holidays_has_them_looked_up(
    memory: Memory, store: VersionStore
) -> None:
    before = Process(store)
    await before.start(CLOSED)
    ((version, content),) = memory.kept.items()
    memory.kept[version] = orjson.dumps({k: v for k, v in orjson.loads(content).items() if k != "holidays"})
    restarted = Process(store)
    await restarted.start(CLOSED)
    assert restarted.catalogs.in_force.plan == before.catalogs.in_force.plan
