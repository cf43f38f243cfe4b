"""A schema, compiled to functions that read values by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from avisa.avro import logical_types, readers
from avisa.avro.cursor import Cursor, ExcessError, MismatchError
from avisa.avro.readers import Read
from avisa.core.model import Json

MOST_TYPES = 10_000  # of a schema, and those that it refers to
DEEPEST = 64  # levels of types in types
LARGEST_FIXED = 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class BadSchema:
    """A schema by which nothing can be read; `detail` says why."""

    detail: str


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema by which values can be read."""

    _read: Read

    def read(self, content: bytes, at: int = 0) -> Json:
        """Return the value that begins at `at` and takes all the rest. Raises MismatchError and ExcessError."""
        cursor = Cursor(content, at)
        try:
            found = self._read(cursor)
        except RecursionError:  # unions in unions, which are no level of the value
            raise ExcessError(deep=True) from None
        if not cursor.at_end:
            raise MismatchError("goes on behind its end")
        return found


def compiled(text: str, references: Sequence[str] = ()) -> Schema | BadSchema:
    """Return the schema; `references` are those that it names, each after those that it names itself.

    Its names and symbols become values, so it is read by a parser that takes no half of a surrogate pair: no store
    and no mail could write one.
    """
    compiler = _Compiler()
    try:
        for each in references:
            compiler.add(orjson.loads(each))
        return Schema(compiler.add(orjson.loads(text)))
    except _BadSchemaError as error:
        return BadSchema(str(error))
    except orjson.JSONDecodeError:
        return BadSchema("is no JSON")


_TOO_DEEP = f"is nested more than {DEEPEST} deep"


class _BadSchemaError(Exception):
    """What is wrong with a schema."""


@dataclass(slots=True)
class _Compiler:
    """Knows the named types by their full names. A record is known before its fields are: they may hold it."""

    _named: dict[str, Read] = field(default_factory=lambda: dict(readers.PRIMITIVE))
    _types: int = 0
    _depth: int = 0

    def add(self, written: Any, namespace: str = "") -> Read:
        """Return how a value is read. Raises _BadSchemaError."""
        self._types += 1
        self._depth += 1
        if self._types > MOST_TYPES:
            raise _BadSchemaError(f"has more than {MOST_TYPES} types")
        if self._depth > DEEPEST:
            raise _BadSchemaError(_TOO_DEEP)
        try:
            if isinstance(written, str):
                return self._by_name(written, namespace)
            if isinstance(written, list):
                return self._union(written, namespace)
            if isinstance(written, dict):
                return self._of_object(written, namespace)
            raise _BadSchemaError("has a type that is neither a name, a list nor an object")
        finally:
            self._depth -= 1

    def _by_name(self, name: str, namespace: str) -> Read:
        if name not in readers.PRIMITIVE and namespace and "." not in name:
            name = f"{namespace}.{name}" if f"{namespace}.{name}" in self._named else name
        if name not in self._named:
            raise _BadSchemaError("names a type that is not there")
        return self._named[name]

    def _union(self, written: list[Any], namespace: str) -> Read:
        return readers.union([self.add(each, namespace) for each in written])

    def _of_object(self, written: dict[str, Any], namespace: str) -> Read:
        kind = written.get("type")
        match kind:
            case "record" | "error":
                return self._record(written, namespace)
            case "enum":
                symbols = _list(written, "symbols")
                if not all(isinstance(symbol, str) for symbol in symbols):
                    raise _BadSchemaError("has a symbol that is no text")
                return self._name(written, namespace, readers.enum(symbols))[0]
            case "fixed":
                return self._fixed(written, namespace)
            case "array":
                return readers.array(self.add(written.get("items"), namespace))
            case "map":
                return readers.map_of(self.add(written.get("values"), namespace))
            case str() if kind in readers.PRIMITIVE:
                return logical_types.reader(written, kind) or readers.PRIMITIVE[kind]
            case _:
                return self.add(kind, namespace)

    def _record(self, written: dict[str, Any], namespace: str) -> Read:
        record = readers.Record()
        read, inner = self._name(written, namespace, record)
        names = set()
        for each in _list(written, "fields"):
            name = each.get("name") if isinstance(each, dict) else None
            if not isinstance(name, str) or name in names:
                raise _BadSchemaError("has a field without a name of its own")
            names.add(name)
            record.add(name, self.add(each.get("type"), inner))
        return read

    def _fixed(self, written: dict[str, Any], namespace: str) -> Read:
        size = written.get("size")
        if type(size) is not int or not 0 <= size <= LARGEST_FIXED:
            raise _BadSchemaError("has a fixed of no size")
        read = logical_types.reader(written, "fixed", size) or readers.fixed(size)
        return self._name(written, namespace, read)[0]

    def _name(self, written: dict[str, Any], namespace: str, read: Read) -> tuple[Read, str]:
        """Make a type known by its full name. Return it, with the namespace that holds inside it."""
        name, own = written.get("name"), written.get("namespace", namespace)
        if not isinstance(name, str) or not name or not isinstance(own, str):
            raise _BadSchemaError("has a type without a name")
        full = name if "." in name or not own else f"{own}.{name}"
        if full in self._named:
            raise _BadSchemaError("has two types of one name")
        self._named[full] = read
        return read, full.rpartition(".")[0]


def _list(written: dict[str, Any], key: str) -> list[Any]:
    found = written.get(key)
    if not isinstance(found, list):
        raise _BadSchemaError(f"has no list of {key}")
    return found
