"""What `fastavro` writes is read; and what nobody should write makes neither a crash nor a mountain."""

from __future__ import annotations

import io
import json
import random
import tracemalloc
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avisa import avro
from avisa.avro.cursor import MOST_VALUES
from avisa.avro.schema import MOST_TYPES

AT = datetime(2026, 3, 2, 10, 15, 30, 250_000, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def written(schema: Any, value: Any) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), value)
    return out.getvalue()


def compiled(schema: Any, *references: Any) -> avro.Schema:
    found = avro.compiled(json.dumps(schema), [json.dumps(each) for each in references])
    assert isinstance(found, avro.Schema), found
    return found


def read(schema: Any, content: bytes) -> Any:
    return compiled(schema).read(content)


def fields(**types: Any) -> dict[str, Any]:
    return {"type": "record", "name": "R", "fields": [{"name": name, "type": each} for name, each in types.items()]}


def logical(type_: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": type_, "logicalType": name, **more}


VALUES = [
    ("null", None, None),
    ("boolean", True, True),
    ("int", -64, -64),
    ("long", 2**63 - 1, 2**63 - 1),
    ("long", -(2**63), -(2**63)),
    ("float", 12.9, 12.9),
    ("double", 0.1, 0.1),
    ("bytes", b"\0\xff", "AP8="),
    ("string", "Peça única", "Peça única"),
    ({"type": "string", "avro.java.string": "String"}, "a", "a"),
    ({"type": "fixed", "name": "F", "size": 2}, b"\0\xff", "AP8="),
    ({"type": "enum", "name": "E", "symbols": ["NEW", "SENT"]}, "SENT", "SENT"),
    (["null", "string"], None, None),
    (["null", "string"], "a", "a"),
    ({"type": "array", "items": "long"}, list(range(300)), list(range(300))),
    ({"type": "map", "values": ["null", "int"]}, {"a": 1, "b": None}, {"a": 1, "b": None}),
    (logical("int", "date"), date(2026, 3, 9), "2026-03-09"),
    (logical("long", "timestamp-millis"), AT, "2026-03-02T10:15:30.250000Z"),
    (logical("long", "timestamp-micros"), AT, "2026-03-02T10:15:30.250000Z"),
    (logical("long", "timestamp-nanos"), 1_772_446_530_250_000_999, "2026-03-02T10:15:30.250000Z"),
    (logical("long", "local-timestamp-micros"), AT.replace(tzinfo=None), "2026-03-02T10:15:30.250000"),
    (logical("string", "uuid"), UUID(int=7), str(UUID(int=7))),
    ({**logical("fixed", "uuid"), "name": "U", "size": 16}, UUID(int=7).bytes, str(UUID(int=7))),
    (logical("bytes", "decimal", precision=9, scale=2), Decimal("129.90"), "129.90"),
    (logical("bytes", "decimal", precision=9, scale=2), Decimal("-0.05"), "-0.05"),
    (logical("bytes", "decimal", precision=9), Decimal(7), "7"),
    ({**logical("fixed", "decimal", precision=9, scale=3), "name": "D", "size": 8}, Decimal("1.500"), "1.500"),
    (logical("bytes", "decimal", precision=2, scale=3), b"\1", "AQ=="),  # which is no decimal
    (logical("long", "of tomorrow"), 7, 7),
    (logical("int", "time-millis"), 7, 7),
]


@pytest.mark.parametrize(("schema", "value", "expected"), VALUES)
def test_each_type_becomes_what_json_has_for_it(schema: Any, value: Any, expected: Any) -> None:
    plain = isinstance(value, bytes | int) and isinstance(schema, dict) and "logicalType" in schema
    writes = {key: each for key, each in schema.items() if key != "logicalType"} if plain else schema
    assert read(fields(v=schema), written(fields(v=writes), {"v": value})) == {"v": expected}


@pytest.mark.parametrize("type_", ["date", "timestamp-millis", "local-timestamp-micros"])
def test_a_day_that_no_calendar_has_stays_a_number(type_: str) -> None:
    base = "int" if type_ == "date" else "long"
    assert read(logical(base, type_), written(base, 2**31 - 1 if base == "int" else 2**63 - 1)) in (
        2**31 - 1,
        2**63 - 1,
    )


def test_names_are_found_in_their_namespaces_and_in_what_is_referred_to() -> None:
    address = {
        "type": "record",
        "name": "Address",
        "namespace": "shop",
        "fields": [{"name": "city", "type": "string"}],
    }
    order = fields(to="Address", bill=["null", "shop.Address"]) | {"name": "shop.Order"}
    content = written(
        {**order, "fields": [{"name": "to", "type": address}, order["fields"][1]]},
        {"to": {"city": "Évora"}, "bill": None},
    )
    assert compiled(order, address).read(content) == {"to": {"city": "Évora"}, "bill": None}


def test_a_record_may_hold_its_own_kind_to_a_depth() -> None:
    tree = fields(name="string", within=["null", "R"])
    value: Any = None
    for n in range(32):
        value = {"name": str(n), "within": value}
    assert read(tree, written(tree, value)) == value
    with pytest.raises(avro.ExcessError, match="deep"):
        read(tree, written(tree, {"name": "one more", "within": value}))
    with pytest.raises(avro.ExcessError, match="deep"):
        read(fields(within=["null", "R"]), b"\2" * 1_000_000)


def test_a_record_that_never_ends_is_too_deep() -> None:
    with pytest.raises(avro.ExcessError, match="deep"):
        read(fields(within="R"), b"")


def _long(value: int) -> bytes:
    return written("long", value)


NOTHING = {"type": "record", "name": "N", "fields": []}
BOMBS = [
    ({"type": "array", "items": "null"}, _long(2**62) + b"\0"),
    ({"type": "array", "items": "null"}, _long(-(2**63)) + _long(0) + b"\0"),
    ({"type": "array", "items": NOTHING}, _long(10**9) + b"\0"),
    ({"type": "array", "items": {"type": "fixed", "name": "F", "size": 0}}, _long(10**9) + b"\0"),
    ({"type": "array", "items": {"type": "array", "items": "null"}}, _long(90_000) + (_long(90_000) + b"\0") * 9),
    ({"type": "array", "items": "boolean"}, _long(1_000_000) + b"\0" * 1_000_001),
    ({"type": "array", "items": fields(a="boolean")}, _long(1_000_000) + b"\0" * 1_000_001),
    ({"type": "map", "values": "null"}, _long(1_000_000) + b"\0" * 1_000_001),
]


@pytest.mark.parametrize(("schema", "content"), BOMBS)
def test_what_takes_no_room_in_bytes_is_paid_for_all_the_same(schema: Any, content: bytes) -> None:
    reading = compiled(schema)
    tracemalloc.start()
    try:
        with pytest.raises(avro.ExcessError, match="too many values"):
            reading.read(content)
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_types_that_double_at_each_level_are_paid_for() -> None:
    """R0 holds two R1, which hold two R2 each: a billion nulls in no byte at all."""
    inner: Any = "null"
    for level in range(30):
        inner = {
            "type": "record",
            "name": f"R{level}",
            "fields": [
                {"name": "a", "type": inner},
                {"name": "b", "type": "null" if level == 0 else f"R{level - 1}"},
            ],
        }
    with pytest.raises(avro.ExcessError, match="too many values"):
        read(inner, b"")


def test_as_many_values_as_may_be() -> None:
    schema = {"type": "array", "items": "null"}
    assert read(schema, _long(MOST_VALUES) + b"\0") == [None] * MOST_VALUES


MISMATCHES = [
    ("string", b"", "ends too early"),
    ("string", _long(5) + b"abcd", "ends too early"),
    ("string", _long(-5) + b"abcde", "ends too early"),
    ("string", _long(2**62), "ends too early"),
    ("string", _long(1) + b"\xff", "not UTF-8"),
    ("long", b"\xff" * 9, "ends too early"),
    ("long", b"\xff" * 10 + b"\1", "64 bits"),
    ("long", b"\xff" * 9 + b"\x7f", "64 bits"),
    ("double", b"1234567", "ends too early"),
    ("boolean", b"\2", "neither"),
    ({"type": "enum", "name": "E", "symbols": ["A"]}, _long(1), "symbol"),
    ({"type": "enum", "name": "E", "symbols": ["A"]}, _long(-1), "symbol"),
    (["null"], _long(7), "branch"),
    ([], _long(0), "branch"),
    ("null", b"\0", "goes on"),
    (logical("bytes", "decimal", precision=2), _long(2) + b"\x7f\xff", "more digits"),
    (logical("bytes", "decimal", precision=1000), _long(5_000) + b"\x7f" * 5_000, "more digits"),
]


@pytest.mark.parametrize(("schema", "content", "words"), MISMATCHES)
def test_bytes_that_are_not_as_the_schema_says(schema: Any, content: bytes, words: str) -> None:
    with pytest.raises(avro.MismatchError, match=words):
        read(schema, content)


BAD_SCHEMAS = [
    ("", "is no JSON"),
    ('"strin"', "names a type"),
    ("7", "neither a name"),
    ("{}", "neither a name"),
    ('{"type": "record", "name": "R"}', "no list of fields"),
    ('{"type": "record", "name": "R", "fields": [{"type": "int"}]}', "without a name"),
    (json.dumps({**fields(a="int"), "fields": [{"name": "a", "type": "int"}] * 2}), "without a name of its own"),
    ('{"type": "record", "fields": []}', "without a name"),
    ('{"type": "enum", "name": "E", "symbols": [7]}', "symbol that is no text"),
    ('{"type": "fixed", "name": "F", "size": -1}', "no size"),
    ('{"type": "fixed", "name": "F", "size": 1e9}', "no size"),
    (json.dumps(fields(a=NOTHING, b=NOTHING)), "two types of one name"),
    ('{"type":"array","items":' * 100 + '"int"' + "}" * 100, "nested more than 64 deep"),
    ("[" * 500 + "]" * 500, "nested more than 64 deep"),
    ("[" * 100_000, "is no JSON"),
    (json.dumps(["null"] * (MOST_TYPES + 1)), f"more than {MOST_TYPES} types"),
    ("9" * 5_000, "is no JSON"),
]


@pytest.mark.parametrize(("text", "words"), BAD_SCHEMAS)
def test_a_schema_by_which_nothing_can_be_read(text: str, words: str) -> None:
    found = avro.compiled(text)
    assert isinstance(found, avro.BadSchema)
    assert words in found.detail


@given(st.binary(max_size=200), st.integers(0, 2**32))
def test_any_bytes_are_read_or_refused(content: bytes, seed: int) -> None:
    schema = [each for each, _, _ in VALUES]
    random.Random(seed).shuffle(schema)
    types = {f"f{n}": each for n, each in enumerate(schema) if not isinstance(each, dict) or "name" not in each}
    with suppress(avro.MismatchError, avro.ExcessError):
        read(fields(**types, more={"type": "array", "items": ["null", "R"]}), content)


@given(st.floats(width=32, allow_nan=False))
def test_a_number_of_32_bits_is_the_same_one_when_it_is_written_shortly(value: float) -> None:
    found = read("float", written("float", value))
    assert written("float", found) == written("float", value)
    assert len(repr(found)) <= len(repr(value))


@given(st.integers(0, 200_000_000_000_000_000))
def test_a_moment_is_the_same_moment(micros: int) -> None:
    found = read(logical("long", "timestamp-micros"), written("long", micros))
    assert (datetime.fromisoformat(found) - EPOCH) // timedelta(microseconds=1) == micros
