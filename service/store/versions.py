"""Versions of the words: the lineage, of which version each folder was made, and who has which in force."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection

from avisa.core.template_versions import Origin, Version
from avisa.ports import InForce
from avisa.store import catalogs
from avisa.store.sql.dialect import Query, Row, Statement
from avisa.store.sql.rows import micros, moment

_COLUMNS = ("number", "content", "catalog", "parent", "origin", "author", "note", "at")
_HEAD = Query(("number",), "FROM versions ORDER BY number DESC LIMIT 1")
_ALL = Query(_COLUMNS, "FROM versions ORDER BY number DESC")
_ADD = Statement(
    "INSERT INTO versions (number, content, catalog, parent, origin, author, note, at, at_real)"
    " VALUES (:number, :content, :catalog, :parent, :origin, :author, :note, :at, {clock})"
    " ON CONFLICT (number) DO NOTHING"
)
_MADE_OF = Query(("version",), "FROM folders WHERE place = :place")
_MADE = Statement(
    "INSERT INTO folders (place, version, at_real) VALUES (:place, :version, {clock})"
    " ON CONFLICT (place) DO UPDATE SET version = excluded.version, at_real = excluded.at_real"
)
_UNMADE = Statement("DELETE FROM folders WHERE place = :place")
_HAS = Statement(
    "INSERT INTO replicas (name, version, at_real) VALUES (:name, :version, {clock})"
    " ON CONFLICT (name) DO UPDATE SET version = excluded.version, at_real = excluded.at_real"
)
_GONE = Statement("DELETE FROM replicas WHERE name = :name")
_IN_FORCE = Query(("name", "version"), "FROM replicas WHERE at_real > {clock} - :silent ORDER BY name")
_FORGET = (
    Statement("DELETE FROM folders WHERE at_real < {clock} - :silent"),
    Statement("DELETE FROM replicas WHERE at_real < {clock} - :silent"),
)

SILENT = timedelta(seconds=90)  # a replica that said nothing for so long is taken for gone
FORGOTTEN = timedelta(days=400)  # and so long after its last word a folder is forgotten, and a replica too
_MICROSECOND = timedelta(microseconds=1)


def head(conn: Connection) -> int:
    """The number of the newest version; 0: there is none."""
    return next((int(number) for (number,) in _HEAD.ask(conn)), 0)


def lineage(conn: Connection) -> list[Version]:
    """All versions, the newest first."""
    return [_version(row) for row in _ALL.ask(conn)]


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


def add(conn: Connection, version: Version, content: bytes) -> bool:
    """Keep it, if its number is free. Who was faster may not have committed yet: then PostgreSQL waits for him."""
    catalogs.keep(conn, version.catalog, content, at=version.at)
    added = _ADD.run(
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


def based_on(conn: Connection, place: str) -> int | None:
    return next((int(version) for (version,) in _MADE_OF.ask(conn, place=place)), None)


def made(conn: Connection, place: str, version: int) -> None:
    """The folder is made of that version; 0: nothing is known of it any more."""
    if version:
        _MADE.run(conn, place=place, version=version)
    else:
        _UNMADE.run(conn, place=place)


def has(conn: Connection, replica: str, version: int) -> None:
    """A replica says which version it has in force, or with 0 that it ends. What nobody spoke of for long is
    forgotten."""
    if version:
        _HAS.run(conn, name=replica, version=version)
    else:
        _GONE.run(conn, name=replica)
    for statement in _FORGET:
        statement.run(conn, silent=FORGOTTEN // _MICROSECOND)


def in_force(conn: Connection) -> list[InForce]:
    """Who has which version in force, of those that live."""
    rows = _IN_FORCE.ask(conn, silent=SILENT // _MICROSECOND)
    return [InForce(replica=name, version=int(version)) for name, version in rows]
