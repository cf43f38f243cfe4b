"""What an operator snoozes waits, and nothing else; notes are for the owner who is asked."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from avisa.core.model import Reason, State
from avisa.core.snooze import Of, Snooze
from tests.flows.harness import Flows, running
from tests.flows.test_answers import ASKED, PLAN, asked
from tests.flows.test_reasons import REMINDER

HOUR = timedelta(hours=1)


async def snooze(flows: Flows, of: Of, name: str, span: timedelta) -> None:
    now = flows.clock.now()
    await flows.store.operations.snooze(Snooze(of=of, name=name, until=now + span, author="rui", at=now))


@pytest.mark.parametrize(
    ("of", "name", "state"),
    [
        (Of.ORDER, "A-1", State.HELD),
        (Of.ORDER, "A-2", State.SENT),
        (Of.STATUS, "confirmed", State.HELD),
        (Of.STATUS, "shipped", State.SENT),
        (Of.BRAND, "default", State.HELD),
        (Of.OWNER, "care", State.HELD),
        (Of.OWNER, "boss", State.SENT),
    ],
)
async def test_reminders_and_questions_wait_until_the_snooze_ends(
    of: Of, name: str, state: State, tmp_path: Path
) -> None:
    async with running(tmp_path / "avisa.db", plan=PLAN) as flows, flows.sending():
        await flows.happens("confirmed")
        await flows.became("A-1/1/update/1/customer", State.SENT)
        await snooze(flows, of, name, 60 * HOUR)
        await flows.pass_time(24 * HOUR)
        await flows.wake.once()
        await flows.became(ASKED, state)
        await flows.pass_time(25 * HOUR)
        await flows.wake.once()
        await flows.became(REMINDER, state)
        await flows.pass_time(12 * HOUR)
        await flows.became(REMINDER, State.SENT)


async def test_news_is_never_snoozed_and_makes_the_reminder_needless(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db", plan=PLAN) as flows, flows.sending():
        await flows.happens("confirmed")
        await flows.became("A-1/1/update/1/customer", State.SENT)
        await snooze(flows, Of.ORDER, "A-1", 60 * HOUR)
        await flows.pass_time(49 * HOUR)
        await flows.wake.once()
        await flows.became(REMINDER, State.HELD)
        await flows.happens("shipped")
        await flows.became("A-1/2/update/1/customer", State.SENT)
        assert (await flows.row(REMINDER)).reason is Reason.SUPERSEDED


async def test_a_snooze_that_is_ended_lets_go_at_once(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db", plan=PLAN) as flows, flows.sending():
        await flows.happens("confirmed")
        await flows.became("A-1/1/update/1/customer", State.SENT)
        await snooze(flows, Of.OWNER, "care", 60 * HOUR)
        await flows.pass_time(24 * HOUR)
        await flows.wake.once()
        await flows.became(ASKED, State.HELD)
        operations = flows.store.operations
        (lasting,) = await operations.snoozes(now=flows.clock.now())
        assert not await operations.end_snooze(lasting.id + 1)
        assert await operations.end_snooze(lasting.id)
        assert await operations.snoozes(now=flows.clock.now()) == []
        await flows.pass_time(timedelta(seconds=1))
        await flows.became(ASKED, State.SENT)


async def test_a_note_is_a_line_of_the_timeline_and_shown_to_the_owner(tmp_path: Path) -> None:
    async with asked(tmp_path / "avisa.db") as page:
        operations, now = page.flows.store.operations, page.flows.clock.now()
        assert not await operations.note("A-2", "Nobody knows it.", author="rui", now=now)
        for number in range(7):
            assert await operations.note("A-1", f"Note {number} <b>", author="rui", now=now)
        shown = (await page.get()).text
        assert "Note 6 &lt;b&gt;" in shown
        assert "Note 1" not in shown, "the last five are shown; all stand on the timeline"
        history = await page.flows.history()
        notes = [entry for entry in history.entries if entry.kind == "note"]
        assert [(entry.note, entry.author) for entry in notes][:1] == [("Note 0 <b>", "rui")]
        assert len(notes) == 7
        assert "all is on track" not in str(await page.updates())
        assert (await page.post(reply="on_track")).status_code == 200
