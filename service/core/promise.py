"""A promise as its order keeps it: the date, what became of it, and when to look at it again."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from avisa.core.quick_dataclass import dataclass


class PromiseState(StrEnum):
    """What became of a promise. While it is OPEN, AT_RISK or MOVED, nobody knows yet whether it will be kept."""

    OPEN = "open"
    AT_RISK = "at_risk"
    MOVED = "moved"
    KEPT = "kept"
    BROKEN = "broken"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True)  # without slots, for `evolve`
class Promise:
    """The newest promise of an order. `date` and `state` are None until the first date is given.

    `date` is what the publisher or an owner gave: a day such as `2026-03-09`, which ends with that day where the
    customer lives; a moment in UTC; or a slot `FROM/UNTIL` of two such moments. All other moments are in UTC.
    """

    date: str | None = None
    state: PromiseState | None = None
    since: datetime | None = None  # when the state began; None for an order of a version that did not note it
    due: datetime | None = None  # when the state changes next if nothing happens; None: it does not
    message_seq: int = 0  # the first customer message that told this state; 0: none did
    fulfilled_at: datetime | None = None  # when the status that fulfils it occurred
    noticed: tuple[str, ...] = ()  # the newest notices, as `at_risk 2026-03-09`, so that none is decided twice
