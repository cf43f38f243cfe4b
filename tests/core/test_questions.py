"""The owner is asked first, once in each window; what is answered is told, and an answer acts once."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avisa.core import decide, facts, questions
from avisa.core.answer import Answer
from avisa.core.model import Order, Purpose, Reason, State
from avisa.core.plan import Owner, Plan, Remind
from avisa.core.question import QuestionState, Reply
from tests.builders import event, hours_span, plan, touchpoint
from tests.core.harness import START, World
from tests.depth import examples

HOUR = timedelta(hours=1)
OWNERS = {
    "production": Owner(key="production", name="P", email="p@example.com", next="head", after=4 * HOUR),
    "head": Owner(key="head", name="H", email="h@example.com", next="boss"),
    "boss": Owner(key="boss", name="B", email="b@example.com"),
}


def asking_plan(**fields: object) -> Plan:
    return plan(
        touchpoint("confirmed", **{"ask_owner_at": 50} | fields),
        touchpoint("shipped"),
        touchpoint("delivered", final=True),
        owners=OWNERS,
    )


def confirmed(**fields: object) -> World:
    """An order that was confirmed and told, with a window of 48 hours whose owner is asked after 24."""
    world = World(asking_plan(**fields))
    world.take(event("confirmed", START, 1, promised_at="2026-03-09"))
    world.settle()
    return world


def asked(world: World) -> list[tuple[str, str]]:
    """Recipient and ordinal of each question sent."""
    return [(mail.recipient, mail.ordinal) for mail in world.sent if mail.purpose is Purpose.ASK_OWNER]


def reply(world: World, number: int = 1, reply: Reply = Reply.ON_TRACK, **said: str) -> Reason | None:
    order = world.loaded()
    assert order is not None
    answer = Answer(episode=1, number=number, reply=reply, facts=said, author="p@example.com")
    decision = decide.on_answer(order, answer, world.plan, world.now)
    world._commit(decision)
    world.dispatch()
    return decision.reason


def updates(world: World) -> int:
    return sum(mail.purpose in (Purpose.UPDATE, Purpose.PROMISE_MOVED) for mail in world.sent)


def test_the_owner_is_asked_at_their_share_of_the_window_and_not_before() -> None:
    world = confirmed()
    world.live(23 * HOUR)
    assert asked(world) == []
    world.live(HOUR)
    assert asked(world) == [("owner:production", "1")]
    assert world.rows["A-1/1/ask_owner/1/owner:production"].reason is Reason.NO_NEWS


def test_a_duration_is_counted_from_the_last_message() -> None:
    world = confirmed(ask_owner_at=hours_span(5))
    world.live(timedelta(hours=4.5))
    assert asked(world) == []
    world.live(HOUR)
    assert asked(world) == [("owner:production", "1")]


def test_news_in_time_makes_the_question_needless() -> None:
    world = confirmed()
    world.live(20 * HOUR)
    world.take(event("shipped", world.now, 2))
    world.live(40 * HOUR)
    assert asked(world) == []


def test_a_question_that_waits_is_superseded_by_a_new_episode() -> None:
    world = confirmed()
    world.now += 24 * HOUR
    world.wake()
    world.take(event("shipped", world.now, 2))
    assert world.rows["A-1/1/ask_owner/1/owner:production"].state is State.DROPPED


def test_no_answer_changes_nothing_and_the_next_window_asks_again() -> None:
    world = confirmed(ask_owner_at=hours_span(46), owner="boss")
    world.live(47 * HOUR)
    assert asked(world) == [("owner:boss", "1")]
    world.live(2 * HOUR)
    assert [mail.purpose for mail in world.sent if mail.to_customer][-1] is Purpose.REMINDER
    world.live(46 * HOUR)
    assert asked(world) == [("owner:boss", "1"), ("owner:boss", "2")]


def test_an_outage_asks_once_and_only_while_there_is_time() -> None:
    world = confirmed()
    world.now += 60 * HOUR  # past the deadline
    world.wake()
    world.settle()
    assert asked(world) == []
    assert [mail.purpose for mail in world.sent][-1] is Purpose.REMINDER


def test_what_is_to_be_told_is_told_at_once() -> None:
    world = confirmed()
    world.live(24 * HOUR)
    assert reply(world, reply=Reply.TELL, reason="The kiln broke.") is Reason.FACTS_CHANGED
    last = world.sent[-1]
    assert (last.purpose, last.reason) == (Purpose.UPDATE, Reason.FACTS_CHANGED)
    assert world.order is not None
    assert facts.visible(world.order, "reason") == "The kiln broke."
    assert world.order.told_until == world.now + 48 * HOUR


def test_the_window_that_an_answer_begins_has_a_question_of_its_own() -> None:
    world = confirmed()
    world.live(24 * HOUR)
    reply(world, reply=Reply.TELL, reason="The kiln broke.")
    world.live(24 * HOUR)
    assert asked(world) == [("owner:production", "1"), ("owner:production", "2")]


def test_a_next_step_alone_is_told_too() -> None:
    world = confirmed()
    world.live(24 * HOUR)
    assert reply(world, reply=Reply.TELL, next_step="We pack it.") is Reason.FACTS_CHANGED
    assert updates(world) == 2


def test_a_new_date_is_told_as_a_moved_promise() -> None:
    world = confirmed()
    world.live(24 * HOUR)
    reply(world, reply=Reply.TELL, promised_at="2026-03-12")
    assert world.sent[-1].purpose is Purpose.PROMISE_MOVED
    assert world.order is not None
    assert facts.promise(world.order) == "2026-03-12"


def test_on_track_is_remembered_until_the_episode_ends_and_the_reminder_still_goes_out() -> None:
    world = confirmed()
    world.live(24 * HOUR)
    at = world.now
    assert reply(world) is Reason.ON_TRACK
    assert world.order is not None
    assert world.order.asking is not None
    assert world.order.asking.on_track_at == at
    world.live(25 * HOUR)
    assert world.sent[-1].purpose is Purpose.REMINDER
    world.take(event("shipped", world.now, 2))
    assert world.order.asking is not None
    assert world.order.asking.on_track_at is None


def test_not_mine_asks_the_next_in_line_and_the_last_one_keeps_it() -> None:
    world = confirmed()
    world.live(24 * HOUR)
    assert reply(world, 1, Reply.PASS_ON) is Reason.PASSED_ON
    assert reply(world, 2, Reply.PASS_ON) is Reason.PASSED_ON
    assert asked(world) == [("owner:production", "1"), ("owner:head", "2"), ("owner:boss", "3")]
    assert reply(world, 3, Reply.PASS_ON) is None
    world.settle()
    assert len(asked(world)) == 3


def test_a_question_without_an_answer_goes_to_the_next_in_line() -> None:
    world = confirmed()
    world.live(timedelta(hours=27.5))
    assert len(asked(world)) == 1
    world.live(HOUR)
    assert asked(world)[1:] == [("owner:head", "2")]
    assert world.rows["A-1/1/ask_owner/2/owner:head"].reason is Reason.UNANSWERED
    world.live(19 * HOUR)
    assert len(asked(world)) == 2, "who has no `after` keeps it"


def test_the_first_owner_can_still_answer_what_went_on_to_the_next() -> None:
    world = confirmed()
    world.live(29 * HOUR)
    assert reply(world, 1, Reply.TELL, reason="Found it.") is Reason.FACTS_CHANGED
    assert reply(world, 2, Reply.TELL, reason="No, I did.") is Reason.ALREADY_SEEN
    assert updates(world) == 2


def test_a_second_answer_does_nothing() -> None:
    world = confirmed()
    world.live(24 * HOUR)
    reply(world, reply=Reply.TELL, reason="The kiln broke.")
    before = world.order
    assert reply(world, reply=Reply.TELL, reason="Something else.") is Reason.ALREADY_SEEN
    assert before is not None
    assert world.order is not None
    assert facts.view(world.order) == facts.view(before)
    assert updates(world) == 2


@pytest.mark.parametrize(("days", "reason"), [(6, Reason.FACTS_CHANGED), (8, Reason.ALREADY_SEEN)])
def test_an_answer_counts_for_seven_days_after_its_episode(days: int, reason: Reason) -> None:
    world = confirmed()
    world.live(24 * HOUR)
    world.take(event("shipped", world.now, 2))
    world.settle()
    world.now += timedelta(days=days)
    assert reply(world, reply=Reply.TELL, promised_at="2026-03-30", reason="Of the kiln.") is reason
    assert world.order is not None
    assert facts.visible(world.order, "reason") is None, "it was the reason of a status that is over"


def test_an_answer_outranks_what_its_owner_read_and_nothing_that_came_later() -> None:
    world = confirmed()
    world.live(24 * HOUR)
    world.take(event("confirmed", world.now - HOUR, 2, promised_at="2026-03-10"))
    order = world.loaded()
    assert order is not None
    question = questions.find(order, 1, 1)
    assert question is not None
    seen = questions.rank_to_see(order, question)
    answer = Answer(episode=1, number=1, reply=Reply.TELL, facts={"promised_at": "2026-03-15"}, seen=seen)
    world._commit(decide.on_answer(order, answer, world.plan, world.now))
    assert world.order is not None
    assert facts.promise(world.order) == "2026-03-15"
    world.take(event("confirmed", world.now, 3, promised_at="2026-03-16"))
    assert facts.promise(world.order) == "2026-03-16"


def test_nobody_is_asked_of_an_order_without_owner_or_after_the_last_reminder() -> None:
    world = confirmed(owner=None)
    world.live(40 * HOUR)
    assert asked(world) == []
    spent = confirmed()
    spent.live(timedelta(days=30))
    assert spent.order is not None
    assert spent.order.stuck
    numbers = len(asked(spent))
    spent.live(timedelta(days=30))
    assert len(asked(spent)) == numbers


def test_every_question_ends_in_one_state_and_the_moves_add_up() -> None:
    world = confirmed()
    seen: list[Order | None] = [None]
    for _ in range(200):
        world.live(HOUR)
        seen.append(world.order)
    reply(world, 2, Reply.TELL, reason="Found it.")
    seen.append(world.order)
    world.take(event("delivered", world.now, 2))
    seen.append(world.order)
    total: dict[QuestionState, int] = {}
    for before, after in itertools.pairwise(seen):
        assert after is not None
        for state, number in questions.moves(before, after).items():
            total[state] = total.get(state, 0) + number
    assert world.order is not None
    assert world.order.asking is not None
    kept = [questions.state(world.order, it) for it in world.order.asking.questions]
    assert {state: number for state, number in total.items() if number} == {it: kept.count(it) for it in set(kept)}
    assert QuestionState.OPEN not in kept


def alerted(world: World) -> list[str]:
    return [mail.recipient for mail in world.sent if mail.purpose is Purpose.OWNER_ALERT and mail.ordinal == "stuck"]


def stuck(**fields: object) -> World:
    """The owner was just told that the order is stuck."""
    world = confirmed(ask_owner_at=None, remind=Remind(then_every=hours_span(48), at_most=1), **fields)
    world.live(48 * HOUR)
    assert alerted(world) == ["owner:production"]
    return world


def test_word_of_a_stuck_order_goes_on_to_the_next_in_line_who_keeps_it() -> None:
    world = stuck()
    world.live(timedelta(hours=3.5))
    assert len(alerted(world)) == 1
    world.live(30 * HOUR)
    assert alerted(world) == ["owner:production", "owner:head"]


def test_word_of_a_stuck_order_goes_no_further_once_something_happens() -> None:
    world = stuck()
    world.take(event("confirmed", world.now, 2))
    world.live(30 * HOUR)
    assert len(alerted(world)) == 1
    moved_on = stuck()
    moved_on.take(event("shipped", moved_on.now, 2))
    moved_on.live(30 * HOUR)
    assert len(alerted(moved_on)) == 1


# ---------------------------------------------------------------- properties

REPLIES = st.sampled_from(
    [
        (Reply.TELL, {"reason": "The kiln broke."}),
        (Reply.TELL, {"promised_at": "2026-03-20", "next_step": "We fire it again."}),
        (Reply.ON_TRACK, {}),
        (Reply.PASS_ON, {}),
    ]
)


@given(data=st.data(), said=REPLIES, times=st.integers(2, 4))
@examples(100)
def test_an_answer_acts_once(data: st.DataObject, said: tuple[Reply, dict[str, str]], times: int) -> None:
    """However often, and whatever comes between: what it says is told once, or what is told is newer."""
    world = confirmed()
    world.live(24 * HOUR)
    before = updates(world)
    reasons = []
    for number in range(times):
        reasons.append(reply(world, 1, said[0], **said[1]))
        if data.draw(st.booleans()):
            world.take(event("confirmed", START, number + 2))
        world.live(data.draw(st.integers(0, 3)) * HOUR)
    assert reasons[1:] == [Reason.ALREADY_SEEN] * (times - 1)
    assert updates(world) - before == (said[0] is Reply.TELL)


@given(data=st.data(), said=REPLIES)
@examples(200)
def test_any_order_of_arrival_of_events_and_an_answer_ends_in_the_same_facts(
    data: st.DataObject, said: tuple[Reply, dict[str, str]]
) -> None:
    """The events happened after the question was asked, so none of them was seen by who answered."""
    drawn = data.draw(
        st.lists(st.tuples(st.sampled_from(["confirmed", "shipped", "delivered"]), st.booleans()), max_size=4)
    )
    happened = [
        event(
            status,
            START + (24 + number) * HOUR,
            number + 2,
            **({"promised_at": f"2026-04-0{number + 1}", "reason": f"no. {number}"} if speaks else {}),
        )
        for number, (status, speaks) in enumerate(drawn)
    ]

    def folded(steps: list[object]) -> dict[str, object]:
        world = confirmed()
        world.live(24 * HOUR)
        world.now += 10 * HOUR
        for step in steps:
            if step is None:
                assert reply(world, 1, said[0], **said[1]) is not Reason.ALREADY_SEEN
            else:
                world.take(step)  # type: ignore[arg-type]  # an event
            world.dispatch()
        assert world.order is not None
        return facts.view(world.order)

    assert folded(data.draw(st.permutations([None, *happened]))) == folded([*happened, None])


@given(data=st.data(), said=REPLIES, hours=st.lists(st.integers(1, 30), min_size=1, max_size=6))
@examples(150)
def test_no_reminder_goes_out_that_an_answer_made_needless(
    data: st.DataObject, said: tuple[Reply, dict[str, str]], hours: list[int]
) -> None:
    """Between any two messages to the customer lies a whole window, unless the second is news."""
    world = confirmed()
    number = 0
    for span in hours:
        world.live(span * HOUR)
        order = world.loaded()
        assert order is not None
        newest = questions.newest_open(order)
        if newest is not None and data.draw(st.booleans()):
            number += 1
            told = {name: f"{value} {number}" if name == "reason" else value for name, value in said[1].items()}
            reply(world, newest.number, said[0], **told)
    world.live(timedelta(days=3))
    told_at = [mail for mail in world.sent if mail.to_customer]
    for one, other in itertools.pairwise(told_at):
        if other.purpose is Purpose.REMINDER:
            assert other.decided_at - one.decided_at >= 48 * HOUR
