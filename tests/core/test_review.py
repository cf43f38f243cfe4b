"""Corner cases of docs/design.md (Deciding), one each."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from avisa.core import decide
from avisa.core.evolve import evolve
from avisa.core.model import Purpose, Reason, State
from avisa.core.plan import QuietHours
from avisa.core.retry import GaveUp, Receipt, RetryAt, RetryPolicy, Verdict, next_step
from tests.builders import event, plan, touchpoint
from tests.core.harness import START, World

HOUR = timedelta(hours=1)


def held_notices() -> World:
    """A world whose promise notices wait an hour before they are sent."""
    return World(plan(touchpoint("shipped", burst_wait=HOUR), touchpoint("delivered", final=True)))


@pytest.mark.parametrize("again", ["2026-03-09", None], ids=["back", "cleared"])
def test_a_promise_notice_that_was_never_sent_moves_no_told_date(again: str | None) -> None:
    world = held_notices()
    world.take(event("shipped", START, 1, promised_at="2026-03-09"))
    world.live(2 * HOUR)
    told_date = world.sent[0].next_update
    assert told_date is not None
    world.live(20 * HOUR)
    assert world.take(event("shipped", world.now, 2, promised_at="2026-03-12")) is Reason.FACTS_CHANGED
    assert world.take(event("shipped", world.now, 3, promised_at=again)) is Reason.REPEATED
    assert world.order is not None
    assert world.order.told_until == world.order.deadline == world.order.wake_at == told_date
    assert not [row for row in world.rows.values() if row.state is State.QUEUED]
    world.live(told_date - world.now)
    assert [mail.purpose for mail in world.sent] == [Purpose.UPDATE, Purpose.REMINDER]


def test_a_notice_taken_back_is_guarded_against_being_sent_meanwhile() -> None:
    """Between loading and storing its first attempt may begin: then the customer has read it."""
    world = held_notices()
    world.take(event("shipped", START, 1, promised_at="2026-03-09"))
    world.live(2 * HOUR)
    world.take(event("shipped", world.now, 2, promised_at="2026-03-12"))
    back = event("shipped", world.now, 3, promised_at="2026-03-09")
    decision = decide.on_event(world.loaded(), back, world.plan, world.now)
    assert decision.absorbed_by == "A-1/1/promise_moved/1/customer"


def test_a_warning_that_a_new_status_makes_needless_is_guarded_against_being_sent_meanwhile() -> None:
    """It waits for the morning; if it leaves all the same, the same date must not be warned of once more."""
    night = QuietHours(begin=time(21), end=time(8))
    before = plan(
        touchpoint("in_production", warn_before=48 * HOUR, quiet_hours=night),
        touchpoint("shipped", warn_before=12 * HOUR),
    )
    world = World(before)
    world.take(event("in_production", START, 1, promised_at="2026-03-05"))
    world.settle()
    world.live(41 * HOUR)
    (waiting,) = world.loaded().pending
    assert waiting.purpose is Purpose.PROMISE_AT_RISK
    decision = decide.on_event(world.loaded(), event("shipped", world.now, 2), world.plan, world.now)
    assert decision.superseded == (waiting.key,)
    assert decision.absorbed_by == waiting.key


def test_a_final_order_tells_no_date_by_an_older_message() -> None:
    """`always` lets it out after the end; but whoever reads a date in it would wait in vain."""
    world = World(plan(touchpoint("confirmed", always=True, burst_wait=HOUR), touchpoint("delivered", final=True)))
    world.take(event("confirmed", START, 1))
    world.take(event("delivered", START + timedelta(minutes=1), 2, notify=False))
    world.live(2 * HOUR)
    assert world.told() == ["confirmed"]
    assert [mail.next_update for mail in world.sent] == [None]


def test_time_alone_gives_nothing_up() -> None:
    policy = RetryPolicy(steps=(timedelta(minutes=1), timedelta(minutes=5)), give_up=timedelta(hours=72))
    greylisted = Receipt(verdict=Verdict.TEMPORARY, stage="rcpt", code=450)

    def after(attempts: int, hours: int, *, doubted: bool = False) -> object:
        now = START + timedelta(hours=hours)
        return next_step(
            greylisted,
            attempts=attempts,
            since_real=START,
            policy=policy,
            now_real=now,
            jitter=0.5,
            doubted=doubted,
        )

    assert isinstance(after(1, 100), RetryAt), "the relay was away; this was the first attempt"
    assert isinstance(after(2, 100), RetryAt)
    assert after(3, 100) == GaveUp(Reason.EXPIRED)
    assert isinstance(after(50, 71), RetryAt)
    assert after(50, 72, doubted=True) == GaveUp(Reason.IN_DOUBT)


def test_a_deadline_that_passes_while_a_message_waits_is_never_lost() -> None:
    world = World(plan(touchpoint("shipped")))
    world.take(event("shipped", START, 1))
    world.now = START + timedelta(hours=60)  # no attempt was possible
    world.wake()
    assert world.order is not None and world.order.wake_at is not None
    assert not [row for row in world.rows.values() if row.purpose is Purpose.REMINDER]
    world.dispatch()
    (mail,) = world.sent
    assert mail.next_update is not None and mail.next_update > world.now
    assert world.order.wake_at == mail.next_update


def test_dropped_by_an_operator_the_deadline_still_wakes() -> None:
    world = World(plan(touchpoint("shipped")))
    world.take(event("shipped", START, 1))
    world.now = START + timedelta(hours=60)
    world.wake()
    (key,) = world.rows
    world.rows[key] = evolve(world.rows[key], state=State.DROPPED)
    world.live(3 * HOUR)
    assert [mail.purpose for mail in world.sent] == [Purpose.REMINDER]
