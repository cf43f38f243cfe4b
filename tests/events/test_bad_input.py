"""Bad input: each line is a record and the reason of its dead letter, or an odd record that is still an event."""

from __future__ import annotations

import pytest

from avisa.core.model import OrderEvent, Reason
from avisa.core.plan import Events
from avisa.events import read
from avisa.ports import Record, Skipped, Unreadable
from tests.events.records import CONTENT_TYPE, attributes, envelope, plain, record

BY_SEQUENCE = Events(rank_by="sequence")


def nested(levels: int) -> bytes:
    """An event whose value nests that deep, the event itself included."""
    inside = b"[" * (levels - 2) + b"]" * (levels - 2)
    return b'{"order_id": "1", "status": "s", "details": {"x": ' + inside + b"}}"


DEAD = [
    # not JSON
    ("empty value", record(b""), Reason.NOT_JSON),
    ("not UTF-8", record(b"\xff\xfe{}"), Reason.NOT_JSON),
    ("UTF-16", record('{"order_id": "1"}'.encode("utf-16")), Reason.NOT_JSON),
    ("words", record(b"hello"), Reason.NOT_JSON),
    ("truncated", record(b'{"order_id": "1", "sta'), Reason.NOT_JSON),
    ("two documents", record(b'{"order_id": "1"} {}'), Reason.NOT_JSON),
    ("bytes that are no character", record(b'{"order_id": "\xc3\x28", "status": "s"}'), Reason.NOT_JSON),
    ("lone surrogate", record(b'{"order_id": "1", "status": "\\ud800"}'), Reason.NOT_JSON),
    ("lone surrogate, unread", record(b'{"order_id": "1", "status": "s", "x": "\\udfff"}'), Reason.NOT_JSON),
    ("NaN", record(b'{"order_id": "1", "status": "s", "details": {"x": NaN}}'), Reason.NOT_JSON),
    ("NaN, unread", record(b'{"order_id": "1", "status": "s", "x": NaN}'), Reason.NOT_JSON),
    ("Infinity", record(b'{"order_id": "1", "status": "s", "x": [-Infinity]}'), Reason.NOT_JSON),
    ("raw control character", record(b'{"order_id": "1\n", "status": "s"}'), Reason.NOT_JSON),
    ("number without end", record(b'{"order_id": %s, "status": "s"}' % (b"1" * 5000)), Reason.NOT_JSON),
    # JSON of another kind
    ("a list", record([]), Reason.WRONG_TYPE),
    ("a number", record(0), Reason.WRONG_TYPE),
    ("a text", record("x"), Reason.WRONG_TYPE),
    ("null", record(b"null"), Reason.WRONG_TYPE),
    ("true", record(True), Reason.WRONG_TYPE),
    # size and depth
    ("over 1 MiB", record(plain(x="x" * 1024 * 1024)), Reason.TOO_LARGE),
    ("33 deep", record(nested(33)), Reason.TOO_DEEP),
    ("300 deep", record(nested(300)), Reason.TOO_DEEP),
    ("100,000 deep", record(b"[" * 100_000), Reason.TOO_DEEP),
    ("deep in an envelope", record(envelope(data=plain(x=[[{}]] * 40)), CONTENT_TYPE), None),
    ("long order id", record(plain(order_id="x" * 201)), Reason.TOO_LARGE),
    ("long status", record(plain(status="x" * 201)), Reason.TOO_LARGE),
    ("long number as order id", record(plain(order_id=10**200)), Reason.TOO_LARGE),
    # what must be there
    ("empty object", record({}), Reason.NO_ORDER_ID),
    ("no order id", record({"status": "s"}), Reason.NO_ORDER_ID),
    ("order id null", record(plain(order_id=None)), Reason.NO_ORDER_ID),
    ("order id empty", record(plain(order_id="")), Reason.NO_ORDER_ID),
    ("order id blank", record(plain(order_id=" \t")), Reason.NO_ORDER_ID),
    ("no status", record({"order_id": "1"}), Reason.NO_STATUS),
    ("status null", record(plain(status=None)), Reason.NO_STATUS),
    ("status empty", record(plain(status="")), Reason.NO_STATUS),
    # wrong types in known fields
    ("order id true", record(plain(order_id=True)), Reason.WRONG_TYPE),
    ("order id 1.5", record(plain(order_id=1.5)), Reason.WRONG_TYPE),
    ("order id list", record(plain(order_id=["1"])), Reason.WRONG_TYPE),
    ("order id with line break", record(plain(order_id="1\r\nBcc: x")), Reason.WRONG_TYPE),
    ("order id with NUL", record(plain(order_id="1\0")), Reason.WRONG_TYPE),
    ("notify yes", record(plain(notify="yes")), Reason.WRONG_TYPE),
    ("notify 0", record(plain(notify=0)), Reason.WRONG_TYPE),
    ("occurred_at epoch", record(plain(occurred_at=1772446500000)), Reason.WRONG_TYPE),
    # times
    ("yesterday", record(plain(occurred_at="yesterday")), Reason.BAD_TIME),
    ("no zone", record(plain(occurred_at="2026-03-02T10:15:00")), Reason.BAD_TIME),
    ("a day for a moment", record(plain(occurred_at="2026-03-02")), Reason.BAD_TIME),
    ("30 February", record(plain(occurred_at="2026-02-30T10:15:00Z")), Reason.BAD_TIME),
    ("hour 25", record(plain(occurred_at="2026-02-20T25:15:00Z")), Reason.BAD_TIME),
    ("zone of 99 hours", record(plain(occurred_at="2026-02-20T10:15:00+99:00")), Reason.BAD_TIME),
    ("other digits", record(plain(occurred_at="２０２６-03-02T10:15:00Z")), Reason.BAD_TIME),
    ("end of time", record(plain(occurred_at="9999-12-31T23:59:59-12:00")), Reason.BAD_TIME),
    ("before all computers", record(plain(occurred_at="0001-01-01T00:00:00+12:00")), Reason.BAD_TIME),
    # CloudEvents
    *((f"no {name}", record(envelope(**{name: None}), CONTENT_TYPE), Reason.BAD_CLOUDEVENT) for name in
      ("specversion", "id", "source", "type", "data")),
    *((f"empty {name}", record(envelope(**{name: ""}), CONTENT_TYPE), Reason.BAD_CLOUDEVENT) for name in
      ("specversion", "id", "source", "type")),
    *((f"no ce_{name}", record(plain(), *attributes(**{name: None})), Reason.BAD_CLOUDEVENT) for name in
      ("specversion", "id", "source", "type")),
    ("empty ce_id", record(plain(), *attributes(id=b"")), Reason.BAD_CLOUDEVENT),
    ("binary without data", record(b"", *attributes()), Reason.BAD_CLOUDEVENT),
    ("data and data_base64", record(envelope(data_base64="e30=")), Reason.BAD_CLOUDEVENT),
    ("broken base64", record(envelope(data=None, data_base64="%"), CONTENT_TYPE), Reason.BAD_CLOUDEVENT),
    ("data null", record(envelope() | {"data": None}), Reason.BAD_CLOUDEVENT),
    ("data text", record(envelope(data="{}")), Reason.WRONG_TYPE),
    ("version 0.3", record(envelope(specversion="0.3")), Reason.UNSUPPORTED_SPECVERSION),
    ("version 0.3, bad data", record(envelope(specversion="0.3", data=5)), Reason.UNSUPPORTED_SPECVERSION),
    ("version 2 in headers", record(plain(), *attributes(specversion=b"2.0")), Reason.UNSUPPORTED_SPECVERSION),
    ("envelope not JSON", record(b"{", CONTENT_TYPE), Reason.NOT_JSON),
    ("envelope a list", record([], CONTENT_TYPE), Reason.WRONG_TYPE),
    ("bad data in an envelope", record(envelope(data={"status": "s"})), Reason.NO_ORDER_ID),
    ("binary, not JSON", record(b"\xff", *attributes()), Reason.NOT_JSON),
    ("ce_id not UTF-8", record(plain(), *attributes(id=b"\xff")), Reason.BAD_HEADERS),
    ("avro", record(b"x", ("content-type", b"application/cloudevents+avro")), Reason.BAD_HEADERS),
    ("a batch", record([envelope()], ("content-type", b"application/cloudevents-batch+json")), Reason.BAD_HEADERS),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "reason"), [pytest.param(r, why, id=name) for name, r, why in DEAD if why])
