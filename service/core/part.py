"""A part of an order as the order keeps it, such as a parcel or a line; and how an event names one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PartName:
    """The part that an event speaks of, and of how many it is one, if the event says so."""

    id: str
    of: int | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """What the customer knows of a part: the status that the message `seq` tells, or the one `before`, should that
    message never leave."""

    status: str | None = None
    before: str | None = None
    seq: int = 0  # 0: no message of its own; below 0: a message that could not reach the customer


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part. `number` counts from 1, in the order in which the parts were first heard of, and never changes."""

    id: str
    number: int
    # The status of every event that named it, in rank order; a rank is that of `model`.
    statuses: tuple[tuple[tuple[int, int, int], str], ...] = ()
    # Reason, next step and the short details that these events gave, each with the rank of its event.
    facts: Mapping[str, tuple[tuple[int, int, int], Any]] = field(default_factory=dict)
    word: Word = Word()
    # The newest event of the whole order came later than all of these, and does not move the part: it is not ahead.
    stays: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of an order by number, and what is known of those that no event has named yet."""

    known: tuple[Part, ...] = ()
    named: int = 0  # how many were ever named; more than are known if some were forgotten
    of: tuple[tuple[int, int, int], int] | None = None  # how many there are by the newest event that says so
    word: Word = Word()  # what the customer knows of the whole order
