"""What nearly every command needs first: the settings, and the store they name."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from avisa.cli.exits import Exit, Failure, misconfigured, not_there
from avisa.ports import Clock, Operations, Queries

if TYPE_CHECKING:
    from avisa.catalog import Catalog, CompileFolder, Renderer
    from avisa.core.plan import Plan
    from avisa.diagnostics.diagnostic import Diagnostic
    from avisa.settings import Settings
    from avisa.store import Store

T = TypeVar("T")


def settings() -> Settings:
    """The settings, checked; raises Failure with a line for each thing wrong."""
    from avisa.settings import load

    loaded = load(os.environ)
    if isinstance(loaded, list):
        raise misconfigured(loaded)
    return loaded


def looking_at_store(look: Callable[[Queries], Coroutine[Any, Any, T]]) -> T:
    """Ask the store something that changes nothing, also beside a running service."""
    return inside_store(settings(), lambda store, _clock: look(store.queries))


def changing_store(change: Callable[[Operations, Clock], Coroutine[Any, Any, T]]) -> T:
    """Change something in the store; it takes turns with a running service."""
    return inside_store(settings(), lambda store, clock: change(store.operations, clock))


def inside_store(known: Settings, use: Callable[[Store, Clock], Coroutine[Any, Any, T]]) -> T:
    """Open the store as a command beside the service, and close it again."""
    return asyncio.run(_inside(known, use))


async def _inside(known: Settings, use: Callable[[Store, Clock], Coroutine[Any, Any, T]]) -> T:
    from avisa import telemetry
    from avisa.clock import clock_of, kept_clock
    from avisa.store import open_store

    telemetry.configure(level="error", fd=2)
    store = open_store(known.store.url.get_secret_value(), clock=clock_of(known.clock), exclusive=False)
    await store.start()
    try:
        return await use(store, await kept_clock(known.clock, store.operations))
    finally:
        await store.close()


def catalog(known: Settings) -> Catalog:
    """The catalog that the folder makes, not put in force anywhere."""
    from avisa.templates.compile_folder import compile_folder

    files, unread = _folder(known)
    return _made(known, files, unread, compile_folder)


def catalog_of(message: str, known: Settings, *, redirected: bool = False) -> Catalog:
    """A catalog with no other message, whatever is wrong with the others; `redirected`: as AVISA_SMTP__REDIRECT_TO
    says."""
    from avisa.templates.compile_folder import assemble

    files, unread = _folder(known)
    of_others = re.compile(rf"messages/(?!{re.escape(message)}/)([^/]+)/")
    unread = [problem for problem in unread if not of_others.match(problem.file)]
    if not unread and not any(file.startswith(f"messages/{message}/") for file in files):
        there = sorted({found[1] for file in files if (found := of_others.match(file))})
        raise not_there(f"there is no message {message}; there are {', '.join(there)}")

    def pressed(texts: Mapping[str, str], plan: Plan) -> tuple[Renderer | None, list[Diagnostic]]:
        press, found = assemble(texts, plan, redirect_to=known.smtp.redirect_to if redirected else None)
        own = [it for it in found if it.severity == "error" and it.code != "missing_message"]
        return (None if own else press), own

    wanted = {file: text for file, text in files.items() if not of_others.match(file)}
    return _made(known, wanted, unread, pressed)


def _folder(known: Settings) -> tuple[dict[str, str], list[Diagnostic]]:
    from avisa.templates import template_folder

    folder = template_folder.locate(known.templates)
    try:
        return template_folder.read(folder)
    except OSError as error:
        raise not_there(f"{folder}: {error.strerror or 'is not a folder'}") from None


def _made(known: Settings, files: Mapping[str, str], unread: list[Diagnostic], press_of: CompileFolder) -> Catalog:
    from avisa import plan_file
    from avisa.catalog import PLAN, Catalog, Installation, examine

    read = partial(plan_file.read, file=PLAN, tell_from=known.kafka.tell_from)
    plan, press, found = examine(files, read, press_of)
    if plan is None or press is None or unread:
        wrong = [problem for problem in [*unread, *found] if problem.severity == "error"]
        lines = "\n".join(f"{problem.location}: {problem.summary}" for problem in wrong)
        raise Failure(Exit.FINDINGS, "problems", lines + "\n`avisa check` says more")
    installation = Installation(secret=b"a preview unsubscribes nobody", public_url=known.public_url)
    return Catalog(version="preview", plan=plan, renderer=press, installation=installation)
