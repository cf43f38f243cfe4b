"""Silence noticed: by whom it is told, and what keeps others from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from avisa.core.model import Purpose, State, evolve
from avisa.ports import Change
from avisa.wake import PUT_OFF
from tests.flows.rig import Rig, running

REMINDER = "A-1/1/reminder/1/customer"
OTHER = "B-1/1/reminder/1/customer"
HOUR = timedelta(hours=1)


async def told(rig: Rig, *order_ids: str) -> None:
    for order_id in order_ids:
        await rig.happens("confirmed", order_id)
        await rig.became(f"{order_id}/1/update/1/customer", State.SENT)


async def test_silence_is_told_once(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db") as rig, rig.sending():
        await told(rig, "A-1")
        await rig.pass_time(49 * HOUR)
        assert await rig.wake.once() == 1
        assert await rig.wake.once() == 0
        await rig.became(REMINDER, State.SENT)
        rows = (await rig.history()).outbox
    assert [row.notification.purpose for row in rows] == [Purpose.UPDATE, Purpose.REMINDER]


async def test_blindness_holds_a_reminder_for_so_long_and_no_longer(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db") as rig, rig.sending():
        await told(rig, "A-1")
        rig.lag.revoked()
        rig.clock.pass_real(49 * HOUR)
        assert await rig.wake.once() == 0
        rig.clock.pass_real(4 * HOUR)
        assert await rig.wake.once() == 1
        await rig.became(REMINDER, State.SENT)


async def test_an_order_that_we_have_a_fault_about_keeps_no_other_waiting(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db") as rig, rig.sending():
        await told(rig, "A-1", "B-1")
        await rig.pass_time(49 * HOUR)
        order = (await rig.store.orders.load(["A-1"]))["A-1"]
        unthought = evolve(order, counted_from=datetime.max.replace(tzinfo=UTC))  # no window ends after that
        assert not (await rig.store.orders.commit([Change(order=unthought)], now=rig.clock.now())).lost
        await rig.wake.once()
        await rig.became(OTHER, State.SENT)
        assert (await rig.history()).order.wake_at == rig.clock.now() + PUT_OFF
