"""The ledger of promises (docs/design.md, Dates promised): its states, what is told of them, and that once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avisa.core import context, decide, facts, gate, promises
from avisa.core.evolve import evolve
from avisa.core.model import Alert, Order, OrderEvent, Purpose, Reason, State
from avisa.core.plan import Plan, QuietHours
from avisa.core.promise import Promise, PromiseState
from avisa.core.working_time import end_of_day
from tests.builders import event, order, plan, touchpoint
from tests.core.harness import START, World
from tests.depth import examples

H = timedelta(hours=1)
DAY = timedelta(days=1)
MONDAY, FRIDAY, NEXT_FRIDAY = "2026-03-02", "2026-03-06", "2026-03-13"
FRIDAY_ENDS = START.replace(day=7, hour=0)  # in Lisbon, in winter
LATE = QuietHours(begin=(START - 12 * H).time(), end=(START - H).time())  # 21:00 to 08:00


def usual(**of_shipped: object) -> Plan:
    rests: dict[str, object] = {"warn_before": 24 * H}
    return plan(
        touchpoint("in_production", warn_before=48 * H, ignore_moves_under=4 * H),
        touchpoint("shipped", **(rests | of_shipped)),
        touchpoint("ready", fulfils_promise=True),
        touchpoint("delivered", final=True, fulfils_promise=True),
        touchpoint("cancelled", final=True),
    )


def promised(world: World) -> Promise:
    assert world.order is not None
    assert world.order.promise is not None
    return world.order.promise


def purposes(world: World) -> list[Purpose]:
    return [mail.purpose for mail in world.sent if mail.to_customer]


def in_production(date: str | None = FRIDAY, **fields: object) -> World:
    world = World(usual(**fields))
    world.take(event("in_production", START, 1, promised_at=date))
    world.settle()
    return world


def test_an_order_that_is_still_there_near_the_end_is_warned_of_once() -> None:
    world = in_production()
    assert promised(world).state is PromiseState.OPEN
    world.live(FRIDAY_ENDS - 49 * H - world.now)
    assert promised(world).state is PromiseState.OPEN
    world.live(40 * H)
    warnings = [mail for mail in world.sent if mail.purpose is Purpose.PROMISE_AT_RISK]
    assert [mail.decided_at for mail in warnings] == [FRIDAY_ENDS - 48 * H]
    assert promised(world).state is PromiseState.AT_RISK
    assert promised(world).since == FRIDAY_ENDS - 48 * H


def test_a_warning_tells_the_next_date_and_puts_the_reminder_off() -> None:
    world = in_production()
    world.live(FRIDAY_ENDS - 47 * H - world.now)
    assert purposes(world) == [Purpose.UPDATE, Purpose.REMINDER, Purpose.PROMISE_AT_RISK]
    warning = world.sent[-1]
    assert warning.next_update == FRIDAY_ENDS, "a window on"
    assert world.order is not None
    assert world.order.told_until == warning.next_update


def test_what_is_due_together_is_told_by_one_message_the_strongest() -> None:
    """An outage: reminder, warning and the end with its grace have all passed."""
    world = in_production()
    world.now = FRIDAY_ENDS - 24 * H  # the reminder was due on Wednesday, the warning at midnight
    world.wake()
    world.settle()
    assert purposes(world)[1:] == [Purpose.PROMISE_AT_RISK]
    world = in_production()
    world.now = FRIDAY_ENDS + 13 * H
    world.wake()
    world.settle()
    assert purposes(world)[1:] == [Purpose.PROMISE_BROKEN]


def test_an_update_near_the_end_carries_the_date_and_takes_the_place_of_the_warning() -> None:
    world = in_production()
    world.live(FRIDAY_ENDS - 52 * H - world.now)
    before = len(world.sent)
    world.now = FRIDAY_ENDS - 20 * H
    world.take(event("shipped", world.now, 2))
    world.settle()
    assert promised(world).state is PromiseState.AT_RISK
    world.live(19 * H)
    assert purposes(world)[before:] == [Purpose.UPDATE]
    values = context.build(world.order, world.sent[-1], world.plan, world.now, facts.view(world.order))  # type: ignore[arg-type]
    assert values["promise"]["state"] == "at_risk"


def test_an_update_that_waits_tells_that_the_date_is_near() -> None:
    world = World(usual(burst_wait=40 * H))
    world.take(event("shipped", START + 50 * H, 1, promised_at=FRIDAY))  # decided 50 h before, told 28 h after
    world.now = FRIDAY_ENDS - 24 * H
    world.wake()
    assert promised(world).state is PromiseState.AT_RISK
    assert promised(world).message_seq == 1
    world.live(23 * H)
    assert purposes(world) == [Purpose.UPDATE]


@pytest.mark.parametrize(
    ("status", "hours", "state"),
    [("delivered", -1, "kept"), ("delivered", 1, "broken"), ("ready", -1, "kept"), ("cancelled", -1, "withdrawn")],
)
def test_the_end_is_judged_by_when_it_occurred(status: str, hours: int, state: str) -> None:
    world = in_production()
    world.now = FRIDAY_ENDS + 2 * H
    world.take(event(status, FRIDAY_ENDS + hours * H, 2))
    world.settle()
    assert promised(world).state == state
    assert purposes(world)[-1] is Purpose.UPDATE
    values = context.build(world.order, world.sent[-1], world.plan, world.now, facts.view(world.order))  # type: ignore[arg-type]
    shown = values.get("promise", {}).get("state")
    assert shown == (None if state == "withdrawn" else state)


def test_a_date_that_comes_with_the_delivery_is_not_the_one_it_is_judged_by() -> None:
    world = in_production()
    world.now = FRIDAY_ENDS + 2 * H
    world.take(event("delivered", world.now, 2, promised_at="2026-03-07"))
    assert promised(world).state is PromiseState.BROKEN
    assert promised(world).date == FRIDAY


def test_a_promise_that_nothing_fulfils_is_broken_after_its_grace_and_the_owner_is_told() -> None:
    world = in_production()
    world.live(FRIDAY_ENDS + 13 * H - world.now)
    (broken,) = [mail for mail in world.sent if mail.purpose is Purpose.PROMISE_BROKEN]
    assert broken.decided_at == FRIDAY_ENDS + 12 * H
    assert broken.next_update == broken.decided_at + 48 * H
    alerts = [mail.ordinal for mail in world.sent if mail.purpose is Purpose.OWNER_ALERT]
    assert alerts == [Alert.PROMISE_BROKEN]
    world.live(10 * DAY)
    assert purposes(world).count(Purpose.PROMISE_BROKEN) == 1
    assert Purpose.REMINDER in purposes(world)[purposes(world).index(Purpose.PROMISE_BROKEN) :]


def test_a_late_delivery_after_the_apology_is_told_and_one_in_time_mends_the_ledger() -> None:
    for occurred, state in ((FRIDAY_ENDS - H, PromiseState.KEPT), (FRIDAY_ENDS + H, PromiseState.BROKEN)):
        world = in_production()
        world.live(FRIDAY_ENDS + 13 * H - world.now)
        world.take(event("delivered", occurred, 2))
        world.settle()
        assert promised(world).state is state
        assert purposes(world)[-1] is Purpose.UPDATE


def test_an_apology_that_waited_is_decided_again() -> None:
    world = in_production()
    world.live(FRIDAY_ENDS - world.now)
    world.now = FRIDAY_ENDS + 12 * H
    world.wake()
    (apology,) = [row for row in world.rows.values() if row.purpose is Purpose.PROMISE_BROKEN]
    assert gate.check(apology, world.loaded(), world.plan, world.now, blind=True) == gate.Hold(None, Reason.BLIND)  # type: ignore[arg-type]
    before = world.order
    assert before is not None
    world.take(event("ready", FRIDAY_ENDS - H, 2, notify=False))
    world.settle()
    assert Purpose.PROMISE_BROKEN not in purposes(world)
    assert world.settled[apology.key] is Reason.SUPERSEDED
    assert world.order is not None
    assert world.order.told_until == before.told_until_before, "what it told counts for nothing"


def test_a_warning_held_for_the_night_is_dropped_once_the_end_has_passed() -> None:
    world = World(usual(quiet_hours=LATE, warn_before=2 * H))
    slot = "2026-03-03T22:00:00Z/2026-03-03T23:30:00Z"
    world.take(event("shipped", START, 1, promised_at=slot))
    world.settle()
    told = world.sent[0].next_update
    world.live(START + 47 * H - world.now)
    assert [row.state for row in world.rows.values() if row.purpose is Purpose.PROMISE_AT_RISK] == [State.DROPPED]
    assert purposes(world) == [Purpose.UPDATE]
    assert world.order is not None
    assert world.order.told_until == told, "the date told before stands"


def test_another_date_moves_the_promise_and_a_small_step_does_not() -> None:
    world = in_production("2026-03-06T12:00:00Z")
    world.take(event("in_production", world.now, 2, promised_at="2026-03-06T13:00:00Z"))
    assert (promised(world).state, promised(world).date) == (PromiseState.OPEN, "2026-03-06T13:00:00Z")
    world.take(event("in_production", world.now, 3, promised_at="2026-03-09T12:00:00Z"))
    world.settle()
    assert promised(world).state is PromiseState.MOVED
    assert purposes(world) == [Purpose.UPDATE, Purpose.PROMISE_MOVED]
    world.live(FRIDAY_ENDS - world.now)
    assert Purpose.PROMISE_AT_RISK not in purposes(world), "the warning follows the date"


def test_a_date_that_is_given_again_is_not_warned_of_again() -> None:
    world = in_production()
    world.live(FRIDAY_ENDS - 40 * H - world.now)
    for number, date in enumerate((NEXT_FRIDAY, FRIDAY), 2):
        world.take(event("in_production", world.now, number, promised_at=date))
        world.settle()
    world.live(30 * H)
    assert purposes(world).count(Purpose.PROMISE_AT_RISK) == 1
    assert purposes(world)[-1] is Purpose.PROMISE_MOVED


def test_null_withdraws_a_promise_and_a_date_gives_it_again() -> None:
    world = in_production()
    world.take(event("in_production", world.now, 2, promised_at=None))
    assert promised(world).state is PromiseState.WITHDRAWN
    world.live(10 * DAY)
    assert set(purposes(world)) == {Purpose.UPDATE, Purpose.REMINDER}
    world.take(event("in_production", world.now, 3, promised_at="2026-03-30"))
    assert promised(world).state is PromiseState.MOVED


def test_a_date_that_had_passed_when_it_became_known_is_told_by_nobody() -> None:
    world = in_production("2026-03-01")
    assert promised(world).state is PromiseState.BROKEN
    world.live(5 * DAY)
    assert set(purposes(world)) == {Purpose.UPDATE, Purpose.REMINDER}


def test_a_plan_in_which_nothing_fulfils_judges_nothing() -> None:
    world = World(plan(touchpoint("shipped"), touchpoint("delivered", final=True)))
    world.take(event("shipped", START, 1, promised_at=FRIDAY))
    world.live(10 * DAY)
    assert promised(world).state is PromiseState.OPEN
    assert set(purposes(world)) == {Purpose.UPDATE, Purpose.REMINDER}


def test_a_promise_that_arrives_after_the_delivery_is_judged_by_it() -> None:
    world = World(usual())
    world.take(event("delivered", START, 2))
    world.take(event("shipped", START - H, 1, promised_at=FRIDAY))
    assert promised(world).state is PromiseState.KEPT
    assert not world.rows.keys() - {"A-1/1/update/1/customer"}


def test_an_order_that_is_reopened_with_another_date_has_another_promise() -> None:
    world = in_production()
    world.take(event("delivered", world.now + H, 2))
    world.take(event("in_production", world.now + 2 * H, 3, promised_at=NEXT_FRIDAY))
    assert promised(world).state is PromiseState.MOVED
    world.settle()
    world.live(FRIDAY_ENDS + 8 * DAY - world.now)
    assert purposes(world).count(Purpose.PROMISE_BROKEN) == 1


def test_a_slot_ends_with_its_end_and_moves_with_its_beginning() -> None:
    zone = facts.zone(order(), usual())
    slot, sooner = "2026-03-06T10:00:00Z/2026-03-06T12:00:00Z", "2026-03-06T08:00:00Z/2026-03-06T12:00:00Z"
    assert facts.promise_moment(slot, zone) == FRIDAY_ENDS - 12 * H
    assert promises.moved_by(slot, sooner, usual(), order()) == 2 * H
    assert promises.moved_by(slot, FRIDAY, usual(), order()) == 12 * H


def test_a_passed_date_is_shown_only_where_the_message_says_what_became_of_it() -> None:
    world = in_production()
    world.live(FRIDAY_ENDS + 5 * DAY - world.now)

    def shown(purpose: Purpose) -> object:
        mail = next(mail for mail in reversed(world.sent) if mail.purpose is purpose)
        known = world.order
        assert known is not None
        return context.build(known, mail, world.plan, world.now, facts.view(known)).get("promise")

    assert shown(Purpose.REMINDER) is None
    assert shown(Purpose.PROMISE_BROKEN) == {"date": FRIDAY, "until": FRIDAY, "state": "broken"}


def test_an_order_of_the_first_version_is_taken_on_when_it_is_looked_at() -> None:
    known = order(
        facts={"promised_at": facts.Fact(rank=(1, -1, 1), value=FRIDAY)},
        status="in_production",
        promise=Promise(date=FRIDAY, state=PromiseState.OPEN),
        deadline=START + 48 * H,
        told_until=START + 48 * H,
        counted_from=START,
    )
    decision = decide.on_wake(known, usual(), START)
    assert decision.order.wake_at == START + 48 * H
    assert decision.order.promise is not None
    assert decision.order.promise.due == FRIDAY_ENDS - 48 * H


def test_what_an_order_remembers_of_its_promises_has_an_end() -> None:
    known: Order | None = None
    for number in range(60):
        date = (START + timedelta(days=2 + number)).date().isoformat()
        known = decide.on_event(
            known, event("in_production", START, number + 1, promised_at=date), usual(), START
        ).order
        known = promises.brought_to(known, PromiseState.AT_RISK, usual(), START)
    assert known is not None
    assert known.promise is not None
    assert len(known.promise.noticed) == 16


# ---------------------------------------------------------------- for any order of arrival, repetition and delay

_STATUSES = st.sampled_from(["in_production", "shipped", "ready", "delivered", "cancelled", "teleported"])
_DATES = st.sampled_from([MONDAY, FRIDAY, "2026-03-04T12:00:00Z", "2026-03-06T08:00:00Z/2026-03-06T10:00:00Z", None])


@st.composite
def _histories(draw: st.DrawFn) -> list[OrderEvent]:
    """Events in the order in which they happened, up to a day apart, some of them recorded only."""
    rows = draw(
        st.lists(
            st.tuples(_STATUSES, st.none() | st.tuples(_DATES), st.booleans(), st.integers(0, 24)),
            min_size=1,
            max_size=6,
        )
    )
    happened, at = [], START
    for number, (status, date, told, hours) in enumerate(rows, 1):
        at += hours * H
        said = {} if date is None else {"promised_at": date[0]}
        happened.append(event(status, at, number, notify=told or number % 2, **said))
    return happened


@given(data=st.data(), history=_histories(), quiet=st.sampled_from([None, LATE]))
@examples(300)
def test_a_date_is_warned_of_once_and_broken_once_and_not_after_it_was_kept(
    data: st.DataObject, history: list[OrderEvent], quiet: QuietHours | None
) -> None:
    world = World(usual(quiet_hours=quiet))
    repeats = data.draw(st.lists(st.sampled_from(history), max_size=3))
    world.now = history[-1].occurred_at
    told: list[tuple[Purpose, str]] = []
    for happened in data.draw(st.permutations([*history, *repeats])):
        world.take(happened)
        for _ in range(data.draw(st.integers(0, 3))):
            _live(world, told, data.draw(st.integers(1, 30)))
    _live(world, told, 200)
    assert all(number == 1 for number in Counter(told).values()), told


def _live(world: World, told: list[tuple[Purpose, str]], hours: int) -> None:
    """Let time pass by the hour; note the date of each notice sent, and hold it against what is known by then."""
    for _ in range(hours):
        sent = len(world.sent)
        world.live(H, step=H)
        for mail in world.sent[sent:]:
            known = world.order
            assert known is not None
            if mail.purpose not in promises.OF_TIME:
                continue
            date = facts.promise(known)
            assert date is not None
            end = facts.promise_moment(date, facts.zone(known, world.plan))
            assert promised(world).state is promises.STATES[mail.purpose]
            assert promised(world).fulfilled_at is None, "it was kept, or came late, and neither is told as silence"
            assert (end > world.now) is (mail.purpose is Purpose.PROMISE_AT_RISK)
            told.append((mail.purpose, date))
        reminders = [mail for mail in world.sent[sent:] if mail.purpose is Purpose.REMINDER]
        others = [mail for mail in world.sent[sent:] if mail.to_customer and mail.purpose is not Purpose.REMINDER]
        assert not (reminders and others), "one message tells all that is due"


@given(data=st.data(), history=_histories())
@examples(200)
def test_whatever_the_order_of_arrival_nothing_is_due_that_was_settled(
    data: st.DataObject, history: list[OrderEvent]
) -> None:
    known: Order | None = None
    now = history[-1].occurred_at
    for happened in data.draw(st.permutations(history)):
        known = decide.on_event(known, happened, usual(), now).order
        known = evolve(known, pending=())
        promise = known.promise
        if promise is None or promise.state not in promises.ACTIVE:
            assert promise is None or promise.due is None
            assert known.wake_at == known.deadline
        else:
            assert not known.final
            assert promise.due is not None
            assert known.wake_at is not None
            assert known.wake_at <= promise.due


def test_a_day_ends_in_the_customers_zone() -> None:
    world = World(usual())
    world.take(event("in_production", START, 1, promised_at=FRIDAY, customer__time_zone="America/Sao_Paulo"))
    zone = facts.zone(world.loaded(), world.plan)  # type: ignore[arg-type]
    assert promised(world).due == end_of_day(START.date().replace(day=6), zone) - 48 * H


def test_the_promise_that_an_older_message_shows_counts_as_told() -> None:
    """For example "confirmed", which is always told: it shows the present promise, so no notice of a move follows."""
    world = World(plan(touchpoint("confirmed", always=True), touchpoint("shipped")))
    world.take(event("confirmed", START, 1, promised_at=FRIDAY))
    world.take(event("shipped", START + H, 2, promised_at=NEXT_FRIDAY, notify=False))
    world.settle()
    assert [(mail.status, mail.purpose) for mail in world.sent] == [("confirmed", Purpose.UPDATE)]
    assert world.take(event("shipped", START + 2 * H, 3, promised_at=NEXT_FRIDAY)) is Reason.REPEATED
    world.settle()
    assert len(world.sent) == 1
