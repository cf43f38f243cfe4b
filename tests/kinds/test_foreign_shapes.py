"""A shape of another program gets a useful word; what only a machine can have written is never a value."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from avisa.core.model import OrderEvent, Reason
from avisa.events import read
from avisa.ports import Record, Unreadable
from tests.events.records import CONTENT_TYPE, attributes, envelope, plain, record
from tests.flows.harness import running

CHANGE = {"before": None, "after": {"order_id": "1"}, "op": "c", "source": {}}
FOREIGN = [
    ("registry", record(b"\0\0\0\0\x11" + b"\x02abc"), Reason.NOT_JSON, "wire format, with schema 17"),
    ("registry, JSON schema", record(b"\0\0\0\x01\0" + json.dumps(plain()).encode()), Reason.NOT_JSON, "schema 256"),
    ("connect", record({"schema": {}, "payload": plain()}), Reason.NO_ORDER_ID, "{schema, payload}"),
    ("debezium", record(CHANGE), Reason.NO_ORDER_ID, "Debezium {before, after, op}"),
    ("debezium in connect", record({"schema": {}, "payload": CHANGE}), Reason.NO_ORDER_ID, "Debezium"),
    ("debezium in an envelope", record(envelope(data=CHANGE), CONTENT_TYPE), Reason.NO_ORDER_ID, "Debezium"),
    ("debezium with odd side fields", record(CHANGE | {"customer": 5}), Reason.NO_ORDER_ID, "Debezium"),
    ("twice", record(json.dumps(plain())), Reason.WRONG_TYPE, "encoded twice"),
    ("twice in an envelope", record(envelope(data=json.dumps(plain()))), Reason.WRONG_TYPE, "encoded twice"),
    ("twice, binary", record(json.dumps(plain()), *attributes()), Reason.WRONG_TYPE, "encoded twice"),
    ("avro", record(b"\xc3\x01\x00"), Reason.NOT_JSON, "Avro"),
    ("gzip", record(b"\x1f\x8b\x08"), Reason.NOT_JSON, "gzip"),
    ("UTF-16", record('{"order_id": "1"}'.encode("utf-16")), Reason.NOT_JSON, "UTF-16"),
    ("UTF-16 without a mark", record('{"order_id": "1"}'.encode("utf-16-le")), Reason.NOT_JSON, "UTF-16"),
    ("UTF-16, the large half first", record('{"order_id": "1"}'.encode("utf-16-be")), Reason.NOT_JSON, "UTF-16"),
    ("XML behind blanks", record(b"\n  <order/>"), Reason.NOT_JSON, "XML"),
    ("XML", record(b"<order/>"), Reason.NOT_JSON, "XML"),
]


@pytest.mark.parametrize(("sent", "reason", "word"), [pytest.param(*row, id=name) for name, *row in FOREIGN])
def test_a_foreign_shape_is_named(sent: Record, reason: Reason, word: str) -> None:
    taken = read(sent)
    assert isinstance(taken, Unreadable)
    assert (taken.reason, word in taken.message) == (reason, True), taken.message


def test_a_shape_that_is_not_known_is_not_guessed_at() -> None:
    for sent in (record({"status": "s"}), record("hello"), record(b"hello"), record([])):
        taken = read(sent)
        assert isinstance(taken, Unreadable)
        assert "looks like" not in taken.message


GONE = "__debezium_unavailable_value"


@pytest.mark.parametrize("written", [GONE, f" {GONE}", b64encode(GONE.encode()).decode(), "[object Object]"])
def test_a_placeholder_is_never_a_value(written: str) -> None:
    sent = plain(customer={"name": written, "email": "a@example.com"}, details={"n": written, "m": [written, "x"]})
    event = read(record(sent))
    assert isinstance(event, OrderEvent)
    assert event.facts == {"customer.email": "a@example.com", "details.m": ["x"]}
    assert set(event.left_out) == {"customer.name", "details.n", "details.m"}
    escaped = "".join(f"\\u{ord(char):04x}" for char in written)
    assert _same(read(record(json.dumps(sent).replace(json.dumps(written), f'"{escaped}"').encode())), event)
    missing = read(record(plain(order_id=written)))
    assert isinstance(missing, Unreadable)
    assert missing.reason is Reason.NO_ORDER_ID


def _same(one: object, other: OrderEvent) -> bool:
    assert isinstance(one, OrderEvent)
    return (one.facts, sorted(one.left_out)) == (other.facts, sorted(other.left_out))


IN_PART = ['"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ\\u003d\\u003D"', '"[object\\u0020Object]"']


@pytest.mark.parametrize("written", IN_PART)
def test_a_placeholder_that_is_escaped_in_part_is_none_either(written: str) -> None:
    value = json.dumps(plain(customer={"name": "X"})).replace('"X"', written).encode()
    for sent in (record(value), record(b'{"data": %b, %b' % (value, json.dumps(ENVELOPE)[1:].encode()))):
        event = read(sent)
        assert isinstance(event, OrderEvent)
        assert (event.facts, event.left_out) == ({}, ("customer.name",))


ENVELOPE = {key: value for key, value in envelope().items() if key != "data"}


@pytest.mark.parametrize("field", ["notify", "occurred_at"])
def test_a_placeholder_in_what_decides_is_named(field: str) -> None:
    event = read(record(plain(**{field: GONE})))
    assert isinstance(event, OrderEvent)
    assert event.left_out == (field,)


def test_a_text_that_speaks_of_a_placeholder_is_a_text() -> None:
    event = read(record(plain(reason=f"it says {GONE}")))
    assert isinstance(event, OrderEvent)
    assert event.facts == {"reason": f"it says {GONE}"}


QUOTED: list[dict[str, Any]] = [
    {"specversion": b'"1.0"'},
    {"specversion": b'"1.0"', "id": b'"01J9"', "source": b'"/shop/oms"', "type": b'"order.status"'},
    {"time": b'"2026-03-02T10:15:00Z"'},
    {"source": b'"\\/shop\\/oms"'},
]


@pytest.mark.parametrize("headers", QUOTED)
def test_header_values_in_quotes_are_read_as_meant(headers: dict[str, bytes]) -> None:
    quoted, usual = read(record(plain(), *attributes(**headers))), read(record(plain(), *attributes()))
    assert isinstance(quoted, OrderEvent)
    assert quoted == usual


def test_a_content_type_in_quotes_announces_an_envelope() -> None:
    sent = envelope() | {"order_id": "outer", "status": "s"}
    assert read(record(sent, ("content-type", b'"application/cloudevents+json"'))) == read(record(sent, CONTENT_TYPE))


async def test_a_topic_of_which_nothing_can_be_read_is_told_of_once(tmp_path: Path) -> None:
    dead = [read(record({"n": number}, offset=number)) for number in range(250)]
    async with running(tmp_path / "avisa.db") as flows:
        with capture_logs() as logs:
            await flows.intake.take(dead[:99])
            assert not flows.intake.unreadable
            await flows.intake.take(dead[99:])
        assert flows.intake.unreadable == {"orders.status": Reason.NO_ORDER_ID}
        told = [line for line in logs if line["event"] == "intake.topic_unreadable"]
        assert [(line["topic"], line["reason"], line["records"]) for line in told] == [
            ("orders.status", Reason.NO_ORDER_ID, 100)
        ]
        await flows.intake.take([read(record(None)), read(record(plain(), offset=300))])
        assert not flows.intake.unreadable
