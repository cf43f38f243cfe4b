"""The plan beside orders that were really there."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from avisa.core.model import Order
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.lint.plan_vs_history import Stay, of_history, stays_of
from tests.lint.orders import DAY, HOUR, MONDAY, came, made_in, order
from tests.lint.test_map import chart

NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)
PLAN = """
brands:
  default: {name: Loja Azul, from: avisos@example.com}
calendars:
  workshop: {hours: "mon-fri 09:00-18:00"}
defaults: {window: 48h}
touchpoints:
  confirmed: {message: plain}
  in_production: {message: plain, calendar: workshop, window: 3bd}
  shipped: {message: plain, window: 3d}
  delivered: {message: plain, final: true}
  cancelled: {message: plain, final: true}
"""


def found(orders: list[Order], plan: str = PLAN) -> list[Diagnostic]:
    return list(of_history(chart(plan), orders, NOW))


def test_the_stays_of_an_order_follow_one_another() -> None:
    told_again = order(("confirmed", MONDAY), ("confirmed", MONDAY + HOUR), ("shipped", MONDAY + DAY))
    assert stays_of(told_again, chart(PLAN).plan) == [
        Stay("confirmed", MONDAY, MONDAY + DAY),
        Stay("shipped", MONDAY + DAY, None),
    ]


def test_a_window_that_orders_do_not_keep_is_told_with_one_that_nine_in_ten_would() -> None:
    # 12 keep the 3 working days; 8 take six, and two of them ten.
    orders = [*made_in(*[DAY] * 12, *[8 * DAY] * 6, *[14 * DAY] * 2)]
    (problem,) = found(orders)
    assert (problem.code, problem.severity) == ("broken_window", "warning")
    assert problem.message == ("in_production: window 3bd; 40 % of 20 orders took longer; 10bd would hold for 90 %")
    assert PLAN.splitlines()[problem.line - 1][problem.column - 1 :].startswith("3bd")  # type: ignore[operator, index]


def test_a_window_that_most_keep_is_none_to_talk_of() -> None:
    assert found([*made_in(*[DAY] * 16, *[8 * DAY] * 4)]) == []


def test_a_few_orders_say_nothing() -> None:
    assert found([*made_in(*[8 * DAY] * 19)]) == []


def test_an_order_that_waits_too_long_already_counts_and_one_that_waits_does_not() -> None:
    waiting = [order(("shipped", NOW - 5 * DAY)) for _ in range(20)]
    fresh = [order(("shipped", NOW - HOUR)) for _ in range(500)]
    ended = [*made_in(DAY)]
    problem = next(it for it in found([*waiting, *fresh, *ended]) if it.code == "broken_window")
    assert problem.message.startswith("shipped: window 3d; 95 % of 21 orders took longer")
    assert "would hold" not in problem.message  # one that ended says nothing of when the others will


def test_hours_stay_hours() -> None:
    late = [order(("confirmed", MONDAY), ("shipped", MONDAY + 60 * HOUR)) for _ in range(20)]
    (problem,) = [it for it in found(late) if "confirmed" in it.message]
    assert problem.message == "confirmed: window 48h; 100 % of 20 orders took longer; 60h would hold for 90 %"


def test_promises_that_are_not_kept_are_told() -> None:
    orders = [*(came(DAY) for _ in range(12)), *(came(4 * DAY) for _ in range(8))]
    (problem,) = found(orders)
    assert problem.code == "broken_promise"
    assert problem.message == "delivered: 40 % of 20 promises were broken; 2 days more would hold for 90 %"
    cancelled = [order(("cancelled", MONDAY + 9 * DAY), promised="2026-03-04", final=True) for _ in range(99)]
    assert found(cancelled) == []


def test_a_status_without_a_touchpoint_is_told_with_the_one_that_was_meant() -> None:
    (problem,) = found([order(("confirmd", MONDAY), ("delivered", MONDAY + HOUR), final=True)])
    assert (problem.code, problem.suggestion) == ("unplanned_status", "confirmed")
    assert problem.message == "1 order was at `confirmd`, which has no touchpoint"


@pytest.mark.parametrize("enough", [True, False])
def test_a_status_that_nobody_ever_leaves_is_told(enough: bool) -> None:
    stranded = [order(("confirmed", NOW - HOUR)) for _ in range(20 if enough else 19)]
    told = [it.message for it in found([*stranded, *made_in(DAY)]) if it.code == "no_way_to_end"]
    assert told == ["none of the 20 orders that were at `confirmed` has ended"] * enough


def test_the_sequence_may_come_first_in_a_rank() -> None:
    plan = PLAN + "events: {rank_by: sequence}\n"
    moment = int(MONDAY.timestamp() * 1_000_000)
    one = order(("confirmed", MONDAY))
    by_number = Order(
        order_id="A",
        status="confirmed",
        status_rank=(7, moment, 0),
        episode=1,
        entered_at=MONDAY,
        statuses=(((7, moment, 0), "confirmed"),),
    )
    assert stays_of(by_number, chart(plan).plan) == stays_of(one, chart(PLAN).plan)
