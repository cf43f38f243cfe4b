"""Silence noticed: by whom it is told, and what keeps others from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from avisa.core.evolve import evolve
from avisa.core.model import Purpose, State
from avisa.ports import Change
from avisa.wake import PUT_OFF
from tests.flows.harness import Flows, running

REMINDER = "A-1/1/reminder/1/customer"
OTHER = "B-1/1/reminder/1/customer"
HOUR = timedelta(hours=1)


async def told(flows: Flows, *order_ids: str) -> None:
    for order_id in order_ids:
        await flows.happens("confirmed", order_id)
        await flows.became(f"{order_id}/1/update/1/customer", State.SENT)


async def test_a_silent_order_gets_one_reminder_however_often_it_wakes(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db") as flows, flows.sending():
        await told(flows, "A-1")
        await flows.pass_time(49 * HOUR)
        assert await flows.wake.once() == 1
        assert await flows.wake.once() == 0
        await flows.became(REMINDER, State.SENT)
        rows = (await flows.history()).outbox
    assert [row.notification.purpose for row in rows] == [Purpose.UPDATE, Purpose.REMINDER]


async def test_blindness_holds_a_reminder_for_so_long_and_no_longer(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db") as flows, flows.sending():
        await told(flows, "A-1")
        flows.lag.revoked()
        flows.clock.pass_real(49 * HOUR)
        assert await flows.wake.once() == 0
        flows.clock.pass_real(4 * HOUR)
        assert await flows.wake.once() == 1
        await flows.became(REMINDER, State.SENT)


async def test_an_order_that_cannot_be_decided_keeps_no_other_waiting(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db") as flows, flows.sending():
        await told(flows, "A-1", "B-1")
        await flows.pass_time(49 * HOUR)
        order = (await flows.store.orders.load(["A-1"]))["A-1"]
        unthought = evolve(order, counted_from=datetime.max.replace(tzinfo=UTC))  # no window ends after that
        assert not (await flows.store.orders.commit([Change(order=unthought)], now=flows.clock.now())).lost
        await flows.wake.once()
        await flows.became(OTHER, State.SENT)
        assert (await flows.history()).order.wake_at == flows.clock.now() + PUT_OFF
