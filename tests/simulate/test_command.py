"""`avisa simulate` as a person or a script runs it, on real files and a real topic."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from avisa.core.model import OrderEvent
from avisa.core.plan import Plan
from avisa.simulate.course import Course
from tests.cli.test_command import Avisa, asked, avisa
from tests.kafka.harness import a_topic, publish
from tests.replay.play import START
from tests.simulate.records import read_plan, taken
from tests.tools.kafka import ApacheKafka
from tests.tools.orders import Scheduled, generated

__all__ = ["asked", "avisa"]

PLAN = """\
brands:
  default: {name: Loja, from: avisos@example.com, locale: en, time_zone: UTC}
owners:
  desk: {name: Desk, email: desk@example.com}
defaults:
  owner: desk
  window: 48h
  remind: {then_every: 48h, at_most: 2}
  messages: {reminder: still-in-progress, promise_moved: delayed}
touchpoints:
  confirmed: {message: order-confirmed}
  shipped: {message: shipped, window: 72h}
  delivered: {message: delivered, final: true}
"""
CSV = """\
number,ordered,sent,arrived,due,mail
1,2026-03-02 10:00:00,2026-03-07 10:00:00,2026-03-08 12:00:00,2026-03-09,ana@example.com
2,2026-03-02 12:00:00,2026-03-03 12:00:00,,2026-03-09,bea@example.com
3,2026-03-16 12:00:00,,,,carla@example.com
"""
COLUMNS = """\
fields: {order_id: number, promised_at: due, customer.email: mail}
moments: {ordered: confirmed, sent: shipped, arrived: delivered}
time_zone: America/Sao_Paulo
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "orders.csv").write_text(CSV)
    (tmp_path / "columns.yaml").write_text(COLUMNS)
    return tmp_path


@pytest.mark.usefixtures("files")
def test_a_csv_of_orders_tells_what_their_customers_would_have_heard(asked: Avisa) -> None:
    ended = asked("simulate", "orders.csv", "--plan", "plan.yaml", "--columns", "columns.yaml", "--json")
    assert ended.code == 0, ended.err
    document = ended.json
    assert (document["orders"], document["events"]) == (3, 6)
    confirmed = document["touchpoints"]["confirmed"]
    assert {key: confirmed[key] for key in confirmed if key not in ("promises", "catches_95_h")} == {
        "orders": 3,
        # Order 1 waits five days and is reminded twice, order 3 has just begun at the end.
        "messages": {"owner_alert": 1, "reminder": 2, "update": 3},
        "silence_h": {"median": 24.0, "p95": 48.0, "max": 48.0},
        "silence_before_h": {"median": 24.0, "p95": 120.0, "max": 120.0},
        "reminders": 2,
        "stuck": 0,
    }
    # Order 2 is never delivered: reminded on the 6th and 8th, stuck from then on.
    assert document["touchpoints"]["shipped"]["silence_h"] == {"median": 26.0, "p95": 72.0, "max": 72.0}
    assert document["touchpoints"]["shipped"]["silence_before_h"] == {"median": 26.0, "p95": 120.0, "max": 120.0}
    assert document["touchpoints"]["shipped"]["stuck"] == 1
    assert document["touchpoints"]["delivered"]["silence_h"] == {"median": None, "p95": None, "max": None}
    assert document["messages_per_order"] == {"median": 4, "p95": 5, "max": 5}
    assert document["over_told_date"] == 0
    assert document["longest_silence"] == {"order_id": "2", "status": "shipped", "hours": 72.0}


PARCELS = """\
order_id,status,occurred_at,part.id,part.of,customer.email
1,confirmed,2026-03-02T10:00:00Z,,,ana@example.com
1,shipped,2026-03-03T10:00:00Z,A,2,
1,delivered,2026-03-04T10:00:00Z,A,2,
1,shipped,2026-03-05T09:00:00Z,B,2,
1,delivered,2026-03-05T10:00:00Z,B,2,
"""


@pytest.mark.usefixtures("files")
def test_columns_name_parts(asked: Avisa, files: Path) -> None:
    (files / "parcels.csv").write_text(PARCELS)
    document = asked("simulate", "parcels.csv", "--plan", "plan.yaml", "--json").json
    assert (document["orders"], document["events"]) == (1, 5)
    # Between parcel A and parcel B it is confirmed still, and nobody waits over the window.
    assert {status: it["messages"] for status, it in document["touchpoints"].items()} == {
        "confirmed": {"update": 1},
        "shipped": {"update": 2},
        "delivered": {"update": 2},
    }
    (files / "orders.yaml").write_text("fields: {order_id: number, part: parcel}\nmoments: {sent: shipped}\n")
    (files / "rows.csv").write_text("number,parcel,sent\n1,A,2026-03-03 10:00\n1,B,2026-03-03 11:00\n")
    told = asked("simulate", "rows.csv", "--plan", "plan.yaml", "--columns", "orders.yaml", "--json").json
    assert (told["orders"], told["touchpoints"]["shipped"]["messages"]["update"]) == (1, 2)


