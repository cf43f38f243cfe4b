"""What an event means for an order that has parts, and for its customer.

The same guards are asked as of any order, each of the parts that the event speaks of: its rank is held against their
newest events, and what is new is what the customer does not know of them. So of one part an older status is never
told after a newer one, while parts tell their news independently of each other. Window, reminders and promise are
those of the order, which `parts` gives its status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from avisa.core import deadlines, episodes, facts, notices, part_places, part_values, parts, promises, repeats
from avisa.core.decision import Decision
from avisa.core.evolve import evolve
from avisa.core.model import BLANK_ORDER, Alert, Notification, Order, OrderEvent, Purpose, Rank, Reason
from avisa.core.plan import Plan, Touchpoint

_News = Mapping[str, Sequence[str]]  # status -> ids of the parts that are in it


def speaks_of_parts(order: Order | None, event: OrderEvent) -> bool:
    """True if the event names a part, or its order has some."""
    return event.part is not None or (order is not None and order.parts is not None)


def on_event(
    order: Order | None, event: OrderEvent, rank: Rank, plan: Plan, now: datetime, *, too_old: bool
) -> Decision:
    """The decision on an event that was not seen before; `too_old` says that it occurred too long ago to be told."""
    known, begins = _known(order, event, rank, plan, now)
    known, swayed = _swayed(order, known, rank, plan)
    touchpoint = plan.touchpoint(known.status)
    ids, status = parts.set_by(known, rank), event.status
    older = not ids
    if older and event.part is not None and (order is None or parts.named(order.parts, event.part.id) is None):
        ids, status = [event.part.id], parts.status(known, event.part.id)  # it is where the whole order is
    untold = deadlines.after_untold_event(known, touchpoint, plan, now, new_episode=True) if begins else known
    missed = _together(_missed(order, known, plan), swayed)
    why = Reason.ENTERED if swayed else Reason.FACTS_CHANGED
    moves_none = parts.moves_none(known, rank)
    if not ids and not moves_none:
        if missed and event.notify and not too_old:
            return _tell(untold, missed, why, plan, now)
        return Decision(order=untold, reason=Reason.OLDER_THAN_KNOWN)
    if not begins:
        untold = deadlines.after_untold_event(known, touchpoint, plan, now, new_episode=False)
    if not event.notify:
        return Decision(order=untold, reason=Reason.NOT_TO_TELL)
    if too_old:
        return Decision(order=untold, reason=Reason.TOO_OLD_TO_TELL)
    if moves_none:
        if missed:
            return _tell(untold, missed, why, plan, now)
        return _on_repeat(order, untold, event, ids, plan, now)
    if not plan.knows(status):
        return _on_unknown(untold, status, swayed, plan, now)
    fresh, back = _news(known, ids, status, plan)
    if event.part is None and parts.WHOLE not in ids:  # parts that are named later on were there, too
        (fresh or back).append(parts.WHOLE)
    if back:
        known, untold = (parts.with_word(it, back, status, 0) for it in (known, untold))
    if fresh:
        return _on_news(known, fresh, status, begins, missed, plan, now)
    if missed:
        return _tell(untold, missed, why, plan, now)
    if older:
        return Decision(order=untold, reason=Reason.OLDER_THAN_KNOWN)
    return _on_repeat(order, untold, event, ids, plan, now)


def _known(order: Order | None, event: OrderEvent, rank: Rank, plan: Plan, now: datetime) -> tuple[Order, bool]:
    """The order with all that the event says, and whether that begins an episode."""
    before = order or evolve(
        BLANK_ORDER, order_id=event.order_id, status=event.status, status_rank=rank, entered_at=now
    )
    if event.part is None:
        known = episodes.merged(before, event, rank, now)
    else:
        known = episodes.merged(before, parts.of_order(event), rank, now)
        known = parts.with_event(evolve(known, statuses=before.statuses), event, rank, plan)
    known = part_places.placed(known, plan)
    known = evolve(known, status=parts.status_of(known, plan))
    begins = order is None or known.status != before.status
    if begins:
        known = episodes.begun(known, plan.touchpoint(known.status), now)
    return promises.after_part(known, event, rank, plan, now, entered=begins), begins


def _swayed(before: Order | None, known: Order, rank: Rank, plan: Plan) -> tuple[Order, _News]:
    """The parts that the event put where another one had said, if this is news; and the order in which it is known of
    the others that their customer never heard of anything else."""
    news: dict[str, Sequence[str]] = {}
    for status, ids in parts.swayed(before, known, rank).items() if before is not None else ():
        fresh, unheard = _news(known, ids, status, plan)
        if unheard:
            known = parts.with_word(known, unheard, status, 0)
        if fresh and plan.knows(status):
            news[status] = fresh
    return known, news


def _news(known: Order, ids: Sequence[str], status: str, plan: Plan) -> tuple[list[str], list[str]]:
    """Of these parts, which have come to `status`, those of which this is to be told; and the others that are to be
    known as told: they are back, or the message is sent only once."""
    fresh, back = parts.unknown_to_customer(known, ids, status)
    return ([], [*fresh, *back]) if plan.touchpoint(status).once and status in known.told_once else (fresh, back)


def _together(missed: _News, swayed: _News) -> _News:
    """All this news, each part once: what was missed of one that is elsewhere now is not true of it any more."""
    ids = {part_id for those in swayed.values() for part_id in those}
    still = {status: left for status, those in missed.items() if (left := [it for it in those if it not in ids])}
    return still | {status: [*still.get(status, ()), *those] for status, those in swayed.items()}


def _on_unknown(order: Order, status: str, swayed: _News, plan: Plan, now: datetime) -> Decision:
    """The owner of what is not in the plan is told that a part is there; the customer only what else is news."""
    of_part = evolve(order, status=status)
    alerted, alerts = notices.alert_owner(of_part, Alert.UNKNOWN_STATUS, Reason.UNKNOWN_STATUS, plan, now)
    known = evolve(alerted, status=order.status)
    if not swayed:
        return Decision(order=known, notifications=alerts, reason=Reason.UNKNOWN_STATUS)
    told = _tell(known, swayed, Reason.ENTERED, plan, now)
    both = (*alerts, *told.notifications)
    return Decision(order=told.order, notifications=both, reason=Reason.UNKNOWN_STATUS)


def _on_news(
    known: Order, ids: Sequence[str], status: str, begins: bool, missed: _News, plan: Plan, now: datetime
) -> Decision:
    """These parts have entered a status: a message that waits to say so of others says it of them, too.

    Where the order enters another status a new message takes over what the waiting one was to tell.
    """
    waiting = _waiting(known, status, plan)
    if waiting is not None and not begins and not missed:
        counted = deadlines.after_untold_event(known, plan.touchpoint(known.status), plan, now, new_episode=False)
        counted = evolve(counted, promise_told=facts.promise(known) or known.promise_told)
        absorbed = parts.with_word(counted, ids, status, waiting.seq)
        return Decision(order=absorbed, reason=Reason.ENTERED, absorbed_by=waiting.key)
    others = parts.subjects(known, waiting.seq) if waiting is not None else []
    first = {each: ids_missed for each, ids_missed in missed.items() if each != status}
    together = list(dict.fromkeys((*missed.get(status, ()), *others, *ids)))
    return _tell(known, first | {status: together}, Reason.ENTERED, plan, now)


def _tell(known: Order, news: _News, reason: Reason, plan: Plan, now: datetime) -> Decision:
    """A message for each status, the last of them for the newest."""
    decided: list[Notification] = []
    for status, ids in news.items():
        about = notices.PartsNews(ids, status)
        known, update = notices.notify_customer(known, Purpose.UPDATE, reason, plan, now, about=about)
        known = evolve(known, pending=(*known.pending, update))
        decided.append(update)
    waited = known.pending[: -len(decided)]
    return Decision(order=evolve(known, pending=waited), notifications=tuple(decided), reason=reason)


def _on_repeat(
    before: Order | None, known: Order, event: OrderEvent, ids: Sequence[str], plan: Plan, now: datetime
) -> Decision:
    """The customer knows where these parts are; is there anything else to tell?"""
    touchpoint = plan.touchpoint(known.status)
    if event.part is None:
        return repeats.on_repeat(before or known, known, touchpoint, plan, now)
    if before is not None and _says_more(before, known, event, plan.touchpoint(event.status)):
        waiting = next((it for it in known.pending if it.seq in _seqs(known, ids) and not it.begun), None)
        if waiting is not None:
            return Decision(order=known, reason=Reason.FACTS_CHANGED, absorbed_by=waiting.key)
        return _tell(known, {event.status: ids}, Reason.FACTS_CHANGED, plan, now)
    return repeats.on_facts(known, touchpoint, plan, now)


def _says_more(before: Order, known: Order, event: OrderEvent, touchpoint: Touchpoint) -> bool:
    """True if there is another reason for the part to be where it is, or a detail changed that is news."""
    if touchpoint.once and event.status in known.told_once:
        return False
    assert event.part is not None
    then = part_values.news(parts.named(before.parts, event.part.id), before)
    now = part_values.news(parts.named(known.parts, event.part.id), known)
    watched = ("reason", *(f"details.{name}" for name in touchpoint.news))
    return any(notices.is_shown(now.get(key)) and now.get(key) != then.get(key) for key in watched)


def _missed(before: Order | None, known: Order, plan: Plan) -> _News:
    """What the customer could not be told of parts, and can be now that there is another address."""
    if before is None or notices.address(known) in ("", notices.address(before)):
        return {}
    return {status: ids for status, ids in parts.missed(known).items() if plan.knows(status)}


def _waiting(order: Order, status: str, plan: Plan) -> Notification | None:
    """The newest message that waits to tell of parts that they are in this status."""
    return next(
        (
            it
            for it in reversed(order.pending)
            if it.parts and it.status == status and not it.begun and parts.stands(it, order, plan)
        ),
        None,
    )


def _seqs(order: Order, ids: Sequence[str]) -> set[int]:
    return {part.word.seq for part in parts.known(order) if part.id in ids}
