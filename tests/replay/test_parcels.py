"""The core alone against the oracle, about orders that come in parts."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from avisa import plan_file
from avisa.core import context, facts
from avisa.core import plan as core_plan
from avisa.core.model import SETTLED, Notification
from tests.core.harness import World
from tests.oracle import Plan, Published, read_plan
from tests.oracle.parcels import Parcels, Read, judge_parcels
from tests.replay.play import START
from tests.replay.test_core import AFTERWARDS, PLANS, TICK, event_of
from tests.tools.orders import Scheduled, in_parcels


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.parent.name)
def test_the_core_and_the_oracle_agree_on_parts(path: Path) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    plan, rules = plan_file.read(path.read_text("utf-8"), file=path.name), read_plan(path)
    assert isinstance(plan, core_plan.Plan)
    by_order: dict[str, list[Scheduled]] = {}
    for one in in_parcels(150, seed=seed, start=START, length=timedelta(days=20)):
        by_order.setdefault(one.event["order_id"], []).append(one)
    mails = [_lived_in_parts(rows, plan, rules) for rows in by_order.values()]
    assert sum(mail.numbers is not None for each in mails for mail in each) > 150


def _lived_in_parts(rows: Sequence[Scheduled], plan: core_plan.Plan, rules: Plan) -> list[Read]:
    """One order's life, held against the oracle, and what its customer read."""
    world, mails = World(plan, now=rows[0].at), list[Read]()
    history = "\n".join(f"{one.at} {one.event}" for one in rows)

    def note(world: World, row: Notification) -> None:
        if row.purpose != "update":
            return
        order = world.loaded()
        assert order is not None
        part = context.build(order, row, plan, world.now, facts.view(order)).get("part") or {}
        numbers = tuple(part["numbers"]) if part else None
        mails.append(Read(at=world.now, status=row.status, numbers=numbers, of=part.get("of")))

    _live(rows, world, rows[-1].at + AFTERWARDS, note)
    published = [Published(at=one.at, acked=one.at, event=one.event) for one in rows]
    parcels = Parcels(rules)
    for arrival, record in enumerate(published):
        parcels.take(record, arrival)
    assert world.order is not None
    assert (world.order.status, world.order.final) == (parcels.status, parcels.final), history
    wrong = judge_parcels(published, mails, rules)
    assert not wrong, "\n".join((history, *map(str, mails), *map(str, world.reasons), *wrong))
    return mails


def _live(
    rows: Sequence[Scheduled], world: World, end: datetime, note: Callable[[World, Notification], None]
) -> None:
    """Let all this happen to the order of that world; each mail is noted when it leaves."""
    noted = 0
    coming = list(rows)
    while world.now < end:
        moments = [end, *(one.at for one in coming[:1])]
        if any(row.state not in SETTLED for row in world.rows.values()):
            moments.append(START + ((world.now - START) // TICK + 1) * TICK)
        if world.order is not None and world.order.wake_at is not None and world.order.wake_at > world.now:
            moments.append(world.order.wake_at)
        world.now = min(moments)
        world.wake()
        while coming and coming[0].at <= world.now:
            world.take(event_of(coming.pop(0)))
        for _ in range(4):  # what waited for an earlier one goes next
            world.dispatch()
            world.wake()  # what was due when a record came
        for row in world.sent[noted:]:
            note(world, row)
        noted = len(world.sent)
