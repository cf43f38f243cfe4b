"""What an event, or the passing of time, means for an order and for its customer.

Every function returns a `Decision`: the whole new order, the notifications to queue and to supersede, the reason.
None reads a clock: `now` is the moment of deciding, in UTC. On an event a chain of guards runs in this order, and
the first one that applies names the reason:

    already_seen · older_than_known · not_to_tell · too_old_to_tell · unknown_status
    · repeated · facts_changed · entered

How the deadline moves with each of them is told in `deadlines`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from avisa.core import deadlines, episodes, facts, gate, notices
from avisa.core.model import (
    Alert,
    Decision,
    Notification,
    Order,
    OrderEvent,
    Purpose,
    Reason,
    evolve,
)
from avisa.core.plan import Plan, Touchpoint

# A publisher's clock may run ahead by this much before its word for the time is no longer taken.
CLOCK_SKEW = timedelta(minutes=5)


def on_event(order: Order | None, event: OrderEvent, plan: Plan, now: datetime) -> Decision:
    """What an event does to its order; `order` is None for the first event of an order."""
    return _whole(_on_event(order, event, plan, now), plan, published_real=event.published_real)


def on_wake(order: Order, plan: Plan, now: datetime) -> Decision:
    """What the passing of time means for an order. Waking is a hint: everything is worked out anew."""
    return _whole(_on_wake(order, plan, now), plan)


def _whole(decision: Decision, plan: Plan, *, published_real: datetime | None = None) -> Decision:
    """The decision with all that waits once it is stored, and with what it supersedes of that.

    A superseded message whose attempt began stays pending: what became of it is not known yet.
    """
    order, decided = decision.order, decision.notifications
    if not decided and not order.pending:
        return decision
    if published_real is not None:
        decided = tuple(evolve(item, published_real=published_real) for item in decided)
    pending = (*order.pending, *decided)
    superseded = tuple(item.key for item in pending if gate.superseded(item, order, plan))
    if superseded:
        pending = tuple(item for item in pending if item.begun or item.key not in superseded)
    return Decision(
        order=evolve(order, pending=pending),
        notifications=decided,
        superseded=superseded,
        reason=decision.reason,
        absorbed_by=decision.absorbed_by,
    )


def _on_event(order: Order | None, event: OrderEvent, plan: Plan, now: datetime) -> Decision:
    if order is not None and episodes.already_holds(order, event.identity):
        return Decision(order=order, reason=Reason.ALREADY_SEEN)
    if event.occurred_at > now + CLOCK_SKEW:
        event = replace(event, occurred_at=now)
    arrival = 1 if order is None else order.arrivals + 1
    rank = facts.rank_of(event, arrival=arrival, rank_by=plan.rank_by)
    touchpoint = plan.touchpoint(event.status)

    if order is None:
        known = episodes.first(event, rank, touchpoint, now)
        begins = True
    elif rank < order.status_rank:
        return Decision(order=episodes.merged(order, event, rank), reason=Reason.OLDER_THAN_KNOWN)
    else:
        begins = event.status != order.status
        known = (
            episodes.entered(order, event, rank, touchpoint, now) if begins else episodes.merged(order, event, rank)
        )

    if not event.notify:
        untold = deadlines.after_untold_event(known, touchpoint, plan, now, new_episode=begins)
        return Decision(order=untold, reason=Reason.NOT_TO_TELL)
    if _too_old(event, plan, now):
        untold = deadlines.after_untold_event(known, touchpoint, plan, now, new_episode=begins)
        return Decision(order=untold, reason=Reason.TOO_OLD_TO_TELL)
    if not plan.knows(event.status):
        untold = deadlines.after_untold_event(known, touchpoint, plan, now, new_episode=begins)
        alerted, alerts = notices.alert_owner(untold, Alert.UNKNOWN_STATUS, Reason.UNKNOWN_STATUS, plan, now)
        return Decision(order=alerted, notifications=alerts, reason=Reason.UNKNOWN_STATUS)
    if begins:
        notified, update = notices.notify_customer(known, Purpose.UPDATE, Reason.ENTERED, plan, now)
        return Decision(order=notified, notifications=(update,), reason=Reason.ENTERED)
    assert order is not None
    return _again(order, known, touchpoint, plan, now)


def _on_wake(order: Order, plan: Plan, now: datetime) -> Decision:
    touchpoint = plan.touchpoint(order.status)
    due = deadlines.recomputed(order, touchpoint, plan)
    if due is None or due > now:
        return Decision(order=deadlines.with_deadline(order, due), reason=None)
    if any(waiting.to_customer for waiting in order.pending):
        # The message that waits is news, and a reminder would supersede it. When it settles past the deadline, a
        # new window begins. Should it never settle, the order is looked at again, ever more rarely.
        later = now + max(timedelta(minutes=1), (now - due) / 4)
        return Decision(order=evolve(order, deadline=due, wake_at=later), reason=None)
    number, at_most = order.reminders + 1, touchpoint.remind.at_most
    order = evolve(order, deadline=due)
    if number > at_most:  # the plan allows fewer than it did
        spent = deadlines.with_deadline(evolve(order, spent=True, told_until=None), None)
        alerted, alerts = notices.alert_owner(spent, Alert.STUCK, Reason.REMINDERS_SPENT, plan, now)
        return Decision(order=alerted, notifications=alerts, reason=Reason.REMINDERS_SPENT)
    notified, reminder = notices.notify_customer(order, Purpose.REMINDER, Reason.WINDOW_PASSED, plan, now)
    if number < at_most:
        return Decision(order=notified, notifications=(reminder,), reason=Reason.WINDOW_PASSED)
    notified, alerts = notices.alert_owner(notified, Alert.STUCK, Reason.REMINDERS_SPENT, plan, now)
    return Decision(order=notified, notifications=(reminder, *alerts), reason=Reason.WINDOW_PASSED)


def on_attempt(
    order: Order, notification: Notification, plan: Plan, now: datetime
) -> tuple[Order, Notification] | None:
    """Before the first attempt: a date that has passed meanwhile must not be told, so a new one is set.

    Returns the order and the notification with the new date, or None where the date still holds. The order is the
    very same object if only the notification changes.
    """
    if notification.begun or notification.next_update is None:
        return None
    if notification.next_update > now and not order.final:
        return None
    if notification.seq != order.told_seq or order.final:
        # Something newer has its own date, or none; this one was only exempt from being superseded.
        return order, evolve(notification, next_update=None)
    touchpoint = plan.touchpoint(order.status)
    gap = deadlines.gap_after(notification.purpose, order.reminders, touchpoint)
    redated = deadlines.after_message(order, gap, touchpoint, plan, now)
    return redated, evolve(notification, next_update=redated.told_until)


def on_settled(
    order: Order, notification: Notification, reason: Reason, plan: Plan, now: datetime
) -> Decision | None:
    """What it means for the order that a notification was settled with this reason; None if it means nothing.

    The owner is told, once an order, that a customer cannot be reached. A message that settles after its own
    deadline starts a new window, untold. Nothing is superseded: the customer learns nothing new.
    """
    if not notification.to_customer or reason is Reason.SUPERSEDED:
        return None
    decided: tuple[Notification, ...] = ()
    changed = order
    if reason in _UNREACHED and Alert.UNREACHABLE not in order.alerts:
        changed, decided = notices.alert_owner(order, Alert.UNREACHABLE, reason, plan, now)
    late = order.deadline is not None and order.deadline <= now
    if late and notification.seq == order.told_seq:
        changed = deadlines.after_late_settlement(changed, plan.touchpoint(order.status), plan, now)
    if changed is order:
        return None
    return Decision(order=changed, notifications=decided, reason=reason)


_UNREACHED = frozenset({Reason.REFUSED, Reason.EXPIRED, Reason.NO_ADDRESS, Reason.CANNOT_RENDER})


# ---------------------------------------------------------------- the same status again


def _again(before: Order, known: Order, touchpoint: Touchpoint, plan: Plan, now: datetime) -> Decision:
    """A repeat: is there anything new in it to tell?"""
    explained = _new_reason(before, known)
    moved = not known.final and _promise_moved(before, known, touchpoint, plan)
    unsent = _unsent(known)
    if unsent is not None and _taken_back(known, unsent, plan):
        if not explained:
            as_before = _as_before(known, touchpoint, plan, now)
            return Decision(order=as_before, reason=Reason.REPEATED, absorbed_by=unsent.key)
        unsent, moved = None, False
    if not moved and not explained:
        untold = deadlines.after_untold_event(known, touchpoint, plan, now, new_episode=False)
        return Decision(order=untold, reason=Reason.REPEATED)
    if unsent is not None:
        absorbed = evolve(known, promise_told=facts.promise(known))
        return Decision(order=absorbed, reason=Reason.FACTS_CHANGED, absorbed_by=unsent.key)
    purpose = Purpose.PROMISE_MOVED if moved else Purpose.UPDATE
    notified, notification = notices.notify_customer(known, purpose, Reason.FACTS_CHANGED, plan, now)
    return Decision(order=notified, notifications=(notification,), reason=Reason.FACTS_CHANGED)


def _promise_moved(before: Order, known: Order, touchpoint: Touchpoint, plan: Plan) -> bool:
    """True if the promise moved from the one last told, else first known, by as much as the plan asks for."""
    given = facts.promise(known)
    reference = before.promise_told or before.promise_first
    if given is None or reference is None or given == reference:
        return False
    zone = facts.zone(known, plan)
    by = abs(facts.promise_moment(given, zone) - facts.promise_moment(reference, zone))
    return by > timedelta(0) and by >= touchpoint.ignore_moves_under


def _new_reason(before: Order, known: Order) -> bool:
    text = facts.visible(known, "reason")
    return bool(text) and text != facts.visible(before, "reason")


def _unsent(order: Order) -> Notification | None:
    """The newest update or promise notice of this episode that no attempt was made at: it will read the facts."""
    for waiting in reversed(order.pending):
        if waiting.purpose in notices.CARRIES_PROMISE and waiting.episode == order.episode and not waiting.begun:
            return waiting
    return None


def _taken_back(known: Order, unsent: Notification, plan: Plan) -> bool:
    """True if the unsent notice has nothing to say any more.

    For example, the promise moved from Monday to Friday and, before the customer was told, back to Monday.
    """
    given, believed = facts.promise(known), unsent.promise_before
    if unsent.purpose is not Purpose.PROMISE_MOVED or believed is None:
        return False
    if given is None:
        return True
    zone = facts.zone(known, plan)
    return facts.promise_moment(given, zone) == facts.promise_moment(believed, zone)


def _as_before(known: Order, touchpoint: Touchpoint, plan: Plan, now: datetime) -> Order:
    """The order as if the unsent promise notice, which the gate drops, had not been: its date was never told."""
    stood = known.told_until_before
    began = now if touchpoint.count_from == "last_event" else known.entered_at  # of an episode that was never told
    due = stood or deadlines.window_end(known, touchpoint, plan, began, now=began)
    undone = evolve(known, promise_told=known.promise_told_before, told_until=stood, counted_from=began)
    return deadlines.with_deadline(undone, due)


def _too_old(event: OrderEvent, plan: Plan, now: datetime) -> bool:
    if now - event.occurred_at > plan.tell_within:
        return True
    return plan.tell_from is not None and event.occurred_at < plan.tell_from
