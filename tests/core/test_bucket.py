"""Every bucket is somebody's, whichever partitions there are and whoever reads them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from avisa.core import bucket
from tests.depth import examples

REPLICAS = st.lists(st.sets(st.integers(0, 99).map("orders/{}".format), max_size=20), min_size=1, max_size=6)


@examples(200)
@given(REPLICAS)
def test_each_bucket_belongs_to_one_replica(replicas: list[set[str]]) -> None:
    owner = {name: number for number, names in enumerate(replicas) for name in names}
    shares = [
        bucket.share([name for name in owner if owner[name] == number], owner) for number in range(len(replicas))
    ]
    assert sorted(each for share in shares for each in share) == (sorted(bucket.ALL) if owner else [])


def test_who_reads_a_third_of_the_partitions_has_a_third_of_the_buckets() -> None:
    partitions = [f"orders/{number}" for number in range(6)]
    assert len(bucket.share(partitions[:2], partitions)) in (21, 22)


def test_who_reads_nothing_has_no_bucket() -> None:
    assert not bucket.share([], ["orders/0"])
