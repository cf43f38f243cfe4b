"""Promises that moved to and fro before the customer heard of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.oracle import Kind, Latitude, Plan
from tests.oracle.ledger import Ledger, Told, after
from tests.oracle.test_interrupted import falling
from tests.oracle.test_judge import at, event, found, mail, plan
from tests.oracle.test_questions import asking, question

__all__ = ["plan"]  # the fixture

SECOND = 1 / 3600


def test_a_promise_that_is_back_where_it_was_is_no_news(plan: Plan) -> None:
    """The move away was overtaken by the order's end, and that by its reopening, before a mail went out."""
    events = [
        event(0, "confirmed", promised_at="2026-03-20"),
        event(10, "in_production", promised_at="2026-03-25"),
        event(10 + SECOND, "delivered"),
        event(10 + 2 * SECOND, "shipped", notify=False),
        event(10 + 3 * SECOND, "shipped", promised_at="2026-03-20"),
    ]
    mails = [
        mail(0, "1/update/1/customer"),
        mail(58, "4/reminder/1/customer", soon=5),
        mail(106, "4/reminder/2/customer", soon=8),
    ]
    assert not found(plan, mails, events)
    elsewhere = [*events[:-1], event(10 + 3 * SECOND, "shipped", promised_at="2026-03-23")]
    assert Kind.LOST in found(plan, mails, elsewhere)


def test_a_date_that_may_have_come_too_late_may_be_warned_of_asked_about_and_broken(plan: Plan) -> None:
    """The service fell again and again: nobody knows whether it read of the second date when the first had passed,
    nor, for all that the clock says, whether that had passed, too."""
    asks = asking(plan, warn_before=timedelta(hours=9), asks_before=timedelta(hours=12), quiet=None)
    delivered = replace(plan.touchpoints["delivered"], fulfils_promise=True)
    asks = replace(asks, touchpoints={**asks.touchpoints, "delivered": delivered})
    events = [
        event(0, "shipped", promised_at="2026-03-02"),  # it ends at hour 14
        event(0.5, "shipped", promised_at="2026-03-03"),  # and this one at hour 38
    ]
    mails = [mail(0, "1/update/1/customer"), mail(0.5, "1/promise_moved/1/customer")]
    noticed = [question(26.5), mail(30.5, "1/promise_at_risk/1/customer")]
    assert found(asks, [*mails, *noticed], events, falling(until=50)) == set()
    unasked = [question(20), mail(27, "1/promise_at_risk/1/customer")]
    assert found(asks, [*mails, *unasked], events, falling(until=50)) == {Kind.UNEXPECTED}


def test_a_small_step_that_may_have_been_read_too_late_leaves_the_date_before_it(plan: Plan) -> None:
    stop, start = at(7) + timedelta(seconds=1), at(9)
    fell = Latitude(until=at(12), down=((stop, start),), starts=(at(-1), start), ends=(stop,), kills=(stop,))
    warns = asking(plan, warn_before=timedelta(hours=3), ignore_moves_under=timedelta(hours=24), quiet=None)
    events = [
        event(0, "shipped", promised_at="2026-03-02"),  # it ends at hour 14
        event(7, "shipped", promised_at="2026-03-02T18:00:00Z"),  # and this one at hour 8
    ]
    mails = [mail(0, "1/update/1/customer"), mail(11, "1/promise_at_risk/1/customer")]
    assert found(warns, mails, events, fell) == set()
    assert found(warns, mails, events, replace(fell, down=())) == {Kind.UNEXPECTED}


def test_a_warning_that_waited_for_the_morning_may_give_way_to_one_of_a_date_a_little_later(plan: Plan) -> None:
    """The first warning was due in the night and never left, so what comes is number two of its episode."""
    warns = asking(plan, warn_before=timedelta(hours=10), ignore_moves_under=timedelta(hours=30))
    events = [
        event(0, "shipped", promised_at="2026-03-03T09:00:00Z"),  # its warning is due at 23:00
        event(14, "shipped", promised_at="2026-03-04T09:00:00Z"),  # it is midnight
    ]
    mails = [mail(0, "1/update/1/customer"), mail(46, "1/promise_at_risk/2/customer")]
    assert found(warns, mails, events, Latitude(until=at(47))) == set()
    early = [mails[0], mail(14.5, "1/promise_at_risk/2/customer")]
    assert Kind.UNEXPECTED in found(warns, early, events, Latitude(until=at(47)))


def test_a_move_that_waited_was_not_told_if_the_status_that_came_calls_it_none(plan: Plan) -> None:
    """The customer knows the first date, and from there the third one is a move, though not from the second."""
    patient = asking(plan, ignore_moves_under=timedelta(hours=30))
    events = [
        event(0, "in_production", promised_at="2026-03-05T16:00:00Z"),
        event(12, "in_production", promised_at="2026-03-06T16:00:00Z"),  # it is 22:00, and waits until 8:00
        event(13, "shipped", promised_at="2026-03-06T16:00:00Z", notify=False),
        event(30, "shipped", promised_at="2026-03-07T00:00:00Z"),
    ]
    mails = [mail(0, "1/update/1/customer"), mail(30, "2/promise_moved/1/customer")]
    assert not found(patient, mails, events, Latitude(until=at(31)))


def test_a_move_that_waited_was_not_told_if_the_order_ended_for_a_while(plan: Plan) -> None:
    """Nobody was told of the end, nor that the order went on."""
    events = [
        event(0, "in_production", promised_at="2026-03-05"),
        event(12, "in_production", promised_at="2026-03-09"),  # it is 22:00, and waits until 8:00
        event(13, "delivered", notify=False),
        event(14, "in_production", promised_at="2026-03-09", notify=False),
        event(30, "in_production", promised_at="2026-03-09"),
    ]
    mails = [mail(0, "1/update/1/customer"), mail(30, "3/promise_moved/1/customer")]
    assert not found(plan, mails, events, Latitude(until=at(31)))


@pytest.mark.parametrize(
    ("span", "judged"), [((24, 25), {False}), ((25, 27), {False, True}), ((26, 27), {True})], ids=str
)
def test_a_date_that_is_taken_away_stays_broken_if_it_was(
    plan: Plan, span: tuple[float, float], judged: set[bool]
) -> None:
    """It ended at hour 14, and was broken twelve hours later."""
    takes_away = Told(
        promise=None,
        promise_is_older=False,
        fulfils=False,
        occurred=at(span[0]),
        begins=False,
        late=False,
        touchpoint=plan.touchpoints["shipped"],
        zone=ZoneInfo("UTC"),
        lapses=timedelta(hours=12),
        span=(at(span[0]), at(span[1])),
    )
    ledgers = list(after(Ledger(date="2026-03-02", stands=True, line=1), takes_away).possible())
    assert {ledger.judged for ledger in ledgers} == judged
    assert not any(ledger.stands for ledger in ledgers)
