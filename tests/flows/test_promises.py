"""A promised date through the flows: each change of it is a line, and what a customer was told of it is known."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from avisa import views
from avisa.core.model import Reason, State
from avisa.core.promise import PromiseState
from avisa.core.snooze import Of
from tests.flows.harness import Flows, running
from tests.flows.test_snoozing import snooze
from tests.templates import harness as templates

HOUR = timedelta(hours=1)
PLAN = templates.PLAN.replace("{message: plain}", "{message: plain, promise: {warn_before: 6h}}").replace(
    "final: true", "final: true, fulfils_promise: true"
)
UPDATE, WARNING, APOLOGY = (f"A-1/1/{what}/1/customer" for what in ("update", "promise_at_risk", "promise_broken"))


async def lines(flows: Flows) -> list[tuple[str | None, str | None]]:
    document = await views.timeline(flows.store.queries, "A-1")
    assert document is not None
    return [(it["state"], it["note"]) for it in document["entries"] if it["kind"] == "promise"]


async def listed(flows: Flows, state: PromiseState | None = None) -> list[views.Shape]:
    return await views.promises(flows.store.queries, flows.catalogs.in_force.plan, state=state)


async def test_each_change_of_a_promise_is_a_line(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db", plan=PLAN) as flows, flows.sending():
        day = flows.clock.now().date().isoformat()
        await flows.happens("confirmed", promised_at=day)
        await flows.became(UPDATE, State.SENT)
        (stands,) = await listed(flows)
        assert (stands["date"], stands["state"], stands["owner"]) == (day, "open", "care")
        assert stands["told_at"] is not None
        for key in (WARNING, APOLOGY):
            await flows.pass_time(13 * HOUR)
            await flows.wake.once()
            await flows.became(key, State.SENT)
        await flows.happens("delivered")
        await flows.became("A-1/2/update/1/customer", State.SENT)
        assert await lines(flows) == [("at_risk", day), ("broken", day)]
        assert await listed(flows) == []
        (broken,) = await listed(flows, PromiseState.BROKEN)
        assert broken["told_at"] == views.moment((await flows.row(APOLOGY)).settled_at)
        gauges = await flows.store.queries.gauges()
    assert {state: n for state, n in gauges.promises.items() if n} == {"broken": 1}


async def test_a_promise_taken_back_is_named_by_the_date_it_had(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db", plan=PLAN) as flows, flows.sending():
        await flows.happens("confirmed", promised_at="2100-03-09")
        await flows.happens("confirmed", promised_at=None)
        assert await lines(flows) == [("withdrawn", "2100-03-09")]
        (taken_back,) = await listed(flows, PromiseState.WITHDRAWN)
        assert taken_back["date"] is None


async def test_an_apology_that_waits_is_not_sent_once_it_was_delivered(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db", plan=PLAN) as flows, flows.sending():
        now = flows.clock.now()
        await flows.happens("confirmed", promised_at=now.date().isoformat())
        await flows.became(UPDATE, State.SENT)
        await flows.pass_time(13 * HOUR)
        await flows.wake.once()
        await flows.became(WARNING, State.SENT)
        flows.channel.open = False
        await flows.pass_time(13 * HOUR)
        await flows.wake.once()
        await flows.became(APOLOGY, State.QUEUED)
        delivered = flows.event("delivered")
        await flows.intake.take([delivered])
        flows.channel.open = True
        flows.dispatch.nudge()
        await flows.became("A-1/2/update/1/customer", State.SENT)
        assert (await flows.row(APOLOGY)).notification.state is State.DROPPED


async def test_what_time_alone_says_of_a_promise_waits_until_the_snooze_ends(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db", plan=PLAN) as flows, flows.sending():
        await flows.happens("confirmed", promised_at=flows.clock.now().date().isoformat())
        await flows.became(UPDATE, State.SENT)
        await snooze(flows, Of.ORDER, "A-1", 10 * HOUR)
        await flows.pass_time(8 * HOUR)
        await flows.wake.once()
        await flows.became(WARNING, State.HELD)
        assert (await flows.row(WARNING)).notification.gate is Reason.SNOOZED
        await flows.pass_time(3 * HOUR)
        await flows.became(WARNING, State.SENT)
