"""So long before a promised date ends, its owner is asked whether it will be kept: once, and only while that is
open."""

from __future__ import annotations

from collections import Counter
from datetime import time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avisa.core import context, decide, facts, gate, promises, question_due, questions
from avisa.core.answer import Answer
from avisa.core.model import OrderEvent, Purpose, Reason, State
from avisa.core.plan import Owner, Plan, QuietHours
from avisa.core.promise import PromiseState
from avisa.core.question import Reply
from tests.builders import event, hours_span, plan, touchpoint
from tests.core.harness import START, World
from tests.depth import examples

HOUR = timedelta(hours=1)
FRIDAY, NEXT_FRIDAY = "2026-03-06", "2026-03-13"
NIGHT = QuietHours(begin=time(21), end=time(8))
FRIDAY_ENDS = START.replace(day=7, hour=0)  # in Lisbon, in winter
OWNERS = {
    "production": Owner(key="production", name="P", email="p@example.com", next="head", after=4 * HOUR),
    "head": Owner(key="head", name="H", email="h@example.com"),
    "delivery": Owner(key="delivery", name="D", email="d@example.com"),
}


def usual(**fields: object) -> Plan:
    asking = {"ask_owner_before": 72 * HOUR, "warn_before": 48 * HOUR, "ignore_moves_under": 4 * HOUR}
    return plan(
        touchpoint("in_production", **asking | fields),
        touchpoint("shipped", owner="delivery", ask_owner_before=12 * HOUR),
        touchpoint("delivered", final=True, fulfils_promise=True),
        touchpoint("cancelled", final=True),
        owners=OWNERS,
    )


def in_production(date: str | None = FRIDAY, **fields: object) -> World:
    world = World(usual(**fields))
    world.take(event("in_production", START, 1, promised_at=date))
    world.settle()
    return world


def asked(world: World) -> list[tuple[str, str]]:
    """Recipient and ordinal of each question sent."""
    return [(mail.recipient, mail.ordinal) for mail in world.sent if mail.purpose is Purpose.ASK_OWNER]


def purposes(world: World) -> list[Purpose]:
    return [mail.purpose for mail in world.sent if mail.to_customer]


def until(world: World, before_the_end: timedelta) -> None:
    world.live(FRIDAY_ENDS - before_the_end - world.now)


def reply(world: World, number: int, reply: Reply, *, episode: int = 1, **said: str) -> Reason | None:
    order = world.loaded()
    assert order is not None
    question = questions.find(order, episode, number)
    assert question is not None
    seen = questions.rank_to_see(order, question)
    answer = Answer(episode=episode, number=number, reply=reply, facts=said, seen=seen, author="p@example.com")
    decision = decide.on_answer(order, answer, world.plan, world.now)
    world._commit(decision)
    world.dispatch()
    return decision.reason


def shown(world: World, number: int = 1) -> object:
    """The date that the mail asks about; None: it asks for news."""
    order = world.loaded()
    assert order is not None
    mail = next(it for it in world.sent if it.purpose is Purpose.ASK_OWNER and it.ordinal == str(number))
    return context.build(order, mail, world.plan, world.now, facts.view(order)).get("to_keep")


def test_the_owner_is_asked_so_long_before_the_end_and_once() -> None:
    world = in_production()
    until(world, 73 * HOUR)
    assert asked(world) == []
    until(world, 71 * HOUR)
    assert asked(world) == [("owner:production", "1")]
    question = world.rows["A-1/1/ask_owner/1/owner:production"]
    assert (question.reason, question.due) == (Reason.PROMISE_NEAR, FRIDAY_ENDS - 72 * HOUR)
    assert shown(world) == FRIDAY
    world.live(timedelta(days=10))
    assert [to for to, _ in asked(world)].count("owner:production") == 1


def test_an_answer_that_all_is_on_track_keeps_the_warning_back() -> None:
    world = in_production()
    until(world, 71 * HOUR)
    assert reply(world, 1, Reply.ON_TRACK) is Reason.ON_TRACK
    until(world, HOUR)
    assert Purpose.PROMISE_AT_RISK not in purposes(world)
    assert asked(world) == [("owner:production", "1")]


def test_without_an_answer_the_customer_is_warned() -> None:
    world = in_production()
    until(world, 47 * HOUR)
    assert Purpose.PROMISE_AT_RISK in purposes(world)


def test_another_date_is_told_at_once_and_asked_about_in_its_turn() -> None:
    world = in_production()
    until(world, 71 * HOUR)
    assert reply(world, 1, Reply.TELL, promised_at=NEXT_FRIDAY, reason="The kiln broke.") is Reason.FACTS_CHANGED
    assert purposes(world)[-1] is Purpose.PROMISE_MOVED
    assert shown(world) is None, "it is not what is asked any more"
    until(world, -4 * 24 * HOUR - HOUR)
    assert asked(world) == [("owner:production", "1"), ("owner:production", "2")]
    assert shown(world, 2) == NEXT_FRIDAY


