"""A promise as the ledger keeps it: the date, what became of it, and when to look at it again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class PromiseState(StrEnum):
    """What became of a promise. Of OPEN, AT_RISK and MOVED the end is still to come."""

    OPEN = "open"
    AT_RISK = "at_risk"
    MOVED = "moved"
    KEPT = "kept"
    BROKEN = "broken"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True)  # without slots, for `evolve`
class Promise:
    """The newest promise of an order. `date` and `state` are None while there was none.

    `date` is as the publisher gave it: a day, a moment in UTC, or a slot `FROM/UNTIL` of two such moments.
    """

    date: str | None = None
    state: PromiseState | None = None
    since: datetime | None = None  # when the state began; None for an order of a version that did not note it
    due: datetime | None = None  # when time alone brings it to its next state
    message_seq: int = 0  # the first customer message that told this state; 0: none did
    fulfilled_at: datetime | None = None  # when the status that fulfils it occurred
    noticed: tuple[str, ...] = ()  # the newest notices decided, each as `STATE DATE`: none is decided twice
