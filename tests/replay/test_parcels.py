"""The core alone against the oracle, about orders that come in parts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from avisa import plan_file
from avisa.core import context, facts
from avisa.core import plan as core_plan
from avisa.core.model import Notification
from tests.core.harness import World
from tests.depth import rounds
from tests.oracle import Plan, Published, read_plan
from tests.oracle.parcels import Parcels, Read, judge_parcels
from tests.replay.play import START
from tests.replay.test_core import AFTERWARDS, PLANS, Owners, live
from tests.tools.orders import Scheduled, in_parcels


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.parent.name)
def test_the_core_and_the_oracle_agree_on_parts(path: Path) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    plan, rules = plan_file.read(path.read_text("utf-8"), file=path.name), read_plan(path)
    assert isinstance(plan, core_plan.Plan)
    by_order: dict[str, list[Scheduled]] = {}
    for one in in_parcels(rounds(150), seed=seed, start=START, length=timedelta(days=20)):
        by_order.setdefault(one.event["order_id"], []).append(one)
    mails = [_lived_in_parts(rows, plan, rules) for rows in by_order.values()]
    assert sum(mail.numbers is not None for each in mails for mail in each) > rounds(150)


def _lived_in_parts(rows: Sequence[Scheduled], plan: core_plan.Plan, rules: Plan) -> list[Read]:
    """One order's life, held against the oracle, and what its customer read."""
    world, mails = World(plan, now=rows[0].at), list[Read]()
    history = "\n".join(f"{one.at} {one.event}" for one in rows)

    def note(row: Notification) -> None:
        order = world.loaded()
        assert order is not None
        # A reminder says where the order is, too; once there are parts, it says that of the order alone.
        if row.purpose != "update" and (order.parts is not None or not row.to_customer):
            return
        part = context.build(order, row, plan, world.now, facts.view(order)).get("part") or {}
        numbers = tuple(part["numbers"]) if part else None
        mails.append(Read(at=world.now, status=row.status, numbers=numbers, of=part.get("of")))

    noted = 0
    for _ in live(rows, world, rows[-1].at + AFTERWARDS, Owners(random.Random(0))):  # whom nobody asks
        for row in world.sent[noted:]:
            note(row)
        noted = len(world.sent)
    published = [Published(at=one.at, acked=one.at, event=one.event) for one in rows]
    parcels = Parcels(rules)
    for arrival, record in enumerate(published):
        parcels.take(record, arrival)
    assert world.order is not None
    assert (world.order.status, world.order.final) == (parcels.status, parcels.final), history
    wrong = judge_parcels(published, mails, rules)
    assert not wrong, "\n".join((history, *map(str, mails), *map(str, world.reasons), *wrong))
    return mails
