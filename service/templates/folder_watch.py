"""Notices changes in a template folder: by a watch of the system, or by a look every few seconds.

The system's watch follows links: to folders outside, as many as there are, until the system refuses to watch more;
and it says nothing of a file that a link leads to. So a folder with a link in it is looked at instead, and so is a
folder that the system does not watch.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import structlog
from watchfiles import awatch

from avisa.templates import template_folder

log = structlog.get_logger("avisa")

LOOK = 2.0  # seconds between looks where nothing is watched
_LOOK_UP = 1_000  # ms between checks whether it is still the same folder
_SETTLED = 200  # ms without another change before a change is reported

# Which folder it is, and of each file that is read: its name, where it lies, its size and when it changed.
_State = tuple[tuple[object, ...], ...]


class FolderWatch:
    """Watches one folder, from its construction on: made before the folder is first read, it misses nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = _state(folder)
        self.unwatched: str | None = None  # why the folder is looked at, "`messages` is a link"; None: it is watched

    async def changes(self) -> AsyncIterator[None]:
        """Yield whenever something in the folder has changed, once for several changes at once; also when the folder
        itself is taken away, or another one is put in its place."""
        while True:
            link = await asyncio.to_thread(_link, self._folder)
            if link is None:
                try:
                    async for changed in self._watched():
                        if await self._differs() or changed:
                            yield
                except FileNotFoundError:
                    await asyncio.sleep(_LOOK_UP / 1000)
                except (OSError, RuntimeError) as error:  # the second is `watchfiles`'s own
                    self._look(f"the system does not watch it ({error})")
                    await asyncio.sleep(LOOK)
            else:
                self._look(f"`{link}` is a link")
                await asyncio.sleep(LOOK)
            if await self._differs():
                yield

    async def _watched(self) -> AsyncIterator[bool]:
        """Yield once the watch has begun, and then True whenever something has changed. Ends if another folder is in
        the place of this one, or a link is in it. Raises OSError, RuntimeError."""
        here, begun = _place(self._folder), False
        # All changes count, not only those of files that are read: an editor or a mount may swap whole folders.
        async for changes in awatch(
            self._folder,
            watch_filter=None,
            step=_SETTLED,
            debounce=10 * _SETTLED,
            rust_timeout=_LOOK_UP,
            yield_on_timeout=True,
        ):
            self.unwatched = None
            if _place(self._folder) != here or (changes and await asyncio.to_thread(_link, self._folder) is not None):
                return
            if changes or not begun:
                begun = True
                yield bool(changes)

    async def _differs(self) -> bool:
        """Whether the folder's state is another than when this was last asked."""
        before, self._seen = self._seen, await asyncio.to_thread(_state, self._folder)
        return self._seen != before

    def _look(self, why: str) -> None:
        """Note why the folder is looked at; log it once."""
        if self.unwatched != why:
            self.unwatched = why
            log.info("templates.not_watched", why=why, looked_at_every=LOOK)


def _state(folder: Path) -> _State:
    """Return the state of the folder: two states differ if something that is read may have changed between them."""
    entries: list[tuple[object, ...]] = [(_place(folder),)]
    with suppress(OSError, RuntimeError):  # the second is pathlib's; whoever reads the folder will say what is wrong
        for name, path in template_folder.files_in(folder):
            entries.append((name, *_stamp(path)))
    return tuple(entries)


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:  # a link that leads nowhere, or it has just been taken away
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _place(folder: Path) -> tuple[int, int] | None:
    """Return which folder this is, whatever its name; None: there is none."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _link(folder: Path) -> str | None:
    """Return the first link that leads somewhere: the folder itself, or one in it. Editors leave others beside a file
    that is open."""
    if folder.is_symlink():
        return folder.name
    for parent, folders, files in os.walk(folder):
        folders.sort()
        for name in [*folders, *sorted(files)]:
            path = os.path.join(parent, name)
            if os.path.islink(path) and os.path.exists(path):
                return os.path.relpath(path, folder)
    return None
