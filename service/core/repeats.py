"""The same status again: is there anything new in it to tell?

It may be a repeat, or a status that was left and comes back before anybody was told of another one. New are a promise
that moved, another reason, a detail that the plan calls news, and an address, if an update could not be sent without.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from avisa.core import deadlines, facts, notices, promises
from avisa.core.decision import Decision
from avisa.core.evolve import evolve
from avisa.core.model import Notification, Order, Purpose, Reason
from avisa.core.plan import Plan, Touchpoint


def on_repeat(before: Order, known: Order, touchpoint: Touchpoint, plan: Plan, now: datetime) -> Decision:
    """What a repeat means; `before` is the order without the event, `known` with it."""
    reason = facts.visible(known, "reason")
    explained = bool(reason) and reason != facts.visible(before, "reason")
    changed = [
        name
        for name in touchpoint.news
        if notices.is_shown(value := facts.visible(known, f"details.{name}"))
        and value != facts.visible(before, f"details.{name}")
    ]
    return _decide(known, touchpoint, plan, now, explained=explained, changed=changed)


def on_answer(before: Order, known: Order, touchpoint: Touchpoint, plan: Plan, now: datetime) -> Decision:
    """What it means that an owner said something for the customer; `before` is the order without it, `known` with."""
    explained = any(
        notices.is_shown(value := facts.visible(known, name)) and value != facts.visible(before, name)
        for name in ("reason", "next_step")
    )
    return _decide(known, touchpoint, plan, now, explained=explained, changed=())


def returns(order: Order, status: str, plan: Plan) -> bool:
    """True if `status`, which begins anew, is the one that the customer was told last.

    Messages about the statuses between do not count while they wait: they can be dropped. For example, "packed"
    waits for the morning, and "confirmed", which was told before, is the status again.
    """
    believed = order.told_status
    for waiting in reversed(order.pending):
        if not waiting.to_customer:
            continue
        if waiting.status == status:
            return True
        if waiting.begun or plan.exempts(waiting):
            return False
        believed = order.told_status_before
    return believed == status


def on_return(known: Order, touchpoint: Touchpoint, plan: Plan, now: datetime) -> Decision:
    """What it means that a status comes back which the customer was told last; `known` is in its new episode.

    What waits about the statuses between is superseded, as if it had never been decided.
    """
    waiting = [item for item in reversed(known.pending) if item.to_customer]
    stays = (item.begun or item.status == known.status or plan.exempts(item) for item in waiting)
    place = next((place for place, stay in enumerate(stays) if stay), len(waiting))
    between, stayed = waiting[:place], waiting[place:]
    if between:
        known = notices.untold(promises.untold(known, plan, now))
        if stayed and stayed[0].status == known.status:
            known = evolve(known, told_seq=stayed[0].seq, told_episode=stayed[0].episode)
    known = deadlines.after_untold_event(known, touchpoint, plan, now, new_episode=True)
    news = notices.digests(known, touchpoint)
    fresh = {name for name, digest in news.items() if digest != known.told_facts.get(name)}
    changed = [name for name in touchpoint.news if f"details.{name}" in fresh]
    decision = _decide(known, touchpoint, plan, now, explained="reason" in fresh, changed=changed)
    if not between:
        return decision
    return Decision(
        order=decision.order,
        notifications=decision.notifications,
        superseded=tuple(item.key for item in between),
        reason=decision.reason,
        absorbed_by=decision.absorbed_by or between[0].key,
    )


def on_facts(known: Order, touchpoint: Touchpoint, plan: Plan, now: datetime) -> Decision:
    """What facts of the whole order mean that came with an event about one of its parts."""
    return _decide(known, touchpoint, plan, now, explained=False, changed=())


def on_late_facts(known: Order, touchpoint: Touchpoint, plan: Plan, now: datetime) -> Decision | None:
    """An older event fills in facts; None unless they make possible what could not be sent before."""
    if not _can_be_reached_now(known):
        return None
    return _decide(known, touchpoint, plan, now, explained=False, changed=())


def _decide(
    known: Order, touchpoint: Touchpoint, plan: Plan, now: datetime, *, explained: bool, changed: Collection[str]
) -> Decision:
    """The decision, by what is new: the reason was `explained`, these details `changed`."""
    unsent = _unsent(known)
    if touchpoint.once and known.status in known.told_once and unsent is None:
        explained, changed = False, ()  # the message that would say it is not sent twice
    again = _can_be_reached_now(known)
    moved = not known.final and _promise_moved(known, plan)
    if unsent is not None and _taken_back(known, unsent, plan):
        if not explained and not changed and not again:
            as_before = _as_before(known, touchpoint, plan, now)
            return Decision(order=as_before, reason=Reason.REPEATED, absorbed_by=unsent.key)
        unsent, moved = None, False
    counted = deadlines.after_untold_event(known, touchpoint, plan, now, new_episode=False)
    if not (moved or explained or changed or again):
        return Decision(order=counted, reason=Reason.REPEATED)
    # A notice of a moved promise says nothing of details, and it may have to wait for longer than a reason should.
    calls_for_update = bool(changed) or again or (explained and _moves_wait(known, unsent, touchpoint, now))
    if unsent is not None and not (calls_for_update and unsent.purpose is Purpose.PROMISE_MOVED):
        absorbed = evolve(
            counted,
            promise_told=facts.promise(known) or known.promise_told,
            told_facts=notices.digests(known, touchpoint),
            changed=_joined(known.changed, changed) if unsent.reason is Reason.FACTS_CHANGED else (),
        )
        return Decision(order=absorbed, reason=Reason.FACTS_CHANGED, absorbed_by=unsent.key)
    purpose = Purpose.PROMISE_MOVED if moved and not calls_for_update else Purpose.UPDATE
    told_before = known.changed if any(waiting.to_customer for waiting in known.pending) else ()
    known = evolve(known, changed=_joined(told_before, changed))
    notified, notification = notices.notify_customer(known, purpose, Reason.FACTS_CHANGED, plan, now)
    return Decision(order=notified, notifications=(notification,), reason=Reason.FACTS_CHANGED)


def _joined(names: tuple[str, ...], more: Collection[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*names, *more)))


def _can_be_reached_now(order: Order) -> bool:
    """True if an update could not be sent to the address known then, and another one is known now."""
    return order.unreached_at is not None and (notices.address(order) or order.unreached_at) != order.unreached_at


def _promise_moved(known: Order, plan: Plan) -> bool:
    """True if the promise moved from the one last told, else first known, by as much as the plan asks for."""
    promised = facts.promise(known)
    reference = known.promise_told or known.promise_first
    if promised is None or reference is None or promised == reference:
        return False
    return not promises.is_same(promised, reference, plan, known)


def _moves_wait(known: Order, unsent: Notification | None, touchpoint: Touchpoint, now: datetime) -> bool:
    """True if another moved promise could not be told now, because one was told a short while ago."""
    if unsent is None:
        begins = deadlines.next_move_from(known.promise_moved_at, known.told_until, touchpoint)
    else:
        begins = deadlines.next_move_from(known.promise_moved_before, known.told_until_before, touchpoint)
    return begins is not None and begins > now


def _unsent(order: Order) -> Notification | None:
    """The newest update or promise notice of this status that no attempt was made at: it will read the facts."""
    for waiting in reversed(order.pending):
        of_status = waiting.status == order.status and waiting.episode in (order.episode, order.told_episode)
        if of_status and waiting.purpose in notices.CARRIES_PROMISE and not waiting.begun:
            return waiting
    return None


def _taken_back(known: Order, unsent: Notification, plan: Plan) -> bool:
    """True if the unsent notice has nothing to say any more.

    For example, the promise moved from Monday to Friday and, before the customer was told, back to Monday, or so near
    to it that the plan calls it no move.
    """
    promised, believed = facts.promise(known), unsent.promise_before
    if unsent.purpose is not Purpose.PROMISE_MOVED or believed is None:
        return False
    if promised is None:
        return True
    return promises.is_same(promised, believed, plan, known)


def _as_before(known: Order, touchpoint: Touchpoint, plan: Plan, now: datetime) -> Order:
    """The order as if the unsent promise notice, which the gate drops, had not been: its date was never told."""
    untold = notices.untold(known)
    if touchpoint.count_from == "last_message":
        return deadlines.after_dropped_message(untold, touchpoint, plan)
    due = known.told_until_before or deadlines.window_end(known, touchpoint, plan, now, now=now)
    return deadlines.with_deadline(evolve(untold, counted_from=now), due)
