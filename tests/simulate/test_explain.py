"""`avisa explain`: the core's answer about one event, guard by guard."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from avisa.catalog import Catalog
from avisa.cli.folder_catalog import unchecked_catalog
from avisa.core import decide
from avisa.core.model import Order, OrderEvent, Reason, State
from avisa.settings import Settings
from avisa.simulate.explain import GUARDS, explain
from tests import builders
from tests.cli.test_command import Avisa, asked
from tests.replay.play import START
from tests.simulate.records import read_plan, taken
from tests.tools.orders import generated

__all__ = ["asked"]

ROOT = Path(__file__).parents[2]
AT = builders.NOW
CLOCK = {"AVISA_CLOCK__START": "2030-03-04T10:00:00Z"}
PLAN = read_plan((ROOT / "templates/plan.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return unchecked_catalog(Settings(), ROOT / "templates")


def confirmed() -> Order:
    """An order of which the customer was told."""
    order = decide.on_event(None, an_event("confirmed", 1), PLAN, AT).order
    return replace(order, pending=())


def an_event(status: str, number: int, *, at: datetime = AT, **facts: object) -> OrderEvent:
    return builders.event(status, at, number, customer__email="ana@example.com", **facts)


CASES: dict[Reason, tuple[OrderEvent, str]] = {
    Reason.ALREADY_SEEN: (an_event("confirmed", 1), "the event 1 was taken in before"),
    Reason.OLDER_THAN_KNOWN: (
        an_event("created", 2, at=AT - timedelta(hours=1)),
        "the event that brought “confirmed” is newer",
    ),
    Reason.NOT_TO_TELL: (an_event("shipped", 2, notify=False), "the event says notify: false"),
    Reason.UNKNOWN_STATUS: (an_event("painted", 2), "the plan has no touchpoint painted"),
    Reason.REPEATED: (an_event("confirmed", 2), "the status is “confirmed” already, and nothing is new to tell"),
    Reason.FACTS_CHANGED: (an_event("confirmed", 2, reason="A storm."), "what changed is told"),
    Reason.ENTERED: (an_event("shipped", 2), "a new status is told"),
}


def test_a_message_that_is_no_longer_sent_says_nothing(catalog: Catalog) -> None:
    """A promise moved, and back before its notice left."""
    order = decide.on_event(None, an_event("confirmed", 1, promised_at="2026-03-19"), PLAN, AT).order
    order = decide.on_event(
        replace(order, pending=()), an_event("confirmed", 2, promised_at="2026-03-25"), PLAN, AT
    ).order
    document = explain(order, an_event("confirmed", 3, promised_at="2026-03-19"), catalog, AT)
    assert document["superseded"] == ["A-1/1/promise_moved/1/customer"]
    assert document["absorbed_by"] is None


@pytest.mark.parametrize("reason", CASES)
def test_the_guard_that_applies_is_named_and_none_is_asked_after_it(reason: Reason, catalog: Catalog) -> None:
    event, text = CASES[reason]
    document = explain(confirmed(), event, catalog, AT)
    assert document["reason"] == reason
    guards = {it["guard"]: (it["applies"], it["text"]) for it in document["guards"]}
    assert guards[reason] == (True, text)
    place = GUARDS.index(reason)
    assert [applies for applies, _ in guards.values()] == [False] * place + [True] + [None] * (7 - place)
    assert len({text for applies, text in guards.values() if applies is False}) == place


def test_an_event_of_long_ago_is_too_old_to_tell(catalog: Catalog) -> None:
    document = explain(None, an_event("confirmed", 1), catalog, AT + timedelta(hours=80, minutes=30))
    assert document["reason"] == "too_old_to_tell"
    assert document["guards"][3]["text"] == "it occurred 80.5 h ago; within 72 h it is news"
    assert document["notifications"] == []


def test_every_answer_of_the_core_is_one_of_the_guards(catalog: Catalog) -> None:
    """Whole lives, so that every kind of order meets every kind of event."""
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    lives: dict[str, Order | None] = {}
    for one in generated(60, seed=seed, start=START, length=timedelta(days=2)):
        event = taken(one.event, one.at)
        document = explain(lives.get(event.order_id), event, catalog, one.at)
        decision = decide.on_event(lives.get(event.order_id), event, PLAN, one.at)
        assert document["reason"] == decision.reason
        assert [it["guard"] for it in document["guards"] if it["applies"]] == [decision.reason]
        assert len(document["notifications"]) == len(decision.notifications)
        lives[event.order_id] = decision.order


def test_a_message_is_shown_as_it_would_read_and_with_what_the_gate_says(catalog: Catalog) -> None:
    night = AT.replace(hour=23)
    document = explain(None, an_event("shipped", 1, at=night), catalog, night)
    (update,) = document["notifications"]
    assert (update["gate"], update["gate_reason"], update["until"]) == ("hold", "quiet_hours", "2026-03-03T08:00:00Z")
    assert "A-1" in update["subject"]
    nobody = builders.event("shipped", AT, 1)
    (update,) = explain(None, nobody, catalog, AT)["notifications"]
    assert (update["gate"], update["gate_reason"], update["subject"]) == ("drop", "no_address", None)


def test_what_an_event_overtakes_is_named(catalog: Catalog) -> None:
    waiting = decide.on_event(None, an_event("in_production", 1), PLAN, AT).order
    document = explain(
        waiting, an_event("delivered", 2, at=AT + timedelta(hours=1)), catalog, AT + timedelta(hours=1)
    )
    assert document["superseded"] == ["A-1/1/update/1/customer"]
    assert waiting.pending[0].state is State.QUEUED
    changed = explain(waiting, an_event("in_production", 2, reason="A storm."), catalog, AT)
    assert changed["absorbed_by"] == "A-1/1/update/1/customer"


def test_a_part_is_held_against_what_is_known_of_that_part(catalog: Catalog) -> None:
    hour = timedelta(hours=1)
    order = decide.on_event(confirmed(), an_event("shipped", 2, at=AT + hour, part="A", of=2), PLAN, AT + hour).order
    order = replace(order, pending=())
    late = AT + hour / 2
    older = explain(order, an_event("in_production", 3, at=late, part="A"), catalog, AT + hour)
    assert older["guards"][1]["text"] == "newer events have said where its part “A” is"
    again = explain(order, an_event("shipped", 3, at=AT + hour, part="A"), catalog, AT + hour)
    assert (again["reason"], again["notifications"]) == ("repeated", [])
    assert again["guards"][5]["text"] == "nothing is new to tell of its part “A”"
    other = explain(order, an_event("in_production", 3, at=late, part="B"), catalog, AT + hour)
    assert other["guards"][1]["text"] == "nothing newer has said where its part “B” is"
    assert (other["reason"], other["order"]["status"]) == ("entered", "in_production")
    assert "parcel 2 of 2" in other["notifications"][0]["subject"]


# ---------------------------------------------------------------- the command


def written(folder: Path, **fields: Any) -> str:
    (folder / "event.json").write_text(json.dumps({"order_id": "A-1", "status": "shipped"} | fields, indent=2))
    return "event.json"


def test_an_event_is_explained_as_the_first_of_its_order(asked: Avisa, tmp_path: Path) -> None:
    file = written(tmp_path, occurred_at="2030-03-04T10:00:00Z", customer={"email": "ana@example.com"})
    assert asked("explain", file, "--json", **CLOCK).json["reason"] == "entered"
    shown = asked("explain", file, **CLOCK).out
    assert "● entered" in shown
    assert "update → customer: sent at once" in shown


@pytest.mark.parametrize(
    ("content", "error"),
    [("{", "not_json"), ('{"order_id": "A"}', "no_status"), ('{"order_id": "A", "status": []}', "wrong_type")],
)
def test_a_dead_letter_is_called_one(asked: Avisa, tmp_path: Path, content: str, error: str) -> None:
    (tmp_path / "event.json").write_text(content)
    ended = asked("explain", "event.json", "--json")
    assert (ended.code, ended.json["error"]) == (1, error)
    assert asked("explain", "nowhere.json", "--json").json["error"] == "not_found"


def test_what_a_registry_would_have_described_may_be_given_as_json(asked: Avisa, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "templates", tmp_path / "mine")
    with (tmp_path / "mine" / "plan.yaml").open("a", encoding="utf-8") as plan:
        plan.write("\nfeeds: {orders: {envelope: registry}}\n")
    settings = CLOCK | {"AVISA_TEMPLATES": "mine", "AVISA_KAFKA__TOPICS": "orders"}
    file = written(tmp_path, occurred_at="2030-03-04T10:00:00Z")
    assert asked("explain", file, "--json", **settings).json["reason"] == "entered"
    (tmp_path / "event.avro").write_bytes(b"\0\0\0\0\7abc")
    ended = asked("explain", "event.avro", **settings)
    assert (ended.code, ended.err) == (78, f"avisa: AVISA_REGISTRY__URL: is not set, and {NEEDS}\n")
    ended = asked("explain", "event.avro", **settings, AVISA_REGISTRY__URL="http://127.0.0.1:1")
    assert (ended.code, ended.err) == (1, "avisa: the schema registry: nobody listens there\n")
    ended = asked("simulate", "topic:orders", **settings)
    assert (ended.code, ended.err) == (64, f"avisa: simulate: {NOT_YET}\n")


NEEDS = "the feed of orders needs a schema registry"
NOT_YET = "the records of orders need a schema registry, which is not supported yet"
