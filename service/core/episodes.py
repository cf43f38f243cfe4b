"""What an event adds to its order, whether or not anybody is told: identity, facts, status, a new episode."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from avisa.core import facts, questions
from avisa.core.evolve import evolve
from avisa.core.model import BLANK_ORDER, Alert, Fact, Json, Order, OrderEvent, Rank
from avisa.core.plan import Touchpoint

# Bytes of identities, 16 an event. An event that 4,095 others followed ranks below the known status. So it has no
# effect when it comes again, although its identity is forgotten; unless all of them happened in one moment.
_MOST_SEEN = 4_096 * 16

# The other alerts are told once an episode.
ONCE_AN_ORDER = frozenset({Alert.UNREACHABLE, Alert.FLOOD})


def already_holds(order: Order, identity: bytes) -> bool:
    """True if the event of this identity was taken in before."""
    at = order.seen.find(identity)
    while at != -1 and at % len(identity):  # a match astride two identities is no match
        at = order.seen.find(identity, at + 1)
    return at != -1


def first(event: OrderEvent, rank: Rank, touchpoint: Touchpoint, now: datetime) -> Order:
    """A new order, at the beginning of its first episode."""
    blank = evolve(BLANK_ORDER, order_id=event.order_id, status=event.status, status_rank=rank, entered_at=now)
    return entered(blank, event, rank, touchpoint, now)


def entered(order: Order, event: OrderEvent, rank: Rank, touchpoint: Touchpoint, now: datetime) -> Order:
    """The order at the beginning of a new episode, told or not."""
    return begun(merged(order, event, rank, now), touchpoint, now)


def begun(order: Order, touchpoint: Touchpoint, now: datetime) -> Order:
    """The order, which has just come to the status of `touchpoint`, at the beginning of the episode."""
    return evolve(
        order,
        episode=order.episode + 1,
        entered_at=now,
        final=touchpoint.final,
        ended_at=now if touchpoint.final else None,
        reminders=0,
        spent=False,
        ordinals={},
        unreached_at=None,
        alerts=order.alerts & ONCE_AN_ORDER,
        asking=questions.of_new_episode(order.asking, now),
    )


def merged(order: Order, event: OrderEvent, rank: Rank, now: datetime) -> Order:
    """The order with all that the event says of facts, and nothing else.

    The newest event names the status; a repeat raises its rank, so that what lies between the two is older.
    """
    newest = rank >= order.status_rank
    customer = event.facts.get("customer.id")
    known, size = facts.merged(order.facts, event.facts, rank), order.size + event.size
    if size > facts.MAX_DETAILS_BYTES:
        known = facts.within_bounds(known)
    return evolve(
        order,
        facts=known,
        promise_first=order.promise_first or _promised(known),
        status=event.status if newest else order.status,
        status_rank=rank if newest else order.status_rank,
        feed=event.position.feed,
        last_word_at=now,
        size=size,
        statuses=facts.add_sighting(order.statuses, rank, event.status),
        customers=order.customers if customer is None else facts.add_sighting(order.customers, rank, str(customer)),
        seen=(order.seen + event.identity)[-_MOST_SEEN:],
        arrivals=order.arrivals + 1,
        asking=questions.heeded(order.asking),
    )


def with_facts(order: Order, known: Mapping[str, Fact]) -> Order:
    """The order with these facts, and with what their promise means."""
    return evolve(order, facts=known, promise_first=order.promise_first or _promised(known))


def _promised(known: Mapping[str, Fact]) -> Json:
    promised = known.get("promised_at")
    return promised.value if promised is not None else None
