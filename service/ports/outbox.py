"""Notifications that are decided but not settled."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from avisa.core.model import Notification, Order, Reason, State
from avisa.ports.drafts import Attempt, Draft
from avisa.ports.orders import Change, Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A notification leased to this process, its order as it is now, and what was frozen if it was begun."""

    notification: Notification
    order: Order
    draft: Draft | None = None
    unsubscribed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """Where a notification is after the gate or an attempt.

    `state` is HELD, QUEUED (given back untouched), RETRYING or a settled state. `due_real` says when to look
    again, for the first three. `thaw` forgets the draft, because nothing of it left the house; then the next
    attempt counts as the first for its words. `change` is what the outcome does to the order, in the same
    transaction; when that is lost, so is the settlement.
    """

    key: str
    state: State
    reason: Reason
    at: datetime
    due_real: datetime | None = None
    not_before: datetime | None = None
    thaw: bool = False
    doubtful: bool = False  # counts towards `avisa_in_doubt_total`
    entry: Entry | None = None
    change: Change | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Sending is stopped by an operator."""

    reason: str
    since: datetime


class Outbox(Protocol):
    """Notifications that are decided but not settled."""

    async def claim(
        self, *, now_real: datetime, lease: timedelta, limit: int, feeds: Collection[str], overdue: datetime
    ) -> list[Claimed]:
        """Lease notifications that are due, oldest first, at most one for each order, recipient and channel: the
        earliest. Those whose lease ran out while SENDING come with their draft and are in doubt.

        Those that blindness holds come only if they are of `feeds`, which the caller reads, or were decided by
        `overdue`.
        """

    async def begin(self, attempts: Sequence[Attempt]) -> frozenset[str]:
        """Store the drafts, mark SENDING, count the attempt; answers the keys that did begin. A key does not begin
        when this process no longer holds its lease, it was settled, or its revision has risen."""

    async def settle(self, settlements: Sequence[Settlement]) -> frozenset[str]:
        """Store outcomes in one transaction and free the leases; answers the keys that were lost: the lease had
        passed to somebody else, or the change to the order lost a race."""

    async def renew(self, keys: Collection[str], *, now_real: datetime, lease: timedelta) -> frozenset[str]:
        """Lengthen the leases of what this process is still sending; answers the keys that are still leased to it."""

    async def unsubscribed(self, hashes: Collection[bytes]) -> frozenset[bytes]:
        """Those of the address hashes that want no reminders."""

    async def next_due(self, *, feeds: Collection[str], overdue: datetime) -> datetime | None:
        """The earliest real moment at which there may be something to claim."""

    async def paused(self) -> Pause | None:
        """Whether an operator has stopped all sending."""


class Sender(Protocol):
    """Who delivers what was just decided, without waiting for a poll."""

    def room(self) -> bool:
        """Whether it can take a batch at once."""

    async def soon(self) -> bool:
        """Whether it can take a batch, after waiting a moment for what is only busy: what is decided faster than
        it is sent has to be claimed later, which costs more than the wait."""

    async def draft(self, newborn: Sequence[Claimed]) -> list[Attempt]:
        """First attempts at those that may leave as soon as they are stored. The others are looked at later."""

    def send(self, begun: Sequence[tuple[Claimed, Attempt]], *, since: datetime) -> None:
        """Deliver what was begun as it was stored, leased to this process since a real moment or later."""

    def hand_over(self, claimed: Sequence[Claimed], *, since: datetime) -> None:
        """Take notifications that are leased to this process, since a real moment or later."""

    def nudge(self) -> None:
        """Look into the outbox soon."""
