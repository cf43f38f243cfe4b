"""The parts of an order, such as parcels or lines, and what follows from them for the order.

Events are folded part by part, and the outcome does not depend on the order in which they arrive. A part has the
status of the newest event that names it. An event that names no part speaks of the whole order. It gives a part its
status if it is newer than the part's own events, and if it moves the part on: its status has to stand behind the
part's status in the plan, where every final status stands behind all open ones. So a second `in_production`, which
only brings another date, takes no parcel back that has left. For example:

    Monday     in_production                 the whole order
    Tuesday    shipped, part A of 3          A is shipped, the two others are in production, and so is the order
    Wednesday  shipped, part B of 3          A and B are shipped; the order is still in production
    Thursday   in_production, another date   A and B are still shipped
    Friday     cancelled                     all three are cancelled, and so is the order

While a part has not ended, the order has the status that stands first in the plan among the parts that have not
ended. After the last of them ended, it has the first among their final statuses.

An `of` may say that there are parts which no event has named yet. They are where the newest event of the whole order
put it. If no event spoke of the whole order, they are in the first status of the named parts that is not final.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from avisa.core import facts, part_facts, part_places
from avisa.core.evolve import evolve
from avisa.core.model import Order, OrderEvent, Rank
from avisa.core.part import Part, Parts, Word
from avisa.core.plan import Plan

WHOLE = ""  # stands among the ids of parts for the whole order

_MOST = 200  # parts of an order
_NONE = Parts()


def with_event(order: Order, event: OrderEvent, rank: Rank, plan: Plan) -> Order:
    """The order with its parts after an event that names one of them. The status of the order does not change here.

    With the first part of an order, what its customer was told of the order counts as told of each part.
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
    named_parts = tuple(part if it.id == part.id else it for it in parts.known)
    if order.size > part_facts.MOST_BYTES:
        named_parts = part_facts.within_bounds(named_parts)
    return evolve(order, parts=replace(parts, known=named_parts))


def of_order(event: OrderEvent) -> OrderEvent:
    """The event as the order's own facts take it: a reason or a next step is the part's."""
    if not any(key in event.facts for key in part_facts.OF_STAY):
        return event
    return replace(event, facts={key: value for key, value in event.facts.items() if key not in part_facts.OF_STAY})


def known(order: Order) -> tuple[Part, ...]:
    """The parts that events have named, by number."""
    return order.parts.known if order.parts is not None else ()


def named(parts: Parts | None, part_id: str) -> Part | None:
    """The part of this id; None if no event named it, or if it was forgotten."""
    return next((it for it in parts.known if it.id == part_id), None) if parts is not None else None


def newest(part: Part, order: Order) -> tuple[Rank, str]:
    """The rank of the event that gave the part its status, and that status."""
    own = part.statuses[-1]
    return own if part.stays or not order.statuses else max(own, order.statuses[-1])


def moves_none(order: Order, rank: Rank) -> bool:
    """True if the event of this rank is the newest of the whole order, gave no part its status, and left at least one
    part where it is because that part is as far already."""
    is_newest = bool(order.statuses) and order.statuses[-1][0] == rank
    return is_newest and any(part.stays for part in known(order)) and not set_by(order, rank)


def moved_indirectly(before: Order, order: Order, rank: Rank) -> dict[str, list[str]]:
    """The parts whose status changed with the event of this rank, although another event gave them their status:
    their ids by that status.

    Either the event takes back one of the whole order that had moved the parts on, such as a cancellation, and each
    part is again where its own newest event had put it. Or the event is a late one of the part, and the newer event
    of the whole order moves the part on from there.
    """
    found: dict[str, list[str]] = {}
    for part in known(order):
        then, (given, status) = named(before.parts, part.id), newest(part, order)
        if then is not None and given != rank and newest(then, before)[1] != status:
            found.setdefault(status, []).append(part.id)
    return found


def has_placed_others(order: Order) -> bool:
    """True if there are parts that no event has named, and an event of the whole order said where they are."""
    return bool(order.statuses) and _has_others(order)


def has_unplaced_others(order: Order) -> bool:
    """True if there are parts that no event has named, and no event said where they are."""
    return not order.statuses and _has_others(order)


def _has_others(order: Order) -> bool:
    parts = order.parts or _NONE
    return parts.of is not None and parts.of[1] > parts.named


def set_by(order: Order, rank: Rank) -> list[str]:
    """The ids of the parts that have their status from the event of this rank; WHOLE stands for those not named."""
    ids = [part.id for part in known(order) if newest(part, order)[0] == rank]
    return [*ids, WHOLE] if has_placed_others(order) and order.statuses[-1][0] == rank else ids


def status_of(order: Order, plan: Plan) -> str:
    """The status of the order, worked out from the statuses of its parts (see above)."""
    statuses = {newest(part, order)[1] for part in known(order)}
    if has_placed_others(order) or not statuses:
        statuses.add(order.statuses[-1][1])
    elif has_unplaced_others(order):
        statuses.add(_first_open(known(order), plan))
    return min(statuses, key=lambda status: (part_places.place(status, plan), status))


def _first_open(parts: Iterable[Part], plan: Plan) -> str:
    """The status in which an order of these parts was at first: the oldest of their statuses that is not final; else
    the first such status of the plan."""
    oldest_first = [status for _, status in sorted(each for part in parts for each in part.statuses)]
    begun = (status for status in (*oldest_first, *plan.touchpoints) if not plan.touchpoint(status).final)
    return next(begun, oldest_first[0])


def fulfilled_at(order: Order, plan: Plan) -> datetime | None:
    """The moment, in UTC, at which the last part came to a status that fulfils the promise; None while a part may
    still come to one, or if no part did. A part that ended elsewhere, such as a cancelled one, is not waited for."""
    if has_unplaced_others(order):
        return None
    runs = [facts.sightings_of(part, order) for part in known(order)]
    if has_placed_others(order):
        runs.append(order.statuses)
    fulfilled: list[datetime] = []
    for statuses in runs:
        ranks = [rank for rank, status in statuses if plan.touchpoint(status).fulfils_promise]
        if ranks:
            fulfilled.append(min(facts.occurred_at(rank, rank_by=plan.events.rank_by) for rank in ranks))
        elif not plan.touchpoint(statuses[-1][1]).final:
            return None
    return max(fulfilled, default=None)


def status(order: Order, part_id: str) -> str:
    """The status of the part of this id; if no event has named it, that of the newest event of the whole order."""
    part = named(order.parts, part_id)
    return order.statuses[-1][1] if part is None else newest(part, order)[1]


def _within_bounds(order: Order, parts: Parts, plan: Plan) -> tuple[Part, ...]:
    """The parts with room for one more. What is forgotten is the longest quiet of those that ended, else of all."""
    if len(parts.known) < _MOST:
        return parts.known

    def keeps(part: Part) -> tuple[bool, Rank]:
        rank, status = newest(part, order)
        return not plan.touchpoint(status).final, rank

    forgotten = min(parts.known, key=keeps)
    return tuple(part for part in parts.known if part is not forgotten)
