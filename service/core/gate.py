"""The last look before delivery: is this message still true, and is now the moment to send it?

`check` asks its questions in a fixed order, and the first that applies decides: a superseded message is dropped
before anybody asks about the hour.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from avisa.core import deadlines, facts, part_words, promises, question_due, working_time
from avisa.core.model import Notification, Order, Purpose, Reason
from avisa.core.plan import Plan
from avisa.core.quick_dataclass import dataclass

# A reminder decided this soon after its deadline kept its date: quiet hours do not hold it back.
ON_TIME = timedelta(minutes=30)

# What a customer can stop for good: an unsubscribe link stands in these, and stops just these.
CAN_BE_UNSUBSCRIBED = frozenset({Purpose.REMINDER})
# What is true only as long as nothing happened, and so waits until we can know.
_OF_SILENCE = frozenset({Purpose.REMINDER, Purpose.ASK_OWNER}) | promises.OF_TIME
_CAN_BURST = frozenset({Purpose.UPDATE, Purpose.PROMISE_MOVED})


@dataclass(frozen=True, slots=True)
class Send:
    """Now."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Not before `until`; None: until what holds it is over."""

    until: datetime | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class Drop:
    """Never."""

    reason: Reason


def superseded(notification: Notification, order: Order, plan: Plan) -> bool:
    """True if something newer made the notification untrue or needless.

    For example, the update about "shipped" is superseded once the update about "delivered" is decided. `always: true`
    exempts an update, but not one that the flood budget holds.
    """
    match notification.purpose:
        case Purpose.UPDATE:
            if plan.exempts(notification) and notification.gate is not Reason.FLOOD:
                return False
            if notification.parts or part_words.subjects(order, notification.seq):
                return not part_words.stands(notification, order, plan)
            ended = order.final and order.status != notification.status
            return _outlived(notification, order, ended) or part_words.is_untrue_of_all(notification, order)
        case Purpose.REMINDER:
            later = order.told_seq > notification.seq and order.told_episode >= notification.episode
            return later or _outlived(notification, order, order.final)
        case Purpose.PROMISE_MOVED:
            return order.final or order.told_seq > notification.seq or not _still_moved(notification, order, plan)
        case Purpose.ASK_OWNER:
            return not question_due.is_open(notification, order, plan)
        case Purpose.PROMISE_AT_RISK | Purpose.PROMISE_BROKEN:
            return order.told_seq > notification.seq or not promises.is_true(notification.purpose, order)
        case _:
            return False


def check(
    notification: Notification,
    order: Order,
    plan: Plan,
    now: datetime,
    *,
    unsubscribed: bool = False,
    blind: bool = False,
    snoozed_until: datetime | None = None,
    on_time: timedelta = ON_TIME,
) -> Send | Hold | Drop:
    """What to do with a notification at `now` (virtual), given its order as it is now.

    A reminder decided within `on_time` of its deadline kept its date, so quiet hours do not hold it back.
    `snoozed_until` is what `snooze.snoozed_until` says.
    """
    if superseded(notification, order, plan):
        return Drop(Reason.SUPERSEDED)
    if notification.purpose is Purpose.PROMISE_AT_RISK and promises.has_ended(order, plan, now):
        return Drop(Reason.SUPERSEDED)
    if notification.purpose is Purpose.ASK_OWNER and question_due.has_passed(notification, order, plan, now):
        return Drop(Reason.SUPERSEDED)
    if unsubscribed and notification.purpose in CAN_BE_UNSUBSCRIBED:
        return Drop(Reason.UNSUBSCRIBED)
    touchpoint = plan.touchpoint(notification.status)
    if notification.purpose in _CAN_BURST:
        calm = notification.decided_at + touchpoint.burst_wait
        if calm > now:
            return Hold(calm, Reason.BURST_WAIT)
    if notification.purpose is Purpose.PROMISE_MOVED:
        free = deadlines.next_move_from(order.promise_moved_before, order.told_until_before, touchpoint)
        if free is not None and free > now:
            return Hold(free, Reason.FREQUENCY_CAP)
    if notification.to_customer and not _kept_its_date(notification, on_time):
        over = working_time.quiet_until(now, touchpoint.quiet_hours, facts.zone(order, plan))
        if over is not None:
            return Hold(over, Reason.QUIET_HOURS)
    if snoozed_until is not None:
        return Hold(snoozed_until, Reason.SNOOZED)
    if blind and notification.purpose in _OF_SILENCE:
        return Hold(None, Reason.BLIND)
    return Send()


def _outlived(notification: Notification, order: Order, ended: bool) -> bool:
    """True if a newer episode was told or, by a status that says something else, `ended` the order."""
    newer = order.episode > notification.episode
    return newer and (order.told_episode > notification.episode or ended)


def _still_moved(notification: Notification, order: Order, plan: Plan) -> bool:
    """True if the plan still calls it a move from the promise that the customer knew before this notice."""
    before, given = notification.promise_before, facts.promise(order)
    if before is None or given is None:
        return given is not None
    return not promises.is_same(given, before, plan, order)


def _kept_its_date(notification: Notification, on_time: timedelta) -> bool:
    due = notification.due if notification.purpose is Purpose.REMINDER else None
    return due is not None and notification.decided_at - due <= on_time
