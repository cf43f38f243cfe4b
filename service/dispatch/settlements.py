"""What the gate's verdict or a channel's receipt makes of a notification, as a settlement. Nothing here acts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from avisa.core import delivery, gate, notices, retry
from avisa.core.model import Alert, Notification, Order, Reason, State
from avisa.core.plan import Plan
from avisa.core.retry import Receipt, RetryPolicy, Verdict
from avisa.ports import RENDERING, CannotRender, Change, Claimed, Clock, Entry, Settlement

# Stages after which bytes have left this process, so that the draft is frozen for good.
_AFTER_DATA = frozenset({"data", "dot"})

# How soon to look again at what is held because we are blind; real time.
_WHILE_BLIND = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Now:
    """One reading of both clocks, for a whole batch."""

    virtual: datetime
    real: datetime

    @classmethod
    def of(cls, clock: Clock) -> Now:
        """What both clocks show at this moment."""
        return cls(clock.now(), clock.real())


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlements:
    """Makes settlements, under one retry policy."""

    clock: Clock
    policy: RetryPolicy
    jitter: Callable[[], float]

    def of_receipt(
        self,
        notification: Notification,
        order: Order,
        receipt: Receipt,
        plan: Plan,
        at: Now,
        *,
        fresh: bool,
        notes: Sequence[str] = (),
    ) -> Settlement:
        """After an attempt; `notification` is as it was begun. `fresh` says that its draft was made for this attempt:
        then the next attempt may write it anew, unless bytes of it have left this process. The mail's `notes` go to
        the timeline once the mail was sent."""
        step = retry.next_step(
            receipt,
            attempts=notification.attempts,
            since_real=self.clock.to_real(notification.decided_at),
            policy=self.policy,
            now_real=at.real,
            jitter=self.jitter(),
            doubted=in_doubt(notification),
        )
        # Each doubt is counted once: when the answer was lost, or when an attempt that nobody finished is found.
        counts_doubt = receipt.verdict is Verdict.IN_DOUBT or notification.state is State.SENDING
        match step:
            case retry.Done():
                note = entry_of(notification, "note", None, at.virtual, note="; ".join(notes)) if notes else None
                return self.settled(
                    notification, order, State.SENT, Reason.ACCEPTED, plan, at, entry=note, counts_doubt=counts_doubt
                )
            case retry.GaveUp(reason=reason):
                state = State.IN_DOUBT if reason is Reason.IN_DOUBT else State.FAILED
                if reason is Reason.EXPIRED and receipt.stage == RENDERING:
                    reason = Reason.CANNOT_RENDER
                entry = _tried(notification, receipt, at)
                return self.settled(
                    notification, order, state, reason, plan, at, entry=entry, counts_doubt=counts_doubt
                )
            case retry.RetryAt(real=real, in_doubt=still_in_doubt):
                return Settlement(
                    key=notification.key,
                    state=State.RETRYING,
                    reason=Reason.IN_DOUBT if still_in_doubt else _trouble(receipt),
                    at=at.virtual,
                    due_real=real,
                    not_before=self.clock.to_virtual(real),
                    discards_draft=fresh and receipt.stage not in _AFTER_DATA,
                    counts_doubt=counts_doubt,
                    entry=_tried(notification, receipt, at),
                )

    def settled(
        self,
        notification: Notification,
        order: Order,
        state: State,
        reason: Reason,
        plan: Plan,
        at: Now,
        *,
        entry: Entry | None = None,
        counts_doubt: bool | None = None,
    ) -> Settlement:
        """A final state, with what it means for the order.

        `counts_doubt` says whether a doubt is counted; None: only if the notification ends in the doubt of an attempt
        that nobody finished.
        """
        if counts_doubt is None:
            counts_doubt = state is State.IN_DOUBT and notification.state is State.SENDING
        decision = delivery.on_settled(order, notification, reason, plan, at.virtual)
        return Settlement(
            key=notification.key,
            state=state,
            reason=reason,
            at=at.virtual,
            counts_doubt=counts_doubt,
            entry=entry,
            change=None if decision is None else Change(order=decision.order, notifications=decision.notifications),
        )

    def held(self, notification: Notification, hold: gate.Hold, at: Now) -> Settlement:
        """The notification waits. The timeline says why once, however often the gate says so. A doubt outlasts the
        wait."""
        until = hold.until
        doubted = in_doubt(notification)
        # In doubt, the gate's last word is the doubt; so only the first of many short waits is told on the timeline.
        known = notification.gate is hold.reason or (until is None and notification.gate is Reason.IN_DOUBT)
        return Settlement(
            key=notification.key,
            state=State.RETRYING if doubted else State.HELD,
            reason=Reason.IN_DOUBT if doubted else hold.reason,
            at=at.virtual,
            due_real=at.real + _WHILE_BLIND if until is None else self.clock.to_real(until),
            not_before=until,
            counts_doubt=notification.state is State.SENDING,
            entry=None if known else entry_of(notification, "gate", hold.reason, at.virtual),
        )

    def over_budget(self, claimed: Claimed, room_at: datetime, plan: Plan, at: Now) -> Settlement:
        """The notification waits until `room_at` (real) for room in a budget: an alert, to be told with others of its
        kind; or a customer's mail, because of a flood, of which the owner is told once an order."""
        notification, order = claimed.notification, claimed.order
        reason = Reason.FLOOD if notification.to_customer else Reason.GATHERED
        held = self.held(notification, gate.Hold(self.clock.to_virtual(room_at), reason), at)
        if not notification.to_customer or Alert.FLOOD in order.alerts:
            return held
        alerted, alerts = notices.alert_owner(order, Alert.FLOOD, Reason.FLOOD, plan, at.virtual)
        return replace(held, change=Change(order=alerted, notifications=alerts))

    def released(self, notification: Notification, at: Now) -> Settlement:
        """The lease ends and nothing else changes: whoever claims the notification next looks at it again."""
        return Settlement(key=notification.key, state=State.QUEUED, reason=None, at=at.virtual, due_real=at.real)

    def not_rendered(
        self, notification: Notification, order: Order, why: CannotRender, plan: Plan, at: Now
    ) -> Settlement:
        """The notification waits for an operator to mend the message, and fails when any mail would have expired."""
        entry = entry_of(notification, "attempt", Reason.CANNOT_RENDER, at.virtual, note=why.problem)
        if self.expired(notification, at):
            return self.settled(notification, order, State.FAILED, Reason.CANNOT_RENDER, plan, at, entry=entry)
        steps = self.policy.steps
        waited = at.real - self.clock.to_real(notification.decided_at)
        due_real = at.real + min(max(steps[0], waited), steps[-1])
        return Settlement(
            key=notification.key,
            state=State.RETRYING,
            reason=Reason.CANNOT_RENDER,
            at=at.virtual,
            due_real=due_real,
            not_before=self.clock.to_virtual(due_real),
            discards_draft=True,
            entry=entry if notification.gate is not Reason.CANNOT_RENDER else None,
        )

    def expired(self, notification: Notification, at: Now) -> bool:
        """True if the notification has been tried for as long as the retry policy allows."""
        return at.real - self.clock.to_real(notification.decided_at) >= self.policy.give_up


def in_doubt(notification: Notification) -> bool:
    """True if the server may have accepted an earlier attempt, of this process or of one that died in it."""
    return notification.state is State.SENDING or notification.gate is Reason.IN_DOUBT


def entry_of(
    notification: Notification, kind: str, reason: Reason | None, now: datetime, note: str | None = None
) -> Entry:
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


def _tried(notification: Notification, receipt: Receipt, at: Now) -> Entry:
    reason = Reason.IN_DOUBT if receipt.verdict is Verdict.IN_DOUBT else _trouble(receipt)
    code = "" if receipt.code is None else f"{receipt.code} "
    note = f"{receipt.stage}: {code}{receipt.text}".rstrip()
    return entry_of(notification, "attempt", reason, at.virtual, note=note)


def _trouble(receipt: Receipt) -> Reason:
    return Reason.CANNOT_RENDER if receipt.stage == RENDERING else Reason.REFUSED
