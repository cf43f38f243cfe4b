"""Timeline entries: what happened to an order and is not seen from its notifications. They are only ever added."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from avisa.ports import Entry
from avisa.store.sql.dialect import writes_short
from avisa.store.sql.rows import entry_row
from avisa.store.sql.statements import statement

_INSERT = statement("insert_entries")


def add(conn: Connection, entries: Sequence[Entry]) -> None:
    if entries:
        short = writes_short(conn)
        _INSERT.execute(conn, [entry_row(entry, short=short) for entry in entries])
