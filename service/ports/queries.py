"""What can be read of the store, and what an operator can do to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from avisa.core.model import Notification, Order, Reason, State
from avisa.core.promise import PromiseState
from avisa.core.question import QuestionState
from avisa.core.snooze import Snooze
from avisa.ports.drafts import Draft
from avisa.ports.orders import Entry
from avisa.ports.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """A notification as it is stored, with its settlement and what wrote its mail."""

    notification: Notification
    settled_at: datetime | None
    reason: Reason | None  # of the settlement, else the last word of the gate
    message: str | None  # the name of the message, once a draft was made
    locale: str | None
    template_version: str | None  # the name of the catalog
    version: int | None  # its number in the lineage
    message_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxPlace:
    """Where a notification stands among all: a page ends before it."""

    key: str
    decided_at: datetime
    seq: int  # among those of its order


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that is kept of one order."""

    order: Order
    entries: tuple[Entry, ...]
    outbox: tuple[OutboxRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A notification that was sent, or may have been, and its draft, if that is still kept."""

    row: OutboxRow
    draft: Draft | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question to an owner, and the draft of the mail that asked it, if that was sent and is still kept."""

    notification: Notification
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
    questions: Mapping[QuestionState, int]
    promises: Mapping[PromiseState, int]  # orders by the state of their promise
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
    """The orders of one status with the newest events, the newest first.

    `present` are still in the status. Of those that left it and whose customer was told of it, `drafts` has the JSON
    of the draft of that message.
    """

    present: Sequence[Order]
    drafts: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """An order with a promise, without `pending`, and when the message that told its state was sent."""

    order: Order
    sent_at: datetime | None


class Queries(Protocol):
    """Questions to the store; none changes anything."""

    async def history(self, order_id: str) -> History | None: ...

    async def outbox(
        self,
        *,
        state: State | None = None,
        order_id: str | None = None,
        before: OutboxPlace | None = None,
        limit: int | None = None,
    ) -> list[OutboxRow]:
        """Of the notifications in `state` and of `order_id` those decided before `before`, in the order of deciding;
        with `limit` no more than so many, the newest. None is any, and no bound."""

    async def outbox_place(self, key: str) -> OutboxPlace | None: ...

    async def sent(self, order_id: str) -> list[Sent]:
        """The notifications of an order that were settled as sent or in doubt, in order of decision."""

    async def question(self, link: bytes) -> Asked | None:
        """The question that a signed link is about; None if it is not known (any more)."""

    async def counts(self) -> Counts: ...

    async def gauges(self) -> Gauges: ...

    async def dead_letters(self, *, before: int | None = None, limit: int | None = None) -> list[DeadLetter]:
        """Those with an id below `before`, the oldest first, without their keys, headers and values; with `limit` no
        more than so many, the newest."""

    async def open_dead_letters(self, *, after: int, until: int, limit: int) -> list[DeadLetter]:
        """Up to `limit` that were not replayed, with an id above `after` and up to `until`, the oldest first."""

    async def dead_letters_by_id(self, ids: Collection[int]) -> list[DeadLetter]:
        """Those with these ids, the oldest first."""

    async def promises(self, *, state: PromiseState | None = None) -> list[Promised]:
        """The orders whose promise is in `state`, ended ones too; without it all with a promise that have not
        ended."""

    async def recent_orders(self, *, each: int) -> Mapping[str, RecentOrders]:
        """By status, up to `each` of the orders with the newest events.

        The look back over the timelines is bounded, so a status with few events may be missing.
        """

    async def unreadable_topics(self, *, run: int) -> Mapping[str, Reason]:
        """The topics of whose last `run` records none could be read, each with the commonest reason."""

    async def newest_orders(self, limit: int) -> list[Order]:
        """Up to `limit` orders that ended, the newest word first, and up to `limit` open ones; without `pending`."""


class Operations(Protocol):
    """What an operator can do to the store."""

    async def retry(self, keys: Collection[str], *, now_real: datetime) -> frozenset[str]:
        """Make unsettled notifications due at once, and queue failed ones again; return the keys of these."""

    async def drop(self, keys: Collection[str], *, now: datetime) -> frozenset[str]:
        """Settle unsettled notifications as dropped; return the keys of these."""

    async def pause(self, reason: str, *, now: datetime) -> None: ...

    async def resume(self) -> None: ...

    async def unsubscribe(self, address_hash: bytes, *, now: datetime) -> None: ...

    async def note(self, order_id: str, text: str, *, author: str, now: datetime) -> bool:
        """Add a note to an order, on its timeline and for the next owner who is asked; False if it is not known."""

    async def snooze(self, snooze: Snooze) -> None: ...

    async def snoozes(self, *, now: datetime) -> list[Snooze]:
        """Those that have not ended by `now` (virtual), the oldest first."""

    async def end_snooze(self, id: int) -> bool:
        """End a snooze before its time; what it held is looked at again. False if there is none of that number."""

    async def secret_key(self, fresh: bytes) -> bytes:
        """The installation's key for links. If the store has none yet, it keeps `fresh`."""

    async def replayed(self, dead_letter: int) -> None: ...

    async def uncopied_dead_letters(self, limit: int) -> list[DeadLetter]:
        """Up to `limit` dead letters of which no copy is on the `.dlq` topic yet."""

    async def copied_dead_letters(self, ids: Collection[int]) -> None: ...

    async def retire(self, *, quiet_since: datetime, limit: int) -> int:
        """Forget up to `limit` orders, with all that is theirs; return how many.

        These are orders, ended or not, of which nothing was heard or said since `quiet_since`, and nothing is still
        to be said: no deadline lies ahead, and every notification is settled. The counts keep the number of their
        notifications.
        """

    async def forget_drafts(self, *, before: datetime, limit: int) -> int:
        """Forget up to `limit` drafts of mails that were begun on a day before that of `before`, in real time, and
        are settled; return how many. What was sent stays on the timeline."""

    async def forget_dead_letters(self, *, before: datetime, limit: int) -> int:
        """Forget up to `limit` dead letters that were set aside before `before`; return how many. The counts keep
        their number."""
