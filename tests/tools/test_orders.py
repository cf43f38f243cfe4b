"""What is played must be what it says it is."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.tools.orders import generated, real

START = datetime(2026, 3, 2, tzinfo=UTC)
# Made up, in the columns of the real file.
ROWS = """\
order_id,customer_id,city,state,order_status,purchased_at,approved_at,handed_to_carrier_at,delivered_at,\
estimated_delivery_at
00aa01,c1,manaus,AM,delivered,2017-05-03 22:30,2017-05-03 22:30,2017-05-06 09:00,2017-05-20 18:00,2017-05-30
00bb02,c2,santos,SP,canceled,2017-11-24 08:00,,,,2017-12-20
00cc03,c3,recife,PE,shipped,2018-01-01 12:00,2018-01-03 12:00,2018-01-02 12:00,,2018-02-01
"""


def test_real_orders_keep_their_steps_and_begin_together(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(ROWS, "utf-8")
    scheduled = real(tmp_path / "orders.csv", START)
    assert scheduled == sorted(scheduled, key=lambda one: one.at)
    courses = {
        order_id: [(one.event["status"], one.at) for one in scheduled if one.event["order_id"] == order_id]
        for order_id in ("00aa01", "00bb02", "00cc03")
    }
    first = courses["00aa01"]
    assert [status for status, _ in first] == ["confirmed", "in_production", "shipped", "delivered"]
    assert first[0][1] == first[1][1] == datetime(2026, 3, 3, 1, 30, tzinfo=UTC)  # 22:30 in São Paulo
    assert first[-1][1] - first[0][1] == timedelta(days=16, hours=19, minutes=30)
    assert [status for status, _ in courses["00bb02"]] == ["confirmed", "cancelled"]
    assert [status for status, _ in courses["00cc03"]] == ["confirmed", "shipped", "in_production"]
    assert all(START <= course[0][1] < START + timedelta(days=4) for course in courses.values())
    event = scheduled[0].event
    assert event["customer"]["time_zone"] == "America/Manaus"
    assert event["promised_at"] == "2026-03-29"


def test_made_up_orders_have_every_shape() -> None:
    scheduled = generated(400, seed=7, start=START, length=timedelta(days=20))
    assert scheduled == generated(400, seed=7, start=START, length=timedelta(days=20))
    assert scheduled != generated(400, seed=8, start=START, length=timedelta(days=20))
    events = [one.event for one in scheduled]
    ids = Counter(event["id"] for event in events)
    assert max(ids.values()) == 2
    assert {event["status"] for event in events} >= {"confirmed", "delivered", "cancelled", "held_at_customs"}
    assert any(event.get("notify") is False for event in events)
    assert any("reason" in event for event in events)
    assert any(one.at > datetime.fromisoformat(one.event["occurred_at"]) for one in scheduled)
    assert all(one.at >= datetime.fromisoformat(one.event["occurred_at"]) for one in scheduled)
    moments = Counter((event["order_id"], event["occurred_at"]) for event in {e["id"]: e for e in events}.values())
    assert max(moments.values()) > 1
    assert len({event["customer"]["email"] for event in events}) == 400
