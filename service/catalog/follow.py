"""Keeps the catalog in force up to date while the service runs.

A new version comes from the folder, when somebody saves a file in it, or from the store, when somebody else has added
one. When the plan is another, every open order is woken, so that its deadline is worked out again.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import datetime
from typing import Protocol

import structlog

from avisa.catalog.active import PLAN, CatalogCache
from avisa.catalog.catalog import Catalog
from avisa.catalog.kept import KeptCatalog
from avisa.catalog.versions import Found, Versions
from avisa.clock import Memory
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.loops import keep_trying
from avisa.ports import Clock, VersionStore

log = structlog.get_logger("avisa")

FOLDER = "."  # the file of a diagnostic that is about the folder itself
TRY_AGAIN = 2.0  # seconds after a failure
ASK_STORE = 2.0  # seconds between looks for a new version in the store
LEAVE = 2.0  # seconds that a stop waits for `leave`
TELL_AGAIN = 30.0  # seconds after which this replica tells again which version it has in force
NUDGED = 2_000  # orders that are woken in one transaction
_WOKEN_BY = "woken_by_plan"  # the store remembers by this name a hash of the plan by which all open orders were woken


class OpenOrders(Protocol):
    """The open orders, as far as a new plan concerns them."""

    async def wake_open_orders(self, *, after: str, now: datetime, limit: int) -> str | None:
        """Wake the next `limit` open orders by id after `after`. Return the last id, or None if there are no more."""


async def begin(versions: Versions, catalogs: CatalogCache, found: Found, clock: Clock) -> list[Diagnostic]:
    """Put a catalog in force at the start. Return what forbids the start: nothing, if one is in force.

    A folder that is not there always forbids it, for then a setting is wrong. One with errors forbids it only while
    there is no version yet: later the newest version is used, so that an edit takes no mail down.
    """
    missing = [problem for problem in found.unread if problem.file == FOLDER]
    if missing:
        return missing
    await _look(versions, catalogs, found, clock)
    return list(catalogs.problems) if catalogs.empty else []


class Follower:
    """Follows the folder and the store, and tells the other replicas which version is in force here."""

    def __init__(
        self,
        versions: Versions,
        catalogs: CatalogCache,
        clock: Clock,
        *,
        read: Callable[[], Found],
        saves: AsyncIterator[object],
        store: VersionStore,
        memory: Memory,
        orders: OpenOrders,
        replica: str,
        compile_ahead: Callable[[Catalog], None],
    ) -> None:
        """`read` reads the folder, and `saves` yields whenever a file in it was saved; `replica` is host:port.
        `compile_ahead` begins to compile what a catalog that is in force from now on says of open orders."""
        self._versions = versions
        self._catalogs = catalogs
        self._clock = clock
        self._read = read
        self._saves = saves
        self._store = store
        self._memory = memory
        self._orders = orders
        self._replica = replica
        self._compile_ahead = compile_ahead
        self._saved = False  # a save that no look has followed yet
        self._announced = (0, 0.0)  # the version that the other replicas know of, and when they were told
        self._woken_by = ""  # the catalog by whose plan the open orders were woken

    async def run(self) -> None:
        """Run until cancelled. A step that fails, as while the store is away, is tried again until it succeeds.

        Raises DurabilityLost, and what ends `saves`.
        """
        save = asyncio.ensure_future(anext(self._saves))
        try:
            while True:
                await keep_trying(self._step, event="catalog.follow_failed", pause=TRY_AGAIN)
                await asyncio.wait({save}, timeout=ASK_STORE)
                if save.done():
                    save.result()
                    save = asyncio.ensure_future(anext(self._saves))
                    self._saved = True
        finally:
            save.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await save

    async def leave(self) -> None:
        """Tell the others that nothing is in force here any more. Raises TimeoutError; then silence tells them."""
        async with asyncio.timeout(LEAVE):
            await self._store.has_in_force(self._replica, 0)

    async def _step(self) -> None:
        if self._saved or await self._versions.moved():
            await _look(self._versions, self._catalogs, await asyncio.to_thread(self._read), self._clock)
            self._saved = False
        catalog = self._catalogs.in_force.version
        if self._woken_by != catalog:
            self._compile_ahead(self._catalogs.in_force)
            await self._wake_by_plan(catalog)
            self._woken_by = catalog
        version, now = self._versions.in_force, asyncio.get_running_loop().time()
        assert version is not None, "a start puts a version in force"
        if version.number != self._announced[0] or now - self._announced[1] >= TELL_AGAIN:
            await self._store.has_in_force(self._replica, version.number)
            self._announced = (version.number, now)

    async def _wake_by_plan(self, catalog: str) -> None:
        """Wake the open orders, if the plan is another than the one by which they were woken last, also if it changed
        while no replica ran. They are woken in batches, so that nobody waits long for the writer; if that is
        interrupted, it begins anew."""
        kept = await self._store.kept_catalog(catalog)
        assert kept is not None, "a catalog is kept before it is put in force"
        plan = hashlib.sha256(KeptCatalog.read(kept).files[PLAN].encode()).hexdigest()
        if await self._memory.recall(_WOKEN_BY) == plan:
            return
        after: str | None = ""
        while after is not None:
            after = await self._orders.wake_open_orders(after=after, now=self._clock.now(), limit=NUDGED)
        await self._memory.remember(_WOKEN_BY, plan)


async def _look(versions: Versions, catalogs: CatalogCache, found: Found, clock: Clock) -> None:
    """Put in force what is to be in force now; log what is wrong, and the version if it is another."""
    before = versions.in_force
    await versions.look(found, at=clock.now())
    for problem in catalogs.problems:
        log.warning(
            "catalog.problem_found",
            severity=problem.severity,
            code=problem.code,
            place=problem.location,
            meaning=problem.summary,
        )
    version = versions.in_force
    if version is not None and version != before:
        log.info("catalog.put_in_force", version=version.number, content=version.content, origin=version.origin)
