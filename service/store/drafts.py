"""Frozen drafts, in a table of their own: inserted with the attempt that begins, and read only by a second one.

So a mail that is settled does not take its draft along, and a draft can be forgotten long before its order. Earlier
versions kept drafts in the rows of their notifications; they are still read there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection

from avisa.ports import Attempt
from avisa.store import compression
from avisa.store.sql.dialect import Rows
from avisa.store.sql.moments import MICROSECOND, micros
from avisa.store.sql.rows import named
from avisa.store.sql.statements import query, statement

_DAY = timedelta(days=1) // MICROSECOND

_INSERT = statement("insert_drafts")
_DRAFTS = query("drafts")
_DISCARD = statement("discard_drafts")
_OLD = query("old_drafts")
_FORGET_IN_ROWS = statement("forget_drafts_in_rows")
_DICTIONARIES = query("dictionaries")
_KEEP_DICTIONARIES = statement("keep_dictionaries")

Place = tuple[str, int]  # order and seq of a notification
_Shared = tuple[str, str]  # catalog and message, whose drafts share a dictionary


def add(conn: Connection, begun: Mapping[Place, Attempt]) -> None:
    """Keep the drafts of these attempts that were made for them; one made for an earlier attempt is kept already."""
    fresh = {place: attempt for place, attempt in begun.items() if attempt.claimed.draft is None}
    if not fresh:
        return
    dictionaries = _dictionaries(conn, fresh.values())
    _INSERT.execute(
        conn,
        [
            {
                "order_id": order_id,
                "seq": seq,
                "day": _day(attempt.at_real),
                "content": compression.compress(attempt.draft, dictionaries[_shared(attempt)]),
            }
            for (order_id, seq), attempt in fresh.items()
        ],
    )


def read(conn: Connection, keys: Collection[str]) -> dict[str, bytes]:
    """The JSON of the drafts of these notifications, by key, as far as they are kept."""
    rows = _DRAFTS.fetch_bytes(conn, named(keys)) if keys else ()
    found = {}
    for key, in_row, message_id, address_hash, content, dictionary in rows:
        if in_row is not None:
            found[key] = in_row.encode()
        elif content is not None:
            found[key] = compression.decompress(content, dictionary, message_id=message_id, address_hash=address_hash)
    return found


def discard(conn: Connection, places: Iterable[Place]) -> None:
    """Forget the drafts of these notifications: the next attempt, if there is one, is written anew."""
    if rows := _rows(places):
        _DISCARD.execute(conn, rows)


def forget(conn: Connection, *, before: datetime, limit: int) -> int:
    """Forget up to `limit` drafts of days before that of `before`, in real time. Those that may still be sent are
    kept."""
    rows = _rows(_OLD.fetch(conn, day=_day(before), limit=limit))
    if rows:
        return _DISCARD.execute(conn, rows)
    return _FORGET_IN_ROWS.execute(conn, before=micros(before), limit=limit)


def _rows(places: Iterable[Iterable[str | int]]) -> Rows:
    return [{"order_id": order_id, "seq": seq} for order_id, seq in places]


def _day(moment: datetime) -> int:
    """Whole days since 1970, UTC."""
    return micros(moment) // _DAY


def _shared(attempt: Attempt) -> _Shared:
    return attempt.draft.catalog, attempt.draft.message


def _dictionaries(conn: Connection, attempts: Iterable[Attempt]) -> dict[_Shared, bytes]:
    """A dictionary for each catalog and message; the first draft of them makes it.

    They are read in the transaction that uses them, not remembered: a dictionary that a process remembers may have
    been undone with the transaction that kept it.
    """
    samples = {_shared(attempt): attempt.draft.json for attempt in attempts}
    rows = [{"catalog": catalog, "message": message} for catalog, message in sorted(samples)]
    found = _found(conn, rows)
    if missing := [row for row in rows if (row["catalog"], row["message"]) not in found]:
        _KEEP_DICTIONARIES.execute(
            conn,
            [
                {**row, "content": compression.dictionary_of(samples[row["catalog"], row["message"]])}
                for row in missing
            ],
        )
        found = _found(conn, rows)  # of another process, perhaps, which was quicker
    return found


def _found(conn: Connection, rows: Rows) -> dict[_Shared, bytes]:
    return {(catalog, message): content for catalog, message, content in _DICTIONARIES.fetch_bytes(conn, rows)}
