"""A deadline that is moved many thousand times a second and almost never passes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Deadline:
    """Calls `passed` once the seconds last set are over.

    One timer serves all deadlines, and is only replaced if it would ring too late: a timer for each reply would cost
    more than reading the reply.
    """

    def __init__(self, passed: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._passed = passed
        self._at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def set(self, seconds: float) -> None:
        """From now."""
        self._at = self._loop.time() + seconds
        if self._timer is not None:
            if self._timer.when() <= self._at:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(self._at, self._ring)

    def cancel(self) -> None:
        """For good."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer = None
        if self._loop.time() < self._at:
            self._timer = self._loop.call_at(self._at, self._ring)
        else:
            self._passed()
