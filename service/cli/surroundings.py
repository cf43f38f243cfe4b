"""What nearly every command needs first: the settings, and the store they name."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from service.cli.exits import misconfigured
from service.ports import Clock, Commands, Reads

if TYPE_CHECKING:
    from service.settings import Settings
    from service.store import Store

T = TypeVar("T")


def settings() -> Settings:
    """The settings, checked; raises Failure with a line for each thing wrong."""
    from service.settings import load

    loaded = load(os.environ)
    if isinstance(loaded, list):
        raise misconfigured(loaded)
    return loaded


def looking_at_store(look: Callable[[Reads], Coroutine[Any, Any, T]]) -> T:
    """Ask the store something that changes nothing, also beside a running service."""
    return asyncio.run(_with_store(lambda store, _clock: look(store)))


def changing_store(change: Callable[[Commands, Clock], Coroutine[Any, Any, T]]) -> T:
    """Change something in the store; it takes turns with a running service."""
    return asyncio.run(_with_store(change))


async def _with_store(use: Callable[[Store, Clock], Coroutine[Any, Any, T]]) -> T:
    from service import telemetry
    from service.app.clock import clock_of
    from service.store import open_store

    known = settings()
    telemetry.configure(level="error", fd=2)
    clock = clock_of(known.clock)
    store = open_store(known.store.url, clock=clock, exclusive=False)
    await store.start()
    try:
        return await use(store, clock)
    finally:
        await store.close()
