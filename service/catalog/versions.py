"""Versions of plan and messages: whose words are in force here, by the rules of `core.lineage`.

All replicas read the same lineage in the store and put its head in force. What a folder becomes is worked out
anew whenever the folder or the head changes: look, decide, add; and if somebody was faster, again. Either a whole
catalog is put in force or nothing changes: one that does not pass the check leaves the last good one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from avisa.catalog.active import CatalogCache, content_of, files_of
from avisa.catalog.catalog import Catalog
from avisa.core.template_versions import (
    Folder,
    FolderState,
    Lineage,
    Origin,
    Version,
    is_fast_forward,
    newest,
    next_version,
    numbered,
    state_of,
)
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.ports import VersionStore

STALE = "stale_folder"  # the code of that problem
_HERE = "."  # the folder itself, where a problem is none of one file
_SHIPPED_BY = "avisa"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A folder as it was read."""

    place: str  # whose it is: host and path
    files: Mapping[str, str]
    unread: Sequence[Diagnostic] = ()  # with any, nothing of it is used
    shipped: bool = False


@dataclass(frozen=True, slots=True)
class Unfit:
    """It did not pass the check."""

    problems: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class NotOfHead:
    """It was not made of the head; None: nobody knows of what."""

    head: Version
    based_on: Version | None
    holds: Version | None  # the earlier version that it equals, if any


@dataclass(frozen=True, slots=True)
class Already:
    """Those words are in force."""

    version: Version


