"""Templates from the folder into force, at the start and whenever somebody saves one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import structlog

from service import plan_document, template_folder
from service.app.clock import VirtualClock
from service.catalog import Installation, Shelf
from service.ports import MustEnd, Problem
from service.rendering import press
from service.settings import Settings
from service.store.store import Store

log = structlog.get_logger("avisa")

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


async def push(shelf: Shelf, folder: Path, clock: VirtualClock) -> tuple[Problem, ...]:
    """Check the folder and put it in force, or leave what is; says so in the log either way."""
    files, unread = template_folder.read(folder)
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


async def follow(shelf: Shelf, folder: Path, clock: VirtualClock, store: Store) -> None:
    """Push whenever the folder changes; wake the open orders when the plan did."""
    async for _ in template_folder.watch(folder):
        before = shelf.in_force
        await _insist(partial(push, shelf, folder, clock))
        if shelf.in_force.version == before.version:
            continue
        log.info("catalog_in_force", version=shelf.in_force.version)
        if shelf.in_force.plan != before.plan:
            await _insist(partial(_wake_all, store, clock))


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


async def _wake_all(store: Store, clock: VirtualClock) -> None:
    """Every open order works its deadline out again; in batches, so that nobody waits long for the writer."""
    after: str | None = ""
    while after is not None:
        after = await store.nudge(after=after, now=clock.now(), limit=NUDGED)
