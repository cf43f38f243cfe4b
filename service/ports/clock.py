"""Time, and how far this process has read."""

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
    """How far this process has read its feeds (`topic/partition`). All moments are real ones."""

    @property
    def feeds(self) -> frozenset[str]:
        """The feeds assigned to this process."""

    @property
    def buckets(self) -> frozenset[int]:
        """The buckets (`core.bucket`) from which this process claims first; all, while it does not know its feeds."""

    def fresh_feeds(self, now_real: datetime) -> frozenset[str]:
        """Those of the feeds in which nothing older than `feed.blind_after` is unread."""

    def caught_up(self, now_real: datetime) -> bool:
        """True if sending may begin: whatever lay unread at the start was taken in, or `blind_after` has passed."""
