"""One fat order does not make each small event dear: an order keeps 64 KiB of details, the newest."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from avisa.core import decide, facts
from avisa.core.facts import MAX_DETAILS_BYTES
from avisa.core.model import Json, Order
from avisa.store.sql.rows import order_of, order_row
from tests.builders import NOW, event, plan, touchpoint

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


def _again(order: Order) -> Order:
    """The order as it is read from the store."""
    row = order_row(order)
    return order_of((order.order_id, order.version, row["wake_at"], row["last_word_at"], row["state"]), order.pending)
