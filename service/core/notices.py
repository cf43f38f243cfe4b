"""Queueing a message for the customer or an alert for the owner.

A message to the customer also sets the order's deadline, because the date that the message tells is that deadline.
"""

from __future__ import annotations

from datetime import datetime

from avisa.core import deadlines, facts
from avisa.core.model import BLANK_NOTIFICATION, Alert, Notification, Order, Purpose, Reason, evolve
from avisa.core.plan import Plan

# Whoever reads one of these has been told the promise as it was at that moment.
CARRIES_PROMISE = frozenset({Purpose.UPDATE, Purpose.PROMISE_MOVED})


def notify_customer(
    order: Order, purpose: Purpose, reason: Reason, plan: Plan, now: datetime
) -> tuple[Order, Notification]:
    """Queue one message for the customer; return the order with its new deadline, and the notification."""
    touchpoint = plan.touchpoint(order.status)
    reminders = order.reminders + (purpose is Purpose.REMINDER)
    last = purpose is Purpose.REMINDER and reminders >= touchpoint.remind.at_most
    ordinal = order.ordinals.get(purpose, 0) + 1
    seq = order.seq + 1
    due = order.deadline
    if purpose is Purpose.REMINDER:
        order = evolve(order, reminders=reminders, spent=order.spent or last)
    carries = purpose in CARRIES_PROMISE
    gap = deadlines.gap_after(purpose, reminders, touchpoint)
    notified = evolve(
        deadlines.after_message(order, gap, touchpoint, plan, now),
        ordinals={**order.ordinals, purpose: ordinal},
        seq=seq,
        told_episode=order.episode,
        told_seq=seq,
        told_until_before=order.told_until,
        promise_told=facts.promise(order) if carries else order.promise_told,
        promise_told_before=order.promise_told,
    )
    notification = evolve(
        BLANK_NOTIFICATION,
        key=f"{order.order_id}/{order.episode}/{purpose}/{ordinal}/customer",
        order_id=order.order_id,
        episode=order.episode,
        status=order.status,
        purpose=purpose,
        ordinal=str(ordinal),
        recipient="customer",
        channel=touchpoint.channels[0],
        seq=seq,
        reason=reason,
        decided_at=now,
        due=due if purpose is Purpose.REMINDER else None,
        next_update=notified.told_until if touchpoint.count_from == "last_message" else None,
        last=last,
        promise_before=_believed(order) if carries else None,
    )
    return notified, notification


def _believed(order: Order) -> str | None:
    """The promise as the customer knows it: the one that held before any message that was not sent yet."""
    for waiting in order.pending:
        if waiting.purpose in CARRIES_PROMISE and not waiting.begun:
            return waiting.promise_before
    return order.promise_told or order.promise_first


def alert_owner(
    order: Order, alert: Alert, reason: Reason, plan: Plan, now: datetime
) -> tuple[Order, tuple[Notification, ...]]:
    """Queue an alert for the owner of the order; return the order that remembers it, and the notification.

    There is no notification if the order has no owner, or its owner had this alert in this episode already.
    """
    name = facts.owner(order, plan)
    alerted = evolve(order, alerts=order.alerts | {alert})
    if name is None or alert in order.alerts:
        return alerted, ()
    seq = order.seq + 1
    notification = evolve(
        BLANK_NOTIFICATION,
        key=f"{order.order_id}/{order.episode}/{Purpose.OWNER_ALERT}/{alert}/owner:{name}",
        order_id=order.order_id,
        episode=order.episode,
        status=order.status,
        purpose=Purpose.OWNER_ALERT,
        ordinal=str(alert),
        recipient=f"owner:{name}",
        seq=seq,
        reason=reason,
        decided_at=now,
    )
    return evolve(alerted, seq=seq), (notification,)
