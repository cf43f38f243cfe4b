"""Puts versions of plan and messages in force in this process, by the rules of `core.template_versions`.

All replicas read the same versions in the store and put the head in force. Whenever the folder or the head changes,
a replica compares the two and may add a version; if somebody else added one first, it compares again. Either a whole
catalog is put in force or nothing changes: a catalog that does not pass the check leaves the last good one in place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from avisa.catalog.active import CatalogCache, content_of
from avisa.catalog.catalog import Catalog
from avisa.catalog.kept import KeptCatalog
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
_HERE = "."  # stands for the folder itself where a problem belongs to no single file
_SHIPPED_BY = "avisa"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A folder as it was read."""

    place: str  # host and path
    files: Mapping[str, str]
    unread: Sequence[Diagnostic] = ()  # files that could not be read; if there are any, no file is used
    shipped: bool = False


@dataclass(frozen=True, slots=True)
class Unfit:
    """The files did not pass the check."""

    problems: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class NotOfHead:
    """The folder is not based on the head. `based_on` is None if nobody knows what it is based on."""

    head: Version
    based_on: Version | None
    holds: Version | None  # the earlier version that the folder equals, if any


@dataclass(frozen=True, slots=True)
class Already:
    """The files are in force already."""

    version: Version


class Versions:
    """The version in force in this process, and the ways to add a version."""

    def __init__(self, catalogs: CatalogCache, store: VersionStore) -> None:
        self._catalogs = catalogs
        self._store = store
        self._turn = asyncio.Lock()
        self._held: str | None = None  # the content of the folder at the last look, if it equalled a version
        self._seen_head: int | None = None
        self._warnings: list[Diagnostic] = []  # about the catalog in force
        self.in_force: Version | None = None

    async def moved(self) -> bool:
        """True if somebody added a version since the last look."""
        return await self._store.head() != self._seen_head

    async def look(self, found: Found, *, at: datetime) -> None:
        """Compare the folder with the head and act on it. Errors and warnings are in `CatalogCache.problems` then."""
        async with self._turn:
            self._seen_head = None  # until all is done, so that a look that is cut short is repeated
            problems: list[Diagnostic] | None = None
            while problems is None:
                lineage = await self._store.versions()
                problems = await self._compare(found, lineage, at)
            self._catalogs.problems = tuple(problems)
            head = lineage[0].number if lineage else 0
            self._seen_head = max(head, self.in_force.number) if self.in_force else head

    async def _compare(self, found: Found, lineage: Lineage, at: datetime) -> list[Diagnostic] | None:
        """Errors and warnings; None if somebody else added a version first, so that it must be compared again."""
        if found.unread:
            return [*found.unread, *await self._put_head(lineage, at)]
        content = content_of(found.files)
        based_on = await self._store.based_on(found.place)
        source = numbered(based_on, lineage)
        watched = source is not None and source.content == self._held
        folder = Folder(content=content, based_on=based_on, shipped=found.shipped, watched=watched)
        state = state_of(folder, lineage)
        problems: list[Diagnostic] = []
        added: Version | Unfit | None = None
        if state is FolderState.AHEAD:
            origin, author = (Origin.SHIPPED, _SHIPPED_BY) if found.shipped else (Origin.FOLDER, found.place)
            added = await self._add(found.files, lineage, origin=origin, author=author, note=None, at=at)
            if added is None:
                return None
            if isinstance(added, Unfit):
                return [*added.problems, *await self._put_head(lineage, at)]
        else:
            problems = await self._put_head(lineage, at)
        if state is FolderState.DIVERGED:
            return [_diverged(lineage[0], based_on), *problems]
        self._held = content
        if found.shipped:
            return [*problems, *self._warnings]
        equal = added if isinstance(added, Version) else newest(content, lineage)
        assert equal is not None, "a folder that neither is ahead nor has diverged equals a version"
        if based_on != equal.number:
            await self._store.set_base(found.place, equal.number)
        if state is FolderState.BEHIND:
            problems.append(_behind(lineage[0], equal))
        return [*problems, *self._warnings]

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
        """Check the files, add them as the next version, put it in force. None if somebody added one first."""
        catalog, problems = await self._catalogs.make(files)
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
        if not await self._store.add_version(version, self._catalogs.to_keep(files, catalog.plan, problems)):
            return None
        self._put(version, catalog, problems)
        return version

    async def _put_head(self, lineage: Lineage, at: datetime) -> list[Diagnostic]:
        """Put the head in force if it passes the check, now or when it was kept; at the start, where nothing is in
        force, else the newest that does. Returns why it is not the head, if it is not."""
        unfit: list[Diagnostic] = []
        for version in lineage:
            if self.in_force is not None and self.in_force.content == version.content:
                self.in_force = version
                return unfit
            if passed := await self._catalogs.passed(version.content):
                self._put(version, *passed)
                return unfit
            files = await self.files(version)
            catalog, problems = await self._catalogs.make(files)
            if catalog is not None:
                if catalog.version != version.catalog:  # whoever added it has other libraries
                    content = self._catalogs.to_keep(files, catalog.plan, problems)
                    await self._store.keep_catalog(catalog.version, content, at=at)
                self._put(version, catalog, problems)
                return unfit
            unfit += [_unfit(version), *(problem for problem in problems if problem.severity == "error")]
            if self.in_force is not None:
                return unfit
        return unfit

    def _put(self, version: Version, catalog: Catalog, problems: Sequence[Diagnostic]) -> None:
        self._catalogs.put_in_force(catalog)
        self.in_force = version
        self._warnings = list(problems)

    # ---------------------------------------------------------------- by hand

    async def join(self, *, at: datetime) -> bool:
        """Put the head in force, whatever any folder holds. Returns False if there is no version that can be."""
        async with self._turn:
            await self._put_head(await self._store.versions(), at)
            return self.in_force is not None

    async def files(self, version: Version) -> Mapping[str, str]:
        """The files of a version, by path."""
        kept = await self._store.kept_catalog(version.catalog)
        assert kept is not None, "the files of every version are kept"
        return KeptCatalog.read(kept).files

    async def push(
        self, found: Found, *, based_on: int | None, author: str, note: str | None, at: datetime
    ) -> Version | Already | Unfit | NotOfHead:
        """Add the folder as the next version, if it is based on the head.

        `based_on` is the number of the version that somebody merged the folder with; None: what the store knows.
        """
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
        """Add a version with the files of an earlier one."""
        files = await self.files(target)
        note = note or f"back to version {target.number}"
        while True:
            lineage = await self._store.versions()
            if lineage[0].content == target.content:
                return Already(lineage[0])
            added = await self._add(files, lineage, origin=Origin.ROLLBACK, author=author, note=note, at=at)
            if added is not None:
                return added


def _behind(head: Version, held: Version) -> Diagnostic:
    return Diagnostic(
        code=STALE,
        severity="warning",
        file=_HERE,
        message=f"the folder holds version {held.number}, and version {head.number} is in force",
        suggestion=f"`avisa templates pull DIR` writes out what is in force, to edit it;"
        f" `avisa templates rollback {held.number}` brings back what is here",
    )


def _diverged(head: Version, based_on: int | None) -> Diagnostic:
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