@pytest.mark.usefixtures("files")
def test_the_first_mails_read_as_they_would_be_sent(asked: Avisa) -> None:
    ended = asked("simulate", "orders.csv", "--plan", "plan.yaml", "--columns", "columns.yaml", "--json")
    first, second, third = ended.json["mails"]
    assert (first["order_id"], first["at"], first["purpose"]) == ("1", "2026-03-02T13:00:00Z", "update")
    assert "1" in first["subject"]
    assert "Monday, March 9" in first["text"]
    assert [(it["order_id"], it["status"], it["purpose"]) for it in (second, third)] == [
        ("2", "shipped", "update"),
        ("1", "confirmed", "reminder"),
    ]


@pytest.mark.usefixtures("files")
def test_two_plans_differ_where_their_windows_do(asked: Avisa, files: Path) -> None:
    (files / "old.yaml").write_text(PLAN.replace("window: 48h", "window: 90h"))
    words = ("simulate", "orders.csv", "--plan", "plan.yaml", "--against", "old.yaml", "--columns", "columns.yaml")
    document = asked(*words, "--json").json
    differences = {(it["status"], it["figure"]): (it["old"], it["new"]) for it in document["differences"]}
    assert differences["confirmed", "reminders"] == (1, 2)
    assert differences["confirmed", "silence_h.max"] == (90.0, 48.0)
    assert not any(status == "shipped" for status, _ in differences)
    assert document["told_differently"] == 1  # order 1
    shown = asked(*words).out
    assert re.search(r"confirmed +reminders +1 +2", shown)
    assert "Customers of 1 orders get other messages" in shown


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(("limit", "code"), [("3d", 0), ("71h", 1)])
def test_a_silence_over_the_limit_exits_with_1(asked: Avisa, limit: str, code: int) -> None:
    words = ("simulate", "orders.csv", "--plan", "plan.yaml", "--columns", "columns.yaml", "--max-silence", limit)
    ended = asked(*words, "--json")
    assert ended.code == code
    assert ended.json["too_long"] == ([{"status": "shipped", "hours": 72.0}] if code else [])


@pytest.mark.usefixtures("files")
def test_silence_is_drawn_before_and_after(asked: Avisa, files: Path) -> None:
    words = ("simulate", "orders.csv", "--plan", "plan.yaml", "--columns", "columns.yaml", "--plot", "drawn")
    assert asked(*words, "--json").json["files"] == ["drawn/silence.svg", "drawn/silence.png"]
    svg, png = files / "drawn/silence.svg", files / "drawn/silence.png"
    words_drawn = {each.text for each in ElementTree.parse(svg).iter("{http://www.w3.org/2000/svg}text")}
    assert {"events alone", "with this plan", "confirmed", "shipped"} <= words_drawn
    assert png.read_bytes().startswith(b"\x89PNG")
    drawn = svg.read_bytes()
    asked(*words)
    assert svg.read_bytes() == drawn


def test_a_csv_of_events_needs_no_mapping(asked: Avisa, files: Path) -> None:
    (files / "events.csv").write_text(
        "order_id,status,occurred_at,customer.email,details.number,internal\n"
        "A,confirmed,2026-03-02T10:00:00Z,ana@example.com,17,x\n"
        'A,shipped,2026-03-03T10:00:00Z,,"1,7",x\n'
        "B,confirmed,yesterday,bea@example.com,,\n"
    )
    document = asked("simulate", "events.csv", "--plan", "plan.yaml", "--json").json
    assert (document["orders"], document["events"], document["unread"]) == (1, 2, {"bad_time": 1})
    assert document["touchpoints"]["shipped"]["messages"] == {"update": 1}
    assert "1,7" in document["mails"][1]["subject"]


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("mapping", "wrong"),
    [
        ("fields: {order_id: nowhere}\nmoments: {ordered: confirmed}", "there is no column nowhere"),
        ("fields: {order_id: number, colour: due}\nmoments: {ordered: confirmed}", "events have no field colour"),
        ("moments: {ordered: confirmed}", "fields: Field required"),
        ("fields: {promised_at: due}\nmoments: {ordered: confirmed}", "no column has the order_id"),
        ("fields: {order_id: number}", "either columns have status and occurred_at"),
        ("fields: {order_id: number, status: due}\nmoments: {ordered: confirmed}", "no other column can"),
        (f"{COLUMNS}\nzone: UTC", "zone: Extra inputs are not permitted"),
        (COLUMNS.replace("America/Sao_Paulo", "Nowhere"), "Nowhere is no time zone"),
        ("fields: {", "line"),
    ],
)
def test_a_wrong_mapping_is_refused(asked: Avisa, files: Path, mapping: str, wrong: str) -> None:
    (files / "columns.yaml").write_text(mapping)
    ended = asked("simulate", "orders.csv", "--plan", "plan.yaml", "--columns", "columns.yaml")
    assert (ended.code, ended.out) == (64, "")
    assert wrong in ended.err
    assert len(ended.err.splitlines()) == 1


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("nowhere.jsonl",), 1),
        (("orders.csv", "--plan", "nowhere.yaml"), 1),
        (("plan.yaml",), 1),  # no events
        (("orders.csv", "--columns", "nowhere.yaml"), 1),
        (("plan.yaml", "--columns", "columns.yaml"), 64),
        (("orders.csv", "--columns", "columns.yaml", "--max-silence", "4bd"), 64),
        (("orders.csv", "--columns", "columns.yaml", "--taken-in", "timestamp"), 64),
        (("orders.csv", "--columns", "columns.yaml", "--taken-in", "never"), 64),
        (("topic:orders",), 1),  # there is no broker
    ],
)
def test_what_cannot_be_simulated_is_said_in_one_line(asked: Avisa, words: tuple[str, ...], code: int) -> None:
    ended = asked("simulate", *words)
    assert (ended.code, ended.out) == (code, "")
    assert ended.err.startswith("avisa: ")


