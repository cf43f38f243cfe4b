"""Queueing a message and setting the date by which the customer hears again.

The two belong together: the date that a message tells is the order's deadline. Final statuses, `window:
none`, the last reminder and whatever is told after it have none.
"""

from __future__ import annotations

from datetime import datetime

from avisa.core import facts, working_time
from avisa.core.model import BLANK_NOTIFICATION, Alert, Notification, Order, Purpose, Reason, evolve
from avisa.core.plan import Plan, Span, Touchpoint

# Whoever reads one of these has been told the promise as it was then.
CARRIES_PROMISE = frozenset({Purpose.UPDATE, Purpose.PROMISE_MOVED})


def customer(order: Order, purpose: Purpose, reason: Reason, plan: Plan, now: datetime) -> tuple[Order, Notification]:
    """Queue one message for the customer, and set when the next is due."""
    touchpoint = plan.touchpoint(order.status)
    reminders = order.reminders + (purpose is Purpose.REMINDER)
    last = purpose is Purpose.REMINDER and reminders >= touchpoint.remind.at_most
    ordinal = order.ordinals.get(purpose, 0) + 1
    seq = order.seq + 1
    due = order.deadline
    if purpose is Purpose.REMINDER:
        order = evolve(order, reminders=reminders, spent=order.spent or last)
    carries = purpose in CARRIES_PROMISE
    told = evolve(
        order,
        **_dates(order, gap_after(purpose, reminders, touchpoint), touchpoint, plan, now),
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
        next_update=told.told_until if touchpoint.count_from == "last_message" else None,
        last=last,
        promise_before=_believed(order) if carries else None,
    )
    return told, notification


def _believed(order: Order) -> str | None:
    """The promise as the customer has it: what stood before any message that was not sent yet."""
    for waiting in order.pending:
        if waiting.purpose in CARRIES_PROMISE and not waiting.begun:
            return waiting.promise_before
    return order.promise_told or order.promise_first


def owner(
    order: Order, alert: Alert, reason: Reason, plan: Plan, now: datetime
) -> tuple[Order, tuple[Notification, ...]]:
    """Queue an alert for the owner of the order's present touchpoint, unless there is none or they have it."""
    name = facts.owner(order, plan)
    told = evolve(order, alerts=order.alerts | {alert})
    if name is None or alert in order.alerts:
        return told, ()
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
    return evolve(told, seq=seq), (notification,)


def gap_after(purpose: Purpose, reminders: int, touchpoint: Touchpoint) -> Span | None:
    """How long after this message the next is due: after a reminder the gap to the next one, else the window."""
    if purpose is not Purpose.REMINDER:
        return touchpoint.window
    gaps = touchpoint.remind.after
    return gaps[reminders - 1] if reminders <= len(gaps) else touchpoint.remind.then_every


def with_date(order: Order, gap: Span | None, touchpoint: Touchpoint, plan: Plan, now: datetime) -> Order:
    """The order with the deadline that a message decided `now` sets, and the date that it tells."""
    return evolve(order, **_dates(order, gap, touchpoint, plan, now))


def _dates(
    order: Order, gap: Span | None, touchpoint: Touchpoint, plan: Plan, now: datetime
) -> dict[str, datetime | None]:
    due = _after(order, gap, touchpoint, plan, now, now=now)
    if touchpoint.count_from == "last_event" and not order.final:
        # The feed may move this deadline silently, so it is not told; a date told earlier still binds.
        stands = order.told_until if order.told_until is not None and order.told_until > now else None
        due = min(due, stands) if due is not None and stands is not None else due or stands
        return {"deadline": due, "wake_at": due, "told_until": stands, "counted_from": now}
    return {"deadline": due, "wake_at": due, "told_until": due, "counted_from": now}


def window_from(
    order: Order, touchpoint: Touchpoint, plan: Plan, start: datetime, *, now: datetime
) -> datetime | None:
    """The deadline one window after `start`, out of the customer's quiet hours; None where nothing is dated."""
    return _after(order, touchpoint.window, touchpoint, plan, start, now=now)


def deadline_again(order: Order, touchpoint: Touchpoint, plan: Plan, now: datetime) -> datetime | None:
    """The deadline under the plan as it is now; a told date is kept, or comes nearer.

    A reminder's own gap is not worked out again: the date it told stands.
    """
    if order.final:
        return None
    if order.spent or order.counted_from is None or order.reminders:
        return order.deadline
    window = window_from(order, touchpoint, plan, order.counted_from, now=order.counted_from)
    stands = order.told_until
    return min(window, stands) if window is not None and stands is not None else window or stands


def _after(
    order: Order, gap: Span | None, touchpoint: Touchpoint, plan: Plan, start: datetime, *, now: datetime
) -> datetime | None:
    if gap is None or order.final or order.spent or touchpoint.window is None or touchpoint.remind.at_most == 0:
        return None
    due = working_time.add(start, gap, touchpoint.calendar)
    if touchpoint.quiet_hours is None:
        return due
    return working_time.out_of_quiet(due, touchpoint.quiet_hours, facts.zone(order, plan), now)
