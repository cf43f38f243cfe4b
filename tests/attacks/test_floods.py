"""An order and an address get no more mails within an hour than the plan allows; what is over it waits, folds into
the newest, and is told to the owner: of the first order at once, of all others in one mail an hour later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from avisa.core.model import OrderEvent, Reason, State
from tests.flows.harness import Flows, running
from tests.templates.harness import PLAN
from tests.tools.waiting import until

HOUR = timedelta(hours=1)
CALM = PLAN.replace("window: 48h", "window: 48h\n  flood: {per_order: 3/1h, per_address: 5/1h}")
ALWAYS = CALM.replace("{message: plain}", "{message: plain, always: true}")
OPEN = PLAN.replace("window: 48h", "window: 48h\n  flood: {per_order: none, per_address: none}")

Round = Callable[[Flows, int], OrderEvent]


def _orders(flows: Flows, n: int) -> OrderEvent:
    return flows.event("confirmed", f"A-{n}")


def _spelled(flows: Flows, n: int) -> OrderEvent:
    address = ("ana@example.com", " ANA@example.com", "Ana@EXAMPLE.com")[n % 3]
    return flows.event("confirmed", f"A-{n}", customer__email=address)


def _reasons(flows: Flows, n: int) -> OrderEvent:
    return flows.event("confirmed", reason=f"reason {n}")


def _statuses(flows: Flows, n: int) -> OrderEvent:
    return flows.event(("confirmed", "shipped")[n % 2])


def _addresses(flows: Flows, n: int) -> OrderEvent:
    return flows.event("confirmed", reason=f"reason {n}", customer__email=f"ana{n}@example.com")


# plan, what comes, how often, how many mails at once, how many more within the second hour
TABLE = {
    "many orders to one address, together": (CALM, _orders, 12, 5, 5),
    "one address, spelled in several ways": (CALM, _spelled, 12, 5, 5),
    "many reasons of one order": (CALM, _reasons, 9, 3, 1),
    "one order, and each time another address": (CALM, _addresses, 9, 3, 1),
    "an order to and fro": (CALM, _statuses, 10, 3, 1),
    "an order to and fro, and back where it was told last": (CALM, _statuses, 9, 3, 0),
    "an order to and fro, whose messages are always told": (ALWAYS, _statuses, 10, 3, 1),
    "the plan as it is by default: an address": (PLAN, _orders, 14, 12, 2),
    "the plan as it is by default: an order": (PLAN, _reasons, 8, 6, 1),
    "a plan without a budget": (OPEN, _orders, 14, 14, 0),
}


async def _bomb(flows: Flows, round_: Round, times: int) -> None:
    for n in range(times):
        await flows.intake.take([round_(flows, n)])
        flows.dispatch.nudge()
        await _calm(flows)


async def _calm(flows: Flows) -> None:
    async def settled() -> bool:
        waiting = (await flows.store.queries.counts()).by_state
        return not (waiting.get(State.QUEUED) or waiting.get(State.SENDING))

    await until(settled)


def _mails(flows: Flows) -> Counter[str]:
    return Counter("owner" if mail.recipient == "care@example.com" else "customer" for mail in flows.channel.mails)


@pytest.mark.parametrize("what", TABLE)
async def test_no_more_mails_leave_than_the_plan_allows(tmp_path: Path, what: str) -> None:
    plan, round_, times, at_once, later = TABLE[what]
    async with running(tmp_path / "avisa.db", plan=plan) as flows, flows.sending():
        await _bomb(flows, round_, times)
        assert _mails(flows) == Counter({"customer": at_once, "owner": int(at_once < times)})
        await flows.pass_time(HOUR)
        await until(lambda: _mails(flows)["customer"] == at_once + later)
        await _calm(flows)
        orders = times - at_once if round_ in (_orders, _spelled) else int(at_once < times)
        assert _mails(flows) == Counter({"customer": at_once + later, "owner": min(orders, 2)})


async def test_what_waited_tells_the_newest_and_the_timeline_says_why(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db", plan=CALM) as flows, flows.sending():
        await _bomb(flows, _statuses, 8)
        rows = (await flows.history()).outbox
        waiting = [row.notification for row in rows if row.notification.state is State.HELD]
        assert [(row.status, row.gate) for row in waiting] == [("shipped", Reason.FLOOD)]
        states = Counter(str(row.reason) for row in rows if row.notification.state is State.DROPPED)
        assert states == Counter({"superseded": 2})  # between two of them it was back where it was told last
        assert Reason.FLOOD in {entry.reason for entry in (await flows.history()).entries if entry.kind == "gate"}


async def test_the_budget_survives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "avisa.db"
    async with running(file, plan=CALM) as flows, flows.sending():
        await _bomb(flows, _orders, 4)
        clock = flows.clock
    async with running(file, plan=CALM, clock=clock) as flows, flows.sending():
        await flows.intake.take([flows.event("confirmed", f"B-{n}") for n in range(4)])
        flows.dispatch.nudge()
        await _calm(flows)
        assert _mails(flows)["customer"] == 1
