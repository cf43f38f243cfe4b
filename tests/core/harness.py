"""A small world around the pure core: an order book, an outbox and a sink in memory, one step at a time.

It follows the order of the flows (load, decide, commit; claim, gate, begin, deliver, settle) but can be
stopped between any two steps, deliver an event again, or lose the answer to a mail.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from avisa.core import decide, delivery, facts, gate
from avisa.core.decision import Decision
from avisa.core.evolve import evolve
from avisa.core.fold import Fold
from avisa.core.model import (
    SETTLED,
    Notification,
    Order,
    OrderEvent,
    Purpose,
    Reason,
    State,
)
from avisa.core.notification_states import may_move
from avisa.core.plan import Plan

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday


@dataclass
class World:
    """One order and all that is kept of it."""

    plan: Plan
    now: datetime = START
    order: Order | None = None
    rows: dict[str, Notification] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)
    settled: dict[str, Reason] = field(default_factory=dict)
    sent: list[Notification] = field(default_factory=list)  # as they reached the sink, doubles too
    asks_for_address: bool = False  # else everybody can be reached, whatever events say
    refused: set[str] = field(default_factory=set)  # addresses that the mail server refuses for good

    def loaded(self) -> Order | None:
        if self.order is None:
            return None
        return evolve(self.order, pending=tuple(sorted(self._open(), key=lambda row: row.seq)))

    def _open(self) -> list[Notification]:
        return [row for row in self.rows.values() if row.state not in SETTLED]

    def take(self, happened: OrderEvent) -> Reason:
        decision = decide.on_event(self.loaded(), happened, self.plan, self.now)
        assert decision.reason is not None
        self._commit(decision)
        self.reasons.append(decision.reason)
        return decision.reason

    def wake(self) -> None:
        if self.order is None or self.order.wake_at is None or self.order.wake_at > self.now:
            return
        order = self.loaded()
        assert order is not None
        self._commit(decide.on_wake(order, self.plan, self.now))

    def dispatch(self, *, lose_answer: bool = False) -> None:
        """Send everything that the gate lets through, in order; `lose_answer` loses the answer to the first."""
        for key in [row.key for row in sorted(self._open(), key=lambda row: row.seq)]:
            row, order = self.rows[key], self.loaded()
            assert order is not None
            earlier = [
                other
                for other in order.pending
                if other.seq < row.seq and other.recipient == row.recipient and other.channel == row.channel
            ]
            if row.state in SETTLED or earlier:
                continue
            doubtful = row.state is State.SENDING
            match gate.check(row, order, self.plan, self.now):
                case gate.Drop(reason=reason):
                    self._settle(row, State.IN_DOUBT if doubtful else State.DROPPED, reason)
                    continue
                case gate.Hold():
                    continue
            address = facts.visible(order, "customer.email")
            if self.asks_for_address and row.to_customer and address is None:
                self._settle(row, State.DROPPED, Reason.NO_ADDRESS)
                continue
            redated = delivery.on_attempt(order, row, self.plan, self.now)
            if redated is not None:
                order, row = redated
                self._commit(Decision(order=order, reason=None))
            begun = evolve(row, state=State.SENDING, first_attempt_real=row.first_attempt_real or self.now)
            self._move(key, State.SENDING)
            self.rows[key] = begun
            if row.to_customer and address in self.refused:
                self._settle(begun, State.FAILED, Reason.REFUSED)
                continue
            self.sent.append(begun)
            if lose_answer:
                lose_answer = False
                continue
            self._settle(begun, State.SENT, Reason.ACCEPTED)

    def settle(self) -> None:
        """Send until nothing more is let through."""
        for _ in range(4):
            self.dispatch()

    def live(self, span: timedelta, *, step: timedelta = timedelta(minutes=30)) -> None:
        """Let time pass, waking and sending as it does."""
        end = self.now + span
        while self.now < end:
            self.now = min(end, self.now + step)
            self.wake()
            self.dispatch()

    def told(self, purpose: Purpose = Purpose.UPDATE) -> list[str]:
        """The statuses told, in order, each mail once."""
        seen: dict[str, str] = {}
        for mail in self.sent:
            if mail.purpose is purpose:
                seen.setdefault(mail.key, mail.status)
        return list(seen.values())

    def _commit(self, decision: Decision) -> None:
        """Store a decision as the flows do: folded into the order as it was loaded."""
        fold = Fold(self.loaded())
        fold.add(decision)
        if fold.absorbed_by is not None:
            row = self.rows[fold.absorbed_by]
            assert not row.begun
            self.rows[row.key] = evolve(row, revision=row.revision + 1)
        for notification in fold.notifications:
            assert notification.key not in self.rows, "a thing was decided twice"
            self.rows[notification.key] = notification
        for key in fold.superseded:
            if not self.rows[key].begun:
                self._move(key, State.DROPPED)
                self.settled[key] = Reason.SUPERSEDED
        self.order = evolve(fold.after_commit(), pending=())

    def _move(self, key: str, state: State) -> None:
        assert may_move(self.rows[key].state, state), f"{key} may not go from {self.rows[key].state} to {state}"
        self.rows[key] = evolve(self.rows[key], state=state)

    def _settle(self, row: Notification, state: State, reason: Reason) -> None:
        order = self.loaded()
        assert order is not None
        decision = delivery.on_settled(order, row, reason, self.plan, self.now)
        self._move(row.key, state)
        self.settled[row.key] = reason
        if decision is not None:
            self._commit(decision)