class Versions:
    """Puts in force here what is to be in force everywhere, and adds to the lineage."""

    def __init__(self, shelf: CatalogCache, store: VersionStore) -> None:
        self._shelf = shelf
        self._store = store
        self._turn = asyncio.Lock()
        self._held: str | None = None  # the content of the folder when we last looked, if it was of some version
        self._seen_head: int | None = None
        self._warnings: list[Diagnostic] = []  # of what is in force
        self.in_force: Version | None = None

    async def moved(self) -> bool:
        """Whether somebody added a version since we last looked."""
        return await self._store.head() != self._seen_head

    async def look(self, found: Found, *, at: datetime) -> None:
        """Do what is to be done about the folder and the head. What is wrong, or only worth knowing, is then in
        the shelf's `problems`."""
        async with self._turn:
            self._seen_head = None  # until all is done: whoever is cut short looks again
            answer: list[Diagnostic] | None = None
            while answer is None:
                lineage = await self._store.versions()
                answer = await self._looked(found, lineage, at)
            self._shelf.problems = tuple(answer)
            head = lineage[0].number if lineage else 0
            self._seen_head = max(head, self.in_force.number) if self.in_force else head

    async def _looked(self, found: Found, lineage: Lineage, at: datetime) -> list[Diagnostic] | None:
        """What there is to say; None: somebody was faster, look again."""
        if found.unread:
            return [*found.unread, *await self._put_head(lineage, at)]
        content = content_of(found.files)
        based_on = await self._store.based_on(found.place)
        source = numbered(based_on, lineage)
        watched = source is not None and source.content == self._held
        folder = Folder(content=content, based_on=based_on, shipped=found.shipped, watched=watched)
        state = state_of(folder, lineage)
        said: list[Diagnostic] = []
        added: Version | Unfit | None = None
        if state is FolderState.AHEAD:
            origin, author = (Origin.SHIPPED, _SHIPPED_BY) if found.shipped else (Origin.FOLDER, found.place)
            added = await self._add(found.files, lineage, origin=origin, author=author, note=None, at=at)
            if added is None:
                return None
            if isinstance(added, Unfit):
                return [*added.problems, *await self._put_head(lineage, at)]
        else:
            said = await self._put_head(lineage, at)
        if state is FolderState.DIVERGED:
            return [_astray(lineage[0], based_on), *said]
        self._held = content
        if found.shipped:
            return [*said, *self._warnings]
        equal = added if isinstance(added, Version) else newest(content, lineage)
        assert equal is not None, "what is neither new nor astray equals a version"
        if based_on != equal.number:
            await self._store.set_base(found.place, equal.number)
        if state is FolderState.BEHIND:
            said.append(_stale(lineage[0], equal))
        return [*said, *self._warnings]

    async def _add(
        self,
        files: Mapping[str, str],
        lineage: Lineage,
        *,
        origin: Origin,
        author: str,
        note: str | None,
        at: datetime,
    ) -> Version | Unfit | None:
        """Check the files, make them the next version and put it in force here. None: somebody was faster."""
        catalog, problems = await self._shelf.make(files)
        if catalog is None:
            return Unfit(tuple(problems))
        version = next_version(
            lineage,
            content=content_of(files),
            catalog=catalog.version,
            origin=origin,
            author=author,
            note=note,
            at=at,
        )
        if not await self._store.add_version(version, self._shelf.kept(files)):
            return None
        self._put(version, catalog, problems)
        return version

    async def _put_head(self, lineage: Lineage, at: datetime) -> list[Diagnostic]:
        """Have the head in force, if it is fit; at the start, for want of anything else, the newest that is.
        Answers why it is not the head, if it is not."""
        unfit: list[Diagnostic] = []
        for version in lineage:
            if self.in_force is not None and self.in_force.content == version.content:
                self.in_force = version
                return unfit
            files = await self.files(version)
            catalog, problems = await self._shelf.make(files)
            if catalog is not None:
                if catalog.version != version.catalog:  # other libraries than those of whoever added it
                    await self._store.keep_catalog(catalog.version, self._shelf.kept(files), at=at)
                self._put(version, catalog, problems)
                return unfit
            unfit += [_unfit(version), *(problem for problem in problems if problem.severity == "error")]
            if self.in_force is not None:
                return unfit
        return unfit

    def _put(self, version: Version, catalog: Catalog, problems: Sequence[Diagnostic]) -> None:
        self._shelf.put_in_force(catalog)
        self.in_force = version
        self._warnings = list(problems)

    # ---------------------------------------------------------------- by hand

    async def join(self, *, at: datetime) -> bool:
        """Have in force here what is in force elsewhere, whatever any folder holds; answers whether there is
        something."""
        async with self._turn:
            await self._put_head(await self._store.versions(), at)
            return self.in_force is not None

    async def files(self, version: Version) -> dict[str, str]:
        """Plan, messages and layout of a version, by their paths."""
        kept = await self._store.kept_catalog(version.catalog)
        assert kept is not None, "what was a version is kept"
        return files_of(kept)

    async def push(
        self, found: Found, *, based_on: int | None, author: str, note: str | None, at: datetime
    ) -> Version | Already | Unfit | NotOfHead:
        """Make the folder the next version, if it was made of the head. `based_on` is the version that it was merged
        with; None: what is known of the folder."""
        if found.unread:
            return Unfit(tuple(found.unread))
        content = content_of(found.files)
        while True:
            lineage = await self._store.versions()
            if lineage and lineage[0].content == content:
                await self._store.set_base(found.place, lineage[0].number)
                return Already(lineage[0])
            source = based_on or await self._store.based_on(found.place)
            if not is_fast_forward(source, lineage):
                return NotOfHead(lineage[0], numbered(source, lineage), newest(content, lineage))
            added = await self._add(found.files, lineage, origin=Origin.PUSH, author=author, note=note, at=at)
            if isinstance(added, Version):
                await self._store.set_base(found.place, added.number)
            if added is not None:
                return added

    async def roll_back(
        self, target: Version, *, author: str, note: str | None, at: datetime
    ) -> Version | Already | Unfit:
        """Make the words of an earlier version those of a new one."""
        files = await self.files(target)
        note = note or f"back to version {target.number}"
        while True:
            lineage = await self._store.versions()
            if lineage[0].content == target.content:
                return Already(lineage[0])
            added = await self._add(files, lineage, origin=Origin.ROLLBACK, author=author, note=note, at=at)
            if added is not None:
                return added


def _stale(head: Version, held: Version) -> Diagnostic:
    return Diagnostic(
        code=STALE,
        severity="warning",
        file=_HERE,
        message=f"the folder holds version {held.number}, and version {head.number} is in force",
        suggestion=f"`avisa templates pull DIR` writes out what is in force, to edit it;"
        f" `avisa templates rollback {held.number}` brings back what is here",
    )


def _astray(head: Version, based_on: int | None) -> Diagnostic:
    return Diagnostic(
        code="astray_folder",
        file=_HERE,
        message=f"the folder was made of version {based_on}, and version {head.number} came meanwhile,"
        " which it would undo: it is not used",
        suggestion="merge: `avisa templates diff` shows what differs;"
        f" then `avisa templates push --parent {head.number}`",
    )


def _unfit(version: Version) -> Diagnostic:
    return Diagnostic(
        code="unfit_version",
        file=_HERE,
        message=f"version {version.number} does not pass the check here, so an older one stays",
        suggestion="replicas of one release and with the same settings agree; else roll back",
    )
