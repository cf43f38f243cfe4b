"""`envelope: registry`: what a record says by the schema that it names."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from avisa import events
from avisa.core.model import OrderEvent, Reason
from avisa.ports import KnownSchemas, NoSchema, Skipped, Taken, Unreadable, WriterSchema
from tests.avro.test_avro import written
from tests.feeds.plans import TOPIC, mapped, plan, record

ORDER = {
    "type": "record",
    "name": "Order",
    "namespace": "shop",
    "fields": [
        {"name": "number", "type": "long"},
        {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["NEW", "SENT"]}},
        {"name": "changed", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "eta", "type": ["null", {"type": "int", "logicalType": "date"}]},
        {"name": "email", "type": ["null", "string"]},
        {"name": "total", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"name": "rate", "type": "double"},
    ],
}
CONTENT = {
    "number": 820982911946154508,
    "state": "SENT",
    "changed": datetime(2026, 3, 2, 10, 15, tzinfo=UTC),
    "eta": date(2026, 3, 9),
    "email": "ana@example.pt",
    "total": Decimal("129.90"),
    "rate": 1.5,
}
FEED = """\
envelope: registry
fields:
  order_id: {from: number, as: text}
  status: {from: state, values: {sent: shipped}}
  occurred_at: changed
  promised_at: eta
  customer.email: email
  details.total: total
  details.rate: rate
"""
SCHEMAS: KnownSchemas = {
    7: WriterSchema("AVRO", json.dumps(ORDER)),
    8: WriterSchema("JSON"),
    9: WriterSchema("PROTOBUF"),
    10: NoSchema("the registry has none of this id"),
    11: WriterSchema("AVRO", '{"type": "recrod"}'),
    12: WriterSchema("AVRO", '{"type": "array", "items": "null"}'),
    13: WriterSchema("THRIFT"),
    14: WriterSchema("AVRO", '["null", {"type": "record", "name": "R", "fields": [{"name": "r", "type": "R"}]}]'),
}


def wire(number: int, content: bytes) -> bytes:
    return b"\0" + number.to_bytes(4, "big") + content


def avro(**more: Any) -> bytes:
    return wire(7, written(ORDER, CONTENT | more))


def taken(value: bytes | None, feed: str = FEED) -> Taken:
    return events.read(record(value), rules=plan(feed).events, schemas=SCHEMAS)


def test_an_order_in_avro() -> None:
    found = taken(avro())
    assert isinstance(found, OrderEvent), found
    assert (found.order_id, found.status) == ("820982911946154508", "shipped")
    assert found.occurred_at == CONTENT["changed"]
    assert found.left_out == ()
    assert found.facts == {
        "promised_at": "2026-03-09",
        "customer.email": "ana@example.pt",
        "details.total": "129.90",
        "details.rate": 1.5,
    }


def test_one_odd_field_does_not_keep_the_news_back() -> None:
    found = taken(avro(rate=float("nan"), eta=None))
    assert isinstance(found, OrderEvent), found
    assert found.left_out == ("details.rate",)
    assert found.facts["promised_at"] is None


def test_a_placeholder_of_debezium_is_as_if_it_were_not_there() -> None:
    found = taken(avro(email="__debezium_unavailable_value"))
    assert isinstance(found, OrderEvent), found
    assert "customer.email" not in found.facts


def test_our_own_shape_in_avro_needs_no_fields() -> None:
    schema = {
        "type": "record",
        "name": "Event",
        "fields": [
            {"name": "order_id", "type": "string"},
            {"name": "status", "type": "string"},
            {"name": "details", "type": {"type": "map", "values": ["double", "string"]}},
        ],
    }
    content = {"order_id": "A-1", "status": "shipped", "details": {"n": "1", "rate": float("inf")}}
    found = events.read(
        record(wire(1, written(schema, content))),
        rules=plan("envelope: registry").events,
        schemas={1: WriterSchema("AVRO", json.dumps(schema))},
    )
    assert isinstance(found, OrderEvent), found
    assert (found.order_id, found.facts, found.left_out) == ("A-1", {"details.n": "1"}, ("details.rate",))


def test_of_a_json_schema_only_the_header_is_cut() -> None:
    found = taken(wire(8, b'{"id": 7, "state": "s"}'), "envelope: registry\n" + mapped())
    assert isinstance(found, OrderEvent)
    assert (found.order_id, found.status) == ("7", "s")


def test_a_tombstone_has_no_schema() -> None:
    assert isinstance(taken(None), Skipped)
    assert events.schema_id(TOPIC, None, plan(FEED).events) is None


DEAD = [
    (b"", Reason.WRONG_TYPE, "does not begin as a schema registry has it"),
    (b'{"number": 1}', Reason.WRONG_TYPE, "does not begin as a schema registry has it"),
    (b"\0\0\0\0", Reason.WRONG_TYPE, "does not begin as a schema registry has it"),
    (b"\1" + bytes(20), Reason.WRONG_TYPE, "does not begin as a schema registry has it"),
    (wire(10, b""), Reason.NO_SCHEMA, "schema 10: the registry has none of this id"),
    (wire(9, b"\0\0"), Reason.NO_SCHEMA, "schema 9: Protobuf is not supported yet"),
    (wire(13, b""), Reason.NO_SCHEMA, "schema 13: this kind is not supported yet"),
    (wire(2**32 - 1, b""), Reason.NO_SCHEMA, "schema 4294967295: the registry was not asked for it"),
    (wire(11, b""), Reason.NO_SCHEMA, "schema 11: it names a type that is not there"),
    (wire(7, b""), Reason.WRONG_TYPE, "not what schema 7 says: it ends too early"),
    (avro() + b"\0", Reason.WRONG_TYPE, "it goes on behind its end"),
    (wire(12, written("long", 10**12) + b"\0"), Reason.TOO_LARGE, "holds too many values"),
    (wire(14, b"\2" * 100), Reason.TOO_DEEP, "32 deep"),
    (wire(12, written("long", 1) + b"\0"), Reason.NO_ORDER_ID, "(`number`)"),
    (wire(8, b"{"), Reason.NOT_JSON, "not JSON"),
    (wire(8, b"[" * 40 + b"]" * 40), Reason.TOO_DEEP, "32 deep"),
    (wire(7, b"\0" * 1024 * 1024), Reason.TOO_LARGE, "1048581"),
]


@pytest.mark.parametrize(("value", "reason", "words"), DEAD)
def test_what_cannot_be_read_is_a_dead_letter(value: bytes, reason: Reason, words: str) -> None:
    found = taken(value)
    assert isinstance(found, Unreadable), found
    assert found.reason is reason
    assert words in found.message
    assert found.record.value == value


def test_only_a_feed_by_registry_asks_for_schemas() -> None:
    by_registry = plan(FEED).events
    assert events.schema_id(TOPIC, avro(), by_registry) == 7
    assert events.schema_id("another", avro(), by_registry) is None
    assert events.schema_id(TOPIC, avro(), plan(mapped()).events) is None
    assert events.schema_id(TOPIC, b"{}", by_registry) is None
    assert events.schema_id(TOPIC, wire(7, b"\0" * 1024 * 1024), by_registry) is None
