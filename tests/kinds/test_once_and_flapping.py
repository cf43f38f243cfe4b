"""`once` tells a status once for an order; `promise.at_most_every` tells moves within it together, or not at all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from avisa.core import gate
from avisa.core.model import Purpose, Reason
from tests.builders import event, hours_span, plan, touchpoint
from tests.core.harness import START, World

H = timedelta(hours=1)
ONCE = plan(
    touchpoint("confirmed", once=True, burst_wait=H / 6),
    touchpoint("paid"),
    touchpoint("delivered", final=True, window=None),
)
FLAPPING = plan(touchpoint("shipped", window=hours_span(72), moves_at_most_every=12 * H), touchpoint("delivered"))

# Events half an hour apart; what is told of them.
TOLD_ONCE = {
    "comes back": ("confirmed paid confirmed", "confirmed paid"),
    "comes back twice": ("confirmed paid confirmed paid confirmed", "confirmed paid paid"),
    "after the end": ("confirmed delivered confirmed", "confirmed delivered"),
    "repeated": ("confirmed confirmed", "confirmed"),
}


@pytest.mark.parametrize(("statuses", "told"), TOLD_ONCE.values(), ids=TOLD_ONCE)
def test_what_is_told_once_is_not_told_again(statuses: str, told: str) -> None:
    world = World(ONCE)
    for number, status in enumerate(statuses.split()):
        world.take(event(status, world.now, number, reason=f"{number}"))
        world.live(H / 2)
    assert [mail.status for mail in world.sent] == told.split()


def test_what_was_never_sent_was_not_told() -> None:
    world = World(ONCE)
    world.take(event("confirmed", START, 1))
    world.take(event("paid", START + H / 60, 2))
    world.settle()
    assert world.take(event("confirmed", START + H / 30, 3)) is Reason.ENTERED
    world.live(H)
    assert world.told() == ["paid", "confirmed"]


def test_the_window_runs_though_it_is_not_told_again() -> None:
    world = World(ONCE)
    for number, status in enumerate(["confirmed", "paid", "confirmed"]):
        world.take(event(status, world.now, number))
        world.live(H)
    world.live(60 * H)
    assert world.told(Purpose.REMINDER) == ["confirmed"]


# Hours and the day of March that is promised then; the hours at which a move is told, and to which day.
MOVES: dict[str, tuple[list[tuple[float, int]], list[tuple[float, int]]]] = {
    "one": ([(1, 12)], [(1, 12)]),
    "two, far apart": ([(1, 12), (14, 13)], [(1, 12), (14, 13)]),
    "two, told together": ([(1, 12), (2, 13), (3, 14)], [(1, 12), (13, 14)]),
    "led back": ([(1, 12), (2, 13), (3, 12)], [(1, 12)]),
    "led back, then on": ([(1, 12), (2, 13), (3, 12), (4, 14)], [(1, 12), (13, 14)]),
    "and again": ([(1, 12), (2, 13), (14, 14), (15, 15)], [(1, 12), (13, 13), (25, 15)]),
}


@pytest.mark.parametrize(("moves", "told"), MOVES.values(), ids=MOVES)
def test_moves_are_told_together(moves: list[tuple[float, int]], told: list[tuple[float, int]]) -> None:
    world = World(FLAPPING)
    world.take(event("shipped", START, 0, promised_at="2026-03-09"))
    world.settle()
    came: list[tuple[float, int]] = []
    for number, (hours, day) in enumerate([*moves, (40, moves[-1][1])], 1):
        while world.now < START + hours * H:
            before = len(world.sent)
            world.live(H)
            came += [((world.now - START) / H, promised(world)) for _ in world.sent[before:]]
        world.take(event("shipped", world.now, number, promised_at=f"2026-03-{day}"))
        before = len(world.sent)
        world.dispatch()
        came += [(hours, promised(world)) for _ in world.sent[before:]]
    assert came == told


def promised(world: World) -> int:
    assert world.order is not None and world.order.promise_told is not None
    return int(world.order.promise_told[-2:])


def test_a_move_never_waits_beyond_the_date_that_was_told() -> None:
    shop = plan(touchpoint("shipped", window=hours_span(6), moves_at_most_every=12 * H))
    world = World(shop)
    world.take(event("shipped", START, 0, promised_at="2026-03-09"))
    world.settle()
    world.live(H)
    world.take(event("shipped", world.now, 1, promised_at="2026-03-12"))  # told until 7
    world.settle()
    world.live(H)
    world.take(event("shipped", world.now, 2, promised_at="2026-03-13"))
    world.live(5 * H)
    assert [(mail.purpose, mail.first_attempt_real) for mail in world.sent[1:]] == [
        (Purpose.PROMISE_MOVED, START + H),
        (Purpose.PROMISE_MOVED, START + 7 * H),
    ]


def test_a_move_that_led_back_near_enough_is_not_told() -> None:
    """Near enough is what the plan calls no move, also if the customer was never told of the dates between."""
    world = World(plan(touchpoint("shipped", moves_at_most_every=12 * H, ignore_moves_under=4 * H)))
    world.take(event("shipped", START, 0, promised_at="2026-03-09T10:00:00Z"))
    world.settle()
    for number, hour in enumerate([15, 22, 17], 1):
        world.take(event("shipped", START, number, promised_at=f"2026-03-09T{hour}:00:00Z"))
        world.settle()
    world.live(13 * H)
    assert [mail.purpose for mail in world.sent] == [Purpose.UPDATE, Purpose.PROMISE_MOVED]
    assert world.order is not None
    assert world.order.promise_told == "2026-03-09T15:00:00Z"
    world.take(event("shipped", world.now, 4, promised_at="2026-03-09T19:00:00Z"))
    world.settle()
    assert len(world.sent) == 3, "four hours from what was told"


def test_the_gate_says_why_a_move_waits_and_a_reason_does_not_wait_for_it() -> None:
    world = World(FLAPPING)
    world.take(event("shipped", START, 0, promised_at="2026-03-09"))
    world.settle()
    for number, day in enumerate([12, 13], 1):
        world.take(event("shipped", START, number, promised_at=f"2026-03-{day}"))
        world.settle()
    order = world.loaded()
    assert order is not None
    (waiting,) = order.pending
    assert gate.check(waiting, order, FLAPPING, world.now) == gate.Hold(START + 12 * H, Reason.FREQUENCY_CAP)
    world.take(event("shipped", START, 3, reason="ice"))
    world.settle()
    assert [mail.purpose for mail in world.sent[1:]] == [Purpose.PROMISE_MOVED, Purpose.UPDATE]
    assert world.settled[waiting.key] is Reason.SUPERSEDED
