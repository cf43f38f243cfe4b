"""Numbers that outlive the rows they count (promise 5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol

from sqlalchemy import Connection

from avisa.core.model import Order, Reason
from avisa.store.sql.dialect import Statement

_ADD = Statement(
    "INSERT INTO counts (kind, word, shard, n) SELECT kind, word, shard, n FROM {given} WHERE 1 = 1"
    " ORDER BY kind, word, shard ON CONFLICT (kind, word, shard) DO UPDATE SET n = counts.n + excluded.n",
    "kind text, word text, shard text, n bigint",
)


class Standing(Protocol):
    """How an order was counted before."""

    @property
    def final(self) -> bool: ...

    @property
    def stuck(self) -> bool: ...


def add(conn: Connection, kind: str, numbers: Mapping[tuple[str, str], int]) -> None:
    """Add to the counts of `kind`, by word and shard."""
    given = [
        {"kind": kind, "word": word, "shard": shard, "n": n} for (word, shard), n in sorted(numbers.items()) if n
    ]
    if given:
        _ADD.execute(conn, given)


def tally(conn: Connection, by_reason: Mapping[tuple[str, Reason], int]) -> None:
    """Count events; their feed is the shard, for whoever reads a feed reads it alone."""
    add(conn, "event", {(reason, feed): n for (feed, reason), n in by_reason.items()})


def orders(conn: Connection, moves: Iterable[tuple[Standing | None, Order]], *, shard: str) -> None:
    """Count orders as open, final and stuck, from how each stood to how it stands."""
    change: Counter[tuple[str, str]] = Counter()
    for before, after in moves:
        if before is not None:
            change["final" if before.final else "open", shard] -= 1
            change["stuck", shard] -= before.stuck
        change["final" if after.final else "open", shard] += 1
        change["stuck", shard] += after.stuck
    add(conn, "order", change)
