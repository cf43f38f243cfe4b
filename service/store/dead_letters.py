"""Records that could not be read, kept with the reason. This table is the truth; the `.dlq` topic holds copies.

A feed that writes nothing else must not fill the disk. So only the newest are kept whole; of an older one stay its
reason, its position and its hash, which are enough to find the record in the topic.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from avisa.core.model import Position, Reason
from avisa.ports import DeadLetter, Record, Unreadable
from avisa.store.sql.dialect import Row, as_rows, no_bound
from avisa.store.sql.moments import micros, moment
from avisa.store.sql.statements import query, statement

WHOLE = 1 << 20  # bytes; a value up to this size is kept whole
HEAD = 4096  # bytes kept of a longer value, and of a key
MOST_HEADERS = 16 * 1024  # bytes; longer headers are not kept, and the record is not whole without them
MOST_WHOLE = 10_000
MOST_BYTES = 256 * 1024 * 1024  # of the values that are kept
_SHORTEN_AT_ONCE = 500
_SHORTEN_BYTES = 8 * 1024 * 1024  # SQLite keeps in memory what a statement changes, until the statement ends

_INSERT = statement("insert_dead_letter")
_PAGE = query("dead_letters")
_OPEN = query("open_dead_letters")
_BY_ID = query("dead_letters_by_id")
_UNCOPIED = query("uncopied_dead_letters")
_MARK_REPLAYED = statement("mark_replayed")
_MARK_COPIED = statement("mark_copied")
_KEPT = query("kept_dead_letters")
_OLDEST_KEPT = query("oldest_kept_dead_letters")
_SHORTEN = statement("shorten_dead_letters")
_OLDEST = query("oldest_dead_letters")
_FORGET = statement("forget_dead_letters")


def set_aside(conn: Connection, unreadable: Sequence[Unreadable], *, now: datetime) -> None:
    """Keep the records as dead letters. One that is kept already, because it was read again, is left as it is."""
    rows = sorted(
        (_row(one, now) for one in unreadable), key=lambda row: (row["topic"], row["partition"], row["offset"])
    )
    if rows:
        _INSERT.execute_each(conn, rows)
        _shorten(conn)


def _shorten(conn: Connection) -> None:
    """Keep no more than the reason, position and hash of the oldest, until the others are within the bounds."""
    ((letters, size),) = _KEPT.fetch(conn, head=HEAD)
    letters, size = letters - MOST_WHOLE, size - MOST_BYTES
    while letters > 0 or size > 0:
        shortened, taken = [], 0
        for letter_id, its_bytes in _OLDEST_KEPT.fetch(conn, head=HEAD, limit=_SHORTEN_AT_ONCE):
            if (letters <= 0 and size <= 0) or taken >= _SHORTEN_BYTES:
                break
            shortened.append(letter_id)
            letters, size, taken = letters - 1, size - its_bytes, taken + its_bytes
        if not shortened:
            return  # another replica was quicker
        _SHORTEN.execute(conn, as_rows("id", shortened))


def page(conn: Connection, *, before: int | None, limit: int | None) -> list[DeadLetter]:
    """The newest `limit` with an id below `before`, the oldest first, without keys, headers and values."""
    rows = _PAGE.fetch_bytes(conn, before=no_bound(before), limit=no_bound(limit))
    return [_dead_letter(row) for row in reversed(rows)]


def still_open(conn: Connection, *, after: int, until: int, limit: int) -> list[DeadLetter]:
    """The oldest `limit` that are open, with an id above `after` and up to `until`."""
    return [_dead_letter(row) for row in _OPEN.fetch_bytes(conn, after=after, until=until, limit=limit)]


def by_id(conn: Connection, ids: Collection[int]) -> list[DeadLetter]:
    """Those with these ids, the oldest first."""
    return [_dead_letter(row) for row in _BY_ID.fetch_bytes(conn, as_rows("id", sorted(ids)))]


def uncopied(conn: Connection, limit: int) -> list[DeadLetter]:
    """The oldest whose copy was not sent yet."""
    return [_dead_letter(row) for row in _UNCOPIED.fetch_bytes(conn, limit=limit)]


def mark_replayed(conn: Connection, dead_letter: int) -> None:
    _MARK_REPLAYED.execute(conn, id=dead_letter)


def mark_copied(conn: Connection, ids: Collection[int]) -> None:
    _MARK_COPIED.execute(conn, as_rows("id", sorted(ids)))


def forget(conn: Connection, *, before: datetime, limit: int) -> Counter[str]:
    """Forget up to `limit` that were set aside before `before`, the oldest first; returns how many in which state."""
    oldest = _OLDEST.fetch(conn, before=micros(before), limit=limit)
    if oldest:
        _FORGET.execute(conn, as_rows("id", [id_ for id_, _ in oldest]))
    return Counter(state for _, state in oldest)


def _row(unreadable: Unreadable, now: datetime) -> dict[str, Any]:
    record = unreadable.record
    value = record.value or b""
    key = record.key
    headers = orjson.dumps(
        [
            [_storable(name), None if content is None else base64.b64encode(content).decode()]
            for name, content in record.headers
        ]
    )
    whole = len(value) <= WHOLE and len(key or b"") <= HEAD and len(headers) <= MOST_HEADERS and not unreadable.cut
    return {
        "topic": record.position.topic,
        "partition": record.position.partition,
        "offset": record.position.offset,
        "sha256": unreadable.sha256 or hashlib.sha256(value).digest(),
        "timestamp_real": micros(record.timestamp),
        "key": None if key is None else key[:HEAD],
        "headers": headers.decode() if len(headers) <= MOST_HEADERS else "[]",
        "value": record.value if whole else value[:HEAD],
        "size": max(len(value), unreadable.size),
        "whole": int(whole),
        "stage": unreadable.stage,
        "reason": unreadable.reason,
        "message": _storable(unreadable.message),
        "at": micros(now),
    }


def _storable(text: str) -> str:
    """The text without what PostgreSQL refuses (U+0000) and UTF-8 cannot hold (half a surrogate pair)."""
    return text.replace("\0", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode()


def _dead_letter(row: Row) -> DeadLetter:
    letter_id, topic, partition, offset, timestamp, stage, reason, message, at, *rest = row
    state, size, sha256, whole, key, headers, value = rest
    return DeadLetter(
        id=letter_id,
        record=Record(
            position=Position(topic=topic, partition=partition, offset=offset),
            timestamp=moment(timestamp),
            key=key,
            headers=tuple(
                (name, None if content is None else base64.b64decode(content))
                for name, content in orjson.loads(headers)
            ),
            value=value,
        ),
        stage=stage,
        reason=Reason(reason),
        message=message,
        at=moment(at),
        state=state,
        size=size,
        sha256=sha256,
        whole=bool(whole),
    )
