"""Owners are asked where the plan asks, when it asks, and once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.oracle import Kind, Plan, Received
from tests.oracle.plan import Span
from tests.oracle.test_interrupted import falling
from tests.oracle.test_judge import event, found, mail, plan

__all__ = ["plan"]  # the fixture

EVENTS = [event(0, "shipped"), event(26, "delivered")]
MAILS = [mail(0, "1/update/1/customer"), mail(26, "2/update/1/customer")]


def asking(plan: Plan, **fields: Any) -> Plan:
    """The plan in which `shipped` asks; it has a window of 48 hours and begins at 10:00."""
    changed = replace(plan.touchpoints["shipped"], owner="desk", **fields)
    owners = {**plan.owners, "head": "head@example.com"}
    return replace(plan, touchpoints={**plan.touchpoints, "shipped": changed}, owners=owners)


def question(hours: float, number: int = 1, *, episode: int = 1, owner: str = "desk") -> Received:
    return mail(hours, f"{episode}/ask_owner/{number}/owner:{owner}", to=f"{owner}@example.com")


def with_(*questions: Received) -> list[Received]:
    return sorted([*MAILS, *questions], key=lambda it: it.at)


def test_nobody_is_asked_where_the_plan_does_not_ask(plan: Plan) -> None:
    assert found(plan, with_(question(24)), EVENTS) == {Kind.UNEXPECTED}
    half = asking(plan, asks_at=50)
    assert found(half, with_(question(24)), EVENTS) == set()
    assert found(half, with_(question(30, episode=2)), EVENTS) == {Kind.UNEXPECTED, Kind.LOST}


def test_a_question_for_news_has_its_moment_in_the_window(plan: Plan) -> None:
    half = asking(plan, asks_at=50)
    assert found(half, MAILS, EVENTS) == {Kind.LOST}
    assert found(half, with_(question(23)), EVENTS) == {Kind.UNEXPECTED, Kind.LOST}
    assert found(half, with_(question(24.5)), EVENTS) == {Kind.LOST}
    assert found(half, with_(question(24), question(25, 2)), EVENTS) == {Kind.UNEXPECTED}


def test_a_question_after_the_order_went_on_is_stale(plan: Plan) -> None:
    assert Kind.STALE in found(asking(plan, asks_at=50), with_(question(24), question(27, 2)), EVENTS)


def test_each_window_has_its_question(plan: Plan) -> None:
    half = asking(plan, asks_at=50)
    events = [event(0, "shipped"), event(80, "delivered")]
    reminded = [MAILS[0], question(24), mail(48, "1/reminder/1/customer"), mail(80, "2/update/1/customer")]
    again = [*reminded[:3], question(72, 2), reminded[3]]
    assert found(half, again, events) == set()
    assert found(half, reminded, events) == {Kind.LOST}


def test_a_question_that_nobody_answers_goes_on_in_its_time(plan: Plan) -> None:
    half = asking(plan, asks_at=50)
    line = replace(half, nexts={"desk": "head"}, afters={"desk": timedelta(hours=1)})
    assert found(line, with_(question(24), question(25, 2, owner="head")), EVENTS) == set()
    assert found(line, with_(question(24), question(24.5, 2, owner="head")), EVENTS) == {Kind.UNEXPECTED}
    assert found(half, with_(question(24), question(25, 2, owner="head")), EVENTS) == {Kind.UNEXPECTED}


def test_a_date_is_asked_about_so_long_before_it_ends_and_once(plan: Plan) -> None:
    """It ends with 3 March, 38 hours after the order was shipped."""
    dated = asking(plan, asks_before=timedelta(hours=18))
    events = [event(0, "shipped", promised_at="2026-03-03"), event(47, "delivered")]
    ends = [mail(0, "1/update/1/customer"), mail(47, "2/update/1/customer")]
    assert found(dated, [ends[0], question(20), ends[1]], events) == set()
    assert found(dated, ends, events) == {Kind.LOST}
    assert found(dated, [ends[0], question(19), ends[1]], events) == {Kind.UNEXPECTED, Kind.LOST}
    assert found(dated, [ends[0], question(22), ends[1]], events) == {Kind.LATE}
    assert found(dated, [ends[0], question(20), question(21, 2), ends[1]], events) == {Kind.UNEXPECTED}
    assert found(dated, [ends[0], question(39), ends[1]], events) == {Kind.UNEXPECTED, Kind.LOST}


def test_a_question_may_come_after_the_one_to_the_next_in_line(plan: Plan) -> None:
    """They go to two owners, and nothing waits for anything else."""
    line = replace(asking(plan, asks_at=50), nexts={"desk": "head"}, afters={"desk": timedelta(0)})
    assert found(line, with_(question(24, 2, owner="head"), question(24.001)), EVENTS) == set()


def test_a_question_stands_where_the_message_to_the_customer_was_superseded_unsent(plan: Plan) -> None:
    half = asking(plan, asks_at=50)
    events = [event(0, "confirmed"), event(1, "shipped"), event(30, "delivered")]
    came = [mail(0, "1/update/1/customer"), question(25, episode=2), mail(30, "3/update/1/customer")]
    assert Kind.UNEXPECTED not in found(half, came, events)
    assert Kind.UNEXPECTED in found(half, [came[0], question(20, episode=2), came[2]], events)


def test_a_message_that_settles_after_its_deadline_begins_a_window_in_which_somebody_is_asked(plan: Plan) -> None:
    """It was in doubt from one fall of the service to the next; meanwhile its owner was asked once."""
    short = asking(plan, asks_at=50, window=Span(elapsed=timedelta(hours=10)), quiet=None)
    came = [question(5.5), mail(30.5, "1/update/1/customer")]
    again = question(35.6, 2)
    assert found(short, [*came, again], EVENTS[:1], falling(until=39)) == set()
    assert found(short, [*came, question(34, 2)], EVENTS[:1], falling(until=39)) == {Kind.UNEXPECTED}
    assert found(short, [*came, again, question(36, 3)], EVENTS[:1], falling(until=39)) == {Kind.UNEXPECTED}
