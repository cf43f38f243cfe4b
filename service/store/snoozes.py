"""Snoozes: what operators hold back, and until when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from avisa.core.snooze import Of, Snooze
from avisa.store.sql.moments import micros, moment
from avisa.store.sql.statements import query, statement

_ADD = statement("add_snooze")
_SNOOZES = query("snoozes")
_END = statement("end_snooze")
_LOOK_AGAIN = statement("look_again_at_snoozed")


def add(conn: Connection, snooze: Snooze) -> None:
    _ADD.execute(
        conn,
        of=snooze.of,
        name=snooze.name,
        until=micros(snooze.until),
        author=snooze.author,
        reason=snooze.reason,
        at=micros(snooze.at),
    )


def lasting(conn: Connection, now: datetime) -> list[Snooze]:
    """Those that have not ended by `now` (virtual), the oldest first."""
    return [
        Snooze(id=id, of=Of(of), name=name, until=moment(until), author=author, reason=reason, at=moment(at))
        for id, of, name, until, author, reason, at in _SNOOZES.fetch(conn, now=micros(now))
    ]


def end(conn: Connection, id: int) -> bool:
    """End a snooze, and look again at what any held; True if there was one of that number."""
    if not _END.execute(conn, id=id):
        return False
    _LOOK_AGAIN.execute(conn)
    return True
