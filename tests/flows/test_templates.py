"""Templates and plan while the service runs, and while it does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from avisa.app.catalogs import read_folder
from avisa.catalog import CatalogCache, Found, Versions, follow
from avisa.core.model import Purpose
from avisa.core.plan import Span
from avisa.core.template_versions import Version
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.ports import InForce
from avisa.store.store import Store, open_store
from avisa.templates.folder_watch import FolderWatch
from tests.fakes import HandClock
from tests.flows.harness import Flows, empty_catalogs, files, running
from tests.templates import harness as templates
from tests.tools.waiting import until

SHORT = templates.PLAN.replace("window: 48h", "window: 6h")
HOUR = timedelta(hours=1)


def write(folder: Path, texts: Mapping[str, str]) -> Path:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@asynccontextmanager
async def next_version(flows: Flows, folder: Path, *, ahead: list[str] | None = None) -> AsyncIterator[FolderWatch]:
    watch = FolderWatch(folder)
    follower = follow.Follower(
        flows.versions,
        flows.catalogs,
        flows.clock,
        read=partial(read_folder, folder),
        saves=watch.changes(),
        store=flows.store.versions,
        memory=flows.store.operations,
        orders=flows.store.orders,
        replica="flows:8080",
        compile_ahead=lambda catalog: ahead.append(catalog.version) if ahead is not None else None,
    )
    task = asyncio.ensure_future(follower.run())
    try:
        yield watch
        assert not task.done(), "it never ends by itself"
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_plan_changed_while_nobody_ran_wakes_the_open_orders(tmp_path: Path) -> None:
    folder = write(tmp_path / "t", files())
    async with running(tmp_path / "avisa.db") as flows, next_version(flows, folder), flows.sending():
        await flows.happens("confirmed", notify=False)  # no date was told
        await until(lambda: woken(flows))
        await flows.pass_time(7 * HOUR)
        await flows.wake.once()
        assert not (await flows.history()).outbox
    write(folder, files(SHORT))
    async with (
        running(tmp_path / "avisa.db", plan=SHORT, clock=flows.clock) as again,
        next_version(again, folder),
        again.sending(),
    ):
        await until(lambda: _reminded(again))


async def test_another_folder_in_place_of_the_watched_one_is_read(tmp_path: Path) -> None:
    folder = write(tmp_path / "templates", files())
    other = write(tmp_path / "other", files(SHORT))
    async with running(tmp_path / "avisa.db") as flows, next_version(flows, folder):
        before = flows.catalogs.in_force.version
        await until(lambda: woken(flows))
        folder.rename(tmp_path / "gone")
        await until(lambda: not flows.catalogs.ok)
        assert flows.catalogs.in_force.version == before, "the last good one stays"
        other.rename(folder)
        await until(lambda: flows.catalogs.ok and flows.catalogs.in_force.version != before)
        assert flows.catalogs.in_force.plan.touchpoints["confirmed"].window == Span(elapsed=6 * HOUR)


async def test_each_catalog_in_force_is_compiled_ahead(tmp_path: Path) -> None:
    folder, ahead = write(tmp_path / "t", files()), list[str]()
    async with running(tmp_path / "avisa.db") as flows, next_version(flows, folder, ahead=ahead):
        await until(lambda: woken(flows))
        before = flows.catalogs.in_force.version
        write(folder, files(SHORT))
        await until(lambda: len(ahead) > 1)
        assert ahead == [before, flows.catalogs.in_force.version]


async def test_a_refused_save_is_told_with_its_place_and_what_was_meant(tmp_path: Path) -> None:
    folder = write(tmp_path / "t", files())
    async with running(tmp_path / "avisa.db") as flows, next_version(flows, folder):
        await until(lambda: woken(flows))
        with capture_logs() as told:
            write(folder, {"messages/shown/en.md": templates.SHOWN + "\n{{ custmer.name }}\n"})
            await until(lambda: not flows.catalogs.ok)
        line = next(entry for entry in told if entry["event"] == "catalog.problem_found")
    number = len(templates.SHOWN.splitlines()) + 2
    assert line["place"] == f"messages/shown/en.md:{number}:4"
    assert (line["code"], line["severity"]) == ("unknown_name", "error")
    assert line["meaning"].endswith("; perhaps: customer.name")


async def woken(flows: Flows) -> bool:
    return await flows.store.operations.recall(follow._WOKEN_BY) is not None


async def _reminded(flows: Flows) -> bool:
    await flows.wake.once()
    return any(row.notification.purpose is Purpose.REMINDER for row in (await flows.history()).outbox)


async def test_a_folder_that_is_wrong_forbids_only_the_first_start(tmp_path: Path) -> None:
    folder = write(tmp_path / "t", files("nonsense: 1"))
    store = open_store(f"sqlite:///{tmp_path / 'avisa.db'}", clock=HandClock(), exclusive=True)
    await store.start()
    try:
        _, wrong = await start(store, folder)
        assert wrong
        assert all(problem.file == "plan.yaml" for problem in wrong)
        write(folder, files())
        first, _ = await start(store, folder)
        write(folder, files("nonsense: 1"))
        again, wrong = await start(store, folder)
        assert not wrong
        assert again.in_force.version == first.in_force.version
        assert not again.ok
        _, wrong = await start(store, tmp_path / "gone")
        assert [problem.message for problem in wrong] == ["No such file or directory"]
    finally:
        await store.close()


async def start(store: Store, folder: Path) -> tuple[CatalogCache, list[Diagnostic]]:
    """What is in force after the start of a process, and what forbids the start."""
    catalogs = empty_catalogs(store)
    wrong = await follow.begin(Versions(catalogs, store.versions), catalogs, read_folder(folder), HandClock())
    return catalogs, wrong


async def test_words_pushed_elsewhere_come_into_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "ASK_STORE", 0.05)
    folder = write(tmp_path / "t", files())
    async with running(tmp_path / "avisa.db") as flows, next_version(flows, folder):
        await until(lambda: woken(flows))
        elsewhere = Versions(empty_catalogs(flows.store), flows.store.versions)
        pushed = await elsewhere.push(
            Found(place="laptop:/t", files=files(SHORT)), based_on=1, author="ana", note=None, at=flows.clock.now()
        )
        assert isinstance(pushed, Version)
        await until(lambda: flows.catalogs.in_force.plan.touchpoints["confirmed"].window == Span(elapsed=6 * HOUR))
        await until(lambda: _says(flows, [InForce(replica="flows:8080", version=2)]))
        assert flows.versions.in_force == pushed


async def _says(flows: Flows, who: list[InForce]) -> bool:
    return await flows.store.versions.who_has_in_force() == who
