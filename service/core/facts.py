"""What is known of an order: its events folded in rank order, whatever order they arrived in.

Each fact remembers the rank of the event that set it, and the higher rank wins. So merging takes a maximum for each
key, and the order of arrival does not matter.

Two kinds of fact end: those of a customer when another customer takes over, and `reason` and `next_step` when the
status changes. Ended facts are hidden, not removed, because a late event may show that the customer or the status
began earlier. A *sighting* is the rank at which a status or a customer id was seen; a *run* is a row of sightings of
one value. A fact is hidden if it ranks before the run of the newest value.

A publisher may never stop writing about an order, and the whole order is stored with each event, so the numbers of
details and of sightings are limited.
"""

from __future__ import annotations

import json
from bisect import bisect
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from avisa.core import working_time, zones
from avisa.core.model import Fact, Json, Order, OrderEvent, Rank
from avisa.core.part import Part
from avisa.core.plan import Plan

Sightings = tuple[tuple[Rank, str], ...]

FIELDS = frozenset(
    {
        *("promised_at", "brand", "owner", "reason", "next_step", "notify"),
        *("occurred_at", "sequence", "id", "source", "time", "timestamp"),
        *("part", "part.id", "part.of"),
        *("customer", "customer.id", "customer.name", "customer.first_name", "customer.given_name"),
        *("customer.email", "customer.phone"),
        *("customer.locale", "customer.time_zone", "customer.channels"),
        *("details", "details.number", "details.url", "details.items", "details.total", "details.currency"),
    }
)
MAX_DETAILS_BYTES = 64 * 1024  # of an order, and of one event

# An event makes ten facts, and the constructor of a named tuple is a function of Python around this one.
_new = tuple.__new__

# json.dumps would make an encoder for each fact.
_written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OF_EPISODE = ("reason", "next_step")
_GROUPS = ("customer", "details")
_MAY_HIDE = (*_OF_EPISODE, *_GROUPS)  # without one of these, all facts of one customer are shown
_MOST_DETAILS = 1_000  # of an order; an event sets 200 at most
_MOST_SIGHTINGS = 250  # of which all are kept, and as many ends of older runs


def is_field(name: str) -> bool:
    """True for the name of a field that is read; all others of an event are ignored."""
    return name in FIELDS or name.startswith("details.")


def known_field(name: str) -> str:
    """The field itself, or the known one that it is a part of: one of a closed set, as a metric's label must be."""
    while name not in FIELDS:
        name = name.rpartition(".")[0] or "details"
    return name


