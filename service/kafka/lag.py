"""How far we see: up to which moment everything that was published has been taken in.

Every now and then somebody asks the broker for the end of each feed. Once we have taken in all that lay before
that end, everything published before the question was asked is known. A feed is the part of a topic that is
read in one order, `topic/partition`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

PROBE_EVERY = timedelta(seconds=2)
_PROBES_KEPT = 64


@dataclass(slots=True)
class _Feed:
    passed: int = 0  # the offset before which everything was taken in
    end: int | None = None  # as last heard
    end_at_start: int | None = None
    published_at: datetime | None = None  # when we last heard that something new had come, or first asked
    seen_until: datetime | None = None
    asked: deque[tuple[datetime, int]] = field(default_factory=deque)  # questions and ends not passed yet

    def settle(self) -> None:
        while self.asked and self.asked[0][1] <= self.passed:
            self.seen_until = self.asked.popleft()[0]


class LagTracker:
    """How far behind we are on the feeds assigned to this process; all moments are real ones."""

    def __init__(
        self,
        *,
        since: datetime,
        blind_after: Callable[[], timedelta],
        silent_after: Callable[[], timedelta | None] = lambda: None,
    ) -> None:
        """`silent_after` is for a feed that is never silent: when it is, whatever feeds it has stopped."""
        self._since = since
        self._blind_after = blind_after
        self._silent_after = silent_after
        self._feeds: dict[str, _Feed] = {}
        self._assigned = False  # it may be an assignment of no feed, when there are more of us than feeds
        self._caught_up = False
        self.answered = False  # whether Kafka ever did

    # -- what the subscription tells it

    def assigned(self, feeds: Collection[str]) -> None:
        """These feeds are ours from now on, and no others. What was known of them may be out of date."""
        self._feeds = {feed: _Feed() for feed in feeds}
        self._assigned = True

    def revoked(self) -> None:
        """No feed is ours any more."""
        self._feeds = {}
        self._assigned = False

    def passed(self, feed: str, offset: int) -> None:
        """Everything before `offset` has been taken in."""
        if (known := self._feeds.get(feed)) is not None:
            known.passed = offset
            known.settle()

    def probed(self, feed: str, *, at: datetime, end: int) -> None:
        """Asked at `at`, the broker said that the feed ends before `end`."""
        if (known := self._feeds.get(feed)) is None:
            return
        if end != known.end:
            known.end, known.published_at = end, at
        if known.end_at_start is None:
            known.end_at_start = end
        if known.asked and known.asked[-1][1] == end:
            known.asked.pop()  # nothing came in between: the later question tells more
        elif len(known.asked) >= _PROBES_KEPT:
            known.asked = deque(list(known.asked)[::2])  # coarser, which errs on the side of blindness
        known.asked.append((at, end))
        known.settle()

    # -- what it knows

    @property
    def feeds(self) -> frozenset[str]:
        return frozenset(self._feeds)

    def seen_until(self, feed: str) -> datetime | None:
        """The latest moment before which nothing that was published is unknown to us; None if we know of none."""
        known = self._feeds.get(feed)
        return None if known is None else known.seen_until

    def fresh_partitions(self, now_real: datetime) -> frozenset[str]:
        """The feeds that are ours and of which nothing older than `blind_after` is unread, and none that has been
        silent for longer than it ever is."""
        horizon, silence = now_real - self._blind_after(), self._silent_after()
        return frozenset(
            name
            for name, feed in self._feeds.items()
            if feed.seen_until is not None
            and feed.seen_until >= horizon
            and (silence is None or feed.published_at is None or now_real - feed.published_at <= silence)
        )

    def blind(self, now_real: datetime) -> bool:
        """True if any feed of ours is behind, or none is ours."""
        return not self._feeds or len(self.fresh_partitions(now_real)) < len(self._feeds)

    def caught_up(self, now_real: datetime) -> bool:
        """Whether sending may begin: what lay unread at start has been taken in, or `blind_after` is over."""
        if not self._caught_up:
            self._caught_up = now_real - self._since >= self._blind_after() or (
                self._assigned and self._nothing_left_from_start()
            )
        return self._caught_up

    def lag_records(self) -> int:
        """How many records were published and not taken in, as last heard."""
        return sum(max(0, feed.end - feed.passed) for feed in self._feeds.values() if feed.end is not None)

    def lag_seconds(self, now_real: datetime) -> float:
        """How far the feed we see least of lies behind, beyond what asking only now and then costs."""
        since = [feed.seen_until or self._since for feed in self._feeds.values()]
        behind = now_real - min(since, default=now_real) - 2 * PROBE_EVERY
        return max(0.0, behind.total_seconds())

    def _nothing_left_from_start(self) -> bool:
        return all(
            feed.end_at_start is not None and feed.passed >= feed.end_at_start for feed in self._feeds.values()
        )
