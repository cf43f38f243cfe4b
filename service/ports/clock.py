"""Time, and what we can know of the feeds."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Virtual time for what customers live by, real time for leases, back-off and the feed."""

    def now(self) -> datetime:
        """The virtual moment, aware, in UTC."""

    def real(self) -> datetime:
        """The real moment, aware, in UTC."""

    def to_real(self, virtual: datetime) -> datetime:
        """When the virtual clock will show (or showed) `virtual`."""

    def to_virtual(self, real: datetime) -> datetime:
        """What the virtual clock shows (or showed) at the moment `real`."""


class Lag(Protocol):
    """What we can know of the feeds; all in real time."""

    @property
    def feeds(self) -> frozenset[str]:
        """The feeds assigned to this process, behind or not."""

    def fresh_partitions(self, now_real: datetime) -> frozenset[str]:
        """The feeds assigned to this process of which nothing older than `feed.blind_after` is unread."""

    def caught_up(self, now_real: datetime) -> bool:
        """Whether sending may begin: what lay unread at start has been taken in, or `blind_after` is over."""
