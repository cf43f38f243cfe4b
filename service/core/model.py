"""The nouns of Avisa, as frozen values.

Every time is an aware `datetime` in UTC on the (possibly virtual) clock of the service, unless its name
says `real`. Nothing here reads a clock, rolls a die or touches the world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from avisa.core.part import PartName, Parts
from avisa.core.promise import Promise
from avisa.core.question import Asking
from avisa.core.quick_dataclass import dataclass
from avisa.core.timestamps import BEGINNING

Json = Any  # a JSON value; events.py checks the few types that matter

# Of an event among those of its order: microseconds since 1970, sequence (-1: none), arrival; or sequence first.
Rank = tuple[int, int, int]


class Purpose(StrEnum):
    """Why somebody is told something."""

    UPDATE = "update"
    REMINDER = "reminder"
    PROMISE_MOVED = "promise_moved"
    ASK_OWNER = "ask_owner"
    PROMISE_AT_RISK = "promise_at_risk"
    PROMISE_BROKEN = "promise_broken"
    OWNER_ALERT = "owner_alert"
    TEST = "test"


FOR_OWNERS = frozenset({Purpose.ASK_OWNER, Purpose.OWNER_ALERT})


class Alert(StrEnum):
    """What an owner is alerted to, the ordinal of an `owner_alert`; and `several` alerts of a kind, in one mail."""

    STUCK = "stuck"
    UNKNOWN_STATUS = "unknown_status"
    UNREACHABLE = "unreachable"
    PROMISE_BROKEN = "promise_broken"
    FLOOD = "flood"
    SEVERAL = "several"  # never an ordinal: it only names the message


class Reason(StrEnum):
    """Why something came out so: one word for log, metric, timeline and test."""

    # decisions
    ENTERED = "entered"
    FACTS_CHANGED = "facts_changed"
    REPEATED = "repeated"
    ALREADY_SEEN = "already_seen"
    OLDER_THAN_KNOWN = "older_than_known"
    NOT_TO_TELL = "not_to_tell"
    TOO_OLD_TO_TELL = "too_old_to_tell"
    UNKNOWN_STATUS = "unknown_status"
    WINDOW_PASSED = "window_passed"
    REMINDERS_SPENT = "reminders_spent"
    NO_NEWS = "no_news"
    PROMISE_NEAR = "promise_near"
    UNANSWERED = "unanswered"
    PASSED_ON = "passed_on"
    ON_TRACK = "on_track"
    PROMISE_AT_RISK = "promise_at_risk"
    PROMISE_BROKEN = "promise_broken"
    # the gate
    SUPERSEDED = "superseded"
    QUIET_HOURS = "quiet_hours"
    BURST_WAIT = "burst_wait"
    FREQUENCY_CAP = "frequency_cap"
    SNOOZED = "snoozed"
    BLIND = "blind"
    FLOOD = "flood"
    GATHERED = "gathered"
    UNSUBSCRIBED = "unsubscribed"
    NO_ADDRESS = "no_address"
    # settled
    ACCEPTED = "accepted"
    LISTED = "listed"
    REFUSED = "refused"
    EXPIRED = "expired"
    IN_DOUBT = "in_doubt"
    CANNOT_RENDER = "cannot_render"
    DROPPED_BY_OPERATOR = "dropped_by_operator"
    # dead letters
    NOT_JSON = "not_json"
    WRONG_TYPE = "wrong_type"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    NO_SCHEMA = "no_schema"
    NO_ORDER_ID = "no_order_id"
    NO_STATUS = "no_status"
    BAD_TIME = "bad_time"
    NO_SEQUENCE = "no_sequence"
    BAD_HEADERS = "bad_headers"
    BAD_BATCH = "bad_batch"
    BAD_CLOUDEVENT = "bad_cloudevent"
    UNSUPPORTED_SPECVERSION = "unsupported_specversion"
    # skipped records
    TOMBSTONE = "tombstone"
    OTHER_TYPE = "other_type"
    FILTERED = "filtered"
    UNCHANGED = "unchanged"
    DELETED = "deleted"


class State(StrEnum):
    """Where a notification is; the last four are settled and never change again."""

    QUEUED = "queued"
    HELD = "held"
    SENDING = "sending"
    RETRYING = "retrying"
    SENT = "sent"
    DROPPED = "dropped"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"


SETTLED = frozenset({State.SENT, State.DROPPED, State.FAILED, State.IN_DOUBT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a record lies in Kafka."""

    topic: str
    partition: int
    offset: int

    @property
    def feed(self) -> str:
        """The stream the record came by, `topic/partition`: what can be assigned, and behind, or not."""
        return f"{self.topic}/{self.partition}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """The fact that something about an order became true at a moment.

    `facts` is flat and holds only what the publisher sent: `customer.name`, `details.total`, `promised_at` (as in
    `Promise`), `brand`, `owner`, `reason`, `next_step`. A value of None clears the fact. If the publisher sent `null`
    for a whole group, `facts` has the one key `customer` or `details` with None.
    """

    order_id: str
    status: str
    part: PartName | None = None  # None: it speaks of the whole order
    occurred_at: datetime
    sequence: int | None = None
    notify: bool = True
    facts: Mapping[str, Json] = field(default_factory=dict)
    identity: bytes  # 16 bytes: a hash of (source, id), or of position and value
    event_id: str | None = None
    position: Position
    published_real: datetime | None = None  # the record's timestamp
    size: int = field(default=0, compare=False)  # bytes of the record's value
    left_out: tuple[str, ...] = ()  # names of fields that could not be used
    cut: tuple[str, ...] = ()  # names of facts that were cut


class Fact(NamedTuple):  # an event makes ten of them, and a tuple is made in a third of the time of a dataclass
    """A value and the rank of the event that set it."""

    rank: Rank
    value: Json


@dataclass(frozen=True, kw_only=True)
class Notification:
    """One thing to tell one recipient.

    The first part is fixed when it is decided; `state` and below is what delivery made of it so far.
    """

    key: str  # order/episode/purpose/ordinal/recipient: deciding twice to say a thing cannot happen
    order_id: str
    episode: int
    status: str
    purpose: Purpose
    ordinal: str
    recipient: str  # a role, `customer` or `owner:production`, never an address
    channel: str = "email"
    seq: int  # its place among the notifications of its order
    reason: Reason
    decided_at: datetime
    due: datetime | None = None  # when silence called for it: of a reminder its deadline
    next_update: datetime | None = None  # when this message says the customer will hear again
    last: bool = False  # the last reminder of its episode
    promise_before: str | None = None  # the promise told before this message, for `promise.previous`
    published_real: datetime | None = None  # when the event that it tells was published
    parts: tuple[str, ...] = ()  # ids of the parts that it is about; one that is empty: the whole order

    state: State = State.QUEUED
    attempts: int = 0
    revision: int = 0  # rises when an unsent update absorbs changed facts
    first_attempt_real: datetime | None = None
    not_before: datetime | None = None
    gate: Reason | None = None  # the last word of the gate while it is held
    alerts: Json = None  # `context.alerts` of all alerts that its mail tells, if several; attached by dispatch

    @property
    def to_customer(self) -> bool:
        return self.recipient == "customer"

    @property
    def begun(self) -> bool:
        """An attempt to deliver it was started; from then on its words are frozen."""
        return self.first_attempt_real is not None

    @property
    def gathered(self) -> bool:  # it waits to be told with others of its kind, and nothing waits behind it
        return self.state is State.HELD and self.gate is Reason.GATHERED


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is known of one customer order."""

    order_id: str
    version: int = 0  # 0: not stored yet
    status: str
    status_rank: Rank
    episode: int
    entered_at: datetime  # when the episode began, as taken in
    final: bool = False
    ended_at: datetime | None = None
    feed: str = ""  # `topic/partition` of the newest event
    last_word_at: datetime | None = None  # when an event was taken in, or a message decided, last

    facts: Mapping[str, Fact] = field(default_factory=dict)
    statuses: tuple[tuple[Rank, str], ...] = ()  # every status seen, in rank order
    customers: tuple[tuple[Rank, str], ...] = ()  # every customer.id seen, in rank order
    seen: bytes = b""  # the identities of its events, 16 bytes each
    arrivals: int = 0

    deadline: datetime | None = None  # by when the customer must hear again
    told_until: datetime | None = None  # the date told, while it stands
    told_until_before: datetime | None = None  # what stands if the newest customer message never leaves
    counted_from: datetime | None = None  # the moment the window of the deadline began
    wake_at: datetime | None = None
    reminders: int = 0  # told in this episode
    spent: bool = False  # the last reminder of this episode was told: nothing more is dated in it
    ordinals: Mapping[str, int] = field(default_factory=dict)  # purpose -> how many in this episode
    seq: int = 0
    told_episode: int = 0  # the newest episode of which the customer was told
    told_seq: int = 0  # the newest customer message
    promise_first: str | None = None
    promise_told: str | None = None
    promise_told_before: str | None = None  # as `told_until_before`
    told_status: str | None = None  # what the newest customer message is about
    told_status_before: str | None = None  # as `told_until_before`
    told_facts: Mapping[str, str] = field(default_factory=dict)  # its reason and news, each as a digest
    told_facts_before: Mapping[str, str] = field(default_factory=dict)  # as `told_until_before`
    told_once: frozenset[str] = frozenset()  # statuses of which the customer is told once, and was
    changed: tuple[str, ...] = ()  # the details whose change the newest messages tell
    promise_moved_at: datetime | None = None  # when a moved promise was told last, or will be
    promise_moved_before: datetime | None = None  # as `told_until_before`
    unreached_at: str | None = None  # the address at which an update of this episode failed; empty: it had none
    promise: Promise | None = None
    alerts: frozenset[str] = frozenset()  # kinds the owner was alerted to
    asking: Asking | None = None  # the questions to its owners
    parts: Parts | None = None  # None: no event named one
    notes: tuple[str, ...] = ()  # what people noted last, for an owner who is asked

    pending: tuple[Notification, ...] = ()  # not settled, by seq; attached when loaded
    size: int = field(default=0, compare=False)  # bytes: no less than those of its facts; attached when loaded

    @property
    def stuck(self) -> bool:
        return self.spent and not self.final

    @property
    def messages(self) -> int:
        """How many messages were decided for the customer in the present episode."""
        return sum(self.ordinals.values())


BLANK_ORDER = Order(order_id="", status="", status_rank=(0, -1, 0), episode=0, entered_at=BEGINNING)
BLANK_NOTIFICATION = Notification(
    key="", order_id="", episode=0, status="", purpose=Purpose.UPDATE, ordinal="", recipient="", seq=0,
    reason=Reason.ENTERED, decided_at=BEGINNING,
)  # fmt: skip
