"""Queueing a message for the customer or an alert for the owner.

A message to the customer also sets the order's deadline, because the date that the message tells is that deadline.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from avisa.core import deadlines, facts, part_words, promises, questions
from avisa.core.evolve import evolve
from avisa.core.model import Alert, Json, Notification, Order, Purpose, Reason
from avisa.core.notification_key import key_of
from avisa.core.plan import Plan, Touchpoint
from avisa.core.promise import Promise

# Whoever reads one of these has been told the promise as it was at that moment.
CARRIES_PROMISE = frozenset({Purpose.UPDATE, Purpose.PROMISE_MOVED})


@dataclass(frozen=True, slots=True)
class PartsNews:
    """That these parts, by id, are in `status`."""

    ids: Sequence[str]
    status: str


def notify_customer(
    order: Order, purpose: Purpose, reason: Reason, plan: Plan, now: datetime, *, about: PartsNews | None = None
) -> tuple[Order, Notification]:
    """Queue one message for the customer; return the order with its new deadline, and the notification.

    It says the status of the order, or what is `about` parts of it.
    """
    touchpoint = plan.touchpoint(order.status)
    status, spoken = order.status, touchpoint
    if about is not None:
        status, spoken = about.status, plan.touchpoint(about.status)
        order = part_words.with_word(order, about.ids, status, order.seq + 1)
    reminds, update = purpose is Purpose.REMINDER, purpose is Purpose.UPDATE
    reminders = order.reminders + reminds
    last = reminds and reminders >= touchpoint.remind.at_most
    ordinal = order.ordinals.get(purpose, 0) + 1
    seq = order.seq + 1
    due = order.deadline if reminds else None
    if reminds:
        order = evolve(order, reminders=reminders, spent=order.spent or last)
    gap = deadlines.gap_after(purpose, reminders, touchpoint)
    if _overtaken(order, plan):
        order = untold(promises.untold(order, plan, now))
    order = _with_standing(order, promises.with_message(order, purpose, plan, now))
    promise_moved_at = order.promise_moved_at
    if purpose is Purpose.PROMISE_MOVED:
        free = deadlines.next_move_from(promise_moved_at, order.told_until, touchpoint)
        promise_moved_at = now if free is None else max(now, free)
    notified = evolve(
        deadlines.after_message(order, gap, touchpoint, plan, now),
        ordinals={**order.ordinals, purpose: ordinal},
        last_word_at=now,
        seq=seq,
        told_episode=order.episode,
        told_seq=seq,
        promise_told=(not reminds and facts.promise(order)) or order.promise_told,
        told_status=status,
        told_facts=digests(order, touchpoint),
        told_once=order.told_once | {status} if update and spoken.once else order.told_once,
        changed=order.changed if reason is Reason.FACTS_CHANGED else (),
        promise_moved_at=promise_moved_at,
        unreached_at=None if update else order.unreached_at,
    )
    notification = Notification(
        key=key_of(order.order_id, order.episode, purpose, ordinal, "customer"),
        order_id=order.order_id,
        episode=order.episode,
        status=status,
        purpose=purpose,
        ordinal=str(ordinal),
        recipient="customer",
        channel=spoken.channels[0],
        seq=seq,
        reason=reason,
        decided_at=now,
        due=due,
        next_update=notified.told_until if touchpoint.count_from == "last_message" else None,
        last=last,
        promise_before=_believed(order) if purpose in CARRIES_PROMISE else None,
    )
    return notified, notification if about is None else evolve(notification, parts=tuple(about.ids))


def _overtaken(order: Order, plan: Plan) -> bool:
    """True if a new message makes the newest one needless before any attempt at it: it will never leave."""
    for waiting in order.pending:
        if waiting.to_customer and waiting.seq == order.told_seq and not waiting.begun:
            return not (plan.exempts(waiting) or part_words.stands(waiting, order, plan))
    return False


def _with_standing(order: Order, promise: Promise | None) -> Order:
    """The order before its next message, which tells this promise: what stands until then is kept for `untold`."""
    return evolve(
        order,
        promise=promise,
        told_until_before=order.told_until,
        promise_told_before=order.promise_told,
        told_status_before=order.told_status,
        told_facts_before=order.told_facts,
        promise_moved_before=order.promise_moved_at,
    )


def untold(order: Order) -> Order:
    """The order as if its newest message to the customer had told nothing."""
    return evolve(
        order,
        told_until=order.told_until_before,
        promise_told=order.promise_told_before,
        told_status=order.told_status_before,
        told_facts=order.told_facts_before,
        promise_moved_at=order.promise_moved_before,
    )


def without_once(order: Order, unsent: Iterable[Notification]) -> Order:
    """The order after these messages ended without leaving: what is told once is not told yet."""
    if not order.told_once:
        return order
    statuses = {item.status for item in unsent if item.purpose is Purpose.UPDATE} & order.told_once
    return evolve(order, told_once=order.told_once - statuses) if statuses else order


def address(order: Order) -> str:
    """Where the customer is written to, as the publisher wrote it; empty if that is unknown."""
    known = facts.visible(order, "customer.email")
    return known if isinstance(known, str) else ""


def digests(order: Order, touchpoint: Touchpoint) -> Mapping[str, str]:
    """The reason, and the details that the touchpoint calls news, as far as they are known: each as a digest."""
    if "reason" not in order.facts and not touchpoint.news:
        return {}
    names = ("reason", *(f"details.{name}" for name in touchpoint.news))
    known = ((name, facts.visible(order, name)) for name in names if name in order.facts)
    return {name: _digest(value) for name, value in known if is_shown(value)}


def is_shown(value: Json) -> bool:
    """True for a value that a message has something to show of; a number is, zero too."""
    if isinstance(value, str):
        return bool(value.strip())
    return value is not None and value is not False and value not in ([], {})


def _digest(value: Json) -> str:
    return blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=8).hexdigest()


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
    return _alerted(alerted, alert, name, reason, plan, now)


def pass_alert_on(order: Order, plan: Plan, now: datetime) -> tuple[Order, tuple[Notification, ...]]:
    """Alert the next in line to what the owner before did not heed by now; no notification if there is nothing."""
    found = questions.unheeded(order, plan, now)
    return (order, ()) if found is None else _alerted(order, *found, Reason.UNANSWERED, plan, now)


def _alerted(
    order: Order, alert: Alert, name: str, reason: Reason, plan: Plan, now: datetime
) -> tuple[Order, tuple[Notification, ...]]:
    order = questions.with_alert(order, alert, name, plan, now)
    order, notification = questions.notify_owner(order, Purpose.OWNER_ALERT, str(alert), name, reason, now)
    return order, (notification,)
