"""The deadline of an order: the moment by which its customer must hear again.

A message sets the deadline, and tells the customer that deadline as `next_update`. The deadline is one gap after the
decision: the touchpoint's window, or after a reminder the gap to the next reminder. For example, with a window of 48
h:

    Monday 09:00    "confirmed" is told      deadline and told_until: Wednesday 09:00
    Tuesday 10:00   an unknown status        both stay, because a told date never moves later silently
    Tuesday 15:00   "shipped" is told        both: Thursday 15:00, openly, because the new message says so

Each message fulfils the date that was told before it. With `count_from: last_event` the feed may move the deadline
silently, so a message tells no date, and none binds after it. A date counts as told from the decision on, because the
message is on its way; if the message never leaves, the date that was told before stands again. A final status has no
deadline, nor has an episode after its last reminder, nor a touchpoint with `window: none` or `remind.at_most: 0`,
unless a told date still binds.
"""

from __future__ import annotations

from datetime import datetime

from avisa.core import facts, questions, working_time
from avisa.core.evolve import evolve
from avisa.core.model import Order, Purpose
from avisa.core.plan import Plan, Span, Touchpoint


def earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier of two moments, either of which may be missing; None if both are."""
    return min(one, other) if one is not None and other is not None else one or other


def gap_after(purpose: Purpose, reminders: int, touchpoint: Touchpoint) -> Span | None:
    """The gap between a message and the next one.

    That is the window, or after reminder number `reminders` (from 1) the gap to the next reminder.
    """
    if purpose is not Purpose.REMINDER:
        return touchpoint.window
    gaps = touchpoint.remind.after
    return gaps[reminders - 1] if reminders <= len(gaps) else touchpoint.remind.then_every


def window_end(
    order: Order, touchpoint: Touchpoint, plan: Plan, start: datetime, *, now: datetime
) -> datetime | None:
    """The end of a window that begins at `start`, moved out of the customer's quiet hours; None if there is none.

    `now` decides where to: 30 minutes before the quiet hours, or to their end if that moment has passed.
    """
    return _end(order, touchpoint.window, touchpoint, plan, start, now=now)


def with_deadline(order: Order, deadline: datetime | None) -> Order:
    """The order with this deadline, to be woken then, or when its promise is due, if that is earlier."""
    return evolve(order, deadline=deadline, wake_at=wake_at(order, deadline))


def wake_at(order: Order, moment: datetime | None) -> datetime | None:
    """When to wake an order that is to be woken at `moment`: no later than its promise is due."""
    return moment if order.promise is None else earlier(moment, order.promise.due)


def after_message(order: Order, gap: Span | None, touchpoint: Touchpoint, plan: Plan, now: datetime) -> Order:
    """The order with the deadline that a message decided at `now` sets, and the date that the message tells."""
    due = _end(order, gap, touchpoint, plan, now, now=now)
    told = due if touchpoint.count_from == "last_message" else None
    return evolve(order, deadline=due, wake_at=wake_at(order, due), told_until=told, counted_from=now)


def next_move_from(moved_at: datetime | None, until: datetime | None, touchpoint: Touchpoint) -> datetime | None:
    """From when on another moved promise may be told, after one was told at `moved_at`; None: at any time.

    It never waits beyond `until`, the date by which the customer was told to hear again.
    """
    if moved_at is None or not touchpoint.moves_at_most_every:
        return None
    return earlier(moved_at + touchpoint.moves_at_most_every, until)


def after_unsent_message(order: Order, now: datetime) -> Order:
    """The order after its newest message ended without leaving: the date it told is none, and the one before stands.

    A date that has passed does not come back, for that message was the attempt to keep it.
    """
    if order.final:
        return order
    before = order.told_until_before
    standing = before if before is not None and before > now else None
    return with_deadline(evolve(order, told_until=standing), earlier(order.deadline, standing))


def after_dropped_message(order: Order, touchpoint: Touchpoint, plan: Plan) -> Order:
    """The order after its newest message became untrue before it left, and none took its place.

    The date told before stands again, also if it has passed: nobody has kept it, so it is owed at once. Where no date
    was told, or the message was the only one of the episode, the window counts again from the beginning of the
    episode, and its end binds, too.
    """
    if order.final:
        return order
    due = order.told_until_before
    if touchpoint.count_from == "last_message":
        if due is None or order.messages <= 1:
            began = order.entered_at
            due = earlier(due, window_end(order, touchpoint, plan, began, now=began))
            order = evolve(order, counted_from=began)
        else:
            order = questions.in_window_before(order)
    return with_deadline(evolve(order, told_until=order.told_until_before), earlier(order.deadline, due))


def after_late_settlement(order: Order, touchpoint: Touchpoint, plan: Plan, now: datetime) -> Order:
    """The order after its newest message was settled later than the deadline it told: a new window begins, untold.

    A told date that has not passed yet still binds.
    """
    standing = order.told_until if order.told_until is not None and order.told_until > now else None
    due = earlier(window_end(order, touchpoint, plan, now, now=now), standing)
    return with_deadline(evolve(order, told_until=standing, counted_from=now), due)


def after_untold_event(
    order: Order, touchpoint: Touchpoint, plan: Plan, now: datetime, *, new_episode: bool
) -> Order:
    """The order after an event of which the customer is not told; `new_episode` says that the event began one.

    The event never moves a told date later, not even one that has passed: that date is still owed. Where no date is
    told, the window starts again.
    """
    if order.final:
        return with_deadline(evolve(order, told_until=None, told_until_before=None), None)
    restarts = new_episode or (touchpoint.count_from == "last_event" and not order.spent)
    if not restarts:
        return order
    due = earlier(window_end(order, touchpoint, plan, now, now=now), order.told_until)
    return with_deadline(evolve(order, counted_from=now), due)


def recomputed(order: Order, touchpoint: Touchpoint, plan: Plan) -> datetime | None:
    """The deadline under the plan as it is now: a told date is kept or comes nearer.

    The gap after a reminder is not worked out again: the date that the reminder told stands.
    """
    if order.final:
        return None
    if order.spent or order.counted_from is None or order.reminders:
        return order.deadline
    window = window_end(order, touchpoint, plan, order.counted_from, now=order.counted_from)
    return earlier(window, order.told_until)


def _end(
    order: Order, gap: Span | None, touchpoint: Touchpoint, plan: Plan, start: datetime, *, now: datetime
) -> datetime | None:
    if gap is None or order.final or order.spent or touchpoint.window is None or touchpoint.remind.at_most == 0:
        return None
    due = working_time.add(start, gap, touchpoint.calendar)
    if touchpoint.quiet_hours is None:
        return due
    zone, on_calendar = facts.zone(order, plan), touchpoint.calendar is not None
    return working_time.out_of_quiet(due, touchpoint.quiet_hours, zone, now, never_before=on_calendar)
