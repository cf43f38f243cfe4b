"""Consumer lag: up to which moment everything that was published has been consumed.

Every two seconds the subscription asks the broker where each partition ends: for its high watermark. Once we have
consumed all records before that end, we know all that was published before the question was asked: its moment becomes
the partition's watermark. Records behind an open transaction, which the broker does not show us before it ends, are
not consumed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from avisa.core import bucket

PROBE_EVERY = timedelta(seconds=2)
OPEN_FOR_LONG = timedelta(seconds=10)  # some producers open one transaction after another, for a moment each
_PROBES_KEPT = 64


@dataclass(slots=True)
class _Partition:
    consumed_to: int = 0  # all records before this offset are consumed
    end: int | None = None  # by the last probe
    stable_end: int = 0  # by the last probe; up to here the broker shows us records
    hidden_since: datetime | None = None  # when a probe first found this stable end with something behind it
    first_end: int | None = None  # by the first probe after the assignment
    grew_at: datetime | None = None  # when a probe last found a new end
    watermark: datetime | None = None
    probes: deque[tuple[datetime, int]] = field(default_factory=deque)  # moments and ends not consumed to yet

    @property
    def hidden(self) -> int:
        return 0 if self.hidden_since is None or self.end is None else self.end - self.stable_end

    def advance(self) -> None:
        while self.probes and self.probes[0][1] <= self.consumed_to:
            self.watermark = self.probes.popleft()[0]


class LagTracker:
    """How far this process lies behind in the partitions assigned to it. A partition is named `topic/partition`;
    all moments are real ones, in UTC.
    """

    def __init__(
        self,
        *,
        since: datetime,
        blind_after: Callable[[], timedelta],
        silent_after: Callable[[], timedelta | None] = lambda: None,
    ) -> None:
        """`since` is the start of the process. `silent_after` is for topics that are never silent for so long: there
        silence means that the publisher has failed."""
        self._since = since
        self._blind_after = blind_after
        self._silent_after = silent_after
        self._partitions: dict[str, _Partition] = {}
        self._buckets = bucket.ALL
        self._assigned = False  # true also of an empty assignment: there may be more replicas than partitions
        self._caught_up = False
        self.answered = False  # whether Kafka ever did

    # -- for the subscription

    def assigned(self, partitions: Collection[str], among: Collection[str] = ()) -> None:
        """These partitions, and no others, are ours from now on. What was known of them may be out of date. `among`
        are all that are assigned to somebody, ours included."""
        self._partitions = {name: _Partition() for name in partitions}
        self._buckets = bucket.share(partitions, {*partitions, *among})
        self._assigned = True

    def revoked(self) -> None:
        """No partition is ours any more."""
        self._partitions = {}
        self._buckets = bucket.ALL
        self._assigned = False

    def consumed_to(self, partition: str, offset: int) -> None:
        """All records before `offset` are consumed."""
        if (known := self._partitions.get(partition)) is not None:
            known.consumed_to = offset
            known.advance()

    def probed(self, partition: str, *, at: datetime, end: int, stable_end: int | None = None) -> None:
        """Asked at `at`, the broker answered that the next record will get the offset `end`, and that the first open
        transaction begins at `stable_end`; None if there is none."""
        if (known := self._partitions.get(partition)) is None:
            return
        stable_end = end if stable_end is None else min(stable_end, end)
        if stable_end == end:
            known.hidden_since = None
        elif known.hidden_since is None or stable_end != known.stable_end:
            known.hidden_since = at
        known.stable_end = stable_end
        if end != known.end:
            known.end, known.grew_at = end, at
        if known.first_end is None:
            known.first_end = end
        if known.probes and known.probes[-1][1] == end:
            known.probes.pop()  # nothing was published in between, so the later moment holds as well
        elif len(known.probes) >= _PROBES_KEPT:
            known.probes = deque(list(known.probes)[::2])  # a coarser watermark, which is never too late
        known.probes.append((at, end))
        known.advance()

    # -- for everybody

    @property
    def feeds(self) -> frozenset[str]:
        """The partitions that are ours, fresh or not."""
        return frozenset(self._partitions)

    @property
    def buckets(self) -> frozenset[int]:
        """The buckets from which to claim first; all, while we do not know which partitions are ours."""
        return self._buckets

    def watermark(self, partition: str) -> datetime | None:
        """Return the latest moment up to which all that was published is consumed; None while there is none."""
        known = self._partitions.get(partition)
        return None if known is None else known.watermark

    def fresh_feeds(self, now_real: datetime) -> frozenset[str]:
        """Return our partitions in which nothing older than `blind_after` is unread, without those that have been
        silent for longer than `silent_after`."""
        horizon, silence = now_real - self._blind_after(), self._silent_after()
        return frozenset(
            name
            for name, known in self._partitions.items()
            if known.watermark is not None
            and known.watermark >= horizon
            and (silence is None or known.grew_at is None or now_real - known.grew_at <= silence)
        )

    def blind(self, now_real: datetime) -> bool:
        """Return whether a partition of ours is not fresh, or none is ours."""
        return not self._partitions or len(self.fresh_feeds(now_real)) < len(self._partitions)

    def caught_up(self, now_real: datetime) -> bool:
        """Return whether sending may begin: what lay unread at the start is consumed, or `blind_after` is over."""
        if not self._caught_up:
            self._caught_up = now_real - self._since >= self._blind_after() or (
                self._assigned and self._backlog_consumed()
            )
        return self._caught_up

    def behind_transaction(self, now_real: datetime) -> dict[str, int]:
        """Return the partitions of which we cannot read the end, because a transaction has been open there for long,
        with the number of records behind it."""
        return {
            name: known.hidden
            for name, known in self._partitions.items()
            if known.hidden_since is not None and now_real - known.hidden_since >= OPEN_FOR_LONG
        }

    def lag_records(self) -> int:
        """Return how many records were published and not consumed, by the last probes."""
        return sum(
            max(0, known.end - known.consumed_to) for known in self._partitions.values() if known.end is not None
        )

    def lag_seconds(self, now_real: datetime) -> float:
        """Return by how many seconds the oldest watermark lies behind, less two intervals between probes."""
        watermarks = [known.watermark or self._since for known in self._partitions.values()]
        behind = now_real - min(watermarks, default=now_real) - 2 * PROBE_EVERY
        return max(0.0, behind.total_seconds())

    def _backlog_consumed(self) -> bool:
        return all(
            known.first_end is not None and known.consumed_to >= known.first_end
            for known in self._partitions.values()
        )
