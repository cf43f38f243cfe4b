"""What an event means for an order that has parts, and for its customer.

The guards are those of any order, but they look at the parts that the event speaks of: is the event older than the
newest event of the part? Does the customer know the status of the part already? So an older status of a part is never
told after a newer one of the same part, while each part tells its news independently of the others. Window, reminders
and promise belong to the order, whose status `parts.status_of` works out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from avisa.core import (
    deadlines,
    episodes,
    facts,
    notices,
    part_places,
    part_values,
    part_words,
    parts,
    promises,
    repeats,
)
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
    """The decision on an event that was not seen before, of an order that `speaks_of_parts`; `now` is in UTC.

    `order` is None for the first event. `too_old` says that the event occurred too long ago to be told.
    """
    known, begins = _known(order, event, rank, plan, now)
    known, indirect = _moved_indirectly(order, known, rank, plan)
    touchpoint = plan.touchpoint(known.status)
    ids, status = parts.set_by(known, rank), event.status
    older = not ids
    if older and event.part is not None and (order is None or parts.named(order.parts, event.part.id) is None):
        ids, status = [event.part.id], parts.status(known, event.part.id)  # it is where the whole order is
    untold = deadlines.after_untold_event(known, touchpoint, plan, now, new_episode=True) if begins else known
    missed = _together(_missed(order, known, plan), indirect)
    why = Reason.ENTERED if indirect else Reason.FACTS_CHANGED
    moves_none = parts.moves_none(known, rank)
    if not ids and not moves_none:
        if missed and event.notify and not too_old:
            return _tell(untold, missed, why, plan, now)
        return Decision(order=untold, reason=Reason.OLDER_THAN_KNOWN)
    if not begins:
        untold = deadlines.after_untold_event(known, touchpoint, plan, now, new_episode=False)
    if not event.notify or too_old:
        reason = Reason.TOO_OLD_TO_TELL if event.notify else Reason.NOT_TO_TELL
        return Decision(order=part_words.with_unheard_ends(untold, plan), reason=reason)
    if moves_none:
        if missed:
            return _tell(untold, missed, why, plan, now)
        return _on_repeat(order, untold, event, ids, plan, now)
    if not plan.knows(status):
        return _on_unknown(untold, status, indirect, plan, now)
    fresh, back = _news(known, ids, status, plan)
    if event.part is None and parts.WHOLE not in ids:  # holds for the parts that later events name, too
        if fresh:
            fresh.append(parts.WHOLE)
        elif any(part_words.unknown_to_customer(known, [parts.WHOLE], status)):
            back.append(parts.WHOLE)
    if back:
        known, untold = (part_words.with_word(it, back, status, 0) for it in (known, untold))
    if fresh:
        return _on_news(known, fresh, status, missed, plan, now, begins=begins)
    if missed:
        return _tell(untold, missed, why, plan, now)
    if older:
        return Decision(order=untold, reason=Reason.OLDER_THAN_KNOWN)
    return _on_repeat(order, untold, event, ids, plan, now)


def _known(order: Order | None, event: OrderEvent, rank: Rank, plan: Plan, now: datetime) -> tuple[Order, bool]:
    """The order with all facts of the event, and whether an episode of the order begins with it."""
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
    return promises.after_part(known, rank, plan, now, entered=begins), begins


def _moved_indirectly(before: Order | None, known: Order, rank: Rank, plan: Plan) -> tuple[Order, _News]:
    """The news about parts that the event moved indirectly (`parts.moved_indirectly`); and the order, in which the
    others of these parts count as told: their customer never knew another status."""
    news: dict[str, Sequence[str]] = {}
    for status, ids in parts.moved_indirectly(before, known, rank).items() if before is not None else ():
        fresh, back = _news(known, ids, status, plan)
        if back:
            known = part_words.with_word(known, back, status, 0)
        if fresh and plan.knows(status):
            news[status] = fresh
    return known, news


def _news(known: Order, ids: Sequence[str], status: str, plan: Plan) -> tuple[list[str], list[str]]:
    """Two lists of the parts `ids`, which have come to `status`: those of which a message is to tell it, and those
    that count as told without one. They are back at it, or the plan sends this message `once` and it was sent."""
    fresh, back = part_words.unknown_to_customer(known, ids, status)
    return ([], [*fresh, *back]) if plan.touchpoint(status).once and status in known.told_once else (fresh, back)


def _together(missed: _News, indirect: _News) -> _News:
    """Both kinds of news, each part once: if a part moved, the status that was missed is not true of it any more."""
    moved = {part_id for ids in indirect.values() for part_id in ids}
    still = {status: left for status, ids in missed.items() if (left := [it for it in ids if it not in moved])}
    return still | {status: [*still.get(status, ()), *ids] for status, ids in indirect.items()}


def _on_unknown(order: Order, status: str, indirect: _News, plan: Plan, now: datetime) -> Decision:
    """A part came to a status that the plan does not know: the owner for such statuses is alerted. The customer is
    told only the `indirect` news."""
    of_part = evolve(order, status=status)
    alerted, alerts = notices.alert_owner(of_part, Alert.UNKNOWN_STATUS, Reason.UNKNOWN_STATUS, plan, now)
    known = evolve(alerted, status=order.status)
    if not indirect:
        return Decision(order=known, notifications=alerts, reason=Reason.UNKNOWN_STATUS)
    told = _tell(known, indirect, Reason.ENTERED, plan, now)
    both = (*alerts, *told.notifications)
    return Decision(order=told.order, notifications=both, reason=Reason.UNKNOWN_STATUS)


def _on_news(
    known: Order, ids: Sequence[str], status: str, missed: _News, plan: Plan, now: datetime, *, begins: bool
) -> Decision:
    """The decision when the parts `ids` have entered a status.

    If a message waits to tell the same of other parts, it tells it of these, too. But if the order itself enters
    another status (`begins`), or there is `missed` news to tell besides, a new message tells all of it.
    """
    waiting = _waiting(known, status, plan)
    if waiting is not None and not begins and not missed:
        counted = deadlines.after_untold_event(known, plan.touchpoint(known.status), plan, now, new_episode=False)
        counted = evolve(counted, promise_told=facts.promise(known) or known.promise_told)
        absorbed = part_words.with_word(counted, ids, status, waiting.seq)
        return Decision(order=absorbed, reason=Reason.ENTERED, absorbed_by=waiting.key)
    others = part_words.subjects(known, waiting.seq) if waiting is not None else []
    first = {each: ids_missed for each, ids_missed in missed.items() if each != status}
    together = list(dict.fromkeys((*missed.get(status, ()), *others, *ids)))
    return _tell(known, first | {status: together}, Reason.ENTERED, plan, now)


def _tell(known: Order, news: _News, reason: Reason, plan: Plan, now: datetime) -> Decision:
    """The decision with one update for each status in `news`, in that order."""
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
    """The decision when the customer knows where these parts are. Another reason of a part, or another value of a
    watched detail, is told; else what an order without parts would tell."""
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
    """True if the part has another reason, or if another value came for a detail that the touchpoint's `news`
    names."""
    if touchpoint.once and event.status in known.told_once:
        return False
    assert event.part is not None
    then = part_values.news(parts.named(before.parts, event.part.id), before)
    now = part_values.news(parts.named(known.parts, event.part.id), known)
    watched = ("reason", *(f"details.{name}" for name in touchpoint.news))
    return any(notices.is_shown(now.get(key)) and now.get(key) != then.get(key) for key in watched)


def _missed(before: Order | None, known: Order, plan: Plan) -> _News:
    """The statuses of parts that a message could not tell the customer, once the order has another address."""
    if before is None or notices.address(known) in ("", notices.address(before)):
        return {}
    return {status: ids for status, ids in part_words.missed(known).items() if plan.knows(status)}


def _waiting(order: Order, status: str, plan: Plan) -> Notification | None:
    """The newest message that waits to tell that parts are in this status; None: there is none."""
    return next(
        (
            it
            for it in reversed(order.pending)
            if it.parts and it.status == status and not it.begun and part_words.stands(it, order, plan)
        ),
        None,
    )


def _seqs(order: Order, ids: Sequence[str]) -> set[int]:
    return {part.word.seq for part in parts.known(order) if part.id in ids}
