"""The last look at notifications, and the drafts of those that may leave.

Whoever is about to begin an attempt prepares it here: the write path before it commits what was decided, dispatch
after it claimed what was left over. Nothing is stored here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from avisa.core import alert_list, context, delivery, gate, snooze
from avisa.core.evolve import evolve
from avisa.core.flood import NO_BUDGETS, Budgets
from avisa.core.model import Notification, Order, Reason, State
from avisa.core.plan import Allowance, Plan
from avisa.core.snooze import Snooze
from avisa.dispatch.settlements import Now, Settlements, in_doubt
from avisa.ports import (
    Attempt,
    CannotRender,
    Catalog,
    CatalogCache,
    Claimed,
    Clock,
    Draft,
    Gathered,
    Lag,
    NoAddress,
    Outbox,
    Settlement,
)

log = structlog.get_logger()

# How long deciding may take when many orders are due at once. Real time, like all lateness: on a clock 1,000 times as
# fast this is more than an hour of virtual time.
DECISION_DELAY = timedelta(seconds=5)


@dataclass(slots=True)
class Prepared:
    """What came of preparing a batch: each notification has an attempt or a settlement, or an attempt lists it."""

    attempts: list[Attempt] = field(default_factory=list)
    settlements: list[Settlement] = field(default_factory=list)
    # Keys of attempts whose message tells another date than the one decided on: the next update, because that has
    # passed, or the promise, because it moved. Their order has it as told, which must be stored before the attempt
    # begins.
    redated: set[str] = field(default_factory=set)
    # The alerts of the batch that the mail of another attempt lists, by the key of that attempt.
    listed: defaultdict[str, list[Claimed]] = field(default_factory=lambda: defaultdict(list))
    # What the store holds these attempts to when it begins them: it alone knows what others began meanwhile.
    budgets: Budgets = NO_BUDGETS


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

        Raises the store's error if it cannot be asked who unsubscribed, or what is snoozed.
        """
        catalog = self._catalogs.in_force
        fresh, on_time, overdue = self._lag.fresh_feeds(at.real), self._on_time(at), self.overdue(at.real)
        unsubscribed = await self._unsubscribed(batch, catalog)
        snoozes = await self._snoozes(batch, at)
        prepared = Prepared(budgets=self._budgets(catalog.plan, at))
        listed_by: dict[str, str] = {}
        for claimed in batch:
            notification, order = claimed.notification, claimed.order
            if notification.key in listed_by:
                prepared.listed[listed_by[notification.key]].append(claimed)
                continue
            due = notification.due
            verdict = gate.check(
                notification,
                order,
                catalog.plan,
                at.virtual,
                unsubscribed=notification.key in unsubscribed,
                snoozed_until=snooze.snoozed_until(snoozes, notification, order, catalog.plan, at.virtual),
                blind=order.feed not in fresh and not (due is not None and due <= overdue),
                on_time=on_time,
            )
            doubted = in_doubt(notification)
            if doubted and (isinstance(verdict, gate.Drop) or self._settlements.expired(notification, at)):
                # Whether it arrived will never be known, and there is no reason to send it again.
                ended = self._settled(notification, order, State.IN_DOUBT, Reason.IN_DOUBT, catalog, at)
                prepared.settlements.append(ended)
            elif isinstance(verdict, gate.Drop):
                dropped = self._settled(notification, order, State.DROPPED, verdict.reason, catalog, at)
                prepared.settlements.append(dropped)
            elif isinstance(verdict, gate.Hold):
                prepared.settlements.append(self._settlements.held(notification, verdict, at))
            else:
                gathered = await self._gathered(notification, listed_by)
                if self._attempt(claimed, gathered, catalog, at, prepared):
                    listed_by.update(dict.fromkeys(gathered.keys, notification.key))
        await self._take_out_dates(catalog, at, prepared)
        return prepared

    async def _gathered(self, notification: Notification, listed_by: Mapping[str, str]) -> Gathered:
        """The other alerts that this one may tell; none if another alert of the batch tells them."""
        if not alert_list.may_lead(notification):
            return Gathered()
        gathered = await self._outbox.gathered(notification)
        return Gathered() if any(key in listed_by for key in gathered.keys) else gathered

    def _attempt(self, claimed: Claimed, gathered: Gathered, catalog: Catalog, at: Now, prepared: Prepared) -> bool:
        """Freeze what the message says, unless an earlier attempt did. A date that has passed is replaced before.

        Returns False if there is a settlement instead of an attempt.
        """
        if claimed.draft is not None:
            prepared.attempts.append(Attempt(claimed=claimed, draft=claimed.draft, at_real=at.real))
            return True
        notification, order = claimed.notification, claimed.order
        corrected = delivery.on_attempt(order, notification, catalog.plan, at.virtual)
        if corrected is not None:
            order, notification = corrected
        if gathered.keys:
            alerts = [(it.order, it.notification) for it in (claimed, *gathered.shown)]
            notification = evolve(notification, alerts=context.alerts(alerts, gathered.orders, catalog.plan))
        draft = _draft(catalog, notification, order, at)
        if isinstance(draft, Draft):
            if order is not claimed.order:
                prepared.redated.add(notification.key)
            claimed = Claimed(notification=notification, order=order)
            prepared.attempts.append(Attempt(claimed=claimed, draft=draft, at_real=at.real, lists=gathered.keys))
            return True
        if isinstance(draft, NoAddress):
            dropped = self._settled(notification, claimed.order, State.DROPPED, Reason.NO_ADDRESS, catalog, at)
            prepared.settlements.append(dropped)
        else:
            log.error("dispatch.message_not_rendered", key=notification.key, problem=draft.problem)
            prepared.settlements.append(
                self._settlements.not_rendered(notification, claimed.order, draft, catalog.plan, at)
            )
        return False

    async def _take_out_dates(self, catalog: Catalog, at: Now, prepared: Prepared) -> None:
        """Write anew, without its date, what goes to customers who stopped the reminders.

        The drafts have the hashes of all addresses, so the store is asked once for a batch.
        """
        dated = {attempt.key: attempt for attempt in prepared.attempts if _tells_a_date(attempt)}
        if not dated:
            return
        stopped = await self._outbox.unsubscribed({attempt.draft.address_hash for attempt in dated.values()})
        for attempt in dated.values() if stopped else ():
            if attempt.draft.address_hash not in stopped:
                continue
            order, notification = delivery.without_date(attempt.claimed.order, attempt.claimed.notification)
            draft = _draft(catalog, notification, order, at)
            if not isinstance(draft, Draft):  # a fault of ours, which `_draft` has logged
                continue
            prepared.attempts.remove(attempt)
            if order is not attempt.claimed.order:
                prepared.redated.add(notification.key)
            claimed = replace(attempt.claimed, notification=notification, order=order)
            prepared.attempts.append(Attempt(claimed=claimed, draft=draft, at_real=at.real))

    def _settled(
        self, notification: Notification, order: Order, state: State, reason: Reason, catalog: Catalog, at: Now
    ) -> Settlement:
        return self._settlements.settled(notification, order, state, reason, catalog.plan, at)

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

    async def _snoozes(self, batch: Sequence[Claimed], at: Now) -> Sequence[Snooze]:
        """What operators hold back; the store is asked only where something of the batch could be."""
        if not any(claimed.notification.purpose in snooze.SNOOZABLE for claimed in batch):
            return ()
        return await self._outbox.snoozes(now=at.virtual)

    def _on_time(self, at: Now) -> timedelta:
        """The longest virtual time between a reminder's deadline and its decision that still counts as on time."""
        return max(gate.ON_TIME, self._clock.to_virtual(at.real + DECISION_DELAY) - at.virtual)

    def _budgets(self, plan: Plan, at: Now) -> Budgets:
        """The allowances of the plan, in real time as it passes now."""
        return Budgets(
            per_order=self._in_real_time(plan.flood.per_order, at),
            per_address=self._in_real_time(plan.flood.per_address, at),
            alerts_every=self._real_span(alert_list.EVERY, at),
        )

    def _in_real_time(self, allowance: Allowance | None, at: Now) -> Allowance | None:
        return None if allowance is None else replace(allowance, per=self._real_span(allowance.per, at))

    def _real_span(self, span: timedelta, at: Now) -> timedelta:
        return self._clock.to_real(at.virtual) - self._clock.to_real(at.virtual - span)

    def overdue(self, real: datetime) -> datetime:
        """A reminder due at or before this virtual moment is sent at `real`, even if its feed is behind.

        A date told to a customer outranks blindness, which holds nothing longer than the plan's `feed.hold_at_most`.
        """
        return self._clock.to_virtual(real - self._catalogs.in_force.plan.feed.hold_at_most)


