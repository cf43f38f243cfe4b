"""The one place that reads the clock of the machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from avisa.core.timestamps import BEGINNING, END

if TYPE_CHECKING:
    from avisa.settings import Clock


class Memory(Protocol):
    """The part of a store that the clock needs: a word kept under a name, for all processes."""

    async def remember(self, name: str, value: str) -> None: ...

    async def recall(self, name: str) -> str | None: ...


def real_now() -> datetime:
    """The real moment, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class VirtualClock:
    """now = `start` + (real now - `origin`) x `speed`; with start = origin and speed 1 that is real time.

    All processes that are given the same three agree on every moment, before and after a restart.
    """

    start: datetime
    origin: datetime
    speed: float = 1.0

    def now(self) -> datetime:
        """The virtual moment, in UTC."""
        return self.to_virtual(self.real())

    def real(self) -> datetime:
        """The real moment, in UTC."""
        return real_now()

    def to_virtual(self, real: datetime) -> datetime:
        """What this clock shows at the moment `real`; past the year 9999 the last moment that Python knows."""
        try:
            return self.start + (real - self.origin) * self.speed
        except OverflowError:
            return END if real > self.origin else BEGINNING

    def to_real(self, virtual: datetime) -> datetime:
        """When this clock shows `virtual`."""
        try:
            return self.origin + (virtual - self.start) / self.speed
        except OverflowError:
            return END if virtual > self.start else BEGINNING


_ORIGIN = "clock_origin"  # its name in the store


def clock_of(settings: Clock, *, began: datetime | None = None) -> VirtualClock:
    """The clock that the settings ask for. Without an origin it began to run at `began`, or else begins now."""
    origin = settings.origin or began or real_now()
    return VirtualClock(start=settings.start or origin, origin=origin, speed=settings.speed)


async def keep_origin(clock: VirtualClock, store: Memory) -> None:
    """Store the origin of the service's clock, so that commands beside the service show the same time."""
    await store.remember(_ORIGIN, clock.origin.isoformat())


async def kept_clock(settings: Clock, store: Memory) -> VirtualClock:
    """The clock of the service that was last started on this store."""
    kept = await store.recall(_ORIGIN)
    return clock_of(settings, began=None if kept is None else datetime.fromisoformat(kept))
