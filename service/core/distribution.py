"""How often each number occurred. It takes as much memory as there are different numbers, however often they
occur."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

_STEP = timedelta(minutes=6)  # durations are counted in tenths of an hour


@dataclass(slots=True)
class Distribution:
    """How often each number occurred. A duration is counted as a number of tenths of an hour, rounded down."""

    counts: Counter[int] = field(default_factory=Counter)

    def add(self, number: int) -> None:
        self.counts[number] += 1

    def add_duration(self, lasted: timedelta) -> None:
        self.counts[lasted // _STEP] += 1

    def merge(self, other: Distribution) -> None:
        self.counts.update(other.counts)

    def share(self, share: float) -> int | None:
        """The smallest number that at least this share of all do not exceed (0.5: the median); None: there are
        none."""
        wanted, seen = share * self.counts.total(), 0
        for number in sorted(self.counts):
            seen += self.counts[number]
            if seen >= wanted:
                return number
        return None

    def below(self, lasted: timedelta) -> int:
        """How many of the durations were shorter than `lasted`."""
        return sum(n for number, n in self.counts.items() if number * _STEP < lasted)


def hours(tenths: int | None) -> float | None:
    """Tenths of an hour, as a distribution of durations counts them, in hours."""
    return None if tenths is None else tenths / 10