def test_a_bad_record_becomes_a_dead_letter(bad: Record, reason: Reason) -> None:
    taken = read(bad)
    assert isinstance(taken, Unreadable)
    assert (taken.reason, taken.record) == (reason, bad)
    assert taken.stage in ("headers", "envelope", "data")
    assert taken.message


ACCEPTED = [
    ("unknown fields", record(plain(schema_version=99, extra={"a": [1]}))),
    ("unknown status", record(plain(status="teleported"))),
    ("status with spaces", record(plain(status=" Shipped "))),
    ("32 deep", record(nested(32))),
    ("exactly 1 MiB", record(b'{"order_id":"1","status":"s","x":"%s"}' % (b"x" * (1024 * 1024 - 38)))),
    ("order id of 200", record(plain(order_id="x" * 200))),
    ("order id with slashes", record(plain(order_id="../../x"))),
    ("text that says NaN", record(plain(reason="NaN, Infinity {{ [[ "))),
    ("braces in text", record(plain(reason="{[" * 100))),
    ("header without value", record(plain(), ("trace", None))),
    ("header not UTF-8", record(plain(), ("trace", b"\xff\xfe"), ("content-type", b"\xff"))),
    ("extension not UTF-8", record(plain(), *attributes(traceparent=b"\xff", other=None))),
    ("content type of another kind", record(plain(), ("content-type", b"text/plain"))),
    ("empty plain id", record(plain(id="", source=None))),
    ("nulls everywhere", record(plain(sequence=None, notify=None, occurred_at=None, customer=None, details=None))),
    ("odd prices", record(plain(details={"total": "12,50 €", "currency": "XXZ", "number": 1042}))),
    ("no price", record(plain(details={"total": -1, "items": None}))),
    ("duplicate keys", record(b'{"order_id": "1", "order_id": "2", "status": "s"}')),
    ("specversion in a plain event", record(plain(specversion="1.0"))),
]  # fmt: skip


