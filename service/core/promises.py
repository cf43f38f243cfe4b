"""The promise of an order: from the date that was given to what became of it.

    open, moved  ->  at_risk             the end is nearer than the touchpoint's `warn_before`
    open, moved, at_risk  ->  kept       a status that fulfils the promise occurred by the end
                          ->  broken     such a status occurred later; or the end and the `grace` passed without one
                          ->  moved      another date was given
                          ->  withdrawn  the order ended in another status, or the date was taken back

The end of a promise is the end of its day in the customer's time zone, its moment, or the end of its slot.

Every event counts, whether or not the customer is told of the event. Nobody can keep a date that has passed by the
time it becomes known: it is noted as broken, and nobody is told.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from avisa.core import deadlines, facts, parts
from avisa.core.evolve import evolve
from avisa.core.model import Order, OrderEvent, Purpose, Rank
from avisa.core.plan import Plan
from avisa.core.promise import Promise, PromiseState

ACTIVE = frozenset({PromiseState.OPEN, PromiseState.AT_RISK, PromiseState.MOVED})
# The customer is sent a notice when time alone, without an event, brings the promise to one of these states.
NOTICES = {
    PromiseState.AT_RISK: Purpose.PROMISE_AT_RISK,
    PromiseState.BROKEN: Purpose.PROMISE_BROKEN,
}
STATES = {purpose: state for state, purpose in NOTICES.items()}  # the state that each notice tells
OF_TIME = frozenset(STATES)
_MOST_NOTICED = 16  # because a publisher may never stop moving a date

_NONE = Promise()


def moved_by(one: str, other: str, plan: Plan, order: Order) -> timedelta:
    """How far apart two promised dates are: the distance of their ends; or, between two slots, that of their begins
    if it is longer."""
    zone = facts.zone(order, plan)
    apart = abs(facts.promise_moment(one, zone) - facts.promise_moment(other, zone))
    begins, begins_then = facts.promise_begin(one), facts.promise_begin(other)
    if begins is None or begins_then is None:
        return apart
    return max(apart, abs(begins - begins_then))


def after_event(known: Order, event: OrderEvent, rank: Rank, plan: Plan, now: datetime, *, entered: bool) -> Order:
    """The order with its promise after an event. `known` is the order with the facts of the event already in place;
    `entered` says that it also has the status of the event.

    A status that fulfils the promise is judged by the moment at which it occurred, and against the date that stood
    before the event, because the customer never knew a date that comes with "delivered" itself. If the event arrives
    after a newer status, it still fulfils the promise, unless the date was given after the event occurred.
    """
    fact = known.facts.get("promised_at")
    fulfils = plan.touchpoint(event.status).fulfils_promise
    if fact is None and not (fulfils and entered) and known.promise is None:
        return known
    late = not entered and rank < known.status_rank
    fulfils = fulfils and (entered or (late and (fact is None or fact.rank < rank)))
    return _after(known, plan, now, fulfilled_at=event.occurred_at if fulfils else None, late=late, entered=entered)


def after_part(known: Order, rank: Rank, plan: Plan, now: datetime, *, entered: bool) -> Order:
    """As `after_event`, for an order that has parts: it is fulfilled at the moment at which its last part is."""
    fact = known.facts.get("promised_at")
    moment = parts.fulfilled_at(known, plan)
    was = known.promise.fulfilled_at if known.promise is not None else None
    fulfils = moment is not None and was is None and (entered or fact is None or fact.rank < rank)
    if fact is None and not fulfils and known.promise is None:
        return known
    late = rank < known.status_rank
    return _after(known, plan, now, fulfilled_at=moment if fulfils else None, late=late, entered=entered)


def after_answer(known: Order, plan: Plan, now: datetime) -> Order:
    """The order with its promise after an owner's answer. `known` is the order with the facts of the answer in
    place."""
    if known.promise is None and "promised_at" not in known.facts:
        return known
    return _after(known, plan, now, fulfilled_at=None, late=False, entered=False)


def on_track(order: Order, plan: Plan, now: datetime) -> Order:
    """The order after its owner said that all is on track: its customer gets no warning about the present date, and a
    warning that waits is dropped."""
    if order.promise is not None and order.promise.state is PromiseState.AT_RISK:
        order = untold(order, plan, now)
    promise = order.promise
    if promise is None or promise.date is None:
        return order
    return _watched(order, _noticed(promise, PromiseState.AT_RISK), plan, now)


def _after(
    known: Order, plan: Plan, now: datetime, *, fulfilled_at: datetime | None, late: bool, entered: bool
) -> Order:
    """The order with its promise brought up to date with its facts.

    `fulfilled_at` is when a status that fulfils the promise occurred; None: the change brings no such status.
    `entered` says that the order came to a new status, `late` that the event is older than the order's status.
    """
    date = facts.promise(known)
    if known.promise is not None and (entered or date != known.promise.date):
        known = untold(known, plan, now)  # a notice that waits may not be true of the new status or date
    promise = known.promise or _NONE
    if fulfilled_at is not None and (promise.fulfilled_at is None or promise.state in ACTIVE):
        judged = promise.date if promise.date is not None and promise.state is not PromiseState.WITHDRAWN else date
        promise = _judged(evolve(promise, fulfilled_at=fulfilled_at), judged, known, plan, now)
    elif promise.fulfilled_at is not None and (late or known.final):
        if late and date is not None and date != promise.date:
            promise = _judged(promise, date, known, plan, now)
    elif known.final:
        if promise.state in ACTIVE or (promise.state is None and date is not None):
            promise = _entered(evolve(promise, date=promise.date or date), PromiseState.WITHDRAWN, now)
    elif date is None:
        if promise.state in ACTIVE:
            promise = _entered(evolve(promise, date=None), PromiseState.WITHDRAWN, now)
    elif promise.state is None or promise.state is PromiseState.WITHDRAWN or promise.date is None:
        promise = _dated(promise, date, known, plan, now)
    elif date != promise.date:
        promise = _with_date(promise, promise.date, date, known, plan, now)
    return _watched(known, promise, plan, now)


def _with_date(promise: Promise, before: str, date: str, order: Order, plan: Plan, now: datetime) -> Promise:
    """The promise once `date` was given in place of `before`.

    A step that the plan calls no move changes the date, but not the state. A date in the past is ignored if it is
    such a step, or if the promise was missed already.
    """
    missed = promise.state is PromiseState.BROKEN and promise.fulfilled_at is None
    small = is_same(date, before, plan, order)
    if (missed or small) and _is_over(date, order, plan, now):
        return promise
    return evolve(promise, date=date) if small and not missed else _dated(promise, date, order, plan, now)


def watched(order: Order, plan: Plan, now: datetime) -> Order:
    """The order with the `due` of its promise worked out again, because the plan may have changed."""
    return order if order.promise is None else _watched(order, order.promise, plan, now)


def due(order: Order, plan: Plan, now: datetime) -> PromiseState | None:
    """The state to which time alone has brought the promise by `now`: AT_RISK or BROKEN; None: no new one."""
    promise = order.promise
    if promise is None or promise.due is None or promise.due > now or promise.date is None:
        return None
    end = facts.promise_moment(promise.date, facts.zone(order, plan))
    return PromiseState.AT_RISK if now < end else PromiseState.BROKEN


def brought_to(order: Order, state: PromiseState, plan: Plan, now: datetime, *, message_seq: int = 0) -> Order:
    """The order after time brought its promise to `state`. The message `message_seq` tells it; 0: none does."""
    promise = order.promise
    assert promise is not None
    promise = evolve(_entered(_noticed(promise, state), state, now), message_seq=message_seq)
    return _watched(order, promise, plan, now)


def with_message(order: Order, purpose: Purpose, plan: Plan, now: datetime) -> Promise | None:
    """The promise once the next message to the customer is decided, with this purpose. The first one after a change
    of state, reminders apart, tells that state. If the warning is due, the message stands for it, as it has the
    date."""
    promise = order.promise
    if promise is None or purpose is Purpose.REMINDER:
        return promise
    if purpose not in STATES and due(order, plan, now) is PromiseState.AT_RISK:
        return brought_to(order, PromiseState.AT_RISK, plan, now, message_seq=order.seq + 1).promise
    return promise if promise.message_seq else evolve(promise, message_seq=order.seq + 1)


def untold(order: Order, plan: Plan, now: datetime) -> Order:
    """The order after the message that waits to tell the state of the promise is no longer counted on to tell it.

    If that state is AT_RISK, the promise goes back to OPEN or MOVED, so that the warning can fall due again.
    """
    promise = order.promise
    if promise is None or not any(it.seq == promise.message_seq and not it.begun for it in order.pending):
        return order
    promise = evolve(promise, message_seq=0)
    if promise.state is PromiseState.AT_RISK and promise.date is not None:
        told = _notice(PromiseState.AT_RISK, promise.date)
        noticed = tuple(it for it in promise.noticed if it != told)
        promise = _entered(evolve(promise, noticed=noticed), _standing(promise.date, order, plan), now)
    return _watched(order, promise, plan, now)


def is_true(notice: Purpose, order: Order) -> bool:
    """True if what the notice says still holds: the promise has this state, and no status has fulfilled it."""
    promise = order.promise
    if promise is None or order.final or facts.promise(order) is None:
        return False
    return promise.state is STATES[notice] and promise.fulfilled_at is None


def has_ended(order: Order, plan: Plan, now: datetime) -> bool:
    """True if the end of the promise has passed, so that it is no longer merely at risk."""
    date = order.promise.date if order.promise is not None else None
    return date is not None and _is_over(date, order, plan, now)


def change(before: Order | None, after: Order) -> Promise | None:
    """The promise if its state changed, for the timeline; else None. The first date of an order is no change. A
    promise whose date was taken back is returned with the date that it had."""
    then, promise = before.promise if before is not None else None, after.promise
    if promise is then or promise is None or promise.state is None:
        return None
    was = then.state if then else None
    if was is promise.state and (then is None or then.since == promise.since):
        return None
    if was is None and promise.state is PromiseState.OPEN:
        return None
    return promise if promise.date is not None or then is None else evolve(promise, date=then.date)


def _noticed(promise: Promise, state: PromiseState) -> Promise:
    notice = _notice(state, promise.date)
    noticed = (*(it for it in promise.noticed if it != notice), notice)
    return evolve(promise, noticed=noticed[-_MOST_NOTICED:])


def _is_noticed(promise: Promise, state: PromiseState, date: str) -> bool:
    return bool(promise.noticed) and _notice(state, date) in promise.noticed


def _notice(state: PromiseState, date: str | None) -> str:
    """The entry in `noticed` which says that this state was told of this date, or need not be."""
    return f"{state} {date}"


def _entered(promise: Promise, state: PromiseState, now: datetime) -> Promise:
    if promise.state is state:
        return promise
    return evolve(promise, state=state, since=now, message_seq=0)


def _judged(promise: Promise, date: str | None, order: Order, plan: Plan, now: datetime) -> Promise:
    """The promise after a status that fulfils it occurred at `fulfilled_at`: KEPT or BROKEN, by its end."""
    if date is None or promise.fulfilled_at is None:
        return promise
    in_time = promise.fulfilled_at <= facts.promise_moment(date, facts.zone(order, plan))
    return _entered(evolve(promise, date=date), PromiseState.KEPT if in_time else PromiseState.BROKEN, now)


def _dated(promise: Promise, date: str, order: Order, plan: Plan, now: datetime) -> Promise:
    """The promise after this date was given, for the first time or in place of another."""
    state = _standing(date, order, plan)
    if _is_over(date, order, plan, now) or _is_noticed(promise, PromiseState.BROKEN, date):
        state = PromiseState.BROKEN
    return evolve(promise, date=date, state=state, since=now, message_seq=0, fulfilled_at=None)


def _standing(date: str, order: Order, plan: Plan) -> PromiseState:
    """OPEN for the date that was given first, MOVED for another."""
    first = order.promise_first or date
    return PromiseState.OPEN if is_same(date, first, plan, order) else PromiseState.MOVED


def _is_over(date: str, order: Order, plan: Plan, now: datetime) -> bool:
    return facts.promise_moment(date, facts.zone(order, plan)) <= now


def is_same(one: str, other: str, plan: Plan, order: Order) -> bool:
    """True if two promised dates are equal, or nearer to each other than the `ignore_moves_under` of the plan."""
    if one == other:
        return True
    move = moved_by(one, other, plan, order)
    return move == timedelta(0) or move < plan.touchpoint(order.status).ignore_moves_under


def _watched(order: Order, promise: Promise, plan: Plan, now: datetime) -> Order:
    moment = _next(order, promise, plan, now)
    if moment != promise.due:
        promise = evolve(promise, due=moment)
    if promise is (order.promise or _NONE):
        return order
    return evolve(order, promise=promise, wake_at=deadlines.earlier(order.deadline, moment))


def _next(order: Order, promise: Promise, plan: Plan, now: datetime) -> datetime | None:
    """When time alone brings the promise to its next state: AT_RISK before its end, BROKEN after the grace."""
    if promise.state not in ACTIVE or promise.date is None or order.final:
        return None
    touchpoint = plan.touchpoint(order.status)
    end = facts.promise_moment(promise.date, facts.zone(order, plan))
    broken = end + touchpoint.grace if plan.judges_promises else None
    if touchpoint.warn_before is None or end <= now:
        return broken
    if promise.state is PromiseState.AT_RISK or _is_noticed(promise, PromiseState.AT_RISK, promise.date):
        return broken
    return deadlines.earlier(end - touchpoint.warn_before, broken)
