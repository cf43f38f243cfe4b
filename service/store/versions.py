"""Versions of the templates: the lineage, the version that each folder was made of, and who has which in force.

A version names the catalog that it puts in force. Catalogs are kept for good, so that a mail in doubt can be written
again byte for byte.
"""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta

from sqlalchemy import Connection

from avisa.core.template_versions import Origin, Version
from avisa.ports import InForce
from avisa.store.database.database import OnDatabase, latest, transaction
from avisa.store.sql.dialect import Row
from avisa.store.sql.moments import MICROSECOND, micros, moment
from avisa.store.sql.statements import query, statement

_LONGEST = (
    16 * 1024 * 1024
)  # bytes of a catalog: its files have 2 MiB, of which JSON makes no more than six times that
_JSON = b"{"  # how a catalog begins that was kept before catalogs were compressed

SILENT = timedelta(seconds=90)  # a replica that has not reported for so long is taken for gone
FORGOTTEN = timedelta(days=400)  # since its last report; then a folder or a replica is forgotten

_KEEP = statement("keep_catalog")
_KEPT = query("kept_catalog")
_HEAD = query("head")
_ALL = query("versions")
_ADD = statement("add_version")
_BASED_ON = query("based_on")
_SET_BASE = statement("set_base")
_CLEAR_BASE = statement("clear_base")
_SET_IN_FORCE = statement("set_in_force")
_CLEAR_IN_FORCE = statement("clear_in_force")
_IN_FORCE = query("in_force")
_FORGET = [statement("forget_folders"), statement("forget_replicas")]


class SqlVersions(OnDatabase):
    """Satisfies VersionStore."""

    @transaction
    def keep_catalog(self, conn: Connection, version: str, content: bytes, *, at: datetime) -> None:
        _keep(conn, version, content, at)

    @latest
    def kept_catalog(self, conn: Connection, version: str) -> bytes | None:
        """Raises ValueError if what is kept is no catalog."""
        for (content,) in _KEPT.fetch_bytes(conn, version=version):
            kept: bytes = content
            return kept if kept.startswith(_JSON) else _inflated(kept)
        return None

    @latest
    def head(self, conn: Connection) -> int:
        return next((int(number) for (number,) in _HEAD.fetch(conn)), 0)

    @latest
    def versions(self, conn: Connection) -> list[Version]:
        return [_version(row) for row in _ALL.fetch(conn)]

    @transaction
    def add_version(self, conn: Connection, version: Version, content: bytes) -> bool:
        """Another process may have inserted the same number and not committed yet: then PostgreSQL waits for it."""
        _keep(conn, version.catalog, content, version.at)
        added = _ADD.execute(
            conn,
            number=version.number,
            content=version.content,
            catalog=version.catalog,
            parent=version.parent,
            origin=version.origin,
            author=version.author,
            note=version.note,
            at=micros(version.at),
        )
        return added == 1

    @latest
    def based_on(self, conn: Connection, place: str) -> int | None:
        return next((int(version) for (version,) in _BASED_ON.fetch(conn, place=place)), None)

    @transaction
    def set_base(self, conn: Connection, place: str, version: int) -> None:
        if version:
            _SET_BASE.execute(conn, place=place, version=version)
        else:
            _CLEAR_BASE.execute(conn, place=place)

    @transaction
    def has_in_force(self, conn: Connection, replica: str, version: int) -> None:
        """Also forget the folders and replicas that have not been reported for long."""
        if version:
            _SET_IN_FORCE.execute(conn, name=replica, version=version)
        else:
            _CLEAR_IN_FORCE.execute(conn, name=replica)
        for forget in _FORGET:
            forget.execute(conn, silent=FORGOTTEN // MICROSECOND)

    @latest
    def who_has_in_force(self, conn: Connection) -> list[InForce]:
        rows = _IN_FORCE.fetch(conn, silent=SILENT // MICROSECOND)
        return [InForce(replica=name, version=int(version)) for name, version in rows]


def _keep(conn: Connection, version: str, content: bytes, at: datetime) -> None:
    """A catalog that is kept already is left as it is, for its version names its content. Compressed, because every
    edit makes another catalog of 80 kB."""
    _KEEP.execute(conn, version=version, content=zlib.compress(content), at=micros(at))


def _inflated(kept: bytes) -> bytes:
    frame = zlib.decompressobj()
    try:
        content = frame.decompress(kept, _LONGEST)
    except zlib.error as error:
        raise ValueError("a catalog in the store cannot be read") from error
    if not frame.eof:
        raise ValueError("a catalog in the store is cut off, or longer than any folder")
    return content


def _version(row: Row) -> Version:
    number, content, catalog, parent, origin, author, note, at = row
    return Version(
        number=number,
        content=content,
        catalog=catalog,
        parent=parent,
        origin=Origin(origin),
        author=author,
        note=note,
        at=moment(at),
    )
