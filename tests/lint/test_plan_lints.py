"""Owners, ends and silences of the plan."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.yaml_reader import parse
from avisa.lint.located_plan import LocatedPlan
from avisa.lint.plan_lints import check_plan, longest_wait, span_text
from tests.templates.harness import read_plan

NOW = datetime(2026, 3, 2, 10, 15, tzinfo=UTC)
PLAN = """
brands:
  default: {name: Loja Azul, from: avisos@example.com, time_zone: Europe/Lisbon}
calendars:
  workshop: {hours: "mon-fri 09:00-18:00", closed: [2026-08-03..2026-08-21]}
owners:
  care: {name: Carla, email: care@example.com}
defaults:
  owner: care
  longest_silence: 4d
  window: 48h
touchpoints:
  confirmed: {message: plain}
  made: {message: plain, calendar: workshop, window: 2bd}
  delivered: {message: plain, final: true}
unknown_status: {}
"""


def located(text: str) -> LocatedPlan:
    plan = read_plan(text)
    assert isinstance(plan, Plan), plan
    return LocatedPlan(plan=plan, document=parse(text), file="plan.yaml")


def found(old: str = "", new: str = "") -> list[Diagnostic]:
    assert old in PLAN
    return list(check_plan(located(PLAN.replace(old, new, 1) if old else PLAN), NOW))


def test_the_longest_wait_counts_closed_days() -> None:
    (problem,) = found()
    assert (problem.code, problem.line, problem.column) == ("long_silence", 14, 54)
    # Begun as Wednesday closes: Thursday is the day it counts from, Friday the first, and then come the holidays.
    assert "the window of `made` (2bd) takes up to 25d 15h, as from 2026-07-29 18:00" in problem.message
    assert "`longest_silence` is 4d" in problem.message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "made: {message: plain, calendar: workshop, window: 2bd}",
            "made: {message: plain, window: none}",
            "for ever",
        ),
        ("made: {message: plain, calendar: workshop, window: 2bd}", "made: {message: plain, window: 5d}", "up to 5d"),
        ("window: 48h", "window: 97h", "(97h) takes up to 4d 1h"),
        ("window: 48h", "window: 48h\n  remind: {at_most: 0}", "`confirmed` has no reminder"),
        (
            "window: 48h",
            "window: 48h\n  remind: {after: [50h, 99h]}",
            "the gap after reminder 2 of `confirmed` (99h)",
        ),
        ("unknown_status: {}", "unknown_status: {window: 9d}", "the window of `unknown_status` (9d)"),
        # Decided half an hour before the night, when it is too late to write before it.
        ("4d\n  window: 48h", '10h\n  window: 2h\n  quiet_hours: "21:00-08:00"', "(2h) takes up to 12h, as from"),
    ],
)
def test_a_long_silence_is_found_in_windows_gaps_and_quiet_hours(old: str, new: str, words: str) -> None:
    assert any(words in problem.message for problem in found(old, new))


def test_without_longest_silence_no_silence_is_reported() -> None:
    assert found("  longest_silence: 4d\n", "") == []


def test_a_wait_without_a_calendar_is_as_long_as_the_window() -> None:
    plan = located(PLAN).plan
    touchpoint = plan.touchpoints["confirmed"]
    assert touchpoint.window is not None
    assert longest_wait(touchpoint.window, touchpoint, ZoneInfo("Europe/Lisbon"), NOW)[0] == timedelta(hours=48)
    assert span_text(touchpoint.window) == "48h"


def test_touchpoints_without_an_owner_are_reported() -> None:
    codes = [
        (it.code, it.line, it.column, it.suggestion) for it in found("  owner: care\n", "") if it.code == "no_owner"
    ]
    assert codes == [
        ("no_owner", line, column, "owner: care") for line, column in ((12, 3), (13, 3), (14, 3), (15, 1))
    ]


def test_touchpoints_without_a_final_one_after_them_are_reported() -> None:
    ends = [it for it in found(", final: true", "") if it.code == "no_way_to_end"]
    assert [it.line for it in ends] == [13, 14, 15]