def test_what_falls_due_together_is_one_question_the_one_about_the_date() -> None:
    """An outage: both moments have passed."""
    world = in_production(ask_owner_at=hours_span(10))
    world.now = FRIDAY_ENDS - 71 * HOUR
    world.wake()
    world.settle()
    assert asked(world) == [("owner:production", "1")]
    assert shown(world) == FRIDAY
    world.live(3 * HOUR)
    assert len(asked(world)) == 1, "it stands for the other"


def test_an_open_question_is_overtaken_by_the_one_about_the_date() -> None:
    world = in_production(ask_owner_at=hours_span(38))
    world.live(38 * HOUR)
    assert shown(world) is None
    world.dispatch()
    until(world, 71 * HOUR)
    numbers = asked(world)
    assert numbers == [("owner:production", "1"), ("owner:production", "2")]
    assert shown(world, 2) == FRIDAY
    assert reply(world, 1, Reply.ON_TRACK) is Reason.ON_TRACK, "the first link still answers both"
    until(world, 65 * HOUR)
    assert asked(world) == numbers


def test_whoever_has_the_open_question_is_asked_about_the_date_too() -> None:
    world = in_production(ask_owner_at=hours_span(20))
    world.live(20 * HOUR)
    reply(world, 1, Reply.PASS_ON)
    until(world, 71 * HOUR)
    assert asked(world) == [("owner:production", "1"), ("owner:head", "2"), ("owner:head", "3")]


def test_the_next_in_line_is_asked_about_the_date_and_only_while_it_stands() -> None:
    world = in_production()
    until(world, 67 * HOUR)
    assert asked(world) == [("owner:production", "1"), ("owner:head", "2")]
    assert shown(world, 2) == FRIDAY
    world = in_production()
    until(world, 71 * HOUR)
    world.take(event("in_production", world.now, 2, promised_at=NEXT_FRIDAY))
    until(world, 60 * HOUR)
    assert asked(world) == [("owner:production", "1")]


@pytest.mark.parametrize("date", [NEXT_FRIDAY, None])
def test_a_question_that_waits_is_dropped_once_its_date_does_not_stand(date: str | None) -> None:
    world = in_production()
    world.now = FRIDAY_ENDS - 71 * HOUR
    world.wake()
    world.take(event("in_production", world.now, 2, promised_at=date))
    assert world.rows["A-1/1/ask_owner/1/owner:production"].state is State.DROPPED


def test_a_question_that_was_held_until_the_end_is_dropped() -> None:
    world = in_production()
    world.now = FRIDAY_ENDS - 71 * HOUR
    world.wake()
    waiting = world.rows["A-1/1/ask_owner/1/owner:production"]
    order = world.loaded()
    assert order is not None
    held = gate.check(waiting, order, world.plan, FRIDAY_ENDS - HOUR, blind=True)
    assert held == gate.Hold(None, Reason.BLIND)
    assert gate.check(waiting, order, world.plan, FRIDAY_ENDS) == gate.Drop(Reason.SUPERSEDED)


def test_a_date_that_moves_by_less_than_the_plan_asks_for_is_the_same_date() -> None:
    world = in_production("2026-03-06T12:00:00Z")
    until(world, 80 * HOUR)
    for number in range(2, 6):
        world.take(event("in_production", world.now, number, promised_at=f"2026-03-06T12:{number}0:00Z"))
        world.live(HOUR)
    assert [to for to, _ in asked(world)].count("owner:production") == 1


def test_another_stay_asks_its_own_owner() -> None:
    world = in_production()
    until(world, 71 * HOUR)
    reply(world, 1, Reply.ON_TRACK)
    world.take(event("shipped", world.now, 2))
    until(world, 11 * HOUR)
    assert asked(world) == [("owner:production", "1"), ("owner:delivery", "1")]


def test_nobody_is_asked_about_what_was_kept_or_passed_or_has_no_owner() -> None:
    world = in_production(owner=None)
    until(world, HOUR)
    assert asked(world) == []
    world = in_production()
    world.take(event("delivered", world.now, 2))
    until(world, HOUR)
    assert asked(world) == []
    world = in_production()
    world.now = FRIDAY_ENDS + HOUR
    world.wake()
    world.settle()
    assert asked(world) == []


def test_a_warning_that_waits_is_not_sent_once_the_owner_says_that_the_date_will_be_kept() -> None:
    """It waits for the end of the night, and the owner looked before that."""
    world = in_production(warn_before=49 * HOUR, quiet_hours=NIGHT)
    before = world.loaded()
    until(world, 49 * HOUR)
    warning = world.rows["A-1/1/promise_at_risk/1/customer"]
    assert warning.state is State.QUEUED
    until(world, 48 * HOUR)
    reply(world, 1, Reply.ON_TRACK)
    assert world.rows[warning.key].state is State.DROPPED
    until(world, HOUR)
    assert Purpose.PROMISE_AT_RISK not in purposes(world)
    order = world.loaded()
    assert before is not None
    assert order is not None
    assert order.promise is not None
    assert order.promise.state is PromiseState.OPEN


