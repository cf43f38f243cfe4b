"""Loops that outlive trouble: log it once, wait, try again.

A store or a broker that is away troubles every loop of the process. Each loop logs the first exception of a kind and
is quiet about that kind until a step has succeeded again. No retry mends `DurabilityLost`: it ends the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeVar

import structlog

from avisa.ports import DurabilityLost

_T = TypeVar("_T")
_log = structlog.get_logger()


async def keep_going(step: Callable[[], Awaitable[object]], *, event: str, pause: float) -> NoReturn:
    """Run `step` over and over until cancelled.

    A step that raises is logged as `event` and run again after `pause` seconds. Raises DurabilityLost.
    """
    while True:
        await keep_trying(step, event=event, pause=pause)


async def keep_trying(step: Callable[[], Awaitable[_T]], *, event: str, pause: float) -> _T:
    """Run `step` until it succeeds, and return its result. Logs, waits and raises as `keep_going` does."""
    logged: type[Exception] | None = None
    while True:
        try:
            return await step()
        except DurabilityLost:
            raise
        except Exception as trouble:
            if type(trouble) is not logged:
                logged = type(trouble)
                _log.error(event, again_in=pause, exc_info=True)
            await asyncio.sleep(pause)
