"""What a gate's word or a channel's answer makes of a notification, as settlements. Nothing here acts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from avisa.core import decide, gate, retry
from avisa.core.model import Notification, Order, Reason, State
from avisa.core.plan import Plan
from avisa.core.retry import Receipt, RetryPolicy, Verdict
from avisa.ports import CannotRender, Change, Clock, Entry, Settlement

# The stage of an attempt that ended before there was a mail: its words could not be written.
WRITING = "render"

# Stages after which the octets are out of the house, and frozen for good.
_AFTER_DATA = frozenset({"data", "dot"})

# How soon to look again at a reminder held because we are blind; real time.
_UNTIL_SIGHTED = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of both clocks, for a whole batch."""

    now: datetime
    real: datetime

    @classmethod
    def of(cls, clock: Clock) -> Moment:
        """The moment on `clock`."""
        return cls(clock.now(), clock.real())


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """Makes settlements, with the retry policy of the house."""

    clock: Clock
    policy: RetryPolicy
    jitter: Callable[[], float]

    def of_receipt(
        self, notification: Notification, order: Order, receipt: Receipt, plan: Plan, at: Moment, *, fresh: bool
    ) -> Settlement:
        """After an attempt; `notification` is as it was begun. `fresh`: its draft was made for this attempt, so
        that it can be made anew unless the octets have left the house."""
        step = retry.next_step(
            receipt,
            attempts=notification.attempts,
            since_real=self.clock.to_real(notification.decided_at),
            policy=self.policy,
            now_real=at.real,
            jitter=self.jitter(),
            doubted=in_doubt(notification),
        )
        # Each doubt is counted once: when the answer was lost, or when an attempt nobody finished is found.
        doubtful = receipt.verdict is Verdict.IN_DOUBT or notification.state is State.SENDING
        match step:
            case retry.Done():
                sent = self.settled(notification, order, State.SENT, Reason.ACCEPTED, plan, at)
                return replace(sent, doubtful=doubtful)
            case retry.GaveUp(reason=reason):
                state = State.IN_DOUBT if reason is Reason.IN_DOUBT else State.FAILED
                if reason is Reason.EXPIRED and receipt.stage == WRITING:
                    reason = Reason.CANNOT_RENDER
                entry = _tried(notification, receipt, at)
                ended = self.settled(notification, order, state, reason, plan, at, entry=entry)
                return replace(ended, doubtful=doubtful)
            case retry.RetryAt(real=real, in_doubt=doubted):
                return Settlement(
                    key=notification.key,
                    state=State.RETRYING,
                    reason=Reason.IN_DOUBT if doubted else _trouble(receipt),
                    at=at.now,
                    due_real=real,
                    not_before=self.clock.to_virtual(real),
                    thaw=fresh and receipt.stage not in _AFTER_DATA,
                    doubtful=doubtful,
                    entry=_tried(notification, receipt, at),
                )

    def settled(
        self,
        notification: Notification,
        order: Order,
        state: State,
        reason: Reason,
        plan: Plan,
        at: Moment,
        *,
        entry: Entry | None = None,
    ) -> Settlement:
        """It will not be looked at again; with what that means for the order."""
        decision = decide.on_settled(order, notification, reason, plan, at.now)
        return Settlement(
            key=notification.key,
            state=state,
            reason=reason,
            at=at.now,
            doubtful=state is State.IN_DOUBT and notification.state is State.SENDING,
            entry=entry,
            change=None if decision is None else Change(order=decision.order, notifications=decision.notifications),
        )

    def held(self, notification: Notification, hold: gate.Hold, at: Moment) -> Settlement:
        """It waits, and the timeline says why once, however often it is looked at. A doubt outlasts the wait."""
        until = hold.until
        doubtful = in_doubt(notification)
        # The gate's last word is then the doubt, so only the first of many short waits can be told from the rest.
        told = notification.gate is hold.reason or (until is None and notification.gate is Reason.IN_DOUBT)
        return Settlement(
            key=notification.key,
            state=State.RETRYING if doubtful else State.HELD,
            reason=Reason.IN_DOUBT if doubtful else hold.reason,
            at=at.now,
            due_real=at.real + _UNTIL_SIGHTED if until is None else self.clock.to_real(until),
            not_before=until,
            doubtful=notification.state is State.SENDING,
            entry=None if told else line(notification, "gate", hold.reason, at.now),
        )

    def given_back(self, notification: Notification, at: Moment) -> Settlement:
        """Untouched, for whoever looks next."""
        return Settlement(key=notification.key, state=State.QUEUED, reason=Reason.DUE, at=at.now, due_real=at.real)

    def not_written(
        self, notification: Notification, order: Order, why: CannotRender, plan: Plan, at: Moment
    ) -> Settlement:
        """Wait for an operator to mend the words, which are read anew each time; give up when mail would."""
        entry = line(notification, "attempt", Reason.CANNOT_RENDER, at.now, note=why.problem)
        if self.expired(notification, at):
            return self.settled(notification, order, State.FAILED, Reason.CANNOT_RENDER, plan, at, entry=entry)
        steps = self.policy.steps
        waited = at.real - self.clock.to_real(notification.decided_at)
        due_real = at.real + min(max(steps[0], waited), steps[-1])
        return Settlement(
            key=notification.key,
            state=State.RETRYING,
            reason=Reason.CANNOT_RENDER,
            at=at.now,
            due_real=due_real,
            not_before=self.clock.to_virtual(due_real),
            thaw=True,
            entry=entry if notification.gate is not Reason.CANNOT_RENDER else None,
        )

    def expired(self, notification: Notification, at: Moment) -> bool:
        """Whether it has been tried for as long as mail is tried."""
        return at.real - self.clock.to_real(notification.decided_at) >= self.policy.give_up


def in_doubt(notification: Notification) -> bool:
    """Whether an earlier attempt, of this process or of another that ended in it, may have been taken."""
    return notification.state is State.SENDING or notification.gate is Reason.IN_DOUBT


def line(notification: Notification, kind: str, reason: Reason, now: datetime, note: str | None = None) -> Entry:
    """A line of the timeline about a notification."""
    return Entry(
        order_id=notification.order_id,
        at=now,
        kind=kind,
        reason=reason,
        status=notification.status,
        episode=notification.episode,
        key=notification.key,
        note=note,
    )


def _tried(notification: Notification, receipt: Receipt, at: Moment) -> Entry:
    reason = Reason.IN_DOUBT if receipt.verdict is Verdict.IN_DOUBT else _trouble(receipt)
    code = "" if receipt.code is None else f"{receipt.code} "
    return line(notification, "attempt", reason, at.now, note=f"{receipt.stage}: {code}{receipt.text}".rstrip())


def _trouble(receipt: Receipt) -> Reason:
    return Reason.CANNOT_RENDER if receipt.stage == WRITING else Reason.REFUSED
