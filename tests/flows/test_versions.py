"""Versions of the words: replicas on one store, each with a folder of its own, and people who push by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from avisa.catalog import (
    Already,
    Catalog,
    CatalogCache,
    Found,
    Installation,
    KeptCatalog,
    NotOfHead,
    Unfit,
    Versions,
    content_of,
)
from avisa.core.template_versions import Origin, Version
from avisa.store import Store, open_store
from avisa.templates.open_folder import open_folder
from tests.builders import NOW
from tests.fakes import RealClock
from tests.templates import harness as templates

BROKEN = templates.files(plain="---\nsubject: x\nshort: x\n---\n{{ custmer.name }}\n")


def words(name: str) -> dict[str, str]:
    """A folder that says `name` and is otherwise like the others."""
    return templates.files(plain=templates.PLAIN.replace("Order", f"{name}: order"))


class Replica:
    """One process: its catalogs, its folder, and looking at the folder as it starts and as files are saved."""

    def __init__(self, store: Store, place: str, texts: Mapping[str, str], engine: str = "one") -> None:
        self.store, self.place, self.texts, self._engine = store, place, texts, engine
        self.shipped = False
        self.restart()

    def restart(self) -> None:
        self.catalogs = CatalogCache(
            read_plan=templates.read_plan,
            compile_folder=templates.compile_once,
            open_folder=open_folder,
            engine=self._engine,
            installation=Installation(secret=templates.SECRET),
            store=self.store.versions,
        )
        self.versions = Versions(self.catalogs, self.store.versions)

    @property
    def found(self) -> Found:
        return Found(place=self.place, files=self.texts, shipped=self.shipped)

    async def look(self) -> tuple[int, list[str]]:
        """The number of the version then in force here, and the codes of what there is to say."""
        await self.versions.look(self.found, at=NOW)
        version = self.versions.in_force
        return version.number if version else 0, [problem.code for problem in self.catalogs.problems]

    async def save(self, texts: Mapping[str, str]) -> tuple[int, list[str]]:
        self.texts = texts
        return await self.look()

    async def push(self, based_on: int | None = None) -> object:
        return await self.versions.push(self.found, based_on=based_on, author="ana", note="a note", at=NOW)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'avisa.db'}", clock=RealClock(), exclusive=True)
    await opened.start()
    yield opened
    await opened.close()


@pytest.fixture
def one(store: Store) -> Replica:
    return Replica(store, "one:/t", words("A"))


@pytest.fixture
def two(store: Store) -> Replica:
    return Replica(store, "two:/t", words("A"))


async def test_an_edit_on_one_replica_reaches_the_other_whose_folder_is_old(one: Replica, two: Replica) -> None:
    assert await one.look() == (1, [])
    assert await two.look() == (1, [])
    assert await one.save(words("B")) == (2, [])
    assert await two.versions.moved()
    assert await two.look() == (2, ["stale_folder"])
    assert not await two.versions.moved()
    assert two.catalogs.ok, "to be stale is no fault"
    assert two.catalogs.in_force.version == one.catalogs.in_force.version
    two.restart()
    assert await two.look() == (2, ["stale_folder"])
    assert await two.save(words("B")) == (2, [])


async def test_an_edit_of_an_old_folder_undoes_nobodys_words(one: Replica, two: Replica) -> None:
    await one.look()
    await two.look()
    await one.save(words("B"))
    await two.look()
    assert await two.save(words("C")) == (2, ["astray_folder"])
    assert not two.catalogs.ok, "somebody's words are not used"
    assert "made of version 1, and version 2" in two.catalogs.problems[0].message
    two.restart()
    assert await two.look() == (2, ["astray_folder"])
    assert await two.save(words("A")) == (2, ["stale_folder"])


async def test_two_different_folders_do_not_take_turns(one: Replica, two: Replica) -> None:
    await one.save(words("X"))
    await two.save(words("Y"))
    for _ in range(3):
        for replica in (one, two):
            replica.restart()
            await replica.look()
    assert one.catalogs.in_force.version == two.catalogs.in_force.version
    assert len(await one.store.versions.versions()) == 2


async def test_a_rollback_stays_until_a_folder_is_edited(one: Replica, two: Replica) -> None:
    await one.look()
    await two.look()
    await one.save(words("B"))
    await two.save(words("B"))
    first = (await one.store.versions.versions())[-1]
    back = await two.versions.roll_back(first, author="ana", note=None, at=NOW)
    assert isinstance(back, Version)
    assert (back.number, back.content, back.origin) == (3, first.content, Origin.ROLLBACK)
    assert back.note == "back to version 1"
    for replica in (one, two):
        assert await replica.look() == (3, ["stale_folder"])
        replica.restart()
        assert await replica.look() == (3, ["stale_folder"])
        assert await replica.look() == (3, ["stale_folder"])
    assert await one.save(BROKEN) == (3, ["unknown_name"])
    assert await one.save(words("B")) == (3, ["stale_folder"]), "to save it as it was is no edit"
    assert await one.save(words("C")) == (4, [])
    assert await two.look() == (4, ["stale_folder"])


async def test_a_pull_that_went_wrong_is_no_edit(one: Replica, two: Replica, store: Store) -> None:
    """The folder was said to become the newest version, and was not written."""
    await one.look()
    await two.look()
    await one.save(words("B"))
    assert await two.look() == (2, ["stale_folder"])
    await store.versions.set_base(two.place, 2)
    assert await two.look() == (2, ["stale_folder"])
    two.restart()
    assert await two.look() == (2, ["stale_folder"])


async def test_pulled_into_a_followed_folder_an_old_version_is_only_text(one: Replica, store: Store) -> None:
    await one.look()
    await one.save(words("B"))
    await store.versions.set_base(one.place, 1)
    assert await one.save(words("A")) == (2, ["stale_folder"])
    assert await one.save(words("C")) == (2, ["astray_folder"])


async def test_an_edit_can_be_undone_in_the_folder(one: Replica) -> None:
    await one.look()
    await one.save(words("B"))
    assert await one.save(words("A")) == (3, [])
    assert await one.save(words("B")) == (4, [])
    assert [version.content for version in await one.store.versions.versions()][::2] == [
        content_of(words("B")),
        content_of(words("B")),
    ]


async def test_a_refused_edit_leaves_the_last_good_version_even_over_a_restart(one: Replica) -> None:
    await one.look()
    for _ in range(2):
        assert await one.save(BROKEN) == (1, ["unknown_name"])
        assert not one.catalogs.ok
        one.restart()
    assert len(await one.store.versions.versions()) == 1


async def test_with_nothing_good_nothing_is_in_force(store: Store) -> None:
    only = Replica(store, "one:/t", BROKEN)
    assert await only.look() == (0, ["unknown_name"])
    assert only.catalogs.empty
    assert not only.catalogs.ok


async def test_an_edit_of_an_old_version_waits_for_somebody_to_merge_it(one: Replica, two: Replica) -> None:
    """Also when the others go back to what it was made of: nobody asked for it then."""
    await one.look()
    await two.look()
    await one.save(words("B"))
    assert await two.save(words("C")) == (2, ["astray_folder"])
    await one.versions.roll_back((await one.store.versions.versions())[-1], author="ana", note=None, at=NOW)
    assert await two.look() == (3, ["astray_folder"])
    two.restart()
    assert await two.look() == (3, ["astray_folder"])
    assert isinstance(await two.push(based_on=3), Version)
    assert await two.look() == (4, [])


async def test_a_head_that_is_not_fit_here_is_passed_over(one: Replica, two: Replica, store: Store) -> None:
    """As for a replica of an older release, which lacks a filter that the newest words use."""
    await one.look()
    await two.look()
    newer = Version(
        number=2, content="f" * 16, catalog="newer", parent=None, origin=Origin.PUSH, author="ana", note=None, at=NOW
    )  # fmt: skip
    assert await store.versions.add_version(newer, KeptCatalog(engine="one", files=BROKEN).written())
    assert await one.look() == (1, ["unfit_version", "unknown_name", "stale_folder"])
    assert not one.catalogs.ok
    two.restart()
    assert await two.look() == (1, ["unfit_version", "unknown_name", "stale_folder"])
    assert await one.save(words("C")) == (1, ["astray_folder", "unfit_version", "unknown_name"])


async def test_other_libraries_make_no_other_version(one: Replica, store: Store) -> None:
    await one.look()
    other = Replica(store, "two:/t", words("A"), engine="another")
    assert await other.look() == (1, [])
    names = [replica.catalogs.in_force.version for replica in (one, other)]
    assert names[0] != names[1]
    assert {name.partition("-")[0] for name in names} == {content_of(words("A"))}
    for name in names:  # so that a draft of either can be written by both
        assert isinstance(await one.catalogs.version(name), Catalog)
    assert [one.catalogs.renders(name) for name in names] == [True, False]


async def test_a_new_release_takes_nobodys_words_away(one: Replica, store: Store) -> None:
    shipped = Replica(store, "pod-1:/shipped", words("shipped"))
    shipped.shipped = True
    assert await shipped.look() == (1, [])
    assert (await store.versions.versions())[0].origin is Origin.SHIPPED
    newer = Replica(store, "pod-2:/shipped", words("shipped anew"))
    newer.shipped = True
    assert await newer.look() == (2, [])
    shipped.restart()
    assert await shipped.look() == (2, [])
    assert await one.look() == (3, [])
    newest = Replica(store, "pod-3:/shipped", words("shipped once more"))
    newest.shipped = True
    assert await newest.look() == (3, [])


async def test_a_push_must_have_been_made_of_the_head(one: Replica, two: Replica, store: Store) -> None:
    await one.look()
    await two.look()
    far = Replica(store, "laptop:/words", words("B"))
    nobody_knows = await far.push()
    assert isinstance(nobody_knows, NotOfHead)
    assert (nobody_knows.based_on, nobody_knows.holds) == (None, None)
    await store.versions.set_base(far.place, 1)  # as `pull` does
    pushed = await far.push()
    assert isinstance(pushed, Version)
    assert (pushed.number, pushed.author, pushed.note, pushed.parent) == (2, "ana", "a note", content_of(words("A")))
    assert await one.look() == (2, ["stale_folder"])
    assert isinstance(await far.push(), Already)
    await one.save(words("B"))
    await one.save(words("C"))
    far.texts = words("D")
    late = await far.push()
    assert isinstance(late, NotOfHead)
    assert (late.head.number, late.based_on and late.based_on.number) == (3, 2)
    merged = await far.push(based_on=3)
    assert isinstance(merged, Version)
    old = await two.push()
    assert isinstance(old, NotOfHead)
    assert old.holds is not None
    assert old.holds.number == 1


async def test_after_a_rollback_a_push_by_hand_has_to_know_of_it(one: Replica, store: Store) -> None:
    await one.look()
    await one.save(words("B"))
    await one.versions.roll_back((await store.versions.versions())[-1], author="ana", note="too loud", at=NOW)
    one.texts = words("C")
    assert isinstance(await one.push(), NotOfHead)


async def test_a_push_is_checked_first(one: Replica, store: Store) -> None:
    await one.look()
    one.texts = BROKEN
    refused = await one.push()
    assert isinstance(refused, Unfit)
    assert [problem.code for problem in refused.problems] == ["unknown_name"]
    assert len(await store.versions.versions()) == 1


async def test_a_version_in_force_cannot_be_rolled_back_to(one: Replica, store: Store) -> None:
    await one.look()
    (only,) = await store.versions.versions()
    assert await one.versions.roll_back(only, author="ana", note=None, at=NOW) == Already(only)
