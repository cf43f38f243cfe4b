"""What an event, or the passing of time, means for an order and for its customer.

Every function returns a `Decision`: the whole new order, the notifications to queue and to supersede, the reason.
None reads a clock: `now` is the moment of deciding, in UTC. On an event a chain of guards runs in this order, and
the first one that applies names the reason:

    already_seen · older_than_known · not_to_tell · too_old_to_tell · unknown_status
    · repeated · facts_changed · entered

`repeats` tells the last three apart where the status is not new. How the deadline moves with each of them is told in
`deadlines`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from avisa.core import (
    answer,
    deadlines,
    episodes,
    facts,
    gate,
    notices,
    part_events,
    part_words,
    promises,
    question_due,
    repeats,
)
from avisa.core.decision import Decision
from avisa.core.evolve import evolve
from avisa.core.model import Alert, Order, OrderEvent, Purpose, Rank, Reason
from avisa.core.plan import Plan
from avisa.core.promise import PromiseState

# A publisher's clock may run ahead by this much before its word for the time is no longer taken.
CLOCK_SKEW = timedelta(minutes=5)


def on_event(order: Order | None, event: OrderEvent, plan: Plan, now: datetime) -> Decision:
    """What an event does to its order; `order` is None for the first event of an order."""
    return _whole(_on_event(order, event, plan, now), plan, now, published_real=event.published_real)


def on_wake(order: Order, plan: Plan, now: datetime) -> Decision:
    """What the passing of time means for an order. Waking is a hint: everything is worked out anew."""
    return _whole(_on_wake(order, plan, now), plan, now)


def on_answer(order: Order, reply: answer.Answer, plan: Plan, now: datetime) -> Decision:
    """What an owner's answer means for an order; ALREADY_SEEN if somebody answered before, or it comes too late."""
    return _whole(answer.decided(order, reply, plan, now), plan, now)


def _whole(decision: Decision, plan: Plan, now: datetime, *, published_real: datetime | None = None) -> Decision:
    """The decision with all that waits once it is stored, and with what it supersedes of that.

    A superseded message whose attempt began stays pending: what became of it is not known yet.
    """
    order, decided = question_due.watched(decision.order, plan, now), decision.notifications
    if not decided and not order.pending:
        return decision if order is decision.order else replace(decision, order=order)
    if published_real is not None:
        decided = tuple(evolve(item, published_real=published_real) for item in decided)
    pending = (*order.pending, *decided)
    superseded = tuple(
        item.key for item in pending if item.key in decision.superseded or gate.superseded(item, order, plan)
    )
    absorbed_by = decision.absorbed_by
    if superseded:
        unsent = [it for it in pending if it.key in superseded and not it.begun]
        order = part_words.unsaid(notices.without_once(order, unsent), unsent)
        if any(it.seq == order.told_seq for it in unsent):  # and no message takes its place
            order = deadlines.after_dropped_message(notices.untold(order), plan.touchpoint(order.status), plan)
            order = question_due.watched(order, plan, now)
        # The promise counts a dropped notice as untold, which is true only if the notice has not left meanwhile.
        absorbed_by = absorbed_by or next((it.key for it in unsent if it.purpose in promises.OF_TIME), None)
        pending = tuple(item for item in pending if item.begun or item.key not in superseded)
    return Decision(
        order=evolve(order, pending=pending),
        notifications=decided,
        superseded=superseded,
        reason=decision.reason,
        absorbed_by=absorbed_by,
    )


def _on_event(order: Order | None, event: OrderEvent, plan: Plan, now: datetime) -> Decision:
    if order is not None and episodes.already_holds(order, event.identity):
        return Decision(order=order, reason=Reason.ALREADY_SEEN)
    if event.occurred_at > now + CLOCK_SKEW:
        event = replace(event, occurred_at=now)
    arrival = 1 if order is None else order.arrivals + 1
    rank = facts.rank_of(event, arrival=arrival, rank_by=plan.events.rank_by)
    if part_events.speaks_of_parts(order, event):
        return part_events.on_event(order, event, rank, plan, now, too_old=_too_old(event, plan, now))
    touchpoint = plan.touchpoint(event.status)

    if order is None:
        known = episodes.first(event, rank, touchpoint, now)
        begins = True
    elif rank < order.status_rank:
        return _on_older(order, event, rank, plan, now)
    else:
        begins = event.status != order.status
        known = (
            episodes.entered(order, event, rank, touchpoint, now)
            if begins
            else episodes.merged(order, event, rank, now)
        )

    known = promises.after_event(known, event, rank, plan, now, entered=begins)

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
    if order is not None and not begins:
        return repeats.on_repeat(order, known, touchpoint, plan, now)
    told_once = order is not None and touchpoint.once and event.status in order.told_once
    if order is not None and (told_once or repeats.returns(order, event.status, plan)):
        return repeats.on_return(known, touchpoint, plan, now)
    notified, update = notices.notify_customer(known, Purpose.UPDATE, Reason.ENTERED, plan, now)
    return Decision(order=notified, notifications=(update,), reason=Reason.ENTERED)


