"""Only what decides about the news makes a dead letter; any other field that cannot be used is left out and named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avisa import views
from avisa.core import facts
from avisa.core.model import OrderEvent, Reason
from avisa.core.plan import Events
from avisa.events import read
from avisa.ports import Record, Unreadable
from avisa.telemetry.metrics import REGISTRY
from tests.events.records import CONTENT_TYPE, attributes, envelope, plain, record
from tests.flows.harness import running

LONG = "x" * 501

# What was sent, the facts that are taken, and the fields that are left out.
LEFT_OUT: list[tuple[str, Record, dict[str, Any], set[str]]] = [
    # named in the issue
    ("details list", record(plain(details=[])), {}, set()),
    ("promise empty", record(plain(promised_at="")), {}, set()),
    ("customer id 0", record(plain(customer={"id": 0})), {"customer.id": "0"}, set()),
    ("item 1984", record(plain(details={"items": [{"name": 1984}]})), {"details.items": [{"name": "1984"}]}, set()),
    ("total object", record(plain(details={"total": {"a": 1}, "n": 1})), {"details.n": 1}, {"details.total"}),
    # numbers for texts, texts for numbers
    ("name number", record(plain(customer={"name": 5.5})), {"customer.name": "5.5"}, set()),
    ("brand number", record(plain(brand=7, owner=8)), {"brand": "7", "owner": "8"}, set()),
    ("url number", record(plain(details={"url": 1})), {"details.url": "1"}, set()),
    ("channels of numbers", record(plain(customer={"channels": [1]})), {"customer.channels": ["1"]}, set()),
    ("id number", record(plain(id=5)), {}, set()),
    ("id number in an envelope", record(envelope(id=5, specversion=1.0)), {}, set()),
    # empty maps
    ("customer list", record(plain(customer=[])), {}, set()),
    ("customer empty text", record(plain(customer="")), {}, set()),
    *((f"address {text}", record(plain(customer={"name": "Ana", "email": text})), {"customer.name": "Ana"},
       {"customer.email"}) for text in ("null", "N/A", "undefined", "-", "ana.example.com", "+351210000000")),
    ("items empty map", record(plain(details={"items": {}})), {}, set()),
    # what cannot be used
    ("customer text", record(plain(customer="bob", reason="r")), {"reason": "r"}, {"customer"}),
    ("name true", record(plain(customer={"name": True})), {}, {"customer.name"}),
    ("channels text", record(plain(customer={"channels": "email"})), {}, {"customer.channels"}),
    ("21 channels", record(plain(customer={"channels": ["a"] * 21})), {}, {"customer.channels"}),
    ("long address", record(plain(customer={"email": LONG})), {}, {"customer.email"}),
    ("details text", record(plain(details="x")), {}, {"details"}),
    ("items text", record(plain(details={"items": "x"})), {}, {"details.items"}),
    ("an item of text", record(plain(details={"items": ["x", {"name": "y"}]})),
     {"details.items": [{"name": "x"}, {"name": "y"}]}, set()),
    ("an item of neither", record(plain(details={"items": [True, {"name": "y"}]})),
     {"details.items": [{}, {"name": "y"}]}, {"details.items"}),
    ("quantity object", record(plain(details={"items": [{"name": "y", "quantity": {}}]})),
     {"details.items": [{"name": "y"}]}, {"details.items.quantity"}),
    ("a number beyond all measure", record(b'{"order_id":1,"status":"s","details":{"x":1e999,"y":2}}'),
     {"details.y": 2}, {"details.x"}),
    ("a name that may be an address", record(b'{"order_id":1,"status":"s","details":{"a@b.example":1e999}}'), {},
     {"details"}),
    ("reason list", record(plain(reason=["x"])), {}, {"reason"}),
    ("sequence true", record(plain(sequence=True)), {}, {"sequence"}),
    ("sequence 7.5", record(plain(sequence=7.5)), {}, {"sequence"}),
    ("sequence negative", record(plain(sequence=-1)), {}, {"sequence"}),
    ("sequence beyond 64 bits", record(plain(sequence=2**63)), {}, {"sequence"}),
    ("promise number", record(plain(promised_at=20260309)), {}, {"promised_at"}),
    ("promise without zone", record(plain(promised_at="2026-03-09T18:00:00")), {}, {"promised_at"}),
    ("promise on 30 February", record(plain(promised_at="2026-02-30")), {}, {"promised_at"}),
    ("promise at the end of time", record(plain(promised_at="9999-12-31")), {}, {"promised_at"}),
    ("promise in words", record(envelope(data=plain(promised_at="soon"))), {}, {"promised_at"}),
    ("id with line break", record(plain(id="1\n2")), {}, {"id"}),
    ("long id", record(plain(id=LONG)), {}, {"id"}),
    ("source list", record(plain(source=["x"])), {}, {"source"}),
    ("time of the envelope", record(envelope(time="2026-03-02T10:15:00")), {}, {"time"}),
    ("time a number", record(envelope(time=5), CONTENT_TYPE), {}, {"time"}),
    ("time of the headers", record(plain(), *attributes(time=b"noon")), {}, {"time"}),
    ("time not UTF-8", record(plain(), *attributes(time=b"\xff")), {}, {"time"}),
    ("fields nobody reads", record(plain(notify="false", note={"a": [True]}, customer={"x": []})), {}, set()),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "taken", "left_out"), [pytest.param(*row, id=name) for name, *row in LEFT_OUT])
def test_an_odd_side_field_keeps_no_news_back(sent: Record, taken: dict[str, Any], left_out: set[str]) -> None:
    event = read(sent)
    assert isinstance(event, OrderEvent), event
    assert event.facts == taken
    assert set(event.left_out) == left_out
    assert all(facts.known_field(name) in facts.FIELDS for name in event.left_out)


def test_details_without_end_are_left_out() -> None:
    many = read(record(plain(details={str(number): number for number in range(201)})))
    fat = read(record(plain(details={"note": "x", **{f"d{number}": "x" * 10_000 for number in range(9)}})))
    assert isinstance(many, OrderEvent)
    assert isinstance(fat, OrderEvent)
    assert (len(many.facts), many.left_out) == (200, ("details",))
    assert (len(fat.facts), fat.left_out) == (7, ("details.d6", "details.d7", "details.d8"))


DECIDES = [
    ({"order_id": True, "customer": 5}, Reason.WRONG_TYPE),
    ({"order_id": None, "customer": 5}, Reason.NO_ORDER_ID),
    ({"order_id": " ", "notify": 5}, Reason.NO_ORDER_ID),
    ({"status": [], "details": 5}, Reason.WRONG_TYPE),
    ({"status": "", "promised_at": 5}, Reason.NO_STATUS),
    ({"notify": "perhaps"}, Reason.WRONG_TYPE),
    ({"occurred_at": 1772446500}, Reason.WRONG_TYPE),
    ({"occurred_at": "noon"}, Reason.BAD_TIME),
]


@pytest.mark.parametrize(("fields", "reason"), DECIDES)
def test_what_decides_makes_a_dead_letter(fields: dict[str, Any], reason: Reason) -> None:
    taken = read(record(plain(**fields)))
    assert isinstance(taken, Unreadable)
    assert taken.reason is reason


def test_the_sequence_decides_only_where_the_plan_ranks_by_it() -> None:
    ranked = Events(rank_by="sequence")
    for sequence, reason in ((-1, Reason.WRONG_TYPE), ("x", Reason.WRONG_TYPE), ("", Reason.NO_SEQUENCE)):
        taken = read(record(plain(sequence=sequence)), rules=ranked)
        assert isinstance(taken, Unreadable)
        assert taken.reason is reason
        assert isinstance(read(record(plain(sequence=sequence))), OrderEvent)
    assert read(record(plain(sequence="7")), rules=ranked).sequence == 7  # type: ignore[union-attr]  # an event


@pytest.mark.parametrize("written", ["false", "False", " FALSE "])
def test_a_text_is_taken_for_a_boolean(written: str) -> None:
    event = read(record(plain(notify=written)))
    assert isinstance(event, OrderEvent)
    assert not event.notify


async def test_the_timeline_names_what_was_left_out_and_a_metric_counts_it(tmp_path: Path) -> None:
    sent = plain(order_id="A-1", status="shipped", promised_at="soon", customer={"email": "ana@example.com"})
    sent["details"] = {"note": "x", "items": [{"name": []}], "bad": 1}
    sent |= {"reason": "x" * 3_000, "occurred_at": "2026-03-02T10:00:00Z"}
    value = json.dumps(sent).replace('"bad": 1', '"bad": 1e999').encode()
    before = _counted("promised_at"), _counted("details.items"), _counted("details")
    async with running(tmp_path / "avisa.db") as flows:
        await flows.intake.take([read(record(value))])
        entries = views.timeline_json(await flows.history())["entries"]
    assert entries[0]["reason"] == "entered"
    assert entries[0]["note"] == (
        "left out, as they could not be used: details.bad, details.items.name, promised_at;"
        " cut, as they are too long: reason"
    )
    assert (_counted("promised_at"), _counted("details.items"), _counted("details")) == tuple(n + 1 for n in before)


def _counted(field: str) -> float:
    return REGISTRY.get_sample_value("avisa_event_fields_ignored_total", {"field": field}) or 0
