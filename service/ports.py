"""What the flows need of the world, as Protocols. The edges satisfy them; the flows know nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

from service.core.model import Notification, Order, OrderEvent, Position, Reason, State
from service.core.plan import Plan
from service.core.retry import Receipt


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


class Sight(Protocol):
    """What we can know of the feeds; all in real time."""

    def sighted(self, now_real: datetime) -> frozenset[str]:
        """The feeds assigned to this process of which nothing older than `feed.blind_after` is unread."""

    def caught_up(self, now_real: datetime) -> bool:
        """Whether sending may begin: what lay unread at start has been taken in, or `blind_after` is over."""


# ---------------------------------------------------------------- intake


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as it came from Kafka."""

    position: Position
    timestamp: datetime  # the record's own, real
    key: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    value: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A record that could not be read: it becomes a dead letter."""

    record: Record
    stage: str  # headers, envelope, data
    reason: Reason
    message: str  # what is wrong and where, without personal data


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A record that is none of our business: it is only counted."""

    position: Position
    reason: Reason


Taken = OrderEvent | Unreadable | Skipped


# ---------------------------------------------------------------- store


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of an order's timeline that no notification row tells: an event, a hold, an attempt that failed."""

    order_id: str
    at: datetime
    kind: str  # event, gate, attempt
    reason: Reason
    status: str | None = None
    episode: int | None = None
    event_id: str | None = None
    key: str | None = None  # the notification's
    note: str | None = None  # free of personal data: what a reply code said, which zone was unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """All that one order becomes in one transaction.

    `order.version` is the version that was loaded (0 for a new order); it is stored as `version + 1`, and only
    if the stored version is still the loaded one. `notifications` are new. Each key of `superseded` is settled
    as dropped/superseded unless an attempt at it has begun. If `absorbed_by` has begun, or is settled, the
    whole change is lost; else its revision rises by one.
    """

    order: Order
    notifications: tuple[Notification, ...] = ()
    entries: tuple[Entry, ...] = ()
    superseded: tuple[str, ...] = ()
    absorbed_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What became of a commit: the orders that lost a race, and the new notifications that are leased to us."""

    lost: frozenset[str]  # order ids
    leased: frozenset[str]  # keys; every other new one is queued behind an earlier one of its line


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Records read and how each came out, to be counted in the same transaction; `read` is their number."""

    by_reason: Mapping[tuple[str, Reason], int] = field(default_factory=dict)  # (feed, reason) -> n


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What freezes at the first attempt, as JSON: from it and the catalog it names, the same octets come out
    again. `due_real` is when that attempt was begun."""

    catalog: str  # the version of the catalog
    locale: str
    json: bytes  # has `message` and `message_id`, as below; so a draft read back needs no more than these three

    message: str = ""  # its name, for the timeline
    message_id: str = ""  # with its angle brackets
    address_hash: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A notification leased to this process, its order as it is now, and what was frozen if it was begun."""

    notification: Notification
    order: Order
    draft: Draft | None = None
    unsubscribed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt about to begin: stored before the first octet leaves."""

    key: str
    revision: int
    at_real: datetime
    draft: Draft
    next_update: datetime | None


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


class OrderBook(Protocol):
    """Orders, and the one way to change them."""

    async def load(self, order_ids: Collection[str]) -> dict[str, Order]:
        """The orders that are known, each with its pending notifications."""

    async def commit(
        self,
        changes: Sequence[Change],
        *,
        tally: Tally | None = None,
        dead_letters: Sequence[Unreadable] = (),
        now: datetime,
        lease: timedelta | None = None,
    ) -> Committed:
        """Store all changes in one transaction.

        A lost order is not touched, nor are its notifications and entries, while everything else is stored;
        the tally is stored as it stands, so the caller leaves lost events out of it by committing them again
        with their own. With `lease`, a new notification is born leased to this process, unless an earlier one
        of the same order, recipient and channel is unsettled: then it waits for that one.
        """

    async def due(
        self, now: datetime, *, feeds: Collection[str], overdue: datetime, limit: int
    ) -> list[Order]:
        """Open orders whose `wake_at` is not after `now` and whose feed is in `feeds`, oldest first; and those of
        any feed whose `wake_at` is not after `overdue`."""

    async def next_wake(self, *, feeds: Collection[str]) -> datetime | None:
        """The earliest `wake_at` among `feeds`."""


