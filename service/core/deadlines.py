"""The deadline of an order: the moment by which its customer must hear again.

A message to the customer sets the deadline to the end of a gap that starts when the message is decided, and tells
that moment as `next_update`. The gap is the touchpoint's window; after a reminder it is the gap to the next reminder.

Three moments belong together in `Order`. For example, with a window of 48 h and an order confirmed on Monday 09:00:

    deadline      Wednesday 09:00   by then the customer hears again
    told_until    Wednesday 09:00   what the message said; an event that tells nothing never moves it later
    wake_at       Wednesday 09:00   when to look at the order again

With `count_from: last_event` the feed may move the deadline silently, so nothing is told and `told_until` is None.
A final status, `window: none`, the last reminder and every message after it have no deadline.
"""

from __future__ import annotations

from datetime import datetime

from avisa.core import facts, working_time
from avisa.core.model import Order, Purpose, evolve
from avisa.core.plan import Plan, Span, Touchpoint


def earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier of two moments, either of which may be missing; None if both are."""
    return min(one, other) if one is not None and other is not None else one or other


def gap_after(purpose: Purpose, reminders: int, touchpoint: Touchpoint) -> Span | None:
    """The gap between a message and the next: after reminder number `reminders` the gap to the next reminder, after
    anything else the window. None where the touchpoint has no window."""
    if purpose is not Purpose.REMINDER:
        return touchpoint.window
    gaps = touchpoint.remind.after
    return gaps[reminders - 1] if reminders <= len(gaps) else touchpoint.remind.then_every


def window_end(
    order: Order, touchpoint: Touchpoint, plan: Plan, start: datetime, *, now: datetime
) -> datetime | None:
    """The end of a window that begins at `start`, moved out of the customer's quiet hours; None if there is none."""
    return _end(order, touchpoint.window, touchpoint, plan, start, now=now)


def at(order: Order, deadline: datetime | None) -> Order:
    """The order with this deadline, to be woken then."""
    return evolve(order, deadline=deadline, wake_at=deadline)


def after_message(order: Order, gap: Span | None, touchpoint: Touchpoint, plan: Plan, now: datetime) -> Order:
    """The order with the deadline that a message decided at `now` sets, and the date that the message tells."""
    due = _end(order, gap, touchpoint, plan, now, now=now)
    told = due
    if touchpoint.count_from == "last_event" and not order.final:
        told = _standing(order, now)  # the new deadline is not told; a date told earlier still binds
        due = earlier(due, told)
    return evolve(order, deadline=due, wake_at=due, told_until=told, counted_from=now)


def after_late_settlement(order: Order, touchpoint: Touchpoint, plan: Plan, now: datetime) -> Order:
    """The order after its newest message left, or failed, past its own deadline: a new window begins, untold."""
    standing = _standing(order, now)
    due = earlier(window_end(order, touchpoint, plan, now, now=now), standing)
    return at(evolve(order, told_until=standing, counted_from=now), due)


def after_untold_event(order: Order, touchpoint: Touchpoint, plan: Plan, now: datetime, *, begins: bool) -> Order:
    """The order after an event of which the customer is not told; `begins` says that it began a new episode.

    The event may bring the deadline nearer and never moves a told date later. For example, the customer was told
    "by Wednesday" and on Tuesday an unknown status with a window of 48 h arrives: the deadline stays Wednesday.
    """
    if order.final:
        return at(evolve(order, told_until=None), None)
    restarts = begins or (touchpoint.count_from == "last_event" and not order.spent)
    if not restarts:
        return order
    due = earlier(window_end(order, touchpoint, plan, now, now=now), order.told_until)
    return at(evolve(order, counted_from=now), due)


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


def _standing(order: Order, now: datetime) -> datetime | None:
    """The date told earlier, unless it has passed."""
    return order.told_until if order.told_until is not None and order.told_until > now else None


def _end(
    order: Order, gap: Span | None, touchpoint: Touchpoint, plan: Plan, start: datetime, *, now: datetime
) -> datetime | None:
    if gap is None or order.final or order.spent or touchpoint.window is None or touchpoint.remind.at_most == 0:
        return None
    due = working_time.add(start, gap, touchpoint.calendar)
    if touchpoint.quiet_hours is None:
        return due
    return working_time.out_of_quiet(due, touchpoint.quiet_hours, facts.zone(order, plan), now)
