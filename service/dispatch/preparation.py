"""The last look at notifications, and the drafts of those that may leave.

Whoever is about to begin an attempt prepares it here: intake and wake before they commit what they decided, dispatch
after it claimed what was left over. Nothing is stored here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from avisa.core import decide, gate
from avisa.core.model import Notification, Order, Reason, State
from avisa.dispatch.settlements import Now, Settlements, in_doubt
from avisa.ports import (
    Attempt,
    CannotRender,
    Catalog,
    CatalogCache,
    Claimed,
    Clock,
    Draft,
    Lag,
    NoAddress,
    Outbox,
    Settlement,
)

log = structlog.get_logger()

# How long deciding may take when much is due at once. Real time, as all lateness: on a fast clock it may be an hour.
PROMPT = timedelta(seconds=5)


@dataclass(slots=True)
class Prepared:
    """What came of preparing a batch: each notification has either an attempt or a settlement."""

    attempts: list[Attempt] = field(default_factory=list)
    settlements: list[Settlement] = field(default_factory=list)
    # Keys of attempts whose message tells a new date, because the one decided on has passed. Their order has that
    # date as its new deadline, which must be stored before the attempt begins.
    redated: set[str] = field(default_factory=set)


class Preparation:
    """Asks the gate, and freezes the words of what it lets through."""

    def __init__(
        self, outbox: Outbox, catalogs: CatalogCache, lag: Lag, clock: Clock, settlements: Settlements
    ) -> None:
        self._outbox = outbox
        self._catalogs = catalogs
        self._lag = lag
        self._clock = clock
        self._settlements = settlements

    async def prepare(self, batch: Sequence[Claimed], at: Now) -> Prepared:
        """An attempt at each notification that may leave now, and a settlement for each that may not.

        Raises what the store raises when it is asked who unsubscribed and cannot be reached.
        """
        catalog = self._catalogs.in_force
        fresh, on_time, overdue = self._lag.fresh_partitions(at.real), self._on_time(at), self.overdue(at.real)
        unsubscribed = await self._unsubscribed(batch, catalog)
        prepared = Prepared()
        for claimed in batch:
            notification, order = claimed.notification, claimed.order
            due = notification.due
            word = gate.check(
                notification,
                order,
                catalog.plan,
                at.now,
                unsubscribed=notification.key in unsubscribed,
                blind=order.feed not in fresh and not (due is not None and due <= overdue),
                on_time=on_time,
            )
            doubted = in_doubt(notification)
            if doubted and (isinstance(word, gate.Drop) or self._settlements.expired(notification, at)):
                # Whether it arrived will never be known, and there is no more reason to ask.
                ended = self._settlements.settled(
                    notification, order, State.IN_DOUBT, Reason.IN_DOUBT, catalog.plan, at
                )
                prepared.settlements.append(ended)
            elif isinstance(word, gate.Drop):
                dropped = self._settlements.settled(notification, order, State.DROPPED, word.reason, catalog.plan, at)
                prepared.settlements.append(dropped)
            elif isinstance(word, gate.Hold):
                prepared.settlements.append(self._settlements.held(notification, word, at))
            else:
                self._attempt(claimed, catalog, at, prepared)
        return prepared

    def _attempt(self, claimed: Claimed, catalog: Catalog, at: Now, prepared: Prepared) -> None:
        """Freeze what the message says, unless an earlier attempt did. A date that has passed is replaced first."""
        if claimed.draft is not None:
            prepared.attempts.append(Attempt(claimed=claimed, draft=claimed.draft, at_real=at.real))
            return
        redated = decide.on_attempt(claimed.order, claimed.notification, catalog.plan, at.now)
        if redated is not None:
            order, notification = redated
            if order is not claimed.order:
                prepared.redated.add(notification.key)
            claimed = Claimed(notification=notification, order=order)
        notification, order = claimed.notification, claimed.order
        draft = _draft(catalog, notification, order, at)
        if isinstance(draft, Draft):
            prepared.attempts.append(Attempt(claimed=claimed, draft=draft, at_real=at.real))
        elif isinstance(draft, NoAddress):
            prepared.settlements.append(
                self._settlements.settled(notification, order, State.DROPPED, Reason.NO_ADDRESS, catalog.plan, at)
            )
        else:
            log.error("dispatch.message_not_rendered", key=notification.key, problem=draft.problem)
            prepared.settlements.append(self._settlements.not_rendered(notification, order, draft, catalog.plan, at))

    async def _unsubscribed(self, batch: Sequence[Claimed], catalog: Catalog) -> frozenset[str]:
        """Keys of the notifications whose recipient asked for no more of their kind."""
        hashes: dict[str, bytes] = {}
        for claimed in batch:
            if claimed.notification.purpose in gate.CAN_BE_UNSUBSCRIBED:
                address = _address_hash(claimed, catalog)
                if address is not None:
                    hashes[claimed.notification.key] = address
        if not hashes:
            return frozenset()
        unsubscribed = await self._outbox.unsubscribed(set(hashes.values()))
        return frozenset(key for key, address in hashes.items() if address in unsubscribed)

    def _on_time(self, at: Now) -> timedelta:
        """How soon after its deadline, on the virtual clock, a reminder was decided that kept its date."""
        return max(gate.ON_TIME, self._clock.to_virtual(at.real + PROMPT) - at.now)

    def overdue(self, real: datetime) -> datetime:
        """The virtual moment before which a reminder was due that blindness holds no longer at `real`.

        A told date outranks the guard, so blindness holds nothing for longer than the plan's `feed.hold_at_most`.
        """
        return self._clock.to_virtual(real - self._catalogs.in_force.plan.feed.hold_at_most)


def _address_hash(claimed: Claimed, catalog: Catalog) -> bytes | None:
    if claimed.draft is not None:
        return claimed.draft.address_hash
    try:
        return catalog.address_hash(claimed.notification, claimed.order)
    except Exception as fault:  # a fault of ours; the draft will fail by it too, and tells it
        log.error("dispatch.address_not_read", key=claimed.notification.key, error=type(fault).__name__)
        return None


def _draft(catalog: Catalog, notification: Notification, order: Order, at: Now) -> Draft | NoAddress | CannotRender:
    """The draft. A fault of ours is this notification's trouble alone, for others of its batch wait beside it."""
    try:
        return catalog.draft(notification, order, at.now)
    except Exception as fault:
        log.error("dispatch.draft_failed", key=notification.key, error=type(fault).__name__, exc_info=True)
        return CannotRender(f"a fault of Avisa itself: {type(fault).__name__}")
