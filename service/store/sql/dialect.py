"""One statement in two tongues: where SQLite and PostgreSQL differ, they differ here.

A statement is few and big, never one per row: on PostgreSQL the rows go in as one JSON array, on SQLite as one
list of values, which costs it a third of taking JSON apart. From SQLite they come out as one JSON array, because
its driver lets go of the interpreter lock at every row and waits up to 5 ms to get it back. In the text of a
statement stand

- `{given}`: the rows handed over, as a table `r` with the columns of `given`;
- `{lock}`: `FOR UPDATE`, where there is more than one writer; `{skip}`: passing by what another has locked;
- `{clock}`: the real moment in microseconds since 1970, by the clock that all who share the store share.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Connection, CursorResult, TextClause, text

Row = Sequence[Any]
_MOST_VALUES = 32_000  # in one statement: SQLite takes 32,766, unless it was built to take fewer
_BOUND = re.compile(r":(\w+)")
_CLOCK = "CAST(extract(epoch FROM statement_timestamp()) * 1000000 AS bigint)"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that changes something. `given` names columns and their types: `order_id text, version bigint`."""

    sql: str
    given: str = ""

    def execute(self, conn: Connection, given: Sequence[Mapping[str, Any]] = (), **values: Any) -> int:
        """Answers how many rows it touched."""
        return _execute(conn, self, given, values).rowcount

    def inserted(self, conn: Connection, given: Sequence[Mapping[str, Any]], column: str) -> set[Any]:
        """Insert unless they are there, and answer which were not. On SQLite nobody else writes meanwhile: the
        caller looked before, so all are new."""
        if conn.dialect.name == "sqlite":
            self.execute(conn, given)
            return {row[column] for row in given}
        returning = Statement(f"{self.sql} RETURNING {column}", self.given)
        return set(_execute(conn, returning, given, {}).scalars())


@dataclass(frozen=True, slots=True)
class Query:
    """A statement that answers rows of `columns`; `rest` is all that follows them."""

    columns: tuple[str, ...]
    rest: str
    given: str = ""

    def fetch(self, conn: Connection, given: Sequence[Mapping[str, Any]] = (), **values: Any) -> Sequence[Row]:
        if conn.dialect.name == "sqlite":
            answer = _execute(conn, _as_json(self), given, values).scalar_one()
            rows: list[Row] = orjson.loads(answer)
            return rows
        return _execute(conn, _plain(self), given, values).all()


@cache
def _plain(question: Query) -> Statement:
    return Statement(f"SELECT {', '.join(question.columns)} {question.rest}", question.given)


@cache
def _as_json(question: Query) -> Statement:
    inner = ", ".join(f"{column} AS c{n}" for n, column in enumerate(question.columns))
    outer = ", ".join(f"c{n}" for n in range(len(question.columns)))
    rest = f"json_group_array(json_array({outer})) FROM (SELECT {inner} {question.rest})"
    return Statement(f"SELECT {rest}", question.given)


@cache
def _text(statement: Statement, dialect: str) -> TextClause:
    if dialect == "sqlite":
        lock, skip, now = "", "", ":clock"
        columns = ", ".join(f"value->>'$.{name}' AS {name}" for name, _ in _columns(statement.given))
        given = f"(SELECT {columns} FROM json_each(:given)) AS r"  # noqa: S608 - column names of ours
    else:
        lock, skip, now = "FOR UPDATE", "FOR UPDATE OF n SKIP LOCKED", _CLOCK
        columns = ", ".join(f"{name} {kind}" for name, kind in _columns(statement.given))
        given = f"json_to_recordset(CAST(:given AS json)) AS r({columns})"
    sql = statement.sql.replace("{given}", given).replace("{lock}", lock).replace("{skip}", skip)
    return text(sql.replace("{clock}", now))


@cache
def _columns(given: str) -> list[tuple[str, str]]:
    return [(name, kind) for name, kind in (column.split() for column in given.split(",") if column)]


def _execute(
    conn: Connection, statement: Statement, given: Sequence[Mapping[str, Any]], values: dict[str, Any]
) -> CursorResult[Any]:
    dialect = conn.dialect.name
    clause = _text(statement, dialect)
    bound = clause._bindparams
    if "clock" in bound:
        values["clock"] = conn.info["clock"]()
    if dialect == "sqlite" and given and len(given) * len(_columns(statement.given)) <= _MOST_VALUES:
        return conn.exec_driver_sql(*_with_values(statement, given, values))
    if "given" in bound:
        values["given"] = orjson.dumps(given).decode()
    return conn.execute(clause, values)


def _with_values(
    statement: Statement, given: Sequence[Mapping[str, Any]], values: Mapping[str, Any]
) -> tuple[str, tuple[Any, ...]]:
    """For SQLite: the statement with the rows as they are, and all that is bound in it, in its order."""
    pieces, columns = _pieces(statement)
    row = f"({'?,' * (len(columns) - 1)}?)"
    sql: list[str] = []
    bound: list[Any] = []
    for piece, name in pieces:
        sql.append(piece)
        if name == "given":
            sql.append(",".join([row] * len(given)))
            bound += [one.get(column) for one in given for column in columns]
        elif name:
            sql.append("?")
            bound.append(values[name])
    return "".join(sql), tuple(bound)


@cache
def _pieces(statement: Statement) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """The text of a statement, each piece with the name of what is bound behind it; and the columns of its rows."""
    columns = tuple(name for name, _ in _columns(statement.given))
    named = ", ".join(f"column{place} AS {name}" for place, name in enumerate(columns, start=1))
    sql = statement.sql.replace("{given}", f"(SELECT {named} FROM (VALUES :given)) AS r")  # noqa: S608 - names of ours
    parts = [*_BOUND.split(sql.replace("{lock}", "").replace("{skip}", "").replace("{clock}", ":clock")), ""]
    return tuple(zip(parts[::2], parts[1::2], strict=True)), columns


_NOW = text(f"SELECT {_CLOCK}")


def clock(conn: Connection) -> int:
    """The real moment in microseconds, by the clock that all who share the store share."""
    if conn.dialect.name == "sqlite":
        now: int = conn.info["clock"]()
        return now
    return int(conn.execute(_NOW).scalar_one())
