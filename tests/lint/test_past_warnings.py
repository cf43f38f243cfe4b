"""What each `warn_before` would have done with orders of the store."""

from __future__ import annotations

from datetime import datetime, timedelta

from avisa.core.evolve import evolve
from avisa.core.hindsight import Tried
from avisa.core.model import Order
from avisa.core.promise import Promise, PromiseState
from avisa.lint.past_warnings import PastWarning, past_warnings
from avisa.simulate import promises
from avisa.simulate.course import Course
from tests.lint.orders import DAY, HOUR, MONDAY, order
from tests.replay.play import START
from tests.simulate.records import read_plan, taken
from tests.tools.orders import generated

PLAN = read_plan("""
brands: {default: {name: S, from: s@example.com, time_zone: UTC}}
owners: {desk: {name: D, email: d@example.com}}
defaults: {owner: desk}
touchpoints:
  in_production: {message: in-production, promise: {warn_before: 2d}}
  shipped: {message: shipped, promise: {warn_before: 24h}}
  waiting: {message: generic}
  delivered: {message: delivered, final: true, fulfils_promise: true}
""")
DUE = MONDAY + 10 * DAY
NOW = DUE + 100 * DAY


def promised(
    *,
    shipped: datetime | None,
    delivered: datetime | None,
    state: PromiseState = PromiseState.OPEN,
    due: datetime = DUE,
) -> Order:
    way = [("in_production", MONDAY)]
    way += [(status, at) for status, at in (("shipped", shipped), ("delivered", delivered)) if at is not None]
    promise = Promise(date=due.isoformat().replace("+00:00", "Z"), state=state, fulfilled_at=delivered)
    return evolve(order(*way), promise=promise)


ORDERS = [
    promised(shipped=DUE - 3 * DAY, delivered=DUE - 2 * DAY),  # nobody would have warned
    promised(shipped=DUE - 3 * DAY, delivered=DUE - HOUR),  # warned, and yet in time
    promised(shipped=DUE - 3 * DAY, delivered=DUE + HOUR),
    promised(shipped=DUE - DAY, delivered=DUE + HOUR),  # in production when it would have been warned of
    promised(shipped=None, delivered=None),  # never sent
    promised(shipped=DUE + DAY, delivered=DUE + 2 * DAY),  # shipped too late for a warning there
]


def tried(found: list[PastWarning]) -> dict[str, tuple[int, Tried, int | None]]:
    return {
        it.status: (it.warnings.orders, it.warnings.tried(it.warn_before), it.warnings.catching()) for it in found
    }


def test_each_says_whom_it_would_have_warned_and_whom_it_would_have_missed() -> None:
    assert tried(past_warnings(PLAN, ORDERS, NOW)) == {
        "in_production": (6, Tried(warned=3, late=3, missed=1), 73),
        "shipped": (4, Tried(warned=3, late=2, missed=0), 1),
    }


def test_what_nobody_knows_yet_or_was_taken_back_says_nothing() -> None:
    to_come = promised(shipped=None, delivered=None, due=NOW + DAY)
    taken_back = promised(shipped=None, delivered=None, state=PromiseState.WITHDRAWN)
    without = order(("in_production", MONDAY))
    found = past_warnings(PLAN, [to_come, taken_back, without], NOW)
    assert tried(found) == {status: (0, Tried(0, 0, 0), None) for status in ("in_production", "shipped")}


def test_the_check_and_a_simulation_reckon_alike() -> None:
    """Of orders whose events come in time, for a simulation goes by when they came."""
    end = START + timedelta(days=60)
    events: dict[str, list[dict[str, object]]] = {}
    for one in generated(150, seed=20, start=START, length=timedelta(days=20)):
        events.setdefault(one.event["order_id"], []).append(one.event)
    compared = 0
    for history in events.values():
        moments = {str(event["sequence"]): event for event in history}
        in_time = sorted(
            ((datetime.fromisoformat(str(event["occurred_at"])), event) for event in moments.values()),
            key=lambda it: (it[0], it[1]["sequence"]),
        )
        course = Course(PLAN, lambda *_: True)
        course.live([(at, taken(event, at)) for at, event in in_time], end)
        assert course.order is not None
        outcome = promises.outcome(course, end)
        for past in past_warnings(PLAN, [course.order], end):
            expected = None if outcome is None else outcome.left.get(past.status)
            assert past.warnings.orders == (expected is not None), course.order.order_id
            if outcome is not None and expected is not None:
                kind = past.warnings.late if outcome.late else past.warnings.in_time
                assert kind.counts.total() == 1
                assert past.warnings.tried(expected + HOUR).warned == 1
                compared += 1
    assert compared > 100
