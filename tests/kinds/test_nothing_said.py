"""An empty text says nothing; null clears a promise, a reason, a single detail, but never who the customer is."""

from __future__ import annotations

from typing import Any

import pytest

from avisa.core.model import OrderEvent
from avisa.core.plan import Events
from avisa.events import read
from tests.events.records import plain, record

ALL_NULL = plain(
    customer={"email": None, "name": None, "locale": None, "channels": None},
    **dict.fromkeys(("promised_at", "reason", "next_step", "brand", "owner", "occurred_at", "sequence", "notify")),
    details={"tracking": None},
)
CLEARED = {"promised_at": None, "reason": None, "next_step": None, "details.tracking": None}
OF_THE_CUSTOMER = {f"customer.{key}": None for key in ("email", "name", "locale", "channels")}

SAID: list[tuple[str, dict[str, Any], Events, dict[str, Any]]] = [
    ("empty address", plain(customer={"email": ""}), Events(), {}),
    ("blank address", plain(customer={"email": " \t\u00a0"}), Events(), {}),
    ("blank everywhere", plain(promised_at=" ", reason="\n", next_step="", brand="", owner=" ", occurred_at="",
     sequence="", notify="", id="", source=" ", details={"tracking": " "}, customer={"channels": ["", " "]}),
     Events(), {}),
    ("blank group", plain(customer="", details=" "), Events(), {}),
    ("blank stays nothing", plain(customer={"email": ""}, reason=""), Events(nulls="clear"), {}),
    ("one channel is blank", plain(customer={"channels": ["", "email"]}), Events(), {"customer.channels": ["email"]}),
    ("nulls in place of a list", plain(customer={"channels": [None]}, details={"items": [None, None]}),
     Events(nulls="clear"), {}),
    ("an empty list", plain(customer={"channels": []}, details={"items": []}), Events(),
     {"customer.channels": [], "details.items": []}),
    ("null customer", plain(customer=None), Events(), {}),
    ("null details", plain(details=None), Events(), {}),
    ("null everywhere", ALL_NULL, Events(), CLEARED),
    ("null clears", ALL_NULL, Events(nulls="clear"), CLEARED | OF_THE_CUSTOMER | {"brand": None, "owner": None}),
    ("null groups clear", plain(customer=None, details=None), Events(nulls="clear"),
     {"customer": None, "details": None}),
    ("null is unknown", ALL_NULL, Events(nulls="unknown"), {}),
    ("null groups are unknown", plain(customer=None, details=None), Events(nulls="unknown"), {}),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "rules", "facts"), [pytest.param(*row, id=name) for name, *row in SAID])
def test_what_is_empty_and_what_is_null(sent: dict[str, Any], rules: Events, facts: dict[str, Any]) -> None:
    event = read(record(sent), rules=rules)
    assert isinstance(event, OrderEvent)
    assert event.facts == facts
    assert event.left_out == ()
    assert event.notify


DAYS = [
    ("2026-03-09T00:00:00Z", "2026-03-09", "2026-03-09T00:00:00Z"),
    ("2026-03-09T23:30:00-05:00", "2026-03-09", "2026-03-10T04:30:00Z"),
    ("2026-03-09T00:00:00", "2026-03-09", None),
    ("2026-03-09", "2026-03-09", "2026-03-09"),
    ("2026-02-30T00:00:00Z", None, None),
    ("soon", None, None),
]


@pytest.mark.parametrize(("written", "day", "moment"), DAYS)
def test_a_plan_may_ask_for_the_day_that_is_written(written: str, day: str | None, moment: str | None) -> None:
    for rules, meant in ((Events(promised_at="day"), day), (Events(), moment)):
        event = read(record(plain(promised_at=written)), rules=rules)
        assert isinstance(event, OrderEvent)
        assert event.facts.get("promised_at") == meant
