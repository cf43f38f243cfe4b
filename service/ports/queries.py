"""Questions that change nothing, and what an operator can do."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from avisa.core.model import Notification, Order, Reason, State
from avisa.ports.drafts import Draft
from avisa.ports.orders import Entry
from avisa.ports.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """A notification as it is kept: with how it was settled and what wrote it."""

    notification: Notification
    settled_at: datetime | None
    reason: Reason | None  # of the settlement, else the last word of the gate
    message: str | None  # the name of the message, once a draft was made
    locale: str | None
    template_version: str | None  # the name of the catalog
    version: int | None  # its number in the lineage
    message_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that is kept of one order."""

    order: Order
    entries: tuple[Entry, ...]
    outbox: tuple[OutboxRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What was sent, or may have been, and the draft that it was written from, if that is still kept."""

    row: OutboxRow
    draft: Draft | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Promise 5 from one snapshot: `read` is the sum of `by_reason` and `dead_letters`, `decided` of `by_state`."""

    read: int
    by_reason: Mapping[Reason, int]
    dead_letters: int
    decided: int
    by_state: Mapping[State, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """What the metrics show of the store."""

    outbox: Mapping[State, int]  # unsettled only
    oldest_decided_at: datetime | None  # among the unsettled that are due
    orders_open: int
    orders_final: int
    orders_stuck: int
    in_doubt: int  # resent or settled in doubt, ever


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A record set aside. `value` is the original up to 1 MiB, else its first 4 KiB."""

    id: int
    record: Record
    stage: str
    reason: Reason
    message: str
    at: datetime
    state: str  # open, replayed
    size: int
    sha256: bytes
    whole: bool  # the value is complete, so it can be replayed


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentOrders:
    """The orders of one status that were heard of last, the newest first: those that are in it, and of those that
    were in it and were told so the JSON of the draft of what they were told."""

    present: Sequence[Order]
    drafts: Sequence[bytes]


class Queries(Protocol):
    """Questions that change nothing."""

    async def history(self, order_id: str) -> History | None: ...

    async def outbox(self, *, state: State | None = None, order_id: str | None = None) -> list[OutboxRow]: ...

    async def sent(self, order_id: str) -> list[Sent]:
        """The order's notifications that were settled as sent or in doubt, in the order of telling."""

    async def counts(self) -> Counts: ...

    async def gauges(self) -> Gauges: ...

    async def dead_letters(self, ids: Collection[int] | None = None) -> list[DeadLetter]: ...

    async def heard_of(self, *, each: int) -> Mapping[str, RecentOrders]:
        """By status, up to `each` of the orders that were heard of last. Looks back over a bounded stretch of all
        timelines, so a status that is seldom heard of may be missing."""

    async def newest_orders(self, limit: int) -> list[Order]:
        """Up to `limit` orders that ended, those that ended last first, and up to as many that did not; without
        what is pending."""


class Operations(Protocol):
    """What an operator can do to what is kept."""

    async def retry(self, keys: Collection[str], *, now_real: datetime) -> frozenset[str]:
        """Make unsettled notifications due at once, and send failed ones again; answers the keys it did."""

    async def drop(self, keys: Collection[str], *, now: datetime) -> frozenset[str]:
        """Settle unsettled notifications as dropped; answers the keys it did."""

    async def pause(self, reason: str, *, now: datetime) -> None: ...

    async def resume(self) -> None: ...

    async def unsubscribe(self, address_hash: bytes, *, now: datetime) -> None: ...

    async def secret_key(self, fresh: bytes) -> bytes:
        """The installation's key for links: the one kept, else `fresh`, which is then kept."""

    async def replayed(self, dead_letter: int) -> None: ...

    async def uncopied_dead_letters(self, limit: int) -> list[DeadLetter]:
        """Dead letters whose copy for the `.dlq` topic was not yet sent."""

    async def copied_dead_letters(self, ids: Collection[int]) -> None: ...

    async def retire(self, *, ended_before: datetime, limit: int) -> int:
        """Forget up to `limit` orders that ended before, with their timelines and settled notifications, whose
        number stays in the counts; answers how many went."""
