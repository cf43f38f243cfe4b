"""What owners answer acts once, and leaves no message needed that it made needless."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.oracle import Answered, Kind, Plan, Published, Received, Verdict, judge
from tests.oracle.test_judge import LATITUDE, START, at, event, mail, plan
from tests.oracle.test_questions import asking, question

__all__ = ["plan"]  # the fixture

SECOND = 1 / 3600
EVENTS = [event(0, "shipped", promised_at="2026-03-05"), event(90, "delivered")]  # it ends at hour 86
FIRST, LAST = mail(0, "1/update/1/customer"), mail(90, "2/update/1/customer")


def answer(hours: float, reply: str, *, acted: int = 1, seen: float = 0, **said: str) -> Answered:
    return Answered(
        order_id="A-1",
        episode=1,
        number=1,
        at=at(hours),
        acked=at(hours + SECOND),
        reply=reply,
        facts=said,
        seen=f"{round((START + timedelta(hours=seen)).timestamp() * 1e6)}.-1.0",
        acted=acted,
    )


def by_day(plan: Plan, **fields: Any) -> Plan:
    """`shipped` asks in the middle of its window, and there is no night."""
    rows = {
        status: replace(row, quiet=None) for status, row in asking(plan, asks_at=50, **fields).touchpoints.items()
    }
    return replace(plan, touchpoints=rows, owners={**plan.owners, "head": "head@example.com"})


def warned(plan: Plan) -> Plan:
    """It also warns so long before the end of a date, and what is delivered fulfils that."""
    warns = by_day(plan, warn_before=timedelta(hours=50))
    delivered = replace(warns.touchpoints["delivered"], fulfils_promise=True)
    return replace(warns, touchpoints={**warns.touchpoints, "delivered": delivered})


def found(plan: Plan, mails: list[Received], *answers: Answered, events: list[Published] | None = None) -> set[Kind]:
    received = sorted(mails, key=lambda it: it.at)
    return kinds(judge(events or EVENTS, received, plan, LATITUDE, answers=answers))


def kinds(verdict: Verdict) -> set[Kind]:
    return {violation.kind for violation in verdict.violations}


def test_what_an_owner_says_is_told_once_and_begins_a_window(plan: Plan) -> None:
    asks = by_day(plan)
    says = answer(30, "tell", reason="A part is missing.")
    told = [FIRST, question(24), mail(30, "1/update/2/customer"), question(54, 2), mail(78, "1/reminder/1/customer")]
    assert found(asks, [*told, LAST], says) == set()
    assert Kind.LOST in found(asks, [told[0], told[1], *told[3:], LAST], says)
    assert Kind.UNEXPECTED in found(asks, [*told, mail(31, "1/update/3/customer"), LAST], says)
    assert Kind.EARLY in found(asks, [*told[:4], mail(48, "1/reminder/1/customer"), LAST], says)
    assert Kind.DUPLICATE in found(asks, [*told, LAST], replace(says, acted=2))
    assert Kind.UNEXPECTED in found(asks, [*told, LAST], replace(says, acted=0))


def test_a_new_date_takes_the_place_of_the_one_before(plan: Plan) -> None:
    plan = warned(plan)
    says = answer(30, "tell", promised_at="2026-03-20")
    told = [FIRST, question(24), mail(30, "1/promise_moved/1/customer"), question(54, 2)]
    reminder = mail(78, "1/reminder/1/customer")
    assert found(plan, [*told, reminder, LAST], says) == set()
    assert Kind.UNEXPECTED in found(plan, [*told, mail(36, "1/promise_at_risk/1/customer"), LAST], says)


def test_on_track_keeps_the_warning_of_this_date_back(plan: Plan) -> None:
    plan = warned(plan)
    told = [FIRST, question(24), mail(48, "1/reminder/1/customer"), question(72, 2)]
    on_track = answer(30, "on_track")
    assert found(plan, [*told, LAST], on_track) == set()
    assert Kind.UNEXPECTED in found(plan, [*told, mail(36, "1/promise_at_risk/1/customer"), LAST], on_track)
    assert Kind.LOST in found(plan, [*told, LAST])


def test_whom_it_is_passed_on_to_is_asked_at_once_and_nobody_after_an_answer(plan: Plan) -> None:
    asks = by_day(plan)
    line = replace(asks, nexts={"desk": "head"}, afters={"desk": timedelta(hours=10)})
    told = [FIRST, question(24), mail(48, "1/reminder/1/customer"), question(72, 3), LAST]
    passed = answer(30, "pass_on")
    later = question(82, 4, owner="head")
    assert found(line, [*told, later, question(30, 2, owner="head")], passed) == set()
    assert Kind.LOST in found(line, [*told, later], passed)
    assert Kind.UNEXPECTED in found(line, [*told, later, question(34, 2, owner="head")], answer(30, "on_track"))


def test_a_warning_may_have_dropped_the_last_reminder_of_which_the_owner_is_told(plan: Plan) -> None:
    warns = warned(plan)
    warns = replace(
        warns, touchpoints={**warns.touchpoints, "shipped": replace(warns.touchpoints["shipped"], asks_at=None)}
    )
    events = [event(0, "shipped", promised_at="2026-03-08")]  # warned of at hour 108
    away = replace(LATITUDE, down=((at(95.9), at(109)),), until=at(130))
    stuck = mail(109, "1/owner_alert/stuck/owner:desk", to="desk@example.com")
    mails = [FIRST, mail(48, "1/reminder/1/customer"), mail(109, "1/promise_at_risk/1/customer"), stuck]
    assert kinds(judge(events, mails, warns, away)) == set()
    early = [*mails[:2], replace(stuck, at=at(107)), mails[2]]
    assert kinds(judge(events, early, warns, away)) == {Kind.UNEXPECTED}


def test_of_a_date_that_has_passed_nobody_is_asked_however_late_it_was_passed_on(plan: Plan) -> None:
    asks = by_day(plan, asks_before=timedelta(hours=10))  # the date ends at hour 86
    line = replace(asks, nexts={"desk": "head"}, afters={"desk": timedelta(hours=30)})
    mails = [FIRST, question(24), mail(48, "1/reminder/1/customer"), question(72, 2), question(76, 3), LAST]
    passed = replace(answer(85, "pass_on"), number=3)
    back = replace(LATITUDE, down=((passed.acked, at(85.5)),))
    too_late = replace(LATITUDE, down=((passed.acked, at(86.5)),))
    assert Kind.LOST in kinds(judge(EVENTS, mails, line, back, answers=[passed]))
    assert kinds(judge(EVENTS, mails, line, too_late, answers=[passed])) == set()


def test_where_a_record_may_have_overtaken_an_answer_nothing_is_foretold_of_it(plan: Plan) -> None:
    asks = by_day(plan)
    events = [event(0, "shipped"), event(30, "in_production"), event(31, "delivered")]
    says = answer(30 - SECOND / 2, "tell", reason="A part is missing.")
    mails = [FIRST, question(24), mail(30, "1/update/2/customer"), mail(31, "3/update/1/customer")]
    verdict = judge(events, mails, asks, LATITUDE, answers=[says])
    assert verdict.clean, str(verdict)
    assert (verdict.answers, verdict.unplaced) == (1, 1)


def test_an_answer_does_not_wait_for_what_lies_in_kafka(plan: Plan) -> None:
    """It came to the page of a service that had started and not read yet: the episode it was asked in lasted."""
    stopped, started, read = at(28.9), at(29.5), at(29.7)
    latitude = replace(
        LATITUDE, until=at(30), down=((stopped, read),), starts=(at(-1), started), ends=(stopped,), kills=(stopped,)
    )
    events = [event(0, "confirmed"), event(29, "shipped")]
    mails = [FIRST, mail(24, "1/reminder/1/customer"), mail(29.7, "1/update/2/customer", soon=1)]
    mails.append(mail(29.7, "2/update/1/customer"))
    says = answer(29.6, "tell", reason="A part is missing.")
    verdict = judge(events, mails, by_day(plan), latitude, answers=[says])
    assert verdict.clean, str(verdict)
    assert verdict.unplaced == 1
