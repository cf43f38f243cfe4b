"""A simulated order hears what the same order hears in `World`, message by message and moment by moment.

Both stop at the moments at which something may happen. `World` then looks at everything again, `Course` only at what
is due.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from avisa.core import gate
from avisa.core.model import OrderEvent
from avisa.core.plan import Plan
from avisa.simulate.course import Course
from tests.core.harness import World
from tests.depth import rounds
from tests.replay.play import START
from tests.simulate.records import read_plan, taken
from tests.tools.orders import generated

ROOT = Path(__file__).parents[2]
PLANS = ("tests/simulate/plan.yaml", "tests/replay/plan.yaml", "tests/crash/plan.yaml", "templates/plan.yaml")
AFTERWARDS = timedelta(days=25)

Arrivals = Sequence[tuple[datetime, OrderEvent]]
Heard = list[tuple[datetime, str, datetime | None]]  # moment, key, the date told


@pytest.mark.parametrize("path", PLANS)
@pytest.mark.parametrize("days", [2, 20])
def test_each_order_hears_the_same_at_the_same_moments(path: str, days: int) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    plan = read_plan((ROOT / path).read_text("utf-8"))
    orders: dict[str, list[tuple[datetime, OrderEvent]]] = {}
    for one in generated(rounds(100), seed=seed, start=START, length=timedelta(days=days)):
        orders.setdefault(one.event["order_id"], []).append((one.at, taken(one.event, one.at)))
    heard = 0
    for order_id, arrivals in orders.items():
        end = arrivals[-1][0] + AFTERWARDS
        course = Course(plan, lambda *_: True)
        course.live(arrivals, end)
        world, sent = _world(arrivals, plan, end)
        assert _heard(course) == sent, order_id
        assert list(course.reasons.elements()) == sorted(world.reasons, key=list(course.reasons).index)
        heard += len(sent)
    assert heard > rounds(300)


def _heard(course: Course) -> Heard:
    return [(it.at, it.notification.key, it.notification.next_update) for it in course.sent]


def _world(arrivals: Arrivals, plan: Plan, end: datetime) -> tuple[World, Heard]:
    """The same order in a world."""
    world = World(plan, now=arrivals[0][0])
    sent: Heard = []
    coming = list(arrivals)
    while True:
        while coming and coming[0][0] <= world.now:
            world.take(coming.pop(0)[1])
            world.settle()
        while world.order is not None and world.order.wake_at is not None and world.order.wake_at <= world.now:
            world.wake()  # several things may be due at once
            world.settle()
        world.settle()
        sent += [(world.now, row.key, row.next_update) for row in world.sent[len(sent) :]]
        moments = [end, *(at for at, _ in coming[:1])]
        moments += _ends_of_holds(world)
        if world.order is not None and world.order.wake_at is not None and world.order.wake_at > world.now:
            moments.append(world.order.wake_at)
        if world.now == end:
            return world, sent
        world.now = min(moments)


def _ends_of_holds(world: World) -> list[datetime]:
    order = world.loaded()
    if order is None:
        return []
    verdicts = (gate.check(row, order, world.plan, world.now) for row in order.pending)
    return [it.until for it in verdicts if isinstance(it, gate.Hold) and it.until is not None]