def _on_older(order: Order, event: OrderEvent, rank: Rank, plan: Plan, now: datetime) -> Decision:
    """An event that ranks before the one that set the status: its facts are filled in."""
    known = episodes.merged(order, event, rank, now)
    known = promises.after_event(known, event, rank, plan, now, entered=False)
    if event.notify and plan.knows(order.status) and not _too_old(event, plan, now):
        reached = repeats.on_late_facts(known, plan.touchpoint(order.status), plan, now)
        if reached is not None:
            return reached
    return Decision(order=known, reason=Reason.OLDER_THAN_KNOWN)


def _on_wake(order: Order, plan: Plan, now: datetime) -> Decision:
    touchpoint = plan.touchpoint(order.status)
    order = promises.watched(order, plan, now)
    due = deadlines.recomputed(order, touchpoint, plan)
    turned = promises.due(order, plan, now)
    if turned is not None:
        return _on_promise(evolve(order, deadline=due), turned, plan, now)
    passed, alerts = notices.pass_alert_on(order, plan, now)
    if alerts:
        return Decision(order=deadlines.with_deadline(passed, due), notifications=alerts, reason=Reason.UNANSWERED)
    asked = question_due.ask_what_is_due(evolve(order, deadline=due), plan, now)
    if asked is not None:
        order, question = asked
        return Decision(order=deadlines.with_deadline(order, due), notifications=(question,), reason=question.reason)
    if due is None or due > now:
        return Decision(order=deadlines.with_deadline(order, due), reason=None)
    if any(waiting.to_customer for waiting in order.pending):
        # The message that waits is news, and a reminder would supersede it. When it settles past the deadline, a
        # new window begins.
        return Decision(order=_put_off(evolve(order, deadline=due), due, now), reason=None)
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


def _on_promise(order: Order, turned: PromiseState, plan: Plan, now: datetime) -> Decision:
    """Time alone has brought the promise to another state: the customer is told, and of a broken one its owner.

    An update that waits carries the date, so it also tells that the date is near. An apology waits until that update
    is out.
    """
    promise = order.promise
    assert promise is not None
    assert promise.due is not None
    waiting = [item for item in order.pending if item.to_customer]
    carrier = next((item for item in reversed(waiting) if item.purpose in notices.CARRIES_PROMISE), None)
    begun = any(item.begun for item in waiting)
    if turned is PromiseState.AT_RISK and carrier is not None and not begun:
        near = promises.brought_to(order, turned, plan, now, message_seq=carrier.seq)
        return Decision(order=near, reason=None, absorbed_by=carrier.key)
    if carrier is not None or begun:
        return Decision(order=_put_off(order, promise.due, now), reason=None)
    purpose = promises.NOTICES[turned]
    reason = Reason(purpose)
    order = promises.brought_to(order, turned, plan, now)
    notified, notice = notices.notify_customer(order, purpose, reason, plan, now)
    notified, alerts = (
        notices.alert_owner(notified, Alert.PROMISE_BROKEN, reason, plan, now)
        if turned is PromiseState.BROKEN
        else (notified, ())
    )
    return Decision(order=notified, notifications=(evolve(notice, due=promise.due), *alerts), reason=reason)


def _put_off(order: Order, due: datetime, now: datetime) -> Order:
    """The order to be looked at again later, because a message waits. If it never settles, ever more rarely."""
    return evolve(order, wake_at=now + max(timedelta(minutes=1), (now - due) / 4))


def _too_old(event: OrderEvent, plan: Plan, now: datetime) -> bool:
    if now - event.occurred_at > plan.tell_within:
        return True
    return plan.tell_from is not None and event.occurred_at < plan.tell_from
