"""The values that messages show of the parts of an order, and the statuses and details of one part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from avisa.core import facts, part_facts, part_words, parts
from avisa.core.model import Json, Notification, Order, Rank
from avisa.core.part import Part

_MOST_LISTED = 10  # numbers of parts


def shown(order: Order, notification: Notification) -> dict[str, Json] | None:
    """The variable `part`; None where the message is about the order alone, or about all of it, parts and whole."""
    known = order.parts
    if known is None:
        return None
    about, others = part_words.about(order, notification), part_words.is_about_others(order, notification)
    total = max(known.named, known.of[1] if known.of is not None else 0)
    speaks_of_all = len(about) == len(known.known) and (others or total == known.named)
    of_order = not notification.parts or parts.WHOLE in notification.parts  # nobody said that it has one part only
    if not (about or others) or (speaks_of_all and (total > 1 or of_order)):
        return None
    numbers = [part.number for part in about]
    if others:
        numbers += range(known.named + 1, total + 1)
    newest_one = max(about, key=lambda part: parts.newest(part, order)) if about else None
    return {
        "id": newest_one.id if newest_one is not None else parts.WHOLE,
        "number": newest_one.number if newest_one is not None else numbers[0],
        "of": total,
        "status": notification.status,
        "numbers": _listed(numbers),
    }


def with_part_facts(order: Order, notification: Notification, known: Mapping[str, Json]) -> Mapping[str, Json]:
    """The facts that a message shows: `known`, which are those of the order, with the facts of its parts in place.

    - Reason and next step are the newest among those of the parts that the message is about; or, for a message about
      the whole order, among those of the parts that have the status of the order. Parts that no event has named have
      the reason that the order's own events gave.
    - The details of a part are shown if the message is about this part alone.
    """
    about, others = part_words.about(order, notification), part_words.is_about_others(order, notification)
    whole = not (about or others)
    sources = about
    if whole:
        sources = [part for part in parts.known(order) if parts.newest(part, order)[1] == order.status]
    values = dict(known)
    for key in part_facts.OF_STAY:
        found = [fact for part in sources if (fact := part.facts.get(key)) and _is_newer(part, fact[0], order)]
        own = order.facts.get(key) if key in known else None
        if own is not None and (whole or others or any(_is_newer(it, own.rank, order) for it in about)):
            found.append((own.rank, own.value))
        values[key] = max(found, key=lambda fact: fact[0])[1] if found else None
    if len(about) == 1 and not others:
        for key, (_, value) in about[0].facts.items():
            if key not in part_facts.OF_STAY:
                values[key] = value
    return {key: value for key, value in values.items() if value is not None}


def news(part: Part | None, order: Order) -> dict[str, Json]:
    """The facts of a part by name: its details, and the reason and the next step of its present status."""
    if part is None:
        return {}
    return {
        key: fact[1]
        for key, fact in part.facts.items()
        if key not in part_facts.OF_STAY or _is_newer(part, fact[0], order)
    }


def statuses_of_all(order: Order) -> Iterator[str]:
    """The statuses that the events of the parts named."""
    return (status for part in parts.known(order) for _, status in part.statuses)


def statuses_of(order: Order, part_id: str) -> tuple[str, ...]:
    """The statuses that this part passed: those of its own events, and those that the whole order gave it."""
    part = parts.named(order.parts, part_id)
    sightings = facts.sightings_of(part, order) if part is not None else order.statuses
    return tuple(status for _, status in sightings)


def _listed(numbers: list[int]) -> list[Json]:
    """All numbers, if there are up to twelve; else the first ten and the last, because a subject has little room."""
    return numbers if len(numbers) <= _MOST_LISTED + 2 else [*numbers[:_MOST_LISTED], "…", numbers[-1]]


def _is_newer(part: Part, rank: Rank, order: Order) -> bool:
    """True if an event of this rank is not older than the event that brought the part to its present status."""
    return rank >= (facts.current_run_start(facts.sightings_of(part, order)) or rank)
