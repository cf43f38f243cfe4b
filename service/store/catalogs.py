"""Every catalog ever put in force, so that a mail in doubt can be written again to the octet."""

from __future__ import annotations

import zlib
from datetime import datetime

from sqlalchemy import Connection, select

from avisa.store.sql.dialect import Statement
from avisa.store.sql.rows import micros
from avisa.store.sql.tables import catalogs

# Replicas that start together keep the same one at the same time.
_KEEP = Statement(
    "INSERT INTO catalogs (version, content, at) VALUES (:version, :content, :at) ON CONFLICT (version) DO NOTHING"
)
_JSON = b"{"  # one that was kept before they were packed


def keep(conn: Connection, version: str, content: bytes, *, at: datetime) -> None:
    """A version names its content, so one that is kept is left as it is. Packed: every edit is one, of 80 kB."""
    _KEEP.run(conn, version=version, content=zlib.compress(content), at=micros(at))


def kept(conn: Connection, version: str) -> bytes | None:
    content: bytes | None = conn.execute(
        select(catalogs.c.content).where(catalogs.c.version == version)
    ).scalar_one_or_none()
    return content if content is None or content.startswith(_JSON) else zlib.decompress(content)
