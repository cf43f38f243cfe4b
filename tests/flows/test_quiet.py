"""A reminder that was decided on time goes out in quiet hours; how late that is, is real time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from avisa.core.model import State
from tests.fakes import HandClock
from tests.flows.harness import running
from tests.templates import harness as templates

# From ten o'clock the window ends at night, and so at half past eight the evening before.
PLAN = templates.PLAN.replace("window: 48h", 'window: 36h\n  quiet_hours: "21:00-08:00"')
REMINDER = "A-1/1/reminder/1/customer"
DUE = timedelta(hours=34.5)


@pytest.mark.parametrize(
    ("speed", "late", "state"),
    [
        (1, timedelta(minutes=29), State.SENT),  # not quiet yet
        (1, timedelta(minutes=31), State.HELD),
        (3_600, timedelta(seconds=4), State.SENT),  # four hours into the night
        (3_600, timedelta(seconds=6), State.HELD),
    ],
)
async def test_a_reminder_decided_on_time_is_not_held_by_quiet_hours(
    tmp_path: Path, speed: float, late: timedelta, state: State
) -> None:
    async with running(tmp_path / "avisa.db", plan=PLAN, clock=HandClock(speed)) as flows, flows.sending():
        await flows.happens("confirmed")
        await flows.became("A-1/1/update/1/customer", State.SENT)
        await flows.pass_time(DUE / speed + late)
        assert await flows.wake.once() == 1
        await flows.became(REMINDER, state)
