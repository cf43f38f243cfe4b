"""Nouns as JSON, field by field, and back. This is the hot path: nothing is looked up by reflection and nothing is
parsed twice.

The annotation of a field says how the field is written; it is read once, at import. A new field of `Order` is stored
without a change here. If its type has no coder yet, the import fails.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Callable, Iterable
from dataclasses import Field, dataclass, fields, replace
from operator import attrgetter
from typing import Any

import orjson

from avisa.core.model import Fact, Purpose, Rank, Reason
from avisa.core.promise import Promise, PromiseState
from avisa.store.sql import asking, parts
from avisa.store.sql.moments import micros, moment

_AS_IT_IS = frozenset({"int", "bool", "str", "str | None", "int | None"})

Coder = Callable[[Any], Any]
Readers = dict[str, Coder | None]  # by the name of the field; None: it is read as it is


@dataclass(frozen=True, slots=True)
class Codes:
    """How the fields of a noun are written and read, one entry a field in each. `values` gets all of them at once."""

    values: Callable[[Any], tuple[Any, ...]]
    defaults: tuple[Any, ...]
    names: tuple[str, ...]  # in JSON
    writers: tuple[Coder | None, ...]
    readers: Readers


# The fields that most notifications and entries have, by their short names.
_LONG = {
    "a": "at", "b": "promise_before", "e": "episode", "k": "kind", "o": "ordinal", "p": "purpose", "r": "reason",
    "s": "status", "t": "published_real",
}  # fmt: skip
_SHORT = {long: short for short, long in _LONG.items()}


def to_json(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # a publisher's integer beyond 64 bits
        return json.dumps(value, separators=(",", ":"))


def _ranked(pairs: Iterable[tuple[Rank, str]]) -> list[Any]:
    return [[*rank, word] for rank, word in pairs]


def _unranked(rows: list[Any]) -> tuple[tuple[Rank, str], ...]:
    return tuple(((a, b, c), word) for a, b, c, word in rows)


def _facts(facts: dict[str, Fact]) -> dict[str, Any]:
    return {name: [*fact.rank, fact.value] for name, fact in facts.items()}


def _unfacts(rows: dict[str, Any]) -> dict[str, Fact]:
    return {name: Fact(rank=(a, b, c), value=value) for name, (a, b, c, value) in rows.items()}


def _counts(numbers: dict[str, int]) -> dict[str, int]:
    """With plain strings for keys: orjson accepts no enumeration there."""
    return {str(word): number for word, number in numbers.items()}


def _base64(content: bytes) -> str:
    return binascii.b2a_base64(content, newline=False).decode()


_CODERS: dict[str, tuple[Coder, Coder]] = {
    "datetime": (micros, moment),
    "datetime | None": (micros, moment),  # None is the default, and a default is left out
    "Rank": (list, tuple),
    "Mapping[str, Fact]": (_facts, _unfacts),
    "Mapping[str, int]": (_counts, dict),
    "Mapping[str, str]": (dict, dict),
    "tuple[tuple[Rank, str], ...]": (_ranked, _unranked),
    "tuple[str, ...]": (list, tuple),
    "bytes": (_base64, binascii.a2b_base64),
    "frozenset[str]": (sorted, frozenset),
    "PromiseState | None": (str, PromiseState),
    "Asking | None": (asking.written, asking.read),
    "Parts | None": (parts.written, parts.read),
    "Purpose": (str, Purpose),
    "Reason": (str, Reason),
    "Reason | None": (str, Reason),
}


def codes(noun: type[Any], leave: frozenset[str]) -> Codes:
    """How each field is coded that goes into the JSON of `noun`: all but those in `leave`."""
    coded = {field.name: field for field in fields(noun) if field.name not in leave}
    coders = [_coders(str(field.type)) for field in coded.values()]
    return Codes(
        values=attrgetter(*coded),
        defaults=tuple(map(_default, coded.values())),
        names=tuple(coded),
        writers=tuple(write for write, _ in coders),
        readers={name: read for name, (_, read) in zip(coded, coders, strict=True)},
    )


def _coders(kind: str) -> tuple[Coder | None, Coder | None]:
    return (None, None) if kind in _AS_IT_IS else _CODERS[kind]


def _default(field: Field[Any]) -> Any:
    return field.default_factory() if callable(field.default_factory) else field.default


def shortened(codes: Codes) -> Codes:
    """The same with the short names, as far as there are any; `read_short` reads either."""
    return replace(codes, names=tuple(_SHORT.get(name, name) for name in codes.names))


def write(noun: Any, codes: Codes) -> str:
    """The JSON of a noun: what differs from its defaults."""
    return to_json(_written(noun, codes))


def _written(noun: Any, codes: Codes) -> dict[str, Any]:
    coded = zip(codes.values(noun), codes.defaults, codes.names, codes.writers, strict=True)
    return {
        name: value if write is None else write(value)
        for value, default, name, write in coded
        if value is not default and value != default
    }


_PROMISE = codes(Promise, frozenset())
_CODERS["Promise | None"] = (
    lambda promise: _written(promise, _PROMISE),
    lambda state: Promise(**_values(state, _PROMISE.readers)),
)


def read(state: str, readers: Readers) -> dict[str, Any]:
    """The fields that were written so."""
    return _values(orjson.loads(state), readers)


def read_short(state: str, readers: Readers) -> dict[str, Any]:
    """The same where their names may be short."""
    return _values({_LONG.get(name, name): value for name, value in orjson.loads(state).items()}, readers)


def _values(state: dict[str, Any], readers: Readers) -> dict[str, Any]:
    fields_read = {}
    for name, value in state.items():
        read = readers[name]
        fields_read[name] = value if read is None else read(value)
    return fields_read
