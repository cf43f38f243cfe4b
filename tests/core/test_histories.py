"""For any shuffle, repetition and delay of a history, with a crash between any two steps: the promises hold."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from avisa.core import facts
from avisa.core.model import Order, OrderEvent, Purpose, Reason, State
from tests.builders import event, plan, touchpoint
from tests.core.harness import START, World
from tests.depth import examples

PLAN = plan(
    touchpoint("confirmed", always=True),
    touchpoint("in_production"),
    touchpoint("shipped"),
    touchpoint("delivered", final=True),
    touchpoint("cancelled", final=True),
)

STATUSES = st.sampled_from(["confirmed", "in_production", "shipped", "delivered", "cancelled", "teleported"])
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "promised_at": st.sampled_from(["2026-03-09", "2026-03-10", "2026-03-12T10:00:00Z", None]),
        "reason": st.sampled_from(["the paint dries", "the lorry broke down", None]),
        "customer.id": st.sampled_from(["c-1", "c-2"]),
        "customer.name": st.sampled_from(["Ana", "Rui", None]),
        "details.total": st.sampled_from(["10.00", "12.00"]),
        "details": st.none(),
        "customer": st.none(),
    },
)


@st.composite
def histories(draw: st.DrawFn) -> list[OrderEvent]:
    """Events in the order in which they happened, a few minutes apart, all told."""
    rows = draw(st.lists(st.tuples(STATUSES, FACTS), min_size=1, max_size=7))
    return [
        event(status, START - timedelta(hours=1) + timedelta(minutes=5 * number), number + 1, **said)
        for number, (status, said) in enumerate(rows)
    ]


@st.composite
def arrivals(draw: st.DrawFn, history: list[OrderEvent]) -> list[OrderEvent]:
    """The same events in any order, some of them more than once."""
    repeats = draw(st.lists(st.sampled_from(history), max_size=4))
    return draw(st.permutations([*history, *repeats]))


def in_order(history: list[OrderEvent]) -> World:
    world = World(PLAN)
    for happened in history:
        world.take(happened)
        world.settle()
    return world


def entered(world: World) -> list[str]:
    """The statuses whose beginning was told, each mail once."""
    first = {mail.key: mail.status for mail in world.sent if mail.purpose is Purpose.UPDATE and mail.ordinal == "1"}
    return list(first.values())


def known(order: Order | None) -> tuple[str, bool, dict[str, object]]:
    assert order is not None
    return order.status, order.final, facts.view(order)


@given(data=st.data(), history=histories())
@examples(200)
def test_any_order_of_arrival_ends_in_the_same_facts(data: st.DataObject, history: list[OrderEvent]) -> None:
    world = World(PLAN)
    for happened in data.draw(arrivals(history)):
        world.take(happened)
    assert known(world.order) == known(in_order(history).order)


@given(data=st.data(), history=histories())
@examples(200)
def test_the_newest_is_told_once_and_nothing_after_something_newer(
    data: st.DataObject, history: list[OrderEvent]
) -> None:
    world = World(PLAN)
    for happened in data.draw(arrivals(history)):
        world.take(happened)
        match data.draw(st.sampled_from(["go on", "send", "lose an answer", "crash"])):
            case "send":
                world.dispatch()
            case "lose an answer":
                world.dispatch(lose_answer=True)
            case "crash":  # after the commit, before its acknowledgement: the event comes again
                assert world.take(happened) is Reason.ALREADY_SEEN
    world.settle()

    newest = history[-1]
    updates = [mail for mail in world.sent if mail.purpose is Purpose.UPDATE and mail.ordinal == "1"]
    assert world.order is not None
    if PLAN.knows(newest.status):
        of_newest = {mail.key for mail in updates if mail.episode == world.order.episode}
        last = [mail.status for mail in world.sent if mail.to_customer][-1]
        known = not of_newest and last == newest.status  # from before, and nothing was told since
        assert len(of_newest) == 1 or known, "the newest status is told, once"
    firsts = list(dict.fromkeys(mail.key for mail in world.sent if mail.recipient == "customer"))
    seqs = [world.rows[key].seq for key in firsts]
    assert seqs == sorted(seqs), "nothing is told after something newer"
    # Episodes entered; an explanation that came with its entry in order may come after it in another.
    wanted = Counter(entered(in_order(history)))
    assert not Counter(entered(world)) - wanted, "nothing is told that the run in order would not tell"


@given(data=st.data(), history=histories())
@examples(200)
def test_always_is_told_for_every_episode_that_was_entered(data: st.DataObject, history: list[OrderEvent]) -> None:
    world = World(PLAN)
    for happened in data.draw(arrivals(history)):
        world.take(happened)
    world.settle()
    entered = [row for row in world.rows.values() if row.status == "confirmed" and row.purpose is Purpose.UPDATE]
    assert all(row.state is State.SENT for row in entered)


@given(data=st.data(), history=histories(), idle=st.integers(min_value=0, max_value=500))
@examples(200)
def test_a_date_told_is_a_date_kept(data: st.DataObject, history: list[OrderEvent], idle: int) -> None:
    """Whoever was told a date heard again by then, was told that there is no more to come, or it ended."""
    world = World(PLAN)
    for happened in data.draw(arrivals(history)):
        world.take(happened)
        world.dispatch()
        world.live(timedelta(hours=data.draw(st.integers(0, 60))))
    world.live(timedelta(hours=idle))
    assert world.order is not None
    if not world.order.final and world.order.told_until is not None:
        assert world.order.told_until >= world.now - timedelta(minutes=30)
    reminders = Counter((mail.episode, mail.ordinal) for mail in world.sent if mail.purpose is Purpose.REMINDER)
    assert all(number == 1 for number in reminders.values())
    assert all(episode[1] in {"1", "2", "3"} for episode in reminders)


@given(data=st.data(), history=histories())
@examples(200)
def test_every_omission_has_its_reason(data: st.DataObject, history: list[OrderEvent]) -> None:
    world = World(PLAN)
    came = data.draw(arrivals(history))
    for happened in came:
        world.take(happened)
    world.settle()
    assert len(world.reasons) == len(came)
    for row in world.rows.values():
        assert row.state is State.SENT or world.settled[row.key] is Reason.SUPERSEDED