def _tells_a_date(attempt: Attempt) -> bool:
    """True if a customer is about to read by when they hear again, in words that were written just now.

    The gate has asked about reminders already.
    """
    notification = attempt.claimed.notification
    fresh = attempt.claimed.draft is None and notification.to_customer
    return fresh and notification.next_update is not None and notification.purpose not in gate.CAN_BE_UNSUBSCRIBED


def _address_hash(claimed: Claimed, catalog: Catalog) -> bytes | None:
    if claimed.draft is not None:
        return claimed.draft.address_hash
    try:
        return catalog.address_hash(claimed.notification, claimed.order)
    except Exception as fault:  # of ours; the draft will fail by it, too, and the timeline says so
        log.error("dispatch.address_not_read", key=claimed.notification.key, error=type(fault).__name__)
        return None


def _draft(catalog: Catalog, notification: Notification, order: Order, at: Now) -> Draft | NoAddress | CannotRender:
    """The draft. A fault of ours is this notification's trouble alone, for others of its batch wait beside it."""
    try:
        return catalog.draft(notification, order, at.virtual)
    except Exception as fault:
        log.error("dispatch.draft_failed", key=notification.key, error=type(fault).__name__, exc_info=True)
        return CannotRender(f"a fault of Avisa itself: {type(fault).__name__}")
