"""Who stopped the reminders reads no date by which they hear again; the window runs on for the owner's sake."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from avisa.core.model import State
from avisa.core.unsubscribe_token import address_hash
from tests.flows.harness import running
from tests.templates import harness as templates
from tests.tools.waiting import until

CONFIRMED = "A-1/1/update/1/customer"
HOUR = timedelta(hours=1)


async def test_their_messages_tell_no_date_and_the_owner_hears_in_the_end(tmp_path: Path) -> None:
    plan = templates.PLAN.replace("  window: 48h\n", "  window: 48h\n  remind: {at_most: 1}\n")
    async with running(tmp_path / "avisa.db", plan=plan) as flows, flows.sending():
        hashed = address_hash(templates.SECRET, "ana@example.com")
        await flows.store.operations.unsubscribe(hashed, now=flows.clock.now())
        await flows.happens("confirmed")
        await flows.happens("confirmed", "B-1", customer__email="rui@example.com")
        await flows.became(CONFIRMED, State.SENT)
        await flows.became("B-1/1/update/1/customer", State.SENT)
        assert (await flows.row(CONFIRMED)).notification.next_update is None
        assert (await flows.row("B-1/1/update/1/customer")).notification.next_update is not None
        order = (await flows.history()).order
        assert order.told_until is None, "nobody was told a date"
        assert order.deadline is not None, "but the window runs"
        await flows.pass_time(49 * HOUR)
        await until(flows.wake.once)
        await flows.became("A-1/1/reminder/1/customer", State.DROPPED)
        await flows.became("A-1/1/owner_alert/stuck/owner:care", State.SENT)