def rank_of(event: OrderEvent, *, arrival: int, rank_by: str) -> Rank:
    """Where the event stands among those of its order; the sequence first if the plan ranks by it."""
    delta = event.occurred_at - _EPOCH
    moment = (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
    sequence = -1 if event.sequence is None else event.sequence
    return (sequence, moment, arrival) if rank_by == "sequence" else (moment, sequence, arrival)


def occurred_at(rank: Rank, *, rank_by: str) -> datetime:
    """The moment, in UTC, at which the event of this rank occurred; `rank_by` as it was for `rank_of`."""
    return _EPOCH + timedelta(microseconds=rank[1 if rank_by == "sequence" else 0])


def merged(facts: Mapping[str, Fact], news: Mapping[str, Json], rank: Rank) -> Mapping[str, Fact]:
    """The facts with what an event of `rank` says filled in wherever nothing newer has spoken."""
    if not news:
        return facts
    told = {key: _new(Fact, (rank, value)) for key, value in news.items()}
    result = {**facts, **told} if facts else told
    for key in facts.keys() & told.keys():
        if not facts[key].rank < rank:
            result[key] = facts[key]
    return result if len(result) <= _MOST_DETAILS else _of_newest_details(result)


def within_bounds(known: Mapping[str, Fact]) -> Mapping[str, Fact]:
    """The facts with as many of the newest details as fit into 64 KiB, and none that is older than the first that
    does not fit. So a fat order does not make each small event dear."""
    details = sorted(((fact.rank, key) for key, fact in known.items() if key.startswith("details.")), reverse=True)
    room = MAX_DETAILS_BYTES
    left_out = set()
    for _, key in details:
        written = _written(known[key].value)
        room -= len(key) + len(written.encode("utf-8", "replace"))
        if room < 0:
            left_out.add(key)
    return {key: fact for key, fact in known.items() if key not in left_out} if left_out else known


def _of_newest_details(known: dict[str, Fact]) -> dict[str, Fact]:
    """The facts without those details that were set longest ago, if there are too many."""
    details = sorted((fact.rank, key) for key, fact in known.items() if key.startswith("details."))
    left_out = {key for _, key in details[:-_MOST_DETAILS]}
    return {key: fact for key, fact in known.items() if key not in left_out}


def add_sighting(sightings: Sightings, rank: Rank, value: str) -> Sightings:
    """The sightings with one more, in rank order."""
    full = len(sightings) > _MOST_SIGHTINGS
    if full and rank < sightings[-_MOST_SIGHTINGS][0] and _inside_a_run(sightings, rank):
        return sightings
    newest = not sightings or sightings[-1][0] < rank
    more = (*sightings, (rank, value)) if newest else tuple(sorted((*sightings, (rank, value))))
    return more if len(more) <= 2 * _MOST_SIGHTINGS else _pruned(more)


def _inside_a_run(sightings: Sightings, rank: Rank) -> bool:
    """True if the sightings on both sides of `rank` have the same value.

    Sightings inside such a run may have been pruned already, so a late one must not split the run.
    """
    place = bisect(sightings, (rank,))
    return 0 < place < len(sightings) and sightings[place - 1][1] == sightings[place][1]


def _pruned(sightings: Sightings) -> Sightings:
    """All newest sightings; of the older ones only the first and the last of each run, up to as many again."""
    values = [None, *(value for _, value in sightings)]
    ends = [
        sighting
        for place, sighting in enumerate(sightings[:-_MOST_SIGHTINGS])
        if not values[place] == sighting[1] == values[place + 2]
    ]
    return (*ends[-_MOST_SIGHTINGS + 1 :], *sightings[-_MOST_SIGHTINGS:])


def current_run_start(sightings: Sightings) -> Rank | None:
    """The rank at which the run of the newest value began; None without sightings.

    For example, of the statuses `paid, packed, paid, paid` the run of `paid` began at the third.
    """
    start: Rank | None = None
    for rank, value in reversed(sightings):
        if value != sightings[-1][1]:
            break
        start = rank
    return start


def sightings_of(part: Part, order: Order) -> Sightings:
    """The statuses that a part passed, in rank order: those of its own events and those of the whole order. The last
    is its present status. So if the part `stays`, the statuses of the whole order behind its own are left out."""
    if not order.statuses:
        return part.statuses
    statuses = sorted((*part.statuses, *order.statuses))
    return tuple(statuses[: bisect(statuses, part.statuses[-1])] if part.stays else statuses)


def stay_began(order: Order) -> Rank | None:
    """The rank at which the present stay began; None if that is not known. Of an order with parts, when the first of
    those that are in its status entered it."""
    whole = current_run_start(order.statuses)
    if order.parts is None:
        return whole
    began = [whole] if whole is not None and order.statuses[-1][1] == order.status else []
    for part in order.parts.known:
        statuses = sightings_of(part, order)
        start = current_run_start(statuses)
        if start is not None and statuses[-1][1] == order.status:
            began.append(start)
    return min(began, default=whole)


def visible(order: Order, key: str) -> Json:
    """The value of one fact as it stands, or None."""
    fact = order.facts.get(key)
    if fact is None or fact.value is None:
        return None
    group, dot, _ = key.partition(".")
    if dot:
        cleared = order.facts.get(group)
        if cleared is not None and fact.rank < cleared.rank:
            return None
    if group == "customer" and fact.rank < _customer_since(order):
        return None
    if key in _OF_EPISODE and fact.rank < (stay_began(order) or fact.rank):
        return None
    return fact.value


def view(order: Order) -> dict[str, Json]:
    """All facts as they stand, flat: `customer.name`, `details.total`, `promised_at` …"""
    since = _customer_since(order)
    if not since and order.facts.keys().isdisjoint(_MAY_HIDE):  # as of most orders
        return {key: value for key, (_, value) in order.facts.items() if value is not None}
    episode = stay_began(order)
    cleared = {group: order.facts[group].rank for group in _GROUPS if group in order.facts}
    shown: dict[str, Json] = {}
    for key, fact in order.facts.items():
        if fact.value is None or (key in _OF_EPISODE and episode is not None and fact.rank < episode):
            continue
        group, dot, _ = key.partition(".")
        if dot and group in cleared and fact.rank < cleared[group]:
            continue
        if group == "customer" and fact.rank < since:
            continue
        shown[key] = fact.value
    return shown


def _customer_since(order: Order) -> Rank | tuple[()]:
    """The rank from which on facts belong to the present customer.

    Facts from before any `customer.id` belong to the first customer: an id after no id is not another customer.
    """
    ids = order.customers
    if not ids or all(value == ids[-1][1] for _, value in ids):
        return ()
    return current_run_start(ids) or ()


def promise(order: Order) -> str | None:
    """The promise as the publisher gave it: a day, a moment in UTC, or a slot of two such moments."""
    value = visible(order, "promised_at")
    return value if isinstance(value, str) else None


@lru_cache(4096)  # an order's is asked for several times, and many orders have the same day
def promise_moment(promised: str, zone: tzinfo) -> datetime:
    """When a promise ends: a day in the customer's zone, a slot with its second moment."""
    if len(promised) == len("2026-03-09"):
        return working_time.end_of_day(date.fromisoformat(promised), zone)
    return datetime.fromisoformat(promised.rpartition("/")[2])


def promise_begin(promised: str) -> datetime | None:
    """When the slot of a promise begins; None if the promise is no slot."""
    begin, slash, _ = promised.partition("/")
    return datetime.fromisoformat(begin) if slash else None


def zone(order: Order, plan: Plan) -> tzinfo:
    """The customer's time zone, else the brand's."""
    name = visible(order, "customer.time_zone")
    own = zones.named(name) if isinstance(name, str) else None
    return own or zones.named(plan.brand(visible(order, "brand")).time_zone) or UTC


def owner(order: Order, plan: Plan) -> str | None:
    """The owner of the order's present touchpoint: the event's, if the plan knows it, else the touchpoint's."""
    named = visible(order, "owner")
    if isinstance(named, str) and named in plan.owners:
        return named
    return plan.touchpoint(order.status).owner
