"""Every catalog ever put in force, so that a mail in doubt can be written again to the octet."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select

from service.store.rows import micros
from service.store.tables import catalogs


def keep(conn: Connection, version: str, content: bytes, *, at: datetime) -> None:
    """A version names its content, so one that is kept is left as it is."""
    row = select(catalogs.c.version).where(catalogs.c.version == version)
    if conn.execute(row).first() is None:
        conn.execute(insert(catalogs).values(version=version, content=content, at=micros(at)))


def kept(conn: Connection, version: str) -> bytes | None:
    content: bytes | None = conn.execute(
        select(catalogs.c.content).where(catalogs.c.version == version)
    ).scalar_one_or_none()
    return content
