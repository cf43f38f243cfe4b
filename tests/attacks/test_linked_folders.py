"""A template folder that is a link, or has links in it, is kept up with all the same, and says how."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from avisa.catalog.active import content_of
from avisa.templates import folder_watch, template_folder
from avisa.templates.folder_watch import FolderWatch
from tests.flows.harness import Flows, files, running
from tests.flows.test_templates import next_version, woken, write
from tests.templates.harness import PLAIN
from tests.tools.waiting import until

PATIENCE = 30
MESSAGE = "messages/plain/en.md"


@pytest.fixture(autouse=True)
def looked_at_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_watch, "LOOK", 0.1)
    monkeypatch.setattr(folder_watch, "_SETTLED", 50)


def text(number: int) -> str:
    return PLAIN + f"\nVersion {number}.\n" * bool(number)


class Folder:
    """`templates`, and a way to change what is behind the links."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "templates"
        self.number = 0

    def files(self) -> dict[str, str]:
        return {**files(), MESSAGE: text(self.number)}

    def save(self) -> None:
        """Somebody edits the message where it really lies."""
        self.number += 1
        (self.path / MESSAGE).resolve().write_text(text(self.number))


class Itself(Folder):
    """The folder is a link, as where each release has a folder of its own."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        write(root / "release-0", self.files())
        self.path.symlink_to("release-0")


class ItselfSwapped(Itself):
    def save(self) -> None:
        self.number += 1
        write(self.root / f"release-{self.number}", self.files())
        swap(self.path, f"release-{self.number}")


class AMessage(Folder):
    """The folder of a message is a link to another in the folder."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        write(self.path, self.files())
        (self.path / "shared").mkdir()
        (self.path / "messages/plain").rename(self.path / "shared/plain")
        (self.path / "messages/plain").symlink_to("../shared/plain")


class AFile(Folder):
    """A file is a link to another in the folder."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        write(self.path, self.files())
        (self.path / "shared").mkdir()
        (self.path / MESSAGE).rename(self.path / "shared/plain.md")
        (self.path / MESSAGE).symlink_to("../../shared/plain.md")


class AFileReplaced(AFile):
    """As editors save: a new file takes the place of the old one."""

    def save(self) -> None:
        self.number += 1
        (self.root / "new").write_text(text(self.number))
        (self.root / "new").replace(self.path / "shared/plain.md")


class ConfigMap(Folder):
    """As Kubernetes mounts one, and as it brings a new one: with folders that are links by way of `..data`."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        write(self.path / "..2026_03_02_0", self.files())
        (self.path / "..data").symlink_to("..2026_03_02_0")
        for name in os.listdir(self.path / "..data"):
            (self.path / name).symlink_to(f"..data/{name}")

    def save(self) -> None:
        before = (self.path / "..data").resolve()
        self.number += 1
        write(self.path / f"..2026_03_02_{self.number}", self.files())
        swap(self.path / "..data", f"..2026_03_02_{self.number}")
        shutil.rmtree(before)


class MovedIn(Folder):
    """No link was there at first; then a folder with one in it was moved in."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        write(self.path, self.files())
        (root / "more").mkdir()
        (root / "more/all").symlink_to("/usr")
        self._moved = False

    def save(self) -> None:
        if not self._moved:
            (self.root / "more").rename(self.path / "more")
            self._moved = True
        super().save()


FOLDERS: list[tuple[type[Folder], str]] = [
    (Itself, "`templates` is a link"),
    (ItselfSwapped, "`templates` is a link"),
    (AMessage, "`messages/plain` is a link"),
    (AFile, f"`{MESSAGE}` is a link"),
    (AFileReplaced, f"`{MESSAGE}` is a link"),
    (ConfigMap, "`..data` is a link"),
    (MovedIn, "`more/all` is a link"),
]


def swap(link: Path, target: str) -> None:
    beside = link.with_name("..new")
    beside.symlink_to(target)
    beside.replace(link)


def in_force(flows: Flows) -> str | None:
    return flows.versions.in_force and flows.versions.in_force.content


async def put_in_force(flows: Flows, folder: Folder) -> None:
    content = content_of(template_folder.read(folder.path)[0])
    await until(lambda: in_force(flows) == content)


@pytest.mark.parametrize(("kind", "why"), FOLDERS, ids=lambda it: getattr(it, "__name__", ""))
async def test_what_changes_behind_a_link_is_put_in_force(tmp_path: Path, kind: type[Folder], why: str) -> None:
    folder = kind(tmp_path)
    with capture_logs() as logged:
        async with running(tmp_path / "avisa.db") as flows, next_version(flows, folder.path) as watch:
            await until(lambda: woken(flows))
            for _ in range(3):
                folder.save()
                await put_in_force(flows, folder)
            assert watch.unwatched == why
    assert [it["why"] for it in logged if it["event"] == "templates.not_watched"] == [why]


async def test_a_link_out_of_the_folder_is_refused_and_when_it_is_gone_the_folder_is_watched_again(
    tmp_path: Path,
) -> None:
    folder = Folder(tmp_path)
    write(folder.path, folder.files())
    write(tmp_path, {"secret.md": PLAIN})
    async with running(tmp_path / "avisa.db") as flows, next_version(flows, folder.path) as watch:
        await until(lambda: woken(flows))
        before = in_force(flows)
        stray = folder.path / "messages/plain/es.md"
        stray.symlink_to("../../../secret.md")
        await until(lambda: not flows.catalogs.ok)
        assert [(it.code, it.file) for it in flows.catalogs.problems] == [("not_a_file", "messages/plain/es.md")]
        assert in_force(flows) == before, "the last good one stays"
        await until(lambda: watch.unwatched)
        stray.unlink()
        await until(lambda: flows.catalogs.ok)
        folder.save()
        await put_in_force(flows, folder)
        assert in_force(flows) != before
        await until(lambda: watch.unwatched is None)


@pytest.mark.parametrize(
    ("link", "target"), [("messages/plain/.#en.md", "ana@workstation.4711"), ("messages/plain/x", "x")]
)
async def test_a_link_that_leads_nowhere_ends_no_watch(tmp_path: Path, link: str, target: str) -> None:
    folder = Folder(tmp_path)
    write(folder.path, folder.files())
    (folder.path / link).symlink_to(target)
    async with running(tmp_path / "avisa.db") as flows, next_version(flows, folder.path) as watch:
        await until(lambda: woken(flows))
        for _ in range(3):
            folder.save()
            await put_in_force(flows, folder)
        assert watch.unwatched is None


async def test_a_folder_that_the_system_does_not_watch_is_looked_at(tmp_path: Path) -> None:
    """As where all that may be watched is, or no file more can be open."""
    folder = Folder(tmp_path)
    write(folder.path, folder.files())
    saved = tmp_path / "saved"  # beforehand: while it is looked at, no file more can be open, and a rename opens none
    saved.write_text(PLAIN + "\nSaved.\n")
    watch = FolderWatch(folder.path)
    async with aclosing(watch.changes()) as changes, asyncio.timeout(PATIENCE):
        with hardly_a_file_open():
            change = asyncio.ensure_future(anext(changes))
            await until(lambda: watch.unwatched)
            saved.replace(folder.path / MESSAGE)
            await change
        assert watch.unwatched is not None and watch.unwatched.startswith("the system does not watch it")
        change = asyncio.ensure_future(anext(changes))
        await until(lambda: watch.unwatched is None)
        folder.save()
        await change


@contextmanager
def hardly_a_file_open() -> Iterator[None]:
    """One more file can be open: enough to look at a folder, and not to watch it."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
