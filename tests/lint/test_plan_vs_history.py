"""The plan compared with real orders."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from avisa.core.evolve import evolve
from avisa.core.model import Order
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.lint.plan_vs_history import Stay, check_plan, stays_of
from tests.lint.orders import DAY, HOUR, MONDAY, came, made_in, order
from tests.lint.test_plan_lints import located

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
    return list(check_plan(located(plan), orders, NOW))


def test_the_same_status_again_begins_no_new_stay() -> None:
    status_again = order(("confirmed", MONDAY), ("confirmed", MONDAY + HOUR), ("shipped", MONDAY + DAY))
    assert stays_of(status_again, located(PLAN).plan) == [
        Stay("confirmed", MONDAY, MONDAY + DAY),
        Stay("shipped", MONDAY + DAY, None),
    ]


def test_a_window_that_was_too_short_is_reported_with_one_that_holds_for_nine_in_ten() -> None:
    # 12 keep the 3 working days; 8 take six, and two of them ten.
    orders = [*made_in(*[DAY] * 12, *[8 * DAY] * 6, *[14 * DAY] * 2)]
    (problem,) = found(orders)
    assert (problem.code, problem.severity) == ("broken_window", "warning")
    assert problem.message == ("in_production: window 3bd; 40 % of 20 orders took longer; 10bd would hold for 90 %")
    assert PLAN.splitlines()[problem.line - 1][problem.column - 1 :].startswith("3bd")  # type: ignore[operator, index]


def test_a_window_that_held_for_most_orders_is_not_reported() -> None:
    assert found([*made_in(*[DAY] * 16, *[8 * DAY] * 4)]) == []


def test_fewer_than_20_orders_are_no_evidence() -> None:
    assert found([*made_in(*[8 * DAY] * 19)]) == []


def test_a_stay_that_is_not_over_counts_only_once_it_is_too_long() -> None:
    waiting = [order(("shipped", NOW - 5 * DAY)) for _ in range(20)]
    fresh = [order(("shipped", NOW - HOUR)) for _ in range(500)]
    ended = [*made_in(DAY)]
    problem = next(it for it in found([*waiting, *fresh, *ended]) if it.code == "broken_window")
    assert problem.message.startswith("shipped: window 3d; 95 % of 21 orders took longer")
    assert "would hold" not in problem.message  # one that ended says nothing of when the others will


def test_a_window_in_hours_gets_a_suggestion_in_hours() -> None:
    late = [order(("confirmed", MONDAY), ("shipped", MONDAY + 60 * HOUR)) for _ in range(20)]
    (problem,) = [it for it in found(late) if "confirmed" in it.message]
    assert problem.message == "confirmed: window 48h; 100 % of 20 orders took longer; 60h would hold for 90 %"


def test_broken_promises_are_reported_for_orders_that_ended_as_planned() -> None:
    orders = [*(came(DAY) for _ in range(12)), *(came(4 * DAY) for _ in range(8))]
    (problem,) = found(orders)
    assert problem.code == "broken_promise"
    assert problem.message == "delivered: 40 % of 20 promises were broken; 2 days more would hold for 90 %"
    cancelled = [order(("cancelled", MONDAY + 9 * DAY), promised="2026-03-04", final=True) for _ in range(99)]
    assert found(cancelled) == []


def test_a_status_without_a_touchpoint_is_reported_with_the_closest_one() -> None:
    (problem,) = found([order(("confirmd", MONDAY), ("delivered", MONDAY + HOUR), final=True)])
    assert (problem.code, problem.suggestion) == ("unplanned_status", "confirmed")
    assert problem.message == "1 order was at `confirmd`, which has no touchpoint"


@pytest.mark.parametrize("enough", [True, False])
def test_a_status_whose_orders_never_end_is_reported(enough: bool) -> None:
    stranded = [order(("confirmed", NOW - HOUR)) for _ in range(20 if enough else 19)]
    messages = [it.message for it in found([*stranded, *made_in(DAY)]) if it.code == "no_way_to_end"]
    assert messages == ["none of the 20 orders that were at `confirmed` has ended"] * enough


def promised(*moments: str | None, feed: str = "orders.status/0") -> list[Order]:
    return [evolve(order(("confirmed", NOW - HOUR), promised=moment), feed=feed) for moment in moments]


MIDNIGHTS = tuple(f"2026-04-{day:02}T00:00:00Z" for day in range(1, 21))
PROMISES = {  # orders, and the topics that are named
    "all": (promised(*MIDNIGHTS), ["orders.status"]),
    "all, of two partitions": (promised(*MIDNIGHTS, feed="o/0") + promised(*MIDNIGHTS, feed="o/1"), ["o"]),
    "all but one": (promised(*MIDNIGHTS, "2026-04-21T09:30:00Z"), []),
    "all but one, in summer time": (promised(*MIDNIGHTS, "2026-04-20T23:00:00Z"), []),
    "a breath after midnight": (promised(*MIDNIGHTS, "2026-04-21T00:00:00.500000Z"), []),
    "days": (promised(*(moment[:10] for moment in MIDNIGHTS)), []),
    "days, and too few moments": (promised(*MIDNIGHTS[:19], *(moment[:10] for moment in MIDNIGHTS)), []),
    "too few": (promised(*MIDNIGHTS[:19], *[None] * 50), []),
    "one topic of two": (
        promised(*MIDNIGHTS, feed="a/0") + promised(*["2026-04-21T09:30:00Z"] * 30, feed="b/0"),
        ["a"],
    ),
}


@pytest.mark.parametrize(("orders", "topics"), PROMISES.values(), ids=PROMISES.keys())
def test_promises_that_are_all_for_midnight_are_reported(orders: list[Order], topics: list[str]) -> None:
    named = [it.message.partition(":")[0] for it in found(orders) if it.code == "midnight_promises"]
    assert named == topics
    by_day = found(orders, PLAN + "events: {promised_at: day}\n")
    assert not [it for it in by_day if it.code == "midnight_promises"]


def test_stays_are_the_same_where_events_are_ranked_by_sequence() -> None:
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
    assert stays_of(by_number, located(plan).plan) == stays_of(one, located(PLAN).plan)
