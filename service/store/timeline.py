"""The lines of an order's timeline that no notification tells; only ever added to."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from avisa.ports import Entry
from avisa.store.sql.dialect import Statement
from avisa.store.sql.rows import entry_row

_INSERT = Statement(
    "INSERT INTO entries (order_id, line) SELECT order_id, line FROM {given}", "order_id text, line text"
)


def add(conn: Connection, entries: Sequence[Entry]) -> None:
    if entries:
        _INSERT.execute(conn, [entry_row(entry) for entry in entries])
