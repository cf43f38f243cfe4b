"""One order from its first event to the end of the simulation, decided by the same core as live, on a virtual clock.

The order takes the path of a live one: decide, ask the gate, send, settle. The world around it is kind: the relay
takes each mail at once, nobody has unsubscribed, and Avisa is never blind. Of the flood budgets only that of the
order counts, because the orders of one address may run in different processes. In the shipped plan the order's is the
smaller one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from avisa.core import decide, delivery, gate, notices
from avisa.core.deadlines import earlier
from avisa.core.decision import Decision
from avisa.core.evolve import evolve
from avisa.core.flood import Budgets, Ledger
from avisa.core.model import Alert, Notification, Order, OrderEvent, Reason, State
from avisa.core.plan import Plan
from avisa.core.timestamps import BEGINNING
from avisa.simulate.silence import Silence

Reaches = Callable[[Notification, Order], bool]

_NO_ADDRESS_HASH = b""
_INSTANT = timedelta(microseconds=1)


class Sent(NamedTuple):
    """A notification that was sent at `at`, with its order as it was at that moment."""

    at: datetime
    notification: Notification
    order: Order


@dataclass(slots=True)
class Course:
    """The life of one order under one plan. All moments are on the virtual clock, in UTC.

    `reaches` returns whether there is an address to which the notification can go.
    """

    plan: Plan
    reaches: Reaches
    order: Order | None = None
    reasons: Counter[Reason] = field(default_factory=Counter)  # how often events were decided for each reason
    dropped: Counter[Reason] = field(default_factory=Counter)  # how often notifications were dropped for each reason
    sent: list[Sent] = field(default_factory=list)
    entered: list[tuple[datetime, str]] = field(default_factory=list)  # when each episode began, and its status
    broken_dates: int = 0  # how often no message came by the `next_update` that the message before had told
    silence: Silence = field(default_factory=Silence)
    silence_before: Silence = field(default_factory=Silence)  # as it would have been without reminders and notices
    _now: datetime = BEGINNING
    _next_update: datetime | None = None  # the one that the newest message told

    def live(self, events: Iterable[tuple[datetime, OrderEvent]], end: datetime) -> None:
        """Take in the events, each at its moment, the earliest first, and let time pass until `end`."""
        for at, event in events:
            self._pass(at - _INSTANT)  # the event comes before whatever else is due at its very moment
            self._now = at
            self._take(event, at)
            self._send(at)
        self._pass(end)
        self._keep_date(end)
        falls_silent = self._falls_silent(end)
        self.silence.end(falls_silent)
        self.silence_before.end(falls_silent)

    def _falls_silent(self, end: datetime) -> datetime:
        """The moment up to which silence is counted: `end`, but for a stuck order that of its last message. From then
        on its owner knows of it, and how long it lies there says nothing about the plan."""
        if self.order is None or not self.order.stuck:
            return end
        return max((it.at for it in self.sent if it.notification.to_customer), default=end)

    def _pass(self, until: datetime) -> None:
        """Let time pass up to `until`: wake the order and release held notifications, each when it is due."""
        while self.order is not None:
            due = _due(self.order)
            if due is None or max(due, self._now) > until:
                return
            self._now = max(due, self._now)  # an event may bring a moment that has passed, which is due at once
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
            self._next_update = None  # nobody has to write about an order that ended
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
        """Attempt all notifications that may be tried now: for each recipient one after the other, the oldest
        first."""
        while (head := self._head(now)) is not None:
            self._attempt(head, now)
        order = self.order
        if order is not None and order.final and not any(item.to_customer for item in order.pending):
            self.silence.end(now)
            self.silence_before.end(now)

    def _head(self, now: datetime) -> Notification | None:
        """A notification that may be tried now; None: there is none."""
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
        redated = delivery.on_attempt(order, item, self.plan, now)
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
            self._note_message(fresh, dated, now)
        self._settle(fresh, dated, Reason.ACCEPTED, now)

    def _note_message(self, sent: Notification, order: Order, now: datetime) -> None:
        self._keep_date(now)
        self._next_update = sent.next_update
        self.silence.interrupt(now, order)
        if sent.due is None:  # an event caused it, not silence
            self.silence_before.interrupt(now, order)

    def _keep_date(self, now: datetime) -> None:
        if self._next_update is not None and now > self._next_update:
            self.broken_dates += 1

    def _settle(self, item: Notification, order: Order, reason: Reason, now: datetime) -> None:
        if reason is not Reason.ACCEPTED:
            self.dropped[reason] += 1
        decision = delivery.on_settled(order, item, reason, self.plan, now)
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
        """The moment, `now` or later, at which the flood budget of the order has room for this mail."""
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
    """The next moment at which something may happen without an event; None: nothing does."""
    due = order.wake_at
    for item in _heads(order):
        due = earlier(due, item.not_before)
    return due


def _heads(order: Order) -> Iterable[Notification]:
    """The first waiting notification for each recipient and channel: the others wait behind it."""
    if len(order.pending) < 2:
        return order.pending
    heads: dict[tuple[str, str], Notification] = {}
    for item in order.pending:  # by seq
        heads.setdefault((item.recipient, item.channel), item)
    return heads.values()
