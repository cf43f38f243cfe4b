"""Notifications that are decided but not settled."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import Protocol

from avisa.core import bucket
from avisa.core.flood import NO_BUDGETS, Budgets
from avisa.core.model import Notification, Reason, State
from avisa.core.quick_dataclass import dataclass
from avisa.core.snooze import Snooze
from avisa.ports.drafts import Attempt, Claimed, Gathered
from avisa.ports.orders import Change, Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """Where a notification is after the gate or an attempt.

    `state` is HELD, QUEUED (given back untouched), RETRYING or a settled state. For the first three `due_real` says
    when to look again. `discards_draft` forgets the frozen draft, because no byte of it left this process: the next
    attempt writes the message anew. `change` is what the outcome does to the order, stored in the same transaction;
    if the change loses a race, the settlement is lost with it.
    """

    key: str
    state: State
    reason: Reason | None  # None: given back untouched
    at: datetime
    due_real: datetime | None = None
    not_before: datetime | None = None
    discards_draft: bool = False
    counts_doubt: bool = False  # counts towards `avisa_in_doubt_total`
    entry: Entry | None = None
    change: Change | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Sending is stopped by an operator."""

    reason: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What became of attempts that were to begin: the keys of those that did, and those for which a budget has no
    room, each with the real moment at which it may have. The others lost a race."""

    keys: frozenset[str] = frozenset()
    over_budget: Mapping[str, datetime] = field(default_factory=dict)


class Outbox(Protocol):
    """Notifications that are decided but not settled."""

    async def claim(
        self,
        *,
        now_real: datetime,
        lease: timedelta,
        limit: int,
        feeds: Collection[str],
        overdue: datetime,
        buckets: Collection[int] = bucket.ALL,
    ) -> list[Claimed]:
        """Lease up to `limit` notifications that are due, the longest due first; of each order, recipient and channel
        only the earliest. Those whose lease ran out while SENDING come with their draft, and are in doubt.

        Of an order that is in none of `buckets`, only what has been due for a few seconds, real.

        A reminder held by blindness is claimed only if its feed is in `feeds`, which the caller reads, or if it was
        decided by `overdue`.
        """

    async def begin(self, attempts: Sequence[Attempt], budgets: Budgets = NO_BUDGETS) -> Begun:
        """Store the drafts, mark SENDING and count the attempts. A key does not begin if this process lost its lease,
        or if it was settled, or if its revision has risen, or if one of `budgets` has no room for it.

        What an attempt lists is told by its mail from now on, whoever has leased it: nobody claims it any more, and
        it is settled together with that mail. If something cannot be listed any more, the attempt does not begin.
        """

    async def gathered(self, leader: Notification) -> Gathered:
        """What the mail of this alert may tell besides: all of its kind and owner that wait to be told."""

    async def settle(self, settlements: Sequence[Settlement]) -> frozenset[str]:
        """Store settlements in one transaction and free their leases; return the keys that were lost.

        A settlement is lost if somebody else holds the lease by now, or if its change to the order lost a race.
        """

    async def renew(self, keys: Collection[str], *, now_real: datetime, lease: timedelta) -> frozenset[str]:
        """Lengthen the leases of what is in flight; return the keys that are still leased to this process."""

    async def unsubscribed(self, hashes: Collection[bytes]) -> frozenset[bytes]:
        """Return those of the address hashes whose owners asked for no more reminders."""

    async def snoozes(self, *, now: datetime) -> list[Snooze]:
        """What operators hold back at `now` (virtual)."""

    async def next_due(
        self, *, feeds: Collection[str], overdue: datetime, buckets: Collection[int] = bucket.ALL
    ) -> datetime | None:
        """The real moment at which that can be claimed which is due first. Something else may be earlier: what is
        due later, but in one of `buckets`."""

    async def paused(self) -> Pause | None:
        """The pause, if an operator has stopped all sending."""


class Sender(Protocol):
    """The door of dispatch: it delivers what was committed as begun, without waiting for a poll."""

    async def capacity(self) -> bool:
        """True if a notification that is decided now can leave at once.

        Waits a moment while dispatch is only busy, because what is decided faster than it is sent has to be claimed
        later, and a claim costs more than the wait.
        """

    def send(self, attempts: Sequence[Attempt], *, since: datetime) -> None:
        """Deliver these attempts: they are stored as begun, and leased to this process since `since` (real)."""

    def nudge(self) -> None:
        """Look into the outbox soon: something in it is due."""
