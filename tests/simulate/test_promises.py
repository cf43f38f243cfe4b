"""What became of promises, and what each length of a warning would have done."""

from __future__ import annotations

import csv
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_command import Avisa, asked

__all__ = ["asked"]

EXAMPLE = Path(__file__).parents[2] / "templates/examples/olist"
COLUMNS = (
    "order_id,customer_id,order_status,purchased_at,approved_at,handed_to_carrier_at,delivered_at,estimated_delivery_at"
).split(",")
DUE = date(2018, 3, 20)  # a day that ends at midnight in São Paulo, 03:00 UTC
END = datetime(2018, 3, 21)  # noqa: DTZ001 -- local, as in the file


def row(name: str, *, shipped: timedelta | None, delivered: timedelta | None, due: date = DUE) -> dict[str, Any]:
    """An order bought long before the end; moments are given by how long before it they are."""
    bought = END - timedelta(days=15, hours=12)
    return {
        "order_id": name,
        "customer_id": f"c-{name}",
        "order_status": "delivered" if delivered is not None else "shipped",
        "purchased_at": bought,
        "approved_at": bought + timedelta(hours=2),
        "handed_to_carrier_at": "" if shipped is None else END - shipped,
        "delivered_at": "" if delivered is None else END - delivered,
        "estimated_delivery_at": f"{due} 00:00:00",
    }


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    hour = timedelta(hours=1)
    rows = [
        row("in-time", shipped=200 * hour, delivered=100 * hour),
        row("just-in-time", shipped=200 * hour, delivered=30 * hour),  # warned, and yet in time
        row("late", shipped=200 * hour, delivered=-5 * hour),
        row("late-at-once", shipped=50 * hour, delivered=-100 * hour),  # in production when it was warned
        row("never", shipped=200 * hour, delivered=None),
        row("not-sent", shipped=None, delivered=None),
        row("to-come", shipped=200 * hour, delivered=None, due=DUE + timedelta(days=60)),
        row("newest", shipped=None, delivered=-240 * hour, due=DUE + timedelta(days=30)),
    ]
    path = tmp_path / "orders.csv"
    with path.open("w", newline="") as file:
        written = csv.DictWriter(file, COLUMNS)
        written.writeheader()
        written.writerows(rows)
    return path


def simulated(asked: Avisa) -> dict[str, Any]:
    ended = asked(
        "simulate", "orders.csv", "--plan", str(EXAMPLE), "--columns", str(EXAMPLE / "columns.yaml"), "--json"
    )
    assert ended.code == 0, ended.err
    document: dict[str, Any] = ended.json
    return document


@pytest.mark.usefixtures("orders")
def test_a_promise_counts_where_the_order_was_when_it_was_decided(asked: Avisa) -> None:
    touchpoints = simulated(asked)["touchpoints"]
    assert {status: figures["promises"] for status, figures in touchpoints.items()} == {
        "confirmed": {"warned": 0, "late_and_warned": 0, "late": 0, "kept": 0, "broken": 0},
        "in_production": {"warned": 1, "late_and_warned": 1, "late": 1, "kept": 1, "broken": 1},
        "shipped": {"warned": 4, "late_and_warned": 3, "late": 3, "kept": 2, "broken": 3},
        "delivered": {"warned": 0, "late_and_warned": 0, "late": 0, "kept": 0, "broken": 0},
    }


@pytest.mark.usefixtures("orders")
def test_each_length_of_a_warning_says_whom_it_would_have_warned(asked: Avisa) -> None:
    document = simulated(asked)
    tried = {one["hours"]: (one["warned"], one["late"], one["missed"]) for one in document["warn_before"]}
    assert (min(tried), max(tried)) == (12, 240)
    assert tried[24] == (4, 4, 0)
    assert tried[36] == (5, 4, 0)
    assert tried[120] == (6, 4, 0)
    assert document["announced_h"] == {"p95": 60.0, "p98": 60.0}


@pytest.mark.usefixtures("orders")
def test_of_each_touchpoint_the_warning_is_named_that_catches_nearly_all(asked: Avisa) -> None:
    touchpoints = simulated(asked)["touchpoints"]
    # Of four late ones three left production 200 h before the end; the fourth never did.
    assert touchpoints["in_production"]["catches_95_h"] == 201
    assert touchpoints["shipped"]["catches_95_h"] == 1


@pytest.mark.usefixtures("orders")
def test_people_read_promises_in_two_tables(asked: Avisa) -> None:
    shown = asked("simulate", "orders.csv", "--plan", str(EXAMPLE), "--columns", str(EXAMPLE / "columns.yaml")).out
    assert "95 % of the late orders were warned of 2.5 d or more before the end" in shown
    lines = [line.split() for line in shown.splitlines()]
    assert ["shipped", "2", "3", "3", "4", "1", "0", "1", "h"] in lines
    assert ["36h", "5", "4", "80%", "0"] in lines
