"""Every catalog ever put in force, so that a mail in doubt can be written again to the octet."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from service.store.rows import micros
from service.store.tables import catalogs
from service.store.tongue import Statement

# Replicas that start together keep the same one at the same time.
_KEEP = Statement(
    "INSERT INTO catalogs (version, content, at) VALUES (:version, :content, :at) ON CONFLICT (version) DO NOTHING"
)


def keep(conn: Connection, version: str, content: bytes, *, at: datetime) -> None:
    """A version names its content, so one that is kept is left as it is."""
    _KEEP.run(conn, version=version, content=content, at=micros(at))


def kept(conn: Connection, version: str) -> bytes | None:
    content: bytes | None = conn.execute(
        select(catalogs.c.content).where(catalogs.c.version == version)
    ).scalar_one_or_none()
    return content