class Outbox(Protocol):
    """Notifications that are decided but not settled."""

    async def claim(self, *, now_real: datetime, lease: timedelta, limit: int) -> list[Claimed]:
        """Lease notifications that are due, oldest first, at most one for each order, recipient and channel: the
        earliest. Those whose lease ran out while SENDING come with their draft and are in doubt."""

    async def begin(self, attempts: Sequence[Attempt]) -> frozenset[str]:
        """Store the drafts, mark SENDING, count the attempt; answers the keys that did begin. A key does not begin
        when this process no longer holds its lease, it was settled, or its revision has risen."""

    async def settle(self, settlements: Sequence[Settlement]) -> frozenset[str]:
        """Store outcomes in one transaction and free the leases; answers the keys that were lost: the lease had
        passed to somebody else, or the change to the order lost a race."""

    async def renew(self, keys: Collection[str], *, now_real: datetime, lease: timedelta) -> None:
        """Lengthen the leases of what this process is still sending."""

    async def unsubscribed(self, hashes: Collection[bytes]) -> frozenset[bytes]:
        """Those of the address hashes that want no reminders."""

    async def next_due(self) -> datetime | None:
        """The earliest real moment at which something unleased is to be looked at."""

    async def paused(self) -> Pause | None:
        """Whether an operator has stopped all sending."""


# ---------------------------------------------------------------- words and channels


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong in the plan or in a message, told so that an operator can mend it."""

    code: str  # one word: unknown_key, unknown_name, not_allowed, missing_subject …
    severity: Literal["error", "warning"] = (
        "error"  # a warning stops no push
    )
    file: str  # relative to the template folder: `plan.yaml`, `messages/shipped/pt.md`
    line: int | None = None  # from 1
    column: int | None = None  # from 1
    message: str
    suggestion: str | None = None  # what the operator probably meant


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A finished e-mail: envelope and octets (CRLF line ends, not yet dot-stuffed).

    With `wire_ready` its maker vouches that no CR or LF stands alone, that the last line is ended and that no line
    begins with a dot; then the channel need not look at every line of every mail.
    """

    key: str
    sender: str
    recipient: str
    data: bytes
    wire_ready: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a draft says, for people: the preview and the timeline's own copy of a mail."""

    subject: str
    short: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class CannotRender:
    """The message can not be written; `problem` names template, line and variable, never a value."""

    problem: str


@dataclass(frozen=True, slots=True)
class NoAddress:
    """There is nowhere to send it."""


class Catalog(Protocol):
    """The plan and all messages as one frozen, checked value."""

    @property
    def version(self) -> str: ...

    @property
    def plan(self) -> Plan: ...

    def draft(
        self, notification: Notification, order: Order, now: datetime
    ) -> Draft | NoAddress | CannotRender:
        """Choose message, locale and address and freeze every value the message may show."""

    def compose(self, notification: Notification, draft: Draft) -> Mail | CannotRender:
        """Write the mail. The same draft gives the same octets, in this process and in any other."""


class Shelf(Protocol):
    """Where catalogs are kept."""

    @property
    def in_force(self) -> Catalog: ...

    async def version(self, version: str) -> Catalog | None:
        """An earlier catalog, if it is still kept."""


class CatalogStore(Protocol):
    """Every catalog ever put in force, by version, so that a mail in doubt can be written again to the octet."""

    async def keep_catalog(self, version: str, content: bytes, *, at: datetime) -> None: ...

    async def kept_catalog(self, version: str) -> bytes | None: ...


class Channel(Protocol):
    """A way out."""

    @property
    def open(self) -> bool:
        """False while it is of no use to hand it anything: the route is down, or we are refused."""

    def deliver(self, mail: Mail) -> Awaitable[Receipt]:
        """Deliver one mail. The awaitable never raises, but for cancellation."""


# ---------------------------------------------------------------- reads


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """A notification as it is kept: with how it was settled and what wrote it."""

    notification: Notification
    settled_at: datetime | None
    reason: Reason | None  # of the settlement, else the last word of the gate
    expires_real: datetime | None
    message: str | None  # the name of the message, once a draft was made
    locale: str | None
    template_version: str | None
    message_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that is kept of one order."""

    order: Order
    entries: tuple[Entry, ...]
    outbox: tuple[OutboxRow, ...]


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


class Reads(Protocol):
    """Questions that change nothing."""

    async def history(self, order_id: str) -> History | None: ...

    async def outbox(self, *, state: State | None = None, order_id: str | None = None) -> list[OutboxRow]: ...

    async def counts(self) -> Counts: ...

    async def gauges(self) -> Gauges: ...

    async def dead_letters(self, ids: Collection[int] | None = None) -> list[DeadLetter]: ...


class Commands(Protocol):
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
