"""A part of an order as the order keeps it, such as a parcel or a line; and how an event names one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PartName:
    """How an event names a part, as in "parcel RR-2, one of 3"."""

    id: str
    of: int | None = None  # how many parts the order has; None: the event does not say


@dataclass(frozen=True, slots=True)
class Word:
    """What the customer knows of a part, or of the whole order: the newest status that a message tells them."""

    status: str | None = None  # None: nothing was told
    before: str | None = None  # what the customer knows for as long as the message `seq` has not left
    seq: int = 0  # of the message that tells it; 0: none does; below 0: it could not reach the customer


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part. `number` counts from 1, in the order in which the first events of the parts arrived. It never
    changes, for the customer may have read it."""

    id: str
    number: int
    # The status of every event that named it, in rank order; a rank is that of `model`.
    statuses: tuple[tuple[tuple[int, int, int], str], ...] = ()
    # Reason, next step and the short details that these events gave, each with the rank of its event.
    facts: Mapping[str, tuple[tuple[int, int, int], Any]] = field(default_factory=dict)
    word: Word = Word()
    # True: the newest event of the whole order is newer than these events, but does not move the part, because its
    # status does not stand behind the part's own in the plan.
    stays: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of an order, by number, and what is known of the parts that no event has named yet."""

    known: tuple[Part, ...] = ()
    named: int = 0  # how many parts events have named; more than `known` has once some were forgotten
    of: tuple[tuple[int, int, int], int] | None = None  # how many parts there are, with the rank of the event
    word: Word = Word()  # what the customer knows of the whole order
