"""Waiting for what is sure to come."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable

PATIENCE = 300.0  # seconds, for a machine that is busy: only a test that fails waits for so long


async def until(condition: Callable[[], object]) -> None:
    """Wait until `condition`, a function or a coroutine function, returns something true."""
    async with asyncio.timeout(PATIENCE):
        while True:
            held = condition()
            if await held if inspect.isawaitable(held) else held:
                return
            await asyncio.sleep(0.01)