def test_a_wrong_plan_is_refused_with_its_line(asked: Avisa, files: Path) -> None:
    (files / "plan.yaml").write_text(PLAN.replace("window: 72h", "window: soon"))
    ended = asked("simulate", "orders.csv", "--plan", "plan.yaml", "--columns", "columns.yaml")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("avisa: plan.yaml:12:")


def test_json_lines_of_many_orders_are_lived_in_many_processes_with_the_same_figures(
    avisa: Avisa, files: Path
) -> None:
    plan = read_plan(PLAN)
    scheduled = [it for it in generated(1_800, seed=3, start=START, length=timedelta(days=9)) if _on_time(it)]
    lines = [json.dumps(it.event) for it in scheduled]
    assert len(lines) > 5_000
    (files / "events.jsonl").write_text("\n".join([*lines, "", "no event", '{"order_id": "A"}']) + "\n")
    ended = avisa("simulate", "events.jsonl", "--plan", "plan.yaml", "--json")
    assert ended.code == 0, ended.err
    arrivals = [(it.at, taken(it.event, it.at)) for it in scheduled]
    assert _figures(ended.json) == _lived(arrivals, plan)
    assert ended.json["unread"] == {"no_status": 1, "not_json": 1}


async def test_a_topic_is_read_to_its_end_and_taken_in_as_it_was_written(
    avisa: Avisa, files: Path, apache_kafka: ApacheKafka
) -> None:
    """Late events and repeats too, in three partitions; the record of an open transaction does not belong to it."""
    plan, topic = read_plan(PLAN), a_topic()
    await apache_kafka.create_topic(topic, 3)
    scheduled = generated(150, seed=5, start=START, length=timedelta(days=9))
    records = [
        {
            "value": json.dumps(it.event).encode(),
            "key": it.event["order_id"].encode(),
            "timestamp_ms": int(it.at.timestamp() * 1000),
        }
        for it in scheduled
    ]
    servers = apache_kafka.bootstrap_servers
    await publish(servers, topic, [*records, {"value": None, "key": b"gone"}, {"value": b"no event"}])
    words = ("simulate", f"topic:{topic}", "--plan", "plan.yaml", "--taken-in", "timestamp", "--json")
    ended = await asyncio.to_thread(avisa, *words, AVISA_KAFKA__BOOTSTRAP_SERVERS=servers)
    assert ended.code == 0, ended.err
    arrivals = [(_milliseconds(it.at), taken(it.event, it.at)) for it in scheduled]
    assert _figures(ended.json) == _lived(arrivals, plan)
    assert ended.json["unread"] == {"not_json": 1, "tombstone": 1}
    missing = await asyncio.to_thread(
        avisa, "simulate", "topic:nowhere", "--json", AVISA_KAFKA__BOOTSTRAP_SERVERS=servers
    )
    assert (missing.code, missing.json["error"]) == (1, "not_found")


def _on_time(scheduled: Scheduled) -> bool:
    return scheduled.event["occurred_at"] == scheduled.at.isoformat().replace("+00:00", "Z")


def _milliseconds(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _figures(document: dict[str, Any]) -> dict[str, Any]:
    messages: Counter[str] = Counter()
    for row in document["touchpoints"].values():
        messages.update(row["messages"])
    return {"orders": document["orders"], "messages": messages, "by_reason": document["by_reason"]}


def _lived(arrivals: list[tuple[datetime, OrderEvent]], plan: Plan) -> dict[str, Any]:
    """The same figures of lives that are lived one after the other."""
    orders: dict[str, list[tuple[datetime, OrderEvent]]] = {}
    for at, event in arrivals:
        orders.setdefault(event.order_id, []).append((at, event))
    end = max(at for at, _ in arrivals)
    messages: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for events in orders.values():
        course = Course(plan, lambda *_: True)
        course.live(events, end)
        messages.update(str(it.notification.purpose) for it in course.sent)
        reasons.update(map(str, course.reasons.elements()))
    return {"orders": len(orders), "messages": messages, "by_reason": dict(sorted(reasons.items()))}
