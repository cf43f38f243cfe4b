"""The life of one order in docs/design.md is what the core makes of it, with the shipped plan."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from avisa import plan_file
from avisa.core import decide
from avisa.core.decision import Decision
from avisa.core.evolve import evolve
from avisa.core.model import Order
from avisa.core.plan import Plan
from tests.builders import event
from tests.readme import documents

LISBON = ZoneInfo("Europe/Lisbon")
CUSTOMER = {"customer.email": "ana@example.pt", "customer.time_zone": "Europe/Lisbon"}


def test_the_life_of_one_order_is_played_by_the_core() -> None:
    plan = plan_file.read((documents.ROOT / "templates" / "plan.yaml").read_text("utf-8"), file="plan.yaml")
    assert isinstance(plan, Plan), plan
    _, _, rest = (documents.ROOT / "docs" / "design.md").read_text("utf-8").partition("\n### The life of one order\n")
    lines = [line for line in rest.partition("\n## ")[0].splitlines() if line.startswith("|")][2:]
    order: Order | None = None
    for number, line in enumerate(lines):
        when, what, reason, told, by = (cell.strip() for cell in line.strip("|").split("|"))
        decision = _decided(order, _moment(when), what, plan, number)
        order = evolve(decision.order, pending=())  # as if all were sent at once
        assert f"`{decision.reason}`" == reason, line
        assert [f"`{one.purpose}`" for one in decision.notifications] == ([told] if told else []), line
        assert decision.order.deadline == (_moment(by) if by else None), line


def _decided(order: Order | None, now: datetime, what: str, plan: Plan, number: int) -> Decision:
    if what == "silence":
        assert order is not None
        assert order.wake_at == now
        return decide.on_wake(order, plan, now)
    (status,) = documents.words(what)
    facts = dict(CUSTOMER)
    if promised := re.search(r"promised for (\d+) March", what):
        facts["promised_at"] = f"2026-03-{promised[1]}"
    if "with a reason" in what:
        facts["reason"] = "The glaze cracked."
    occurred = now
    if earlier := re.search(r"occurred at (\d\d):(\d\d)", what):
        occurred = now.replace(hour=int(earlier[1]), minute=int(earlier[2]))
    return decide.on_event(order, event(status, occurred, number, "A-1042", **facts), plan, now)


def _moment(written: str) -> datetime:
    """`Mon 02 10:00`, in Lisbon; in March before the clocks change that is UTC."""
    weekday, day, clock = written.split()
    hour, minute = map(int, clock.split(":"))
    at = datetime(2026, 3, int(day), hour, minute, tzinfo=LISBON)
    assert at.strftime("%a") == weekday
    assert at.utcoffset() == timedelta(0)
    return at
