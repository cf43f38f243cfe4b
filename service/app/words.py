"""Templates from the folder into force, at the start and whenever somebody saves one."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import orjson
import structlog

from service import plan_document, template_folder
from service.catalog import PLAN, Installation, Shelf
from service.ports import Clock, MustEnd, Problem
from service.rendering import press
from service.settings import Settings
from service.store.store import Store

log = structlog.get_logger("avisa")

_WOKEN_BY = "woken_by_plan"  # under this name the store keeps a hash of the plan that all open orders know
TRY_AGAIN = 2.0  # seconds
NUDGED = 2_000  # orders a transaction, when a plan with other windows is put in force


def shelf_of(settings: Settings, store: Store, secret: bytes, public_url: str | None) -> Shelf:
    """An empty shelf that knows how to read plans and press messages."""
    return Shelf(
        read_plan=partial(plan_document.read, file="plan.yaml", tell_from=settings.kafka.tell_from),
        make_press=partial(press.make_press, redirect_to=settings.smtp.redirect_to),
        engine=press.engine(),
        installation=Installation(secret=secret, public_url=public_url),
        store=store,
    )


def folder_of(settings: Settings) -> Path:
    """Where the templates are: as set, else `./templates`, else those that were shipped."""
    return template_folder.locate(settings.templates)


async def push(shelf: Shelf, folder: Path, clock: Clock) -> tuple[Problem, ...]:
    """Check the folder and put it in force, or leave what is; says so in the log either way."""
    try:
        files, unread = template_folder.read(folder)
    except OSError as error:
        files, unread = {}, [Problem(code="unreadable", file=".", message=error.strerror or "it cannot be read")]
    problems = await shelf.push(files, at=clock.now(), unread=unread)
    for problem in problems:
        log.warning(
            "template_problem",
            severity=problem.severity,
            code=problem.code,
            file=problem.file,
            line=problem.line,
            meaning=problem.message,
        )
    return problems


async def follow(shelf: Shelf, folder: Path, clock: Clock, store: Store) -> None:
    """Push whenever the folder changes; wake the open orders when the plan did, also while nobody ran."""
    await _insist(partial(_wake_by_plan, shelf, clock, store))
    async for _ in template_folder.watch(folder):
        before = shelf.in_force.version
        await _insist(partial(push, shelf, folder, clock))
        if shelf.in_force.version != before:
            log.info("catalog_in_force", version=shelf.in_force.version)
            await _insist(partial(_wake_by_plan, shelf, clock, store))


async def _insist(step: Callable[[], Awaitable[object]]) -> None:
    """Do it, again and again if need be: the store may be away, and nobody saves a file twice for that."""
    while True:
        try:
            await step()
            return
        except MustEnd:
            raise
        except Exception as trouble:
            log.warning("templates_wait", error=type(trouble).__name__, again_in=TRY_AGAIN)
            await asyncio.sleep(TRY_AGAIN)


async def _wake_by_plan(shelf: Shelf, clock: Clock, store: Store) -> None:
    """Under a plan that the open orders do not know yet, each works its deadline out again; in batches, so that
    nobody waits long for the writer, and from the beginning if we are interrupted."""
    content = await store.kept_catalog(shelf.in_force.version)
    assert content is not None, "a catalog is kept before it is put in force"
    plan = hashlib.sha256(orjson.loads(content)["files"][PLAN].encode()).hexdigest()
    if await store.recall(_WOKEN_BY) == plan:
        return
    after: str | None = ""
    while after is not None:
        after = await store.nudge(after=after, now=clock.now(), limit=NUDGED)
    await store.remember(_WOKEN_BY, plan)
