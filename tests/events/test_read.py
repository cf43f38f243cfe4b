"""What a good record means."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avisa.core.model import OrderEvent, Reason
from avisa.core.part import PartName
from avisa.core.plan import Events
from avisa.events import read
from avisa.ports import Record, Skipped, Unreadable
from tests.events.records import AT, CONTENT_TYPE, attributes, envelope, plain, record


def event(given: Record) -> OrderEvent:
    taken = read(given)
    assert isinstance(taken, OrderEvent), taken
    return taken


def test_all_encodings_give_the_same_event() -> None:
    value = plain(sequence=7, promised_at="2026-03-09", customer={"name": "Ana Sousa"}, notify=False)
    encoded = base64.b64encode(json.dumps(value).encode()).decode()
    same = [
        event(record(envelope(data=value), CONTENT_TYPE)),
        event(record(envelope(data=value))),
        event(record(envelope(data=None, data_base64=encoded), CONTENT_TYPE)),
        event(record(value, *attributes(time=b"2026-03-02T10:15:00Z"), ("content-type", b"application/json"))),
        event(record(value | {"id": "01J9", "source": "/shop/oms", "occurred_at": "2026-03-02T11:15:00+01:00"})),
    ]
    assert all(one == same[0] for one in same)
    assert same[0].order_id == "A-1042"
    assert same[0].status == "in_production"
    assert same[0].occurred_at == AT
    assert (same[0].sequence, same[0].notify, same[0].event_id) == (7, False, "01J9")
    assert same[0].facts == {"promised_at": "2026-03-09", "customer.name": "Ana Sousa"}


def test_headers_decide_the_encoding_before_the_value() -> None:
    inner = envelope(id="inner", data=plain(order_id="inner"))
    assert event(record(inner | plain(order_id="outer"), *attributes(id=b"outer"))).event_id == "outer"


def test_occurred_at_comes_from_data_else_envelope_else_record() -> None:
    noon, one = datetime(2026, 3, 2, 12, tzinfo=UTC), datetime(2026, 3, 2, 13, tzinfo=UTC)
    both = envelope(time="2026-03-02T12:00:00Z", data=plain(occurred_at="2026-03-02T13:00:00Z"))
    assert event(record(both)).occurred_at == one
    assert event(record(envelope(time="2026-03-02T12:00:00Z"))).occurred_at == noon
    assert event(record(envelope(time=None))).occurred_at == AT
    assert event(record(plain())).occurred_at == AT


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-03-02T10:14:58Z", datetime(2026, 3, 2, 10, 14, 58, tzinfo=UTC)),
        ("2026-03-02t10:14:58z", datetime(2026, 3, 2, 10, 14, 58, tzinfo=UTC)),
        ("2026-03-02 07:14:58.25-03:00", datetime(2026, 3, 2, 10, 14, 58, 250_000, tzinfo=UTC)),
        ("2026-03-02T10:14:58.123456789Z", datetime(2026, 3, 2, 10, 14, 58, 123_456, tzinfo=UTC)),
        ("2026-03-02T11:14+0100", datetime(2026, 3, 2, 10, 14, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_moments_in_utc(written: str, moment: datetime) -> None:
    assert event(record(plain(occurred_at=written))).occurred_at == moment


def test_a_promise_is_a_day_or_a_moment_in_utc() -> None:
    assert event(record(plain(promised_at="2026-03-09"))).facts == {"promised_at": "2026-03-09"}
    moment = event(record(plain(promised_at="2026-03-09T18:00:00+01:00")))
    assert moment.facts == {"promised_at": "2026-03-09T17:00:00Z"}


def test_a_promise_may_be_a_slot_of_two_moments() -> None:
    slot = {"from": "2026-03-09T10:00:00+01:00", "until": "2026-03-09T12:00:00+01:00"}
    whole = event(record(plain(promised_at=slot)))
    assert whole.facts == {"promised_at": "2026-03-09T09:00:00Z/2026-03-09T11:00:00Z"}
    day = read(record(plain(promised_at=slot)), rules=Events(promised_at="day"))
    assert isinstance(day, OrderEvent)
    assert day.facts == {"promised_at": "2026-03-09"}


@pytest.mark.parametrize(
    "slot",
    [
        {"from": "2026-03-09T10:00:00Z"},
        {"from": "2026-03-09T10:00:00Z", "until": "2026-03-09T10:00:00Z"},
        {"from": "2026-03-09", "until": "2026-03-10"},
        {"from": "2026-03-09T10:00:00Z", "until": 5},
        ["2026-03-09", "2026-03-10"],
    ],
)
def test_a_slot_that_is_none_is_left_out(slot: object) -> None:
    odd = event(record(plain(promised_at=slot)))
    assert (odd.facts, odd.left_out) == ({}, ("promised_at",))


def test_an_order_id_may_be_a_whole_number() -> None:
    assert event(record(plain(order_id=1042))).order_id == "1042"
    assert event(record(plain(order_id=10**30))).order_id == "1" + "0" * 30


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("RR-1", PartName("RR-1")),
        (7, PartName("7")),
        ({"id": "RR-1", "of": 3}, PartName("RR-1", 3)),
        ({"id": 7, "of": "3"}, PartName("7", 3)),
        ({"id": "RR-1", "of": None}, PartName("RR-1")),
        ("x" * 200, PartName("x" * 200)),
        (None, None),
        (" ", None),
        ({}, None),
        ({"id": None}, None),
    ],
)
def test_a_part_is_an_id_or_an_id_and_a_number_of_parts(written: object, meant: PartName | None) -> None:
    for odd in (None, 2**80):  # the second makes it read once more, and leniently
        read_event = event(record(plain(part=written, customer={"id": odd})))
        assert (read_event.part, read_event.left_out) == (meant, ())


@pytest.mark.parametrize(
    ("odd", "reason", "words"),
    [
        ("x" * 201, Reason.TOO_LARGE, "/part: longer than 200 characters"),
        ("a\x00b", Reason.WRONG_TYPE, "/part: holds control characters"),
        ({"id": "a\nb"}, Reason.WRONG_TYPE, "/part/id: holds control characters"),
        (1.5, Reason.WRONG_TYPE, "/part: must be text, a number or an object with an id"),
        (True, Reason.WRONG_TYPE, "/part: must be text, a number or an object with an id"),
        ([], Reason.WRONG_TYPE, "/part: must be text, a number or an object with an id"),
        (["RR-1"], Reason.WRONG_TYPE, "/part: must be text, a number or an object with an id"),
        ({"parcel": "RR-1"}, Reason.WRONG_TYPE, "/part: has no id"),
        ({"id": {}}, Reason.WRONG_TYPE, "/part/id: must be text or a number"),
        ("[object Object]", Reason.WRONG_TYPE, "/part: holds a placeholder, not a value"),
        ({"id": "[object Object]"}, Reason.WRONG_TYPE, "/part/id: holds a placeholder, not a value"),
    ],
)
def test_a_part_that_cannot_be_used_is_not_taken_for_the_whole_order(odd: object, reason: Reason, words: str) -> None:
    for other in (None, 2**80):  # the second makes it read once more, and leniently
        taken = read(record(plain(part=odd, customer={"id": other})))
        assert isinstance(taken, Unreadable)
        assert (taken.stage, taken.reason, taken.message) == ("data", reason, words)
    enveloped = read(record(envelope(data=plain(part=odd))))
    assert isinstance(enveloped, Unreadable)
    assert enveloped.message == f"/data{words}"


def test_how_many_parts_there_are_says_nothing_of_one() -> None:
    read_event = event(record(plain(part={"of": 3})))
    assert (read_event.part, read_event.left_out) == (None, ("part.of",))


@pytest.mark.parametrize("odd", [0, -1, 10_000, 2.5, "many", [], True])
def test_a_number_of_parts_that_cannot_be_used_is_left_out(odd: object) -> None:
    read_event = event(record(plain(part={"id": "RR-1", "of": odd})))
    assert (read_event.part, read_event.left_out) == (PartName("RR-1"), ("part.of",))


def test_facts_are_flat_and_keep_nulls_that_clear() -> None:
    value = plain(
        customer={"email": "ana@example.pt", "phone": None, "channels": ["email"], "loyalty": 3},
        details={"number": "1042", "items": [{"name": "Mesa", "quantity": 1}], "gift": True, "total": None},
        reason=None,
        brand="default",
    )
    assert event(record(value)).facts == {
        "customer.email": "ana@example.pt",
        "customer.channels": ["email"],
        "details.number": "1042",
        "details.items": [{"name": "Mesa", "quantity": 1}],
        "details.gift": True,
        "details.total": None,
        "reason": None,
        "brand": "default",
    }
    assert event(record(plain(customer={}, details={}))).facts == {}


def test_prose_is_cut_and_other_text_kept_as_it_is() -> None:
    hostile = "Eve\r\nBcc: x@example.com\u202e {{ 7*7 }} <b>"
    value = plain(customer={"name": hostile}, reason="x" * 5_000, details={"note\0": "a\0b", "big": 2**80})
    facts = event(record(value)).facts
    assert facts["customer.name"] == hostile
    assert facts["reason"] == "x" * 1_999 + "…"
    assert facts["details.note\ufffd"] == "a\ufffdb"
    assert facts["details.big"] == str(2**80)


def test_an_identity_is_source_and_id_else_position_and_value() -> None:
    def identity(value: dict[str, object], offset: int = 7) -> bytes:
        return event(record(value, offset=offset)).identity

    named = identity(plain(id="1", source="/a"))
    assert len(named) == 16
    assert named == identity(plain(id="1", source="/a", status="shipped"), offset=8)
    assert named != identity(plain(id="1", source="/b"))
    assert named != identity(plain(id="1"))
    assert identity(plain(id="1")) == identity(plain(id="1", source=""))
    assert identity(plain(id="b", source="a")) != identity(plain(id="", source="ab"))
    assert identity(plain()) == identity(plain())
    assert identity(plain()) != identity(plain(), offset=8)
    assert identity(plain()) != identity(plain(status="shipped"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_known = ("order_id", "status", "occurred_at", "sequence", "customer", "promised_at", "reason", "details", "id")
events = st.dictionaries(st.sampled_from(_known), json_values, max_size=9).map(lambda given: plain() | given)
values = st.none() | st.binary(max_size=200) | (events | json_values).map(lambda v: json.dumps(v).encode())
envelopes = st.dictionaries(
    st.sampled_from(("specversion", "id", "source", "type", "time", "data", "data_base64")), json_values | events
).map(lambda given: json.dumps(envelope() | given).encode())
names = st.sampled_from(("content-type", "ce_id", "ce_type", "ce_source", "ce_specversion", "ce_time", "x"))
contents = st.none() | st.binary(max_size=20) | st.sampled_from((b"1.0", b"application/cloudevents+json"))


@given(values | envelopes, st.lists(st.tuples(names | st.text(), contents), max_size=6))
def test_any_value_and_headers_are_read_without_an_exception(
    value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    taken = read(record(value, *headers))
    assert isinstance(taken, OrderEvent | Unreadable | Skipped)
    if isinstance(taken, OrderEvent):
        json.dumps(dict(taken.facts), allow_nan=False).encode()
        assert "\\u0000" not in json.dumps(dict(taken.facts))
