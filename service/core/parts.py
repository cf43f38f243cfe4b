"""The parts of an order, such as parcels or lines, and what follows from them for the order.

Events are folded part by part, whatever order they arrive in: a part has the status of the newest event that names
it; or that of the newest event of the whole order, which names none, if it is newer and moves the part on: its status
stands behind the part's own in the plan, and a final one behind all that are open. An order that is said to be in
production once more, because of another date, takes no parcel back that has left. For example:

    Monday     in_production                 the whole order
    Tuesday    shipped, part A of 3          A is shipped, the two others are in production, and so is the order
    Wednesday  shipped, part B of 3          A and B are shipped; the order is in production still
    Thursday   in_production, another date   A and B are shipped still
    Friday     cancelled                     all three are cancelled, and the order is

The order has the status that stands first in the plan among its parts that have not ended, so it ends with the last
of them; then it has the first among their final ones. Parts that no event has named yet are where the whole order
was, as long as it is known that there are more; if no event spoke of the whole order, where it was first heard of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from avisa.core import facts, part_facts, part_places
from avisa.core.evolve import evolve
from avisa.core.model import Notification, Order, OrderEvent, Rank
from avisa.core.part import Part, Parts, Word
from avisa.core.plan import Plan

WHOLE = ""  # stands among the ids of parts for the whole order

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST = 200  # parts of an order
_NONE = Parts()


def with_event(order: Order, event: OrderEvent, rank: Rank, plan: Plan) -> Order:
    """The order with its parts after an event that names one of them. Its own status is not touched.

    An order that had none until now is known as a whole, and so is what its customer was told of it.
    """
    name = event.part
    assert name is not None
    parts = order.parts or replace(_NONE, word=Word(order.told_status, order.told_status_before, order.told_seq))
    if name.of is not None and (parts.of is None or parts.of[0] < rank):
        parts = replace(parts, of=(rank, name.of))
    part = named(parts, name.id)
    if part is None:
        part = Part(id=name.id, number=parts.named + 1, word=parts.word)
        parts = replace(parts, known=(*_within_bounds(order, parts, plan), part), named=part.number)
    part = replace(
        part,
        statuses=facts.add_sighting(part.statuses, rank, event.status),
        facts=part_facts.merged(part.facts, event.facts, rank),
    )
    those = tuple(part if it.id == part.id else it for it in parts.known)
    if order.size > part_facts.MOST_BYTES:
        those = part_facts.within_bounds(those)
    return evolve(order, parts=replace(parts, known=those))


def of_order(event: OrderEvent) -> OrderEvent:
    """The event as the order's own facts take it: a reason or a next step is the part's."""
    if not any(key in event.facts for key in part_facts.OF_STAY):
        return event
    return replace(event, facts={key: value for key, value in event.facts.items() if key not in part_facts.OF_STAY})


def known(order: Order) -> tuple[Part, ...]:
    """The parts of which an event has spoken by name, by number."""
    return order.parts.known if order.parts is not None else ()


def named(parts: Parts | None, part_id: str) -> Part | None:
    """The part of this id; None if no event named it, or it was forgotten."""
    return next((it for it in parts.known if it.id == part_id), None) if parts is not None else None


def newest(part: Part, order: Order) -> tuple[Rank, str]:
    """The rank of the event that gave the part its status, and that status."""
    own = part.statuses[-1]
    return own if part.stays or not order.statuses else max(own, order.statuses[-1])


def moves_none(order: Order, rank: Rank) -> bool:
    """True if the event of this rank is the newest of the whole order, and came later than a part that it leaves
    where it is, though it gave none its status."""
    is_newest = bool(order.statuses) and order.statuses[-1][0] == rank
    return is_newest and any(part.stays for part in known(order)) and not set_by(order, rank)


def swayed(before: Order, order: Order, rank: Rank) -> dict[str, list[str]]:
    """Of each status the ids of the parts that are in it since the event of this rank, though another one gave it. So
    it is when what had moved them on, such as a cancellation, is no longer the newest event of the whole order; or
    when an older event of the part itself arrives, behind which the whole order stands."""
    found: dict[str, list[str]] = {}
    for part in known(order):
        then, (given, status) = named(before.parts, part.id), newest(part, order)
        if then is not None and given != rank and newest(then, before)[1] != status:
            found.setdefault(status, []).append(part.id)
    return found


def has_others(order: Order) -> bool:
    """True if there are parts that no event has named, and it is known where they are."""
    return bool(order.statuses) and _lacks_names(order)


def unheard(order: Order) -> bool:
    """True if there are parts that no event has named, and no event spoke of the whole order either."""
    return not order.statuses and _lacks_names(order)


def _lacks_names(order: Order) -> bool:
    parts = order.parts or _NONE
    return parts.of is not None and parts.of[1] > parts.named


def set_by(order: Order, rank: Rank) -> list[str]:
    """The ids of the parts whose status the event of this rank gave, with WHOLE for those not named yet."""
    ids = [part.id for part in known(order) if newest(part, order)[0] == rank]
    return [*ids, WHOLE] if has_others(order) and order.statuses[-1][0] == rank else ids


def status_of(order: Order, plan: Plan) -> str:
    """The status of the order, by those of its parts. One that is not in the plan stands behind all that are."""
    statuses = {newest(part, order)[1] for part in known(order)}
    if has_others(order) or not statuses:
        statuses.add(order.statuses[-1][1])
    elif unheard(order):
        statuses.add(_first(known(order), plan))
    return min(statuses, key=lambda status: (part_places.place(status, plan), status))


def _first(those: Iterable[Part], plan: Plan) -> str:
    """Where an order was first heard of, by the events of its parts: in the first status that is no end, else in the
    first such of the plan."""
    heard = [status for _, status in sorted(each for part in those for each in part.statuses)]
    begun = (status for status in (*heard, *plan.touchpoints) if not plan.touchpoint(status).final)
    return next(begun, heard[0])


def fulfilled_at(order: Order, plan: Plan) -> datetime | None:
    """When the last part came to a status that fulfils the promise; None while one may still do so, or if none did.

    A part that ended otherwise, such as a cancelled one, is not waited for.
    """
    if unheard(order):
        return None
    by_sequence = plan.events.rank_by == "sequence"
    runs = [facts.sightings_of(part, order) for part in known(order)]
    if has_others(order):
        runs.append(order.statuses)
    last: int | None = None
    for statuses in runs:
        moments = [rank[by_sequence] for rank, status in statuses if plan.touchpoint(status).fulfils_promise]
        if moments:
            last = max(min(moments), last) if last is not None else min(moments)
        elif not plan.touchpoint(statuses[-1][1]).final:
            return None
    return None if last is None else _EPOCH + timedelta(microseconds=last)


# ---------------------------------------------------------------- what the customer knows


def unknown_to_customer(order: Order, ids: Collection[str], status: str) -> tuple[list[str], list[str]]:
    """Of these parts, which have come to `status`, those of which this is news; and those that are back where their
    customer believes them to be, because what was decided since has not left."""
    others = [part_id for part_id in ids if _word(order, part_id).status != status]
    back = [part_id for part_id in others if believed(order, part_id) == status]
    return [part_id for part_id in others if part_id not in back], back


def believed(order: Order, part_id: str) -> str | None:
    """The status in which the customer believes a part to be: what waits to be told does not count yet."""
    word = _word(order, part_id)
    unsent = any(it.seq == word.seq and not it.begun for it in order.pending)
    return word.before if unsent else word.status


def with_word(order: Order, ids: Collection[str], status: str, seq: int) -> Order:
    """The order once the message `seq` tells of these parts that they are in `status`; 0: once nothing has to."""
    assert order.parts is not None
    parts = order.parts
    those = tuple(
        replace(part, word=Word(status, believed(order, part.id), seq)) if part.id in ids else part
        for part in parts.known
    )
    word = Word(status, believed(order, WHOLE), seq) if WHOLE in ids else parts.word
    return evolve(order, parts=replace(parts, known=those, word=word))


def subjects(order: Order, seq: int) -> list[str]:
    """The ids of the parts of which the message `seq` tells the newest word."""
    if order.parts is None:
        return []
    ids = [part.id for part in order.parts.known if part.word.seq == seq]
    return [*ids, WHOLE] if order.parts.word.seq == seq and has_others(order) else ids


def about(order: Order, notification: Notification) -> list[Part]:
    """The parts that a message is about, by number. One that is sent whatever came since is about those for which it
    was decided."""
    if not notification.parts:
        return []
    ids = subjects(order, notification.seq) or notification.parts
    return [part for part in known(order) if part.id in ids]


def stands(notification: Notification, order: Order, plan: Plan) -> bool:
    """True if a message still is the newest word of a part that has not ended otherwise since."""
    left = (status(order, part_id) for part_id in subjects(order, notification.seq))
    return any(it == notification.status or not plan.touchpoint(it).final for it in left)


def unsaid(order: Order, unsent: Iterable[Notification]) -> Order:
    """The order after these messages were superseded before they left: what they were to tell nobody knows."""
    if order.parts is None:
        return order
    parts, seqs = order.parts, {it.seq for it in unsent}
    those = tuple(replace(it, word=_before(it.word)) if it.word.seq in seqs else it for it in parts.known)
    word = _before(parts.word) if parts.word.seq in seqs else parts.word
    return evolve(order, parts=replace(parts, known=those, word=word))


def without_word(order: Order, seq: int) -> Order:
    """The order after the message `seq` could not reach its customer: what it told may be told again."""
    if order.parts is None:
        return order
    parts = order.parts
    those = tuple(replace(it, word=_missed(it.word, seq)) for it in parts.known)
    return evolve(order, parts=replace(parts, known=those, word=_missed(parts.word, seq)))


def missed(order: Order) -> dict[str, list[str]]:
    """Of each status the ids of the parts of which a message that could not reach the customer told it."""
    found: dict[str, list[str]] = {}
    for part in known(order):
        if part.word.seq < 0 and part.word.status is not None:
            found.setdefault(part.word.status, []).append(part.id)
    return found


def status(order: Order, part_id: str) -> str:
    """The status of the part of this id, or of those that no event has named yet."""
    part = named(order.parts, part_id)
    return order.statuses[-1][1] if part is None else newest(part, order)[1]


def _before(word: Word) -> Word:
    return Word(word.before, word.before)


def _missed(word: Word, seq: int) -> Word:
    return replace(word, seq=-seq) if word.seq == seq else word


def _word(order: Order, part_id: str) -> Word:
    parts = order.parts or _NONE
    part = named(parts, part_id)
    return part.word if part is not None else parts.word


def _within_bounds(order: Order, parts: Parts, plan: Plan) -> tuple[Part, ...]:
    """The parts with room for one more. The one that is forgotten has ended, if any has, and is the longest quiet."""
    if len(parts.known) < _MOST:
        return parts.known

    def keeps(part: Part) -> tuple[bool, Rank]:
        rank, status = newest(part, order)
        return not plan.touchpoint(status).final, rank

    forgotten = min(parts.known, key=keeps)
    return tuple(part for part in parts.known if part is not forgotten)
