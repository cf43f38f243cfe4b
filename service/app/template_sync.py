"""Words into force: from the folder, whenever somebody saves one, and from the store, when others got new ones."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import orjson
import structlog

from avisa import plan_file
from avisa.catalog import PLAN, CatalogCache, Found, Installation, Versions
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.loops import keep_trying
from avisa.ports import Clock, DurabilityLost
from avisa.settings import Settings
from avisa.settings.errors import Misconfigured
from avisa.store import StoreError
from avisa.store.store import Store
from avisa.templates import compile_folder, template_folder

log = structlog.get_logger("avisa")

_THE_FOLDER = "."
_WOKEN_BY = "woken_by_plan"  # under this name the store keeps a hash of the plan that all open orders know
TRY_AGAIN = 2.0  # seconds
ASK_STORE = 2.0  # seconds between looks whether there is a new version
LEAVE = 2.0  # seconds
SAY_SO = 30.0  # seconds between words of ours about what we have in force
NUDGED = 2_000  # orders a transaction, when a plan with other windows is put in force


def shelf_of(settings: Settings, store: Store, secret: bytes, public_url: str | None) -> CatalogCache:
    """An empty shelf that knows how to read plans and press messages."""
    return CatalogCache(
        read_plan=partial(plan_file.read, file="plan.yaml", tell_from=settings.kafka.tell_from),
        compile_folder=partial(compile_folder.compile_folder, redirect_to=settings.smtp.redirect_to),
        engine=compile_folder.renderer_fingerprint(),
        installation=Installation(secret=secret, public_url=public_url),
        store=store.versions,
    )


def folder_of(settings: Settings) -> Path:
    """Where the templates are: as set, else `./templates`, else those that were shipped."""
    return template_folder.locate(settings.templates)


def found(folder: Path) -> Found:
    """The folder as it is now; one that is not there is all unread."""
    try:
        files, unread = template_folder.read(folder)
    except OSError as error:
        files, unread = (
            {},
            [Diagnostic(code="unreadable", file=_THE_FOLDER, message=error.strerror or "it cannot be read")],
        )
    shipped = folder.resolve() == template_folder.shipped().resolve()
    return Found(place=f"{socket.gethostname()}:{folder.resolve()}", files=files, unread=unread, shipped=shipped)


async def begin(versions: Versions, shelf: CatalogCache, folder: Path, clock: Clock) -> None:
    """Put in force what is to be at the start. Raises Misconfigured if nothing can be.

    A folder that is wrong forbids a start only while there is no version to begin with, for an edit must not take
    mail down; but one that is not there is a setting that is wrong.
    """
    here = found(folder)
    missing = [problem for problem in here.unread if problem.file == _THE_FOLDER]
    if not missing:
        await _look(versions, shelf, here, clock)
    if missing or shelf.empty:
        raise Misconfigured([f"{problem.location}: {problem.summary}" for problem in missing or shelf.problems])


class Follower:
    """Follows the folder and the store, and tells the others what is in force here."""

    def __init__(
        self, versions: Versions, shelf: CatalogCache, folder: Path, clock: Clock, store: Store, name: str
    ) -> None:
        """`name` is this replica's: host and port."""
        self._versions = versions
        self._shelf = shelf
        self._folder = folder
        self._clock = clock
        self._store = store
        self._name = name
        self._said = (0, 0.0)  # which version, and when
        self._woken_by = ""  # the catalog by which the open orders were woken

    async def run(self) -> None:
        """Look whenever the folder or the head changes; wake the open orders when the plan did, also while nobody
        ran. What the store is away for is done with the next look at it."""
        watch = template_folder.watch(self._folder)
        saved = asyncio.ensure_future(anext(watch))
        try:
            while True:
                await _try(self._tell)
                await asyncio.wait({saved}, timeout=ASK_STORE)
                if saved.done():
                    saved.result()
                    saved = asyncio.ensure_future(anext(watch))
                    # The store may be away, and nobody saves a file twice for that.
                    await keep_trying(self._look, event="templates.look_failed", pause=TRY_AGAIN)
                else:
                    await _try(self._look_if_moved)
        finally:
            saved.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await saved

    async def leave(self) -> None:
        """This replica has nothing in force any more; if that cannot be said now, its silence will say it."""
        async with asyncio.timeout(LEAVE):
            await self._store.versions.has_in_force(self._name, 0)

    async def _look_if_moved(self) -> None:
        if await self._versions.moved():
            await self._look()

    async def _look(self) -> None:
        await _look(self._versions, self._shelf, await asyncio.to_thread(found, self._folder), self._clock)

    async def _tell(self) -> None:
        """The open orders of a plan that is new to them, and the others of what is in force here."""
        catalog = self._shelf.in_force.version
        if self._woken_by != catalog:
            await self._wake_by_plan()
            self._woken_by = catalog
        version, now = self._versions.in_force, asyncio.get_running_loop().time()
        assert version is not None, "the house does not stand before something is in force"
        if version.number != self._said[0] or now - self._said[1] >= SAY_SO:
            await self._store.versions.has_in_force(self._name, version.number)
            self._said = (version.number, now)

    async def _wake_by_plan(self) -> None:
        """Under a plan that the open orders do not know yet, each works its deadline out again; in batches, so that
        nobody waits long for the writer, and from the beginning if we are interrupted."""
        content = await self._store.versions.kept_catalog(self._shelf.in_force.version)
        assert content is not None, "a catalog is kept before it is put in force"
        plan = hashlib.sha256(orjson.loads(content)["files"][PLAN].encode()).hexdigest()
        if await self._store.operations.recall(_WOKEN_BY) == plan:
            return
        after: str | None = ""
        while after is not None:
            after = await self._store.orders.nudge(after=after, now=self._clock.now(), limit=NUDGED)
        await self._store.operations.remember(_WOKEN_BY, plan)


async def _look(versions: Versions, shelf: CatalogCache, here: Found, clock: Clock) -> None:
    """Have in force what is to be; what is wrong, or new in force, is said in the log."""
    before = versions.in_force
    await versions.look(here, at=clock.now())
    for problem in shelf.problems:
        log.warning(
            "template_problem",
            severity=problem.severity,
            code=problem.code,
            place=problem.location,
            meaning=problem.summary,
        )
    version = versions.in_force
    if version is not None and version != before:
        log.info("catalog_in_force", version=version.number, content=version.content, origin=version.origin)


async def _try(step: Callable[[], Awaitable[object]]) -> None:
    """Do it if the store is there; whoever asks does so every few seconds, and others say that it is away."""
    try:
        await step()
    except DurabilityLost:
        raise
    except Exception as trouble:
        say = log.debug if isinstance(trouble, StoreError) else log.warning
        say("templates.step_failed", error=type(trouble).__name__, again_in=ASK_STORE)