@pytest.mark.parametrize("good", [pytest.param(r, id=name) for name, r in ACCEPTED])
def test_an_odd_record_is_still_an_event(good: Record) -> None:
    assert isinstance(read(good), OrderEvent)


def test_a_tombstone_or_another_type_is_skipped() -> None:
    ours = {"order.status"}
    foreign = [
        record(None),
        record(None, *attributes()),
        record(envelope(type="order.paid")),
        record(envelope(type="order.paid", data="anything")),
        record(b"\x00avro", *attributes(type=b"order.paid")),
    ]
    reasons = [Reason.TOMBSTONE] * 2 + [Reason.OTHER_TYPE] * 3
    for bad, reason in zip(foreign, reasons, strict=True):
        assert read(bad, types=ours) == Skipped(position=bad.position, reason=reason)
    assert isinstance(read(record(envelope()), types=ours), OrderEvent)
    assert isinstance(read(record(plain()), types=ours), OrderEvent), "a plain event has no type"


def test_an_event_without_sequence_is_dead_where_the_plan_ranks_by_it() -> None:
    without = read(record(plain()), rules=BY_SEQUENCE)
    assert isinstance(without, Unreadable)
    assert without.reason is Reason.NO_SEQUENCE
    assert isinstance(read(record(plain(sequence=0)), rules=BY_SEQUENCE), OrderEvent)


def test_the_message_of_a_dead_letter_names_the_field_and_no_value() -> None:
    secret = "ana@example.pt"
    for bad, where in [
        (record(plain(occurred_at=secret)), "/occurred_at"),
        (record(envelope(data=plain(notify=[secret]))), "/data/notify"),
        (record(plain(order_id=[secret])), "/order_id"),
        (record(plain(status={secret: secret})), "/status"),
        (record(b'{"order_id": "' + secret.encode()), "line 1 column"),
        (record(envelope(specversion=secret)), "specversion"),
        (record(envelope(source=[secret])), "source"),
    ]:
        taken = read(bad)
        assert isinstance(taken, Unreadable)
        assert where in taken.message
        assert "ana" not in taken.message
