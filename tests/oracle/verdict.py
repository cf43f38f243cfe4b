"""What the oracle found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What can be wrong with what was sent."""

    LOST = "lost"  # a mail that had to come did not
    LATE = "late"  # it came, but not in its time
    DUPLICATE = "duplicate"  # twice, with nothing to excuse it
    OTHER_BYTES = "other_bytes"  # twice with an excuse, but not the same mail
    OUT_OF_ORDER = "out_of_order"  # older after newer
    OVER_TOLD_DATE = "over_told_date"  # silence beyond a date that the customer was told
    EARLY = "early"  # a reminder before its deadline
    STALE = "stale"  # sent although something newer had been taken in
    UNEXPECTED = "unexpected"  # nothing in the rules asks for it
    WRONG_RECIPIENT = "wrong_recipient"
    IN_QUIET_HOURS = "in_quiet_hours"
    COUNTS = "counts"  # promise 5 does not add up


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule."""

    kind: Kind
    order_id: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind} {self.order_id}: {self.text}"


@dataclass(slots=True)
class Verdict:
    """All that was found, and what was counted on the way."""

    violations: list[Violation] = field(default_factory=list)
    mails: Counter[str] = field(default_factory=Counter)  # by purpose, each mail once
    excused: int = 0  # doubles that promise 4 allows
    answers: int = 0  # of owners, that acted
    unplaced: int = 0  # orders with an answer that a record may have overtaken: their messages are not foretold
    order_of: dict[str, str] = field(default_factory=dict)  # by Message-ID
    max_lateness_real_s: float = 0.0  # of a reminder, at most

    def count(self, kind: Kind) -> int:
        return sum(violation.kind is kind for violation in self.violations)

    def add(self, kind: Kind, order_id: str, text: str) -> None:
        self.violations.append(Violation(kind, order_id, text))

    @property
    def clean(self) -> bool:
        return not self.violations

    def __str__(self) -> str:
        return "\n".join(map(str, self.violations)) or "clean"