def test_a_warning_that_was_sent_stays_true_whatever_the_owner_says() -> None:
    world = in_production()
    until(world, 47 * HOUR)
    assert purposes(world).count(Purpose.PROMISE_AT_RISK) == 1
    reply(world, 1, Reply.ON_TRACK)
    order = world.loaded()
    assert order is not None
    assert order.promise is not None
    assert order.promise.state is PromiseState.AT_RISK
    until(world, HOUR)
    assert purposes(world).count(Purpose.PROMISE_AT_RISK) == 1


def test_the_owner_is_asked_in_time_of_an_order_that_was_cancelled_for_a_moment() -> None:
    """What waited to tell of the end is dropped, and the order is where the customer thinks that it is."""
    world = in_production()
    until(world, 80 * HOUR)
    world.take(event("cancelled", world.now, 2))
    assert world.take(event("in_production", world.now, 3)) is Reason.REPEATED
    until(world, 71 * HOUR)
    assert asked(world) == [("owner:production", "1")]


@pytest.mark.parametrize("replies", [False, True])
def test_a_window_that_goes_on_after_a_dropped_warning_asks_the_owner_no_second_time(replies: bool) -> None:
    """It waited for the end of the night, and became untrue before that. The customer had been told Thursday at nine,
    and that stands."""
    waits = {"warn_before": 74 * HOUR, "quiet_hours": NIGHT}  # from Tuesday, 22:00
    world = in_production(owner="head", window=hours_span(72), ask_owner_at=50, ask_owner_before=None, **waits)
    until(world, 73 * HOUR)
    assert asked(world) == [("owner:head", "1")]
    warning = world.rows["A-1/1/promise_at_risk/1/customer"]
    assert warning.state is State.QUEUED
    if replies:
        reply(world, 1, Reply.ON_TRACK)
    else:
        world.take(event("in_production", world.now, 2, promised_at=None))
        world.dispatch()
    assert world.rows[warning.key].state is State.DROPPED
    until(world, 40 * HOUR)  # Thursday, 08:00
    assert purposes(world) == [Purpose.UPDATE]
    assert asked(world) == [("owner:head", "1")]


def test_a_page_that_is_older_than_the_date_holds_no_warning_back() -> None:
    """The owner looked, the shop gave another date, and then the owner clicked."""
    world = in_production()
    until(world, 71 * HOUR)
    order = world.loaded()
    assert order is not None
    question = questions.find(order, 1, 1)
    assert question is not None
    seen = questions.rank_to_see(order, question)
    world.take(event("in_production", world.now, 2, promised_at="2026-03-07"))
    world.settle()
    order = world.loaded()
    assert order is not None
    answer = Answer(episode=1, number=1, reply=Reply.ON_TRACK, seen=seen)
    world._commit(decide.on_answer(order, answer, world.plan, world.now))
    world.live(4 * 24 * HOUR)
    assert Purpose.PROMISE_AT_RISK in purposes(world)


# ---------------------------------------------------------------- properties

_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["wait", "in_production", "shipped", "delivered", "answer", "pass"]),
        st.sampled_from([FRIDAY, NEXT_FRIDAY, "2026-03-06T08:00:00Z/2026-03-06T10:00:00Z", None]),
        st.integers(1, 40),
    ),
    max_size=8,
)


@given(steps=_STEPS, share=st.sampled_from([None, 50]))
@examples(300)
def test_of_a_date_each_owner_is_asked_once_in_a_stay_and_only_while_it_can_be_kept(
    steps: list[tuple[str, str | None, int]], share: int | None
) -> None:
    world = in_production(ask_owner_at=share)
    told: Counter[tuple[int, str, object]] = Counter()
    for number, (what, date, hours) in enumerate(steps, 2):
        order = world.loaded()
        assert order is not None
        question = questions.newest_open(order)
        if what in ("answer", "pass") and question is not None:
            world._commit(
                decide.on_answer(
                    order,
                    Answer(
                        episode=question.episode,
                        number=question.number,
                        reply=Reply.ON_TRACK if what == "answer" else Reply.PASS_ON,
                    ),
                    world.plan,
                    world.now,
                )
            )
        elif what not in ("wait", "answer", "pass"):
            world.take(_event(what, date, world, number))
        _live(world, hours, told)
    _live(world, 400, told)
    assert all(number <= 1 for number in told.values()), told


def _event(status: str, date: str | None, world: World, number: int) -> OrderEvent:
    return event(status, world.now, number, promised_at=date)


def _live(world: World, hours: int, told: Counter[tuple[int, str, object]]) -> None:
    """Let time pass by the hour; hold each question that is sent against what is known by then."""
    for _ in range(hours):
        sent = len(world.sent)
        world.live(HOUR, step=HOUR)
        for mail in world.sent[sent:]:
            order = world.loaded()
            assert order is not None
            if mail.purpose is not Purpose.ASK_OWNER:
                continue
            question = questions.find(order, mail.episode, int(mail.ordinal))
            assert question is not None
            assert question.closed_at is None
            if question.promise is None:
                continue
            assert order.promise is not None
            assert order.promise.state in promises.ACTIVE | {PromiseState.BROKEN}
            date = question_due.date_asked(order, question, world.plan, world.now)
            assert date is not None
            told[mail.episode, mail.recipient, date] += mail.reason is Reason.PROMISE_NEAR
