"""Templates and plan while the service runs, and while it does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

from structlog.testing import capture_logs

from service.app import words
from service.core.model import Purpose
from service.core.plan import Span
from tests.flows.rig import Rig, files, running, until
from tests.rendering import desk

SHORT = desk.PLAN.replace("window: 48h", "window: 6h")
HOUR = timedelta(hours=1)


def write(folder: Path, texts: Mapping[str, str]) -> Path:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@asynccontextmanager
async def following(rig: Rig, folder: Path) -> AsyncIterator[None]:
    follower = words.Follower(rig.versions, rig.shelf, folder, rig.clock, rig.store, "rig:8080")
    task = asyncio.ensure_future(follower.run())
    try:
        yield
        assert not task.done(), "it never ends by itself"
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_plan_changed_while_nobody_ran_wakes_the_open_orders(tmp_path: Path) -> None:
    folder = write(tmp_path / "t", files())
    async with running(tmp_path / "avisa.db") as rig, following(rig, folder), rig.sending():
        await rig.happens("confirmed", notify=False)  # no date was told
        await until(lambda: _woken(rig))
        await rig.pass_time(7 * HOUR)
        await rig.wake.once()
        assert not (await rig.history()).outbox
    write(folder, files(SHORT))
    async with (
        running(tmp_path / "avisa.db", plan=SHORT, clock=rig.clock) as again,
        following(again, folder),
        again.sending(),
    ):
        await until(lambda: _reminded(again))


async def test_another_folder_in_place_of_the_watched_one_is_read(tmp_path: Path) -> None:
    folder = write(tmp_path / "templates", files())
    other = write(tmp_path / "other", files(SHORT))
    async with running(tmp_path / "avisa.db") as rig, following(rig, folder):
        before = rig.shelf.in_force.version
        await until(lambda: _woken(rig))
        folder.rename(tmp_path / "gone")
        await until(lambda: not rig.shelf.ok)
        assert rig.shelf.in_force.version == before, "the last good one stays"
        other.rename(folder)
        await until(lambda: rig.shelf.ok and rig.shelf.in_force.version != before)
        assert rig.shelf.in_force.plan.touchpoints["confirmed"].window == Span(elapsed=6 * HOUR)


async def test_a_refused_save_is_told_with_its_place_and_what_was_meant(tmp_path: Path) -> None:
    folder = write(tmp_path / "t", files())
    async with running(tmp_path / "avisa.db") as rig, following(rig, folder):
        await until(lambda: _woken(rig))
        with capture_logs() as told:
            write(folder, {"messages/shown/en.md": desk.SHOWN + "\n{{ custmer.name }}\n"})
            await until(lambda: not rig.shelf.ok)
        line = next(entry for entry in told if entry["event"] == "template_problem")
    number = len(desk.SHOWN.splitlines()) + 2
    assert line["place"] == f"messages/shown/en.md:{number}:4"
    assert (line["code"], line["severity"]) == ("unknown_name", "error")
    assert line["meaning"].endswith("; perhaps: customer.name")


async def _woken(rig: Rig) -> bool:
    return await rig.store.recall(words._WOKEN_BY) is not None


async def _reminded(rig: Rig) -> bool:
    await rig.wake.once()
    return any(row.notification.purpose is Purpose.REMINDER for row in (await rig.history()).outbox)
