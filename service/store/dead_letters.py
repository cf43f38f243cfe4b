"""Records set aside, with their reason. This table is the truth; the `.dlq` topic holds copies."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Row as SqlRow

from avisa.core.model import Position, Reason
from avisa.ports import DeadLetter, Record, Unreadable
from avisa.store.sql.rows import micros, moment
from avisa.store.sql.tables import dead_letters

WHOLE = 1 << 20  # octets; a value up to this size is kept whole
HEAD = 4096  # octets kept of a longer one


def set_aside(conn: Connection, letters: Sequence[Unreadable], *, now: datetime) -> None:
    """Set records aside. One that was set aside before, because it is read again, is left as it is."""
    insert = sqlite_insert if conn.dialect.name == "sqlite" else postgresql_insert
    position = ("topic", "partition", "offset")
    rows = sorted((_row(letter, now) for letter in letters), key=lambda row: [row[name] for name in position])
    if rows:
        conn.execute(insert(dead_letters).on_conflict_do_nothing(index_elements=[*position, "sha256"]), rows)


def _row(letter: Unreadable, now: datetime) -> dict[str, Any]:
    record = letter.record
    value = record.value or b""
    whole = len(value) <= WHOLE
    headers = [
        [_storable(name), None if octets is None else base64.b64encode(octets).decode()]
        for name, octets in record.headers
    ]
    return {
        "topic": record.position.topic,
        "partition": record.position.partition,
        "offset": record.position.offset,
        "sha256": hashlib.sha256(value).digest(),
        "timestamp_real": micros(record.timestamp),
        "key": record.key,
        "headers": orjson.dumps(headers).decode(),
        "value": record.value if whole else value[:HEAD],
        "size": len(value),
        "whole": int(whole),
        "stage": letter.stage,
        "reason": letter.reason,
        "message": _storable(letter.message),
        "at": micros(now),
        "state": "open",
        "copied": 0,
    }


def _storable(text: str) -> str:
    """Text that any database takes: PostgreSQL has no U+0000, and nobody has half a surrogate pair."""
    return text.replace("\0", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode()


def read(conn: Connection, ids: Collection[int] | None) -> list[DeadLetter]:
    """Those with these ids, or all; the oldest first."""
    query = select(dead_letters).order_by(dead_letters.c.id)
    return _letters(conn, query if ids is None else query.where(dead_letters.c.id.in_(sorted(ids))))


def uncopied(conn: Connection, limit: int) -> list[DeadLetter]:
    """The oldest whose copy was not sent yet."""
    query = select(dead_letters).where(dead_letters.c.copied == 0).order_by(dead_letters.c.id).limit(limit)
    return _letters(conn, query)


def mark(conn: Connection, ids: Collection[int], **columns: Any) -> None:
    conn.execute(update(dead_letters).where(dead_letters.c.id.in_(sorted(ids))).values(**columns))


def _letters(conn: Connection, query: Any) -> list[DeadLetter]:
    return [_letter(row) for row in conn.execute(query)]


def _letter(row: SqlRow[Any]) -> DeadLetter:
    headers = tuple(
        (name, None if octets is None else base64.b64decode(octets)) for name, octets in orjson.loads(row.headers)
    )
    return DeadLetter(
        id=row.id,
        record=Record(
            position=Position(topic=row.topic, partition=row.partition, offset=row.offset),
            timestamp=moment(row.timestamp_real),
            key=row.key,
            headers=headers,
            value=row.value,
        ),
        stage=row.stage,
        reason=Reason(row.reason),
        message=row.message,
        at=moment(row.at),
        state=row.state,
        size=row.size,
        sha256=row.sha256,
        whole=bool(row.whole),
    )
