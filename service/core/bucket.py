"""Buckets: the shares of all orders by which processes claim, so that they seldom want the same.

The store knows the bucket of an order by a hash of the order's id. The process that reads the k-th of P partitions
claims at once from the buckets k, k + P and so on, and from all others what nobody has claimed for a while. So a
bucket whose owner is gone waits for seconds only, and the publisher's way to choose a partition is of no matter.
"""

from __future__ import annotations

from collections.abc import Collection

BUCKETS = 64
ALL = frozenset(range(BUCKETS))


def share(ours: Collection[str], partitions: Collection[str]) -> frozenset[int]:
    """The buckets of who reads `ours` of these partitions, the same `partitions` being known to all."""
    ordered = sorted(partitions)
    return frozenset(bucket for bucket in ALL if ordered and ordered[bucket % len(ordered)] in ours)
