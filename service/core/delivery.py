"""What it means for an order that a message is about to leave, and that it was settled."""

from __future__ import annotations

from datetime import datetime

from avisa.core import deadlines, facts, notices, part_words, promises, question_due
from avisa.core.decision import Decision
from avisa.core.evolve import evolve
from avisa.core.model import Alert, Notification, Order, Purpose, Reason
from avisa.core.plan import Plan

_OF_PROMISE = promises.OF_TIME | {Purpose.PROMISE_MOVED}  # what can become untrue without anything newer
_UNREACHED = frozenset({Reason.REFUSED, Reason.EXPIRED, Reason.NO_ADDRESS, Reason.CANNOT_RENDER})
_ADDRESS_WANTING = frozenset({Reason.REFUSED, Reason.NO_ADDRESS})  # another address may mend it
_MAY_HAVE_ARRIVED = frozenset({Reason.ACCEPTED, Reason.IN_DOUBT})


def on_attempt(
    order: Order, notification: Notification, plan: Plan, now: datetime
) -> tuple[Order, Notification] | None:
    """Before the first attempt: a date that has passed meanwhile must not be told, so a new one is set; and the
    promise that the mail shows, which is the present one, counts as told.

    Returns the order and the notification as they are then, or None where both stay. The order is the very same
    object if only the notification changes.
    """
    if notification.begun:
        return None
    shown = _with_promise_shown(order, notification)
    redated = _redated(shown, notification, plan, now)
    if redated is None and shown is not order:
        return shown, notification
    return redated


def _with_promise_shown(order: Order, notification: Notification) -> Order:
    """For example, "confirmed" is always told, and waits for the night to end. Meanwhile the order moves on, untold,
    and its promise with it: then "confirmed" tells the new date."""
    promise = facts.promise(order)
    if promise is None or promise == order.promise_told or notification.purpose not in notices.CARRIES_PROMISE:
        return order
    return evolve(order, promise_told=promise)


def _redated(
    order: Order, notification: Notification, plan: Plan, now: datetime
) -> tuple[Order, Notification] | None:
    if notification.next_update is None:
        return None
    newest = notification.seq == order.told_seq
    # An operator may have queued again what had failed; by then its date counts for nothing.
    stands = not newest or notification.next_update == order.told_until
    if notification.next_update > now and stands and not order.final:
        return None
    if not newest or order.final:
        # Something newer has its own date, or none; this one was only exempt from being superseded.
        return order, evolve(notification, next_update=None)
    touchpoint = plan.touchpoint(order.status)
    gap = deadlines.gap_after(notification.purpose, order.reminders, touchpoint)
    redated = question_due.watched(deadlines.after_message(order, gap, touchpoint, plan, now), plan, now)
    return redated, evolve(notification, next_update=redated.told_until)


def without_date(order: Order, notification: Notification) -> tuple[Order, Notification]:
    """For a customer who stopped the reminders: a date tells when the next one comes, so they are told none.

    The window runs on, for the owner's sake.
    """
    if notification.seq == order.told_seq and order.told_until is not None:
        order = evolve(order, told_until=None)
    return order, evolve(notification, next_update=None)


def on_settled(
    order: Order, notification: Notification, reason: Reason, plan: Plan, now: datetime
) -> Decision | None:
    """What it means for the order that a notification was settled with this reason; None if it means nothing.

    The owner is told, once an order, that a customer cannot be reached. The date of a message that never left is not
    told. A message that settles after its own deadline starts a new window, untold. Nothing is superseded: the
    customer learns nothing new.
    """
    if not notification.to_customer:
        return None
    changed = order if reason in _MAY_HAVE_ARRIVED else notices.without_once(order, [notification])
    decided: tuple[Notification, ...] = ()
    if reason is Reason.SUPERSEDED:
        changed = part_words.unsaid(changed, [notification])
    if reason in _UNREACHED and Alert.UNREACHABLE not in order.alerts:
        changed, decided = notices.alert_owner(changed, Alert.UNREACHABLE, reason, plan, now)
    carries = notification.purpose in notices.CARRIES_PROMISE and notification.episode == order.episode
    if carries and reason in _ADDRESS_WANTING:
        changed = part_words.without_word(evolve(changed, unreached_at=notices.address(order)), notification.seq)
    elif carries and order.unreached_at is not None and reason in _MAY_HAVE_ARRIVED:
        changed = evolve(changed, unreached_at=None)
    newest = notification.seq == order.told_seq
    if newest and reason is Reason.SUPERSEDED and notification.purpose in _OF_PROMISE:
        changed = deadlines.after_dropped_message(notices.untold(changed), plan.touchpoint(order.status), plan)
    elif newest and reason is not Reason.SUPERSEDED:
        if reason not in _MAY_HAVE_ARRIVED:
            changed = _never_left(changed, now)
        if order.deadline is not None and order.deadline <= now:
            changed = deadlines.after_late_settlement(changed, plan.touchpoint(order.status), plan, now)
    if changed is order:
        return None
    return Decision(order=question_due.watched(changed, plan, now), notifications=decided, reason=reason)


def _never_left(order: Order, now: datetime) -> Order:
    """The order after its newest message ended without leaving. The promise counts as told all the same: else each
    repeat of it would be told again, and fail again."""
    untold = evolve(notices.untold(order), told_until=order.told_until, promise_told=order.promise_told)
    return deadlines.after_unsent_message(untold, now)
