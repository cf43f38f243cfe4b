"""One fat order does not make each small event dear: an order keeps 64 KiB of details, the newest."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from itertools import product

import orjson
import pytest

from avisa.core import decide, facts, parts
from avisa.core.facts import MAX_DETAILS_BYTES
from avisa.core.model import Json, Order, OrderEvent
from avisa.core.part import PartName
from avisa.events import read
from avisa.store.sql.rows import order_of, order_row
from tests.builders import NOW, event, plan, touchpoint
from tests.depth import some
from tests.events.records import CONTENT_TYPE, record

PLAN = plan(touchpoint("confirmed"))

FAT: list[tuple[str, Json]] = [
    ("text", "x" * 5_000),
    ("wide text", "\u6f22" * 2_000),
    ("list", ["x" * 50] * 100),
    ("map", {str(number): number for number in range(500)}),
    ("emoji", "\N{PACKAGE}" * 1_500),
]


@pytest.mark.parametrize("value", [pytest.param(value, id=name) for name, value in FAT])
@pytest.mark.parametrize("stored", [False, True])
def test_an_order_keeps_its_newest_details(value: Json, *, stored: bool) -> None:
    order: Order | None = None
    for number in range(30):
        news = {"details.first": 1, f"details.d{number}": value, "customer.name": "Ana"}
        sent = event("confirmed", NOW + timedelta(seconds=number), number)
        sent = replace(sent, facts=news, size=len(orjson.dumps(news)))
        order = decide.on_event(order, sent, PLAN, NOW + timedelta(seconds=number)).order
        order = _again(order) if stored else order
    assert order is not None
    shown = facts.view(order)
    details = {name: fact for name, fact in shown.items() if name.startswith("details.")}
    assert len(orjson.dumps(details)) < MAX_DETAILS_BYTES + 2_000
    assert {"details.d29", "details.d28", "details.first", "customer.name"} <= shown.keys()
    assert "details.d0" not in shown


@pytest.mark.parametrize(("stored", "character"), some(product([True, False], ["x", "\u6f22", "\N{PACKAGE}", '"'])))
def test_an_order_keeps_the_newest_of_what_was_said_of_its_parts(stored: bool, character: str) -> None:
    order: Order | None = None
    for number in range(210):
        news: dict[str, Json] = {f"details.{number % 10}_{n}": character * 500 for n in range(20)}
        news |= {"reason": character * 2_000, "next_step": character * 2_000, "details.tracking": f"T{number}"}
        sent = event("confirmed", NOW + timedelta(seconds=number), number)
        sent = replace(sent, part=PartName(f"P{number}", 250), facts=news, size=len(orjson.dumps(news)))
        order = decide.on_event(order, sent, PLAN, NOW + timedelta(seconds=number)).order
        order = _again(order) if stored and number % 7 == 0 else order
    assert order is not None
    assert len(order_row(order)["state"]) < 500_000  # it was 11 MB
    newest = parts.named(order.parts, "P209")
    assert newest is not None
    assert {"reason", "next_step", "details.tracking"} <= newest.facts.keys()
    assert len(newest.facts) == 22


# Those that fit in most often first: these are tried in an envelope, too.
WRONG = [b"1", b"[]", b"null", b'""', b'{"name":[]}', b'{"quantity":{}}', b'"[object Object]"']


@pytest.mark.parametrize(("item", "enveloped"), some([*product(WRONG, [False]), *product(WRONG[:2], [True])]))
def test_an_event_of_wrong_things_without_end_keeps_nobody_waiting(item: bytes, *, enveloped: bool) -> None:
    items = b'{"name":"Vase"},' + b",".join([item] * (1_000_000 // (len(item) + 1)))
    value = b'{"order_id":"A-1","status":"s","details":{"items":[%b]}}' % items
    if enveloped:
        value = b'{"specversion":"1.0","id":"1","source":"s","type":"t","data":%b}' % value
    before = time.process_time()
    taken = read(record(value, *([CONTENT_TYPE] if enveloped else [])))
    assert time.process_time() - before < 5  # seconds; it was 9
    assert isinstance(taken, OrderEvent)
    if len(item) < 5:
        listed = taken.facts["details.items"]
        assert isinstance(listed, list)
        assert listed[0] == {"name": "Vase"}


def _again(order: Order) -> Order:
    """The order as it is read from the store."""
    row = order_row(order)
    return order_of((order.order_id, order.version, row["wake_at"], row["last_word_at"], row["state"]), order.pending)
