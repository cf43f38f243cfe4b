"""Counts that outlive the rows they count (promise 5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from sqlalchemy import Connection

from avisa.core.model import Reason
from avisa.core.promise import Promise, PromiseState
from avisa.store.sql.statements import statement

_ADD = statement("add_counts")


class Counted(Protocol):
    """What decides how an order is counted."""

    @property
    def final(self) -> bool: ...

    @property
    def stuck(self) -> bool: ...

    @property
    def promise(self) -> Promise | None: ...


def add(conn: Connection, kind: str, numbers: Mapping[tuple[str, str], int]) -> None:
    """Add to the counts of `kind`, by word and shard."""
    rows = [{"kind": kind, "word": word, "shard": shard, "n": n} for (word, shard), n in sorted(numbers.items()) if n]
    if rows:
        _ADD.execute(conn, rows)


def count_events(conn: Connection, by_reason: Mapping[tuple[str, Reason], int]) -> None:
    """Count events. Their feed is the shard, because only one process at a time reads a feed."""
    add(conn, "event", {(reason, feed): n for (feed, reason), n in by_reason.items()})


def count_orders(conn: Connection, moves: Sequence[tuple[Counted | None, Counted]], *, shard: str) -> None:
    """Count orders as open, final and stuck, and by the state of their promise, as each changes from what it was
    (None: it is new) to what it is."""
    alike = Counter(_place(after) for _, after in moves)  # most orders of a batch change alike
    alike.subtract(_place(before) for before, _ in moves if before is not None)
    change: Counter[tuple[str, str]] = Counter()
    promises: Counter[tuple[str, str]] = Counter()
    for (final, stuck, promise), n in alike.items():
        change["final" if final else "open", shard] += n
        change["stuck", shard] += n * stuck
        if promise is not None:
            promises[promise, shard] += n
    add(conn, "order", change)
    add(conn, "promise", promises)


def _place(order: Counted) -> tuple[bool, bool, PromiseState | None]:
    return order.final, order.stuck, None if order.promise is None else order.promise.state
