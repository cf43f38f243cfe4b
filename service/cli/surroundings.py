"""What nearly every command needs first: the settings, and the store they name."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from service.cli.exits import misconfigured
from service.ports import Clock, Commands, Reads

if TYPE_CHECKING:
    from service.settings import Settings

T = TypeVar("T")


def settings() -> Settings:
    """The settings, checked; raises Failure with a line for each thing wrong."""
    from service.settings import load

    loaded = load(os.environ)
    if isinstance(loaded, list):
        raise misconfigured(loaded)
    return loaded


def looking_at_store(look: Callable[[Reads], Awaitable[T]]) -> T:
    """Ask the store something that changes nothing, also beside a running service."""
    return asyncio.run(_with_store(lambda store, _clock: look(store), read_only=True))


def changing_store(change: Callable[[Commands, Clock], Awaitable[T]]) -> T:
    """Change something in the store; it takes turns with a running service."""
    return asyncio.run(_with_store(change, read_only=False))


async def _with_store(use: Callable[[Any, Clock], Awaitable[T]], *, read_only: bool) -> T:
    from service import app, telemetry
    from service.store import open_store

    known = settings()
    telemetry.configure(level="error", fd=2)
    clock = app.clock(known)
    store = await open_store(known.store.url, clock=clock, exclusive=False)
    try:
        return await use(store, clock)
    finally:
        await store.close()
