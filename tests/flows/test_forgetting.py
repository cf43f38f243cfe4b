"""An order that never ends is forgotten 400 days after the last word, and may come again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from avisa.app.wiring import KEPT
from avisa.core.model import Reason, State
from tests.flows.harness import Flows, running

CONFIRMED = "A-1/1/update/1/customer"
DAY = timedelta(days=1)


async def _confirmed(flows: Flows) -> None:
    await flows.happens("confirmed")
    await flows.became(CONFIRMED, State.SENT)


async def _stuck(flows: Flows) -> None:
    """All three reminders are told."""
    await _confirmed(flows)
    for number in (1, 2, 3):
        await flows.pass_time(2 * DAY)
        assert await flows.wake.once() == 1
        await flows.became(f"A-1/1/reminder/{number}/customer", State.SENT)
    await flows.became("A-1/1/owner_alert/stuck/owner:care", State.SENT)


async def _retire(flows: Flows) -> int:
    await flows.wake.once()
    return await flows.store.operations.retire(quiet_since=flows.clock.now() - KEPT, limit=9)


async def test_an_order_that_never_ends_is_forgotten(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db") as flows, flows.sending():
        await _stuck(flows)
        before = await flows.store.queries.counts()
        await flows.pass_time(KEPT - DAY)
        assert await _retire(flows) == 0
        await flows.pass_time(2 * DAY)
        assert await _retire(flows) == 1
        assert await flows.store.queries.history("A-1") is None
        assert await flows.store.queries.counts() == before


@pytest.mark.parametrize("status", ["confirmed", "delivered"])
async def test_a_word_now_and_then_keeps_an_order_and_is_told_no_second_time(tmp_path: Path, status: str) -> None:
    """Also one that ended: were it forgotten, the next "delivered" would be news."""
    async with running(tmp_path / "avisa.db") as flows, flows.sending():
        await _stuck(flows)
        await flows.happens(status)
        told = len((await flows.history()).outbox)
        for _ in range(3):
            await flows.pass_time(KEPT - DAY)
            assert await _retire(flows) == 0
            await flows.happens(status)
        events = [entry for entry in (await flows.history()).entries if entry.kind == "event"]
        assert {entry.reason for entry in events[2:]} == {Reason.REPEATED}
        assert len((await flows.history()).outbox) == told


async def test_news_of_a_forgotten_order_begin_it_anew(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db") as flows, flows.sending():
        first = flows.event("confirmed")
        await flows.intake.take([first])
        await flows.became(CONFIRMED, State.SENT)
        await flows.happens("delivered")
        await flows.became("A-1/2/update/1/customer", State.SENT)
        await flows.pass_time(KEPT + DAY)
        assert await _retire(flows) == 1
        await flows.intake.take([first])  # read from the topic once more
        assert (await flows.history()).entries[0].reason is Reason.TOO_OLD_TO_TELL
        assert (await flows.history()).outbox == ()
        await flows.happens("shipped")
        await flows.became("A-1/2/update/1/customer", State.SENT)
