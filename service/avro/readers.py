"""How a value of each type is read. A reader takes the bytes of one value and returns what JSON has for it."""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Callable, Sequence

from avisa.avro.cursor import CHARACTERS, Cursor, MismatchError
from avisa.core.model import Json

Read = Callable[[Cursor], Json]

_FLOAT, _DOUBLE = struct.Struct("<f"), struct.Struct("<d")


def _null(_: Cursor) -> None:
    return None


def _boolean(cursor: Cursor) -> bool:
    byte = cursor.take(1)
    if byte > b"\1":
        raise MismatchError("has a boolean that is neither")
    return byte == b"\1"


def _float(cursor: Cursor) -> float:
    """The shortest number that is this one in 32 bits: 12.9, and not 12.899999618530273."""
    (exact,) = _FLOAT.unpack(cursor.take(4))
    for digits in (6, 7, 8):
        short = float(f"{exact:.{digits}g}")
        if abs(short) < 3e38 and _FLOAT.pack(short) == _FLOAT.pack(exact):
            return short
    return exact  # type: ignore[no-any-return]  # struct cannot say so


def _double(cursor: Cursor) -> float:
    return _DOUBLE.unpack(cursor.take(8))[0]  # type: ignore[no-any-return]  # as above


def _bytes(cursor: Cursor) -> bytes:
    return cursor.take(cursor.long())


PRIMITIVE: dict[str, Read] = {
    "null": _null,
    "boolean": _boolean,
    "int": Cursor.long,
    "long": Cursor.long,
    "float": _float,
    "double": _double,
    "bytes": lambda cursor: b64encode(_bytes(cursor)).decode(),
    "string": Cursor.text,
}


def raw(size: int | None) -> Callable[[Cursor], bytes]:
    """Bytes as they are: of a `fixed` of that size; None: of `bytes`, which say their length."""
    return _bytes if size is None else lambda cursor: cursor.take(size)


def fixed(size: int) -> Read:
    return lambda cursor: b64encode(cursor.take(size)).decode()


def enum(symbols: Sequence[str]) -> Read:
    def read(cursor: Cursor) -> Json:
        symbol = symbols[_index(cursor, len(symbols))]
        cursor.pay(len(symbol) // CHARACTERS)
        return symbol

    return read


def union(branches: Sequence[Read]) -> Read:
    """The value of its branch, without the name of the type."""
    return lambda cursor: branches[_index(cursor, len(branches))](cursor)


def _index(cursor: Cursor, most: int) -> int:
    index = cursor.long()
    if not 0 <= index < most:
        raise MismatchError("has a branch or symbol that its schema has not")
    return index


class Record:
    """Reads a record. It may hold others of its own type, so its fields are added when it is known already."""

    __slots__ = ("_cost", "_fields")

    def __init__(self) -> None:
        self._fields: list[tuple[str, Read]] = []
        self._cost = 0

    def add(self, name: str, read: Read) -> None:
        self._fields.append((name, read))
        self._cost += 1 + len(name) // CHARACTERS

    def __call__(self, cursor: Cursor) -> Json:
        cursor.enter(self._cost)
        found = {name: value(cursor) for name, value in self._fields}
        cursor.leave()
        return found


def array(item: Read) -> Read:
    def read(cursor: Cursor) -> Json:
        cursor.enter(0)
        found = []
        while count := _block(cursor):
            found += [item(cursor) for _ in range(count)]
        cursor.leave()
        return found

    return read


def map_of(value: Read) -> Read:
    def read(cursor: Cursor) -> Json:
        cursor.enter(0)
        found = {}
        while count := _block(cursor):
            for _ in range(count):
                key = cursor.text()
                found[key] = value(cursor)
        cursor.leave()
        return found

    return read


def _block(cursor: Cursor) -> int:
    """How many items come next, which are paid for; 0 at the end."""
    count = cursor.long()
    if count < 0:
        count = -count
        cursor.long()  # how many bytes they have, for those who skip them
    cursor.pay(count)
    return count
