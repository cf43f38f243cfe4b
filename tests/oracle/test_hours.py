"""The oracle's own reading of the plan and of working time."""

from __future__ import annotations

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.oracle.plan import Touchpoint, read_plan

PLAN = """
brands: {default: {name: Loja, from: avisos@example.com, time_zone: Europe/Lisbon}}
calendars:
  warehouse: {hours: "mon-fri 09:00-13:00, mon-fri 14:00-18:00, sat 09:00-12:00", holidays: PT,
              closed: [2026-03-10, 2026-03-12..2026-03-13], time_zone: Europe/Lisbon}
defaults: {remind: {at_most: 5}, quiet_hours: "21:00-08:00"}
touchpoints:
  days: {message: a, window: 3bd, calendar: warehouse, remind: {after: [1bd]}}
  open: {message: a, window: 10h, calendar: warehouse, quiet_hours: none}
  plain: {message: a, window: 2d}
  silent: {message: a, window: none}
"""


@pytest.fixture
def touchpoints(tmp_path: Path) -> dict[str, Touchpoint]:
    (tmp_path / "plan.yaml").write_text(PLAN, "utf-8")
    return read_plan(tmp_path / "plan.yaml").touchpoints


def when(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "start", "end"),
    [
        ("days", "2026-03-02T10:30", "2026-03-05T10:30"),
        ("days", "2026-03-04T15:00", "2026-03-07T12:00"),  # a Saturday, clipped to its hours
        ("days", "2026-03-02T13:30", "2026-03-05T14:00"),  # at lunch: from the next opening
        ("days", "2026-03-07T12:00", "2026-03-16T09:00"),  # closing is closed; three days of closure lie between
        ("days", "2026-04-01T10:00", "2026-04-06T10:00"),  # Good Friday lies between; summer time
        ("open", "2026-03-02T16:00", "2026-03-03T18:00"),
        ("open", "2026-03-06T17:00", "2026-03-09T16:00"),
        ("plain", "2026-03-06T17:00", "2026-03-08T17:00"),
    ],
)
def test_a_window_ends_as_its_calendar_says(
    touchpoints: dict[str, Touchpoint], status: str, start: str, end: str
) -> None:
    window = touchpoints[status].window
    assert window is not None
    assert window.after(when(start)) == when(end)


def test_rows_are_merged_with_the_defaults(touchpoints: dict[str, Touchpoint]) -> None:
    days = touchpoints["days"]
    assert days.at_most == 5
    assert days.gap_after(1) != days.gap_after(2) == days.window
    assert touchpoints["silent"].window is None
    assert touchpoints["open"].quiet is None


def test_a_deadline_moves_out_of_quiet_hours(touchpoints: dict[str, Touchpoint]) -> None:
    quiet, window = touchpoints["plain"].quiet, touchpoints["days"].window
    assert quiet is not None
    assert window is not None
    assert window.calendar is not None
    lisbon = window.calendar.zone
    night = when("2026-03-06T02:00")
    assert quiet.deadline(night, when("2026-03-05T12:00"), lisbon) == when("2026-03-05T20:30")
    assert quiet.deadline(night, when("2026-03-05T20:40"), lisbon) == when("2026-03-06T08:00")
    assert quiet.deadline(when("2026-03-06T08:00"), night, lisbon) == when("2026-03-06T08:00")
    assert quiet.release(night, lisbon) - night == timedelta(hours=6)


def test_the_oracle_knows_nothing_of_the_service() -> None:
    for path in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(module.split(".")[0] == "service" for module in modules), path.name
