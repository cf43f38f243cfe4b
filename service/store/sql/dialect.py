"""One statement for SQLite and PostgreSQL: where their dialects differ, they differ here.

A statement takes many rows at once, never one after the other. PostgreSQL is handed them as one JSON array, SQLite as
one list of values, which costs it a third of taking JSON apart. The list is filled up to a power of two with rows
that a LIMIT leaves out: so a statement stays prepared for batches of any size. SQLite returns the rows of a query as
one JSON array, because its driver lets go of the interpreter lock at every row and waits up to 5 ms to get it back.

What stands in braces in the text of a statement is explained in `statements.sql`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Connection, CursorResult, TextClause, text

from avisa.core import bucket

Row = Sequence[Any]
Rows = Sequence[Mapping[str, Any]]
SHORT = "short"  # the option of a connection to PostgreSQL on which rows are, see `writes_short`
_MOST_VALUES = 32_000  # in one statement: SQLite takes 32,766, unless it was built to take fewer
_BOUND = re.compile(r":(\w+)")
_JSON_ROWS = "(SELECT {columns} FROM json_each(:rows)) AS r"
_VALUES_ROWS = "(SELECT {columns} FROM (VALUES :rows) LIMIT :row_count) AS r"
_JSON_RESULT = "WITH found ({names}) AS ({query}) SELECT json_group_array(json_array({names})) FROM found"
_CLOCK = "CAST(extract(epoch FROM statement_timestamp()) * 1000000 AS bigint)"
# What the words of `statements.sql` stand for.
_SQLITE = {
    "{lock}": "",
    "{skip}": "",
    "{in_our_buckets}": "1 = 1",
    "{clock}": ":clock",
    "{state}": "CASE typeof(state) WHEN 'blob' THEN hex(state) ELSE state END",
}
_POSTGRESQL = {
    "{lock}": "FOR UPDATE",
    "{skip}": "FOR UPDATE OF n SKIP LOCKED",
    "{in_our_buckets}": f"substr(:buckets, 1 + (hashtext(n.order_id) & {bucket.BUCKETS - 1}), 1) = '1'",
    "{clock}": _CLOCK,
    "{state}": "state",
}


@dataclass(frozen=True, slots=True, eq=False)
class _Sql:
    sql: str
    columns: str = ""  # of the rows that it takes, with their types: `order_id text, version bigint`


class Statement(_Sql):
    """A statement that changes something."""

    __slots__ = ()

    def execute(self, conn: Connection, rows: Rows = (), **values: Any) -> int:
        """Returns how many rows it touched."""
        return _execute(conn, self, rows, values).rowcount

    def execute_each(self, conn: Connection, rows: Rows) -> None:
        """Execute it once for each row, whose columns are bound by name: for bytes, which JSON cannot carry."""
        conn.execute(_text(self, conn.dialect.name), rows)

    def insert(self, conn: Connection, rows: Rows, key: str) -> set[Any]:
        """Insert the rows that are not there yet; returns the keys of these.

        On SQLite all of them are: the caller looked before, and nobody else writes meanwhile.
        """
        if conn.dialect.name == "sqlite":
            self.execute(conn, rows)
            return {row[key] for row in rows}
        return set(_execute(conn, _returning(self, key), rows, {}).scalars())

    def execute_found(
        self, conn: Connection, rows: Rows, found: Query, columns: Iterable[str], **values: Any
    ) -> Sequence[Row]:
        """Execute it, and return these columns of the rows that it touched.

        SQLite is asked before, by the query `found`, which takes their keys: its driver would let go of the
        interpreter lock for each row that an UPDATE returns, and nobody else writes meanwhile.
        """
        if conn.dialect.name == "sqlite":
            names = column_names(found.columns)
            touched = found.fetch(conn, [{name: row[name] for name in names} for row in rows], **values)
            self.execute(conn, rows, **values)
            return touched
        return _execute(conn, _returning(self, ", ".join(columns)), rows, values).all()


class Query(_Sql):
    """A statement that returns rows."""

    __slots__ = ()

    def fetch(self, conn: Connection, rows: Rows = (), **values: Any) -> Sequence[Row]:
        """Returns the rows that it finds. Their values are numbers, texts or None."""
        if conn.dialect.name == "sqlite":
            found: list[Row] = orjson.loads(_execute(conn, _as_json(self), rows, values).scalar_one())
            return found
        return self.fetch_bytes(conn, rows, **values)

    def fetch_bytes(self, conn: Connection, rows: Rows = (), **values: Any) -> Sequence[Row]:
        """The same for values that may be bytes, which JSON cannot carry."""
        return _execute(conn, self, rows, values).all()


def as_rows(column: str, values: Iterable[Any]) -> list[dict[str, Any]]:
    """The values as rows of one column."""
    return [{column: value} for value in values]


def no_bound(bound: int | None) -> int:
    """The bound; None is more than there can be."""
    return 2**63 - 1 if bound is None else bound


@cache
def _returning(statement: Statement, columns: str) -> Statement:
    return Statement(f"{statement.sql} RETURNING {columns}", statement.columns)


@cache
def _as_json(query: Query) -> Statement:
    """The query for SQLite: one value, a JSON array with an array for each row."""
    names = ", ".join(f"c{n}" for n in range(_width(query.sql)))
    return Statement(_replace(_JSON_RESULT, {"{names}": names, "{query}": query.sql}), query.columns)


def _width(sql: str) -> int:
    """How many columns a query returns: the commas between its SELECT and its FROM, outside of parentheses."""
    depth, width = 0, 0
    for word in re.findall(r"[(),]|\bSELECT\b|\bFROM\b", sql):
        if depth == 0 and word == "FROM":
            return width
        depth += {"(": 1, ")": -1}.get(word, 0)
        width += depth == 0 and word in (",", "SELECT")
    raise ValueError(f"not a query: {sql}")


@cache
def _text(statement: _Sql, dialect: str) -> TextClause:
    if dialect == "sqlite":
        columns = ", ".join(f"value->>'$.{name}' AS {name}" for name in column_names(statement.columns))
        return text(_replace(statement.sql, _SQLITE | {"{rows}": _JSON_ROWS.replace("{columns}", columns)}))
    rows = f"json_to_recordset(CAST(:rows AS json)) AS r({statement.columns})"
    return text(_replace(statement.sql, _POSTGRESQL | {"{rows}": rows}))


def column_names(columns: str) -> tuple[str, ...]:
    """The names in `order_id text, version bigint`."""
    return tuple(column.split()[0] for column in columns.split(",") if column)


def _replace(sql: str, replaced: Mapping[str, str]) -> str:
    for name, other in replaced.items():
        sql = sql.replace(name, other)
    return sql


def _execute(conn: Connection, statement: _Sql, rows: Rows, values: dict[str, Any]) -> CursorResult[Any]:
    if conn.dialect.name == "sqlite":
        if "{clock}" in statement.sql:
            values["clock"] = conn.info["clock"]()
        if rows and len(rows) * len(_pieces(statement)[1]) <= _MOST_VALUES:
            return conn.exec_driver_sql(*_with_values(statement, rows, values))
    if statement.columns:
        values["rows"] = orjson.dumps(rows, default=None if conn.dialect.name == "sqlite" else _bytea).decode()
    return conn.execute(_text(statement, conn.dialect.name), values)


def _bytea(content: object) -> str:
    """Bytes as PostgreSQL reads them from JSON."""
    if isinstance(content, bytes):
        return f"\\x{content.hex()}"
    raise TypeError


def _with_values(statement: _Sql, rows: Rows, values: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    """For SQLite: the statement with room for the rows, and all that is bound in it, in its order."""
    pieces, columns = _pieces(statement)
    room = min(1 << (len(rows) - 1).bit_length(), _MOST_VALUES // len(columns))
    bound: list[Any] = []
    for _, name in pieces:
        if name == "rows":
            bound += [one.get(column) for one in rows for column in columns]
            bound += [0] * ((room - len(rows)) * len(columns))  # the driver takes ten times as long for None
        elif name:
            bound.append(len(rows) if name == "row_count" else values[name])
    return _with_room(statement, room), tuple(bound)


@cache
def _with_room(statement: _Sql, room: int) -> str:
    """For SQLite: the text of a statement with a list of values for so many rows."""
    pieces, columns = _pieces(statement)
    row = f"({'?,' * (len(columns) - 1)}?)"
    bound = {"rows": ",".join([row] * room), "": ""}
    return "".join(piece + bound.get(name, "?") for piece, name in pieces)


@cache
def _pieces(statement: _Sql) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """For SQLite: the text of a statement, each piece with the name of what is bound after it; and the columns of its
    rows."""
    columns = column_names(statement.columns)
    named = ", ".join(f"column{place} AS {name}" for place, name in enumerate(columns, start=1))
    rows = _VALUES_ROWS.replace("{columns}", named)
    sql = _replace(statement.sql, _SQLITE | {"{rows}": rows})
    parts = [*_BOUND.split(sql), ""]
    return tuple(zip(parts[::2], parts[1::2], strict=True)), columns


def writes_short(conn: Connection) -> bool:
    """Whether rows are written shorter than the version before can read them.

    On SQLite they are: one process has it at a time, and an older one does not open it any more. On PostgreSQL older
    ones may go on beside this one until the schema is contracted (see `schema.CONTRACTS`).
    """
    return conn.dialect.name == "sqlite" or bool(conn.get_execution_options().get(SHORT))


_NOW = text(f"SELECT {_CLOCK}")


def clock(conn: Connection) -> int:
    """The real moment in microseconds, by the clock that all who share the store share."""
    if conn.dialect.name == "sqlite":
        now: int = conn.info["clock"]()
        return now
    return int(conn.execute(_NOW).scalar_one())


_LOCK = text(
    "SELECT pg_advisory_xact_lock(n) FROM ("
    "SELECT CAST(value AS bigint) AS n FROM json_array_elements_text(CAST(:numbers AS json)) ORDER BY 1"
    ") AS numbers"
)


def lock_hashes(conn: Connection, hashes: Collection[bytes]) -> bool:
    """Lock on PostgreSQL what has these hashes until the transaction ends; False if there are none.

    Two hashes that begin alike share a lock.
    """
    if not hashes:
        return False
    numbers = orjson.dumps([int.from_bytes(each[:8], "big", signed=True) for each in hashes]).decode()
    conn.execute(_LOCK, {"numbers": numbers})
    return True
