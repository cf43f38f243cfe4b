"""Orders, and the one way to change them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import Protocol

from avisa.core.flood import NO_BUDGETS, Budgets
from avisa.core.model import Notification, Order, Reason
from avisa.core.question import QuestionState
from avisa.core.quick_dataclass import dataclass
from avisa.ports.drafts import Attempt
from avisa.ports.records import Unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of an order's timeline that no notification row tells: an event, an owner's answer, a hold, an attempt
    that failed, a note, a promise in another state.

    A note says what the recipient of a message does not see: a text that was cut, a button that was dropped. What was
    odd about an event stands in the `note` of the event's own line.
    """

    order_id: str
    at: datetime
    kind: str  # event, answer, promise, decision, gate, attempt, note
    reason: Reason | None = None  # None: a note, a promise
    state: str | None = None  # of the promise
    status: str | None = None
    part: str | None = None  # of the order, by its id
    episode: int | None = None
    event_id: str | None = None
    key: str | None = None  # the notification's
    note: str | None = None  # without personal data: a reply code, an unknown time zone
    author: str | None = None  # of an answer: the address that the question was sent to


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """All that one order becomes in one transaction.

    `order.version` is the version that was loaded (0 for a new order). The order is stored as `version + 1`, and only
    if the stored version is still the loaded one. `notifications` are new. Each key of `superseded` is settled as
    dropped; if an attempt at it has begun, it becomes due at once instead. If the notification `absorbed_by` has
    begun or is settled, the whole change is lost; otherwise its revision rises by one. `reasons` has the feed and the
    reason of each event, to be counted in the same transaction.
    """

    order: Order
    notifications: tuple[Notification, ...] = ()
    entries: tuple[Entry, ...] = ()
    superseded: tuple[str, ...] = ()
    absorbed_by: str | None = None
    reasons: tuple[tuple[str, Reason], ...] = ()  # (feed, reason)
    questions: Mapping[QuestionState, int] = field(default_factory=dict)  # how many more are in each state


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Records that change no order, by feed and reason, to be counted in the same transaction."""

    by_reason: Mapping[tuple[str, Reason], int] = field(default_factory=dict)  # (feed, reason) -> n


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What became of a commit."""

    lost: frozenset[str]  # ids of the orders whose change lost a race; nothing of it was stored
    begun: frozenset[str]  # keys of the new notifications whose attempt is stored as begun, and leased to us


class DurabilityLost(Exception):  # noqa: N818 -- a state of the store, not a mistake
    """Something that was said to be durable may not be. Nothing more may be acknowledged, and no retry mends it."""


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
        begin: Sequence[Attempt] = (),
        lease: timedelta = timedelta(0),
        budgets: Budgets = NO_BUDGETS,
    ) -> Committed:
        """Store all changes in one transaction.

        Of an order that lost a race nothing is stored and nothing is counted; everything else is. A new notification
        with an attempt in `begin` is born SENDING, with its draft, and leased to this process for `lease`; unless an
        earlier one of the same order, recipient and channel is not settled: then it is born QUEUED and waits for that
        one, or a budget has no room for it. All others are born QUEUED, due at once.
        """

    async def due(self, now: datetime, *, feeds: Collection[str], overdue: datetime, limit: int) -> list[Order]:
        """Up to `limit` open orders to be woken, the longest due first.

        These are orders of `feeds` with a `wake_at` up to `now`, and of any feed with a `wake_at` up to `overdue`.
        """

    async def next_wake(self, *, feeds: Collection[str]) -> datetime | None:
        """The earliest `wake_at` among `feeds`."""
