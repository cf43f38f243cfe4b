"""What nearly every command needs first: the settings, and the store they name."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from avisa import telemetry
from avisa.cli.exits import misconfigured
from avisa.clock import clock_of, kept_clock
from avisa.ports import Clock, Operations, Queries
from avisa.settings import DOTENV, Settings, load
from avisa.store import Store, open_store

T = TypeVar("T")


def load_settings(*, dotenv: bool = True) -> Settings:
    """The settings, checked; raises Failure with a line for each thing wrong. A command that only looks at files
    reads no `.env`, for that may come from whoever wrote the files."""
    loaded = load(os.environ, DOTENV if dotenv else None)
    if isinstance(loaded, list):
        raise misconfigured(loaded)
    return loaded


def read_store(read: Callable[[Queries], Coroutine[Any, Any, T]]) -> T:
    """Return what `read` finds in the store. It changes nothing, and may run beside the service."""
    return use_store(load_settings(), lambda store, _clock: read(store.queries))


def change_store(change: Callable[[Operations, Clock], Coroutine[Any, Any, T]]) -> T:
    """Change something in the store; the command and a running service take turns."""
    return use_store(load_settings(), lambda store, clock: change(store.operations, clock))


def use_store(settings: Settings, use: Callable[[Store, Clock], Coroutine[Any, Any, T]]) -> T:
    """Open the store beside a running service, return what `use` makes of it, and close it again."""
    return asyncio.run(_use(settings, use))


async def _use(settings: Settings, use: Callable[[Store, Clock], Coroutine[Any, Any, T]]) -> T:
    telemetry.configure(level="error", fd=2)
    store = open_store(settings.store.url.get_secret_value(), clock=clock_of(settings.clock), exclusive=False)
    await store.start()
    try:
        return await use(store, await kept_clock(settings.clock, store.operations))
    finally:
        await store.close()
