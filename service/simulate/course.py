"""One order from its first event to the end of the simulation, decided by the very core on a clock that is set.

It follows the one write path: decide, ask the gate, send, settle. The relay takes each mail at once, nobody has
unsubscribed, and the feed is always seen. Of the flood budgets only that of the order counts, for the orders of an
address are lived in different processes; the shipped budget of an order is the smaller one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from avisa.core import decide, gate, notices
from avisa.core.deadlines import earlier
from avisa.core.decision import Decision
from avisa.core.evolve import evolve
from avisa.core.flood import Budgets, Ledger
from avisa.core.model import Alert, Notification, Order, OrderEvent, Reason, State
from avisa.core.plan import Plan
from avisa.simulate.silence import Silence

Reaches = Callable[[Notification, Order], bool]

_NO_ADDRESS_HASH = b""
_INSTANT = timedelta(microseconds=1)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Sent(NamedTuple):
    """A message as it left, with its order as it was then."""

    at: datetime
    notification: Notification
    order: Order


@dataclass(slots=True)
class Course:
    """The life of one order under one plan. `reaches` says whether a notification has an address to go to."""

    plan: Plan
    reaches: Reaches
    order: Order | None = None
    reasons: Counter[Reason] = field(default_factory=Counter)  # of its events
    dropped: Counter[Reason] = field(default_factory=Counter)  # of its notifications
    sent: list[Sent] = field(default_factory=list)
    entered: list[tuple[datetime, str]] = field(default_factory=list)  # when each episode began, and its status
    broken_dates: int = 0  # dates told and not kept
    silence: Silence = field(default_factory=Silence)
    silence_before: Silence = field(default_factory=Silence)  # had only events been told
    _now: datetime = _LONG_AGO
    _next_update: datetime | None = None  # by when the customer was told to hear again

    def live(self, events: Iterable[tuple[datetime, OrderEvent]], end: datetime) -> None:
        """Take in the events, each at its moment and in order, and let time pass until `end`."""
        for at, event in events:
            self._pass(at - _INSTANT)  # what is due at this very moment has the event to reckon with
            self._now = at
            self._take(event, at)
            self._send(at)
        self._pass(end)
        self._keep_date(end)
        falls_silent = self._falls_silent(end)
        self.silence.end(falls_silent)
        self.silence_before.end(falls_silent)

    def _falls_silent(self, end: datetime) -> datetime:
        """Up to when silence is counted. An order is stuck after its last reminder: from then on its owner knows, and
        how long it lies there says nothing of the plan."""
        if self.order is None or not self.order.stuck:
            return end
        return max((it.at for it in self.sent if it.notification.to_customer), default=end)

    def _pass(self, until: datetime) -> None:
        """Let time pass: wake the order and release what was held, each when it is due, up to `until`."""
        while self.order is not None:
            due = _due(self.order)
            if due is None or max(due, self._now) > until:
                return
            self._now = max(due, self._now)  # an event may make due what should have been done before it
            self._wake(self._now)
            self._send(self._now)

    def _take(self, event: OrderEvent, now: datetime) -> None:
        before = 0 if self.order is None else self.order.episode
        decision = decide.on_event(self.order, event, self.plan, now)
        assert decision.reason is not None  # every event has one
        self.reasons[decision.reason] += 1
        self._apply(decision)
        if decision.order.episode != before:
            self.entered.append((now, decision.order.status))
        if decision.order.final:
            self._keep_date(now)
            self._next_update = None  # an order that ended owes no word any more
        self.silence.open(now, decision.order)
        self.silence_before.open(now, decision.order)

    def _wake(self, now: datetime) -> None:
        order = self.order
        if order is not None and order.wake_at is not None and order.wake_at <= now:
            self._apply(decide.on_wake(order, self.plan, now))

    def _apply(self, decision: Decision) -> None:
        self.order = decision.order
        if decision.superseded:
            self.dropped[Reason.SUPERSEDED] += len(decision.superseded)

    def _send(self, now: datetime) -> None:
        """Send all that the gate lets through, first in, first out for each recipient."""
        while (head := self._head(now)) is not None:
            self._attempt(head, now)
        order = self.order
        if order is not None and order.final and not any(item.to_customer for item in order.pending):
            self.silence.end(now)
            self.silence_before.end(now)

    def _head(self, now: datetime) -> Notification | None:
        """A notification that may be tried now."""
        assert self.order is not None
        return next((it for it in _heads(self.order) if it.not_before is None or it.not_before <= now), None)

    def _attempt(self, item: Notification, now: datetime) -> None:
        order = self.order
        assert order is not None
        verdict = gate.check(item, order, self.plan, now)
        if isinstance(verdict, gate.Drop):
            self._settle(item, order, verdict.reason, now)
            return
        if isinstance(verdict, gate.Hold):
            self._hold(item, verdict.until, verdict.reason)
            return
        redated = decide.on_attempt(order, item, self.plan, now)
        dated, fresh = (order, item) if redated is None else redated
        if not self.reaches(fresh, dated):
            self._settle(item, order, Reason.NO_ADDRESS, now)
            return
        room_at = self._room(item, now)
        if room_at > now:
            self._flooded(item, room_at, now)
            return
        self.sent.append(Sent(now, fresh, dated))
        if fresh.to_customer:
            self._reach(fresh, dated, now)
        self._settle(fresh, dated, Reason.ACCEPTED, now)

    def _reach(self, sent: Notification, order: Order, now: datetime) -> None:
        self._keep_date(now)
        self._next_update = sent.next_update
        self.silence.interrupt(now, order)
        if sent.due is None:  # all but reminders tell what an event said
            self.silence_before.interrupt(now, order)

    def _keep_date(self, now: datetime) -> None:
        if self._next_update is not None and now > self._next_update:
            self.broken_dates += 1

    def _settle(self, item: Notification, order: Order, reason: Reason, now: datetime) -> None:
        if reason is not Reason.ACCEPTED:
            self.dropped[reason] += 1
        decision = decide.on_settled(order, item, reason, self.plan, now)
        after, more = (order, ()) if decision is None else (decision.order, decision.notifications)
        left = tuple(other for other in after.pending if other.key != item.key)
        self.order = evolve(after, pending=left + more)

    def _hold(self, item: Notification, until: datetime | None, reason: Reason) -> None:
        order = self.order
        assert order is not None
        assert until is not None, "only blindness holds without an end, and nobody is blind here"
        held = evolve(item, state=State.HELD, gate=reason, not_before=until)
        pending = tuple(held if other.key == item.key else other for other in order.pending)
        self.order = evolve(order, pending=pending)

    def _room(self, item: Notification, now: datetime) -> datetime:
        """The moment at which the flood budget of the order has room for one more."""
        allowance = self.plan.flood.per_order
        if allowance is None or item.seq <= allowance.count:  # an order has no more mails than notifications
            return now
        scopes = Budgets(per_order=allowance).scopes(item, _NO_ADDRESS_HASH)
        ledger = Ledger()
        for scope in scopes:
            ledger.enter(scope, [it.at for it in self.sent if it.notification.to_customer])
        return ledger.place(scopes, now)

    def _flooded(self, item: Notification, room_at: datetime, now: datetime) -> None:
        self._hold(item, room_at, Reason.FLOOD)
        order = self.order
        assert order is not None
        if Alert.FLOOD not in order.alerts:
            alerted, alerts = notices.alert_owner(order, Alert.FLOOD, Reason.FLOOD, self.plan, now)
            self.order = evolve(alerted, pending=alerted.pending + alerts)


def _due(order: Order) -> datetime | None:
    """When something may happen by itself."""
    due = order.wake_at
    for item in _heads(order):
        due = earlier(due, item.not_before)
    return due


def _heads(order: Order) -> Iterable[Notification]:
    """The notifications that wait behind no earlier one for the same recipient."""
    if len(order.pending) < 2:
        return order.pending
    heads: dict[tuple[str, str], Notification] = {}
    for item in order.pending:  # by seq
        heads.setdefault((item.recipient, item.channel), item)
    return heads.values()
