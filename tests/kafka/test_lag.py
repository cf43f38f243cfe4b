"""The lag, from offsets and probes. Times are seconds after the start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from avisa.core import bucket
from avisa.kafka.lag import _PROBES_KEPT, LagTracker

START = datetime(2026, 3, 2, 10, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def lag(*partitions: str) -> LagTracker:
    made = LagTracker(since=START, blind_after=lambda: timedelta(seconds=300))
    if partitions:
        made.assigned(partitions)
    return made


def test_without_an_assignment_sending_waits_for_blind_after() -> None:
    none = lag()
    assert none.blind(at(0))
    assert not none.fresh_feeds(at(0))
    assert not none.caught_up(at(299))
    assert none.caught_up(at(300))
    assert none.blind(at(300)), "patience lets mails go; it does not make us see"


def test_the_watermark_is_the_last_probe_whose_end_is_consumed() -> None:
    one = lag("t/0")
    one.consumed_to("t/0", 5)
    one.probed("t/0", at=at(1), end=10)
    assert one.watermark("t/0") is None
    assert one.lag_records() == 5
    one.probed("t/0", at=at(3), end=12)
    one.consumed_to("t/0", 10)
    assert one.watermark("t/0") == at(1)
    one.consumed_to("t/0", 12)
    assert one.watermark("t/0") == at(3)
    assert one.lag_records() == 0


def test_a_partition_without_new_records_stays_fresh() -> None:
    one = lag("t/0")
    for second in range(0, 4000, 2):
        one.probed("t/0", at=at(second), end=0)
    assert one.fresh_feeds(at(4000)) == {"t/0"}
    assert not one.blind(at(4000))
    assert one.lag_seconds(at(4000)) == 0


def test_a_partition_without_probes_stops_being_fresh() -> None:
    one = lag("t/0")
    one.probed("t/0", at=at(10), end=0)
    assert one.fresh_feeds(at(310)) == {"t/0"}
    assert not one.fresh_feeds(at(311))
    assert one.lag_seconds(at(114)) == 100


def test_a_partition_that_is_behind_leaves_the_others_fresh() -> None:
    two = lag("t/0", "t/1")
    two.probed("t/0", at=at(1), end=0)
    two.probed("t/1", at=at(1), end=7)
    assert two.fresh_feeds(at(2)) == {"t/0"}
    assert two.blind(at(2))


def test_sending_begins_when_the_backlog_of_the_start_is_consumed() -> None:
    two = lag("t/0", "t/1")
    two.probed("t/0", at=at(1), end=3)
    assert not two.caught_up(at(1)), "of the other feed nothing is known"
    two.probed("t/1", at=at(1), end=0)
    two.consumed_to("t/0", 2)
    two.probed("t/0", at=at(3), end=100)
    assert not two.caught_up(at(3))
    two.consumed_to("t/0", 3)
    assert two.caught_up(at(3)), "what came after the start does not hold it up"
    two.assigned(["t/5"])
    assert two.caught_up(at(4)), "once caught up, always"


def test_a_replica_without_partitions_is_caught_up() -> None:
    assert not lag().caught_up(at(1))
    idle = lag()
    idle.assigned([])
    assert idle.caught_up(at(1))


def test_buckets_follow_from_the_partitions() -> None:
    one = lag()
    assert one.buckets == bucket.ALL, "while nothing is known"
    one.assigned(["t/1"], among=["t/0", "t/1"])
    assert one.buckets == {number for number in bucket.ALL if number % 2}
    one.assigned([], among=["t/0", "t/1"])
    assert not one.buckets
    one.assigned(["t/1"])
    assert one.buckets == bucket.ALL
    one.assigned(["t/1"], among=["t/0", "t/1"])
    one.revoked()
    assert one.buckets == bucket.ALL


def test_a_revoked_partition_is_forgotten() -> None:
    one = lag("t/0")
    one.probed("t/0", at=at(1), end=0)
    one.revoked()
    one.consumed_to("t/0", 9)
    one.probed("t/0", at=at(2), end=0)
    assert (one.feeds, one.watermark("t/0"), one.lag_records()) == (frozenset(), None, 0)
    one.assigned(["t/0"])
    assert one.watermark("t/0") is None


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=400))
def test_the_watermark_never_passes_what_is_consumed(steps: list[tuple[bool, int]]) -> None:
    one, end, passed = lag("t/0"), 0, 0
    ends: list[int] = []  # by second
    for publishing, number in steps:
        if publishing:
            end += number
        else:
            passed = min(end, passed + number)
            one.consumed_to("t/0", passed)
        ends.append(end)
        one.probed("t/0", at=at(len(ends) - 1), end=end)
        until = one.watermark("t/0")
        if until is not None:
            assert ends[int((until - START).total_seconds())] <= passed
        if passed == end:
            assert until == at(len(ends) - 1)
        assert len(one._partitions["t/0"].probes) <= _PROBES_KEPT + 1


def test_partitions_revoked_while_catching_up_do_not_let_sending_begin() -> None:
    """Another member joins, and for a moment nothing is ours: that is no reason to believe that all is read."""
    one = lag("t/0")
    one.probed("t/0", at=at(1), end=10)
    one.revoked()
    assert not one.caught_up(at(2))
    one.assigned(["t/0"])
    one.probed("t/0", at=at(3), end=10)
    assert not one.caught_up(at(4))
    one.consumed_to("t/0", 10)
    assert one.caught_up(at(5))


def test_a_partition_silent_for_longer_than_silent_after_is_not_fresh() -> None:
    one = LagTracker(
        since=START, blind_after=lambda: timedelta(minutes=5), silent_after=lambda: timedelta(minutes=20)
    )
    one.assigned(["t/0"])
    for second in range(0, 1260, 60):
        one.probed("t/0", at=at(second), end=0)
        assert one.fresh_feeds(at(second)) == ({"t/0"} if second <= 1200 else set())
    assert one.blind(at(1260))
    one.consumed_to("t/0", 1)
    one.probed("t/0", at=at(1300), end=1)
    assert one.fresh_feeds(at(1300)) == {"t/0"}
