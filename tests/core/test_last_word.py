"""The last word of an order: the newest event about it, or the newest message. Looking at it is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from avisa.core import decide
from avisa.core.model import Reason
from avisa.core.plan import Remind
from tests.builders import event, hours_span, plan, touchpoint
from tests.core.harness import START, World

H = timedelta(hours=1)
DAY = timedelta(days=1)


def _world() -> World:
    remind = Remind(then_every=hours_span(24), at_most=2)
    world = World(plan(touchpoint("confirmed", window=hours_span(24), remind=remind), touchpoint("shipped")))
    world.take(event("confirmed", START, 1))
    world.settle()
    return world


def _last_word(world: World) -> datetime | None:
    assert world.order is not None
    return world.order.last_word_at


def test_every_new_event_is_a_word() -> None:
    world = _world()
    assert _last_word(world) == START
    news = (
        (event("confirmed", START + H, 2), Reason.REPEATED),
        (event("confirmed", START - H, 3), Reason.OLDER_THAN_KNOWN),
        (event("shipped", START + 2 * H, 4, notify=False), Reason.NOT_TO_TELL),
        (event("lost", START + 3 * H, 5), Reason.UNKNOWN_STATUS),
        (event("shipped", START + 4 * H, 6), Reason.ENTERED),
    )
    for happened, reason in news:
        world.now += H
        assert world.take(happened) is reason
        assert _last_word(world) == world.now, reason


def test_an_event_that_comes_again_is_no_word() -> None:
    world = _world()
    world.now += H
    assert world.take(event("confirmed", START, 1)) is Reason.ALREADY_SEEN
    assert _last_word(world) == START


def test_a_reminder_is_a_word_and_a_look_is_none() -> None:
    world = _world()
    order = world.loaded()
    assert order is not None
    looked = decide.on_wake(order, replace(world.plan, tell_within=DAY), START + H)  # after a change of plan
    assert looked.order.last_word_at == START
    world.live(2 * DAY)
    assert world.order is not None
    assert world.order.stuck
    assert _last_word(world) == START + 2 * DAY
    world.live(30 * DAY)
    assert _last_word(world) == START + 2 * DAY
    assert world.order.wake_at is None
