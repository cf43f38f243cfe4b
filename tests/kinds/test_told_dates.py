"""Any customer message fulfils what was told before it, and a date that never left was told to nobody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from avisa.core.model import Notification, Purpose
from tests.builders import event, hours_span, plan, touchpoint
from tests.core.harness import START, World

H = timedelta(hours=1)
HELD = timedelta(minutes=10)  # by burst_wait, so that a newer status comes before it was sent

PLAN = plan(
    touchpoint("confirmed", window=hours_span(24)),
    touchpoint("checked", window=hours_span(24), burst_wait=HELD),
    touchpoint("tracked", window=hours_span(72), count_from="last_event"),
    touchpoint("shipped", window=hours_span(72)),
    touchpoint("delivered", final=True, window=None),
)


def at(hours: float) -> datetime:
    return START + hours * H


# Each story: (hours, status, what else the event says) …, and when reminders come, in hours.
STORIES: dict[str, tuple[list[tuple[float, str, dict[str, object]]], list[float]]] = {
    "the new message follows the feed": ([(0, "confirmed", {}), (20, "tracked", {})], [92]),
    "its message was never sent": ([(0, "checked", {}), (0.1, "tracked", {})], [72.1]),
    "a newer message tells its own": ([(0, "confirmed", {}), (20, "shipped", {})], [92]),
    "a reason is told": ([(0, "confirmed", {}), (1, "tracked", {}), (30, "tracked", {"reason": "ice"})], [102]),
    "a promise moved": (
        [
            (0, "confirmed", {"promised_at": "2026-03-09"}),
            (1, "tracked", {}),
            (20, "tracked", {"promised_at": "2026-03-12"}),
        ],
        [92],
    ),
    "an event that tells nothing fulfils nothing": (
        [(0, "confirmed", {}), (20, "tracked", {"notify": False})],
        [24, 96],
    ),
    "a repeat of a followed feed fulfils nothing": (
        [(0, "confirmed", {}), (2, "tracked", {"notify": False}), (20, "tracked", {})],
        [24, 96],
    ),
    "nor does an unknown status": ([(0, "confirmed", {}), (20, "teleported", {})], [24, 72]),
    "what followed the feed tells nothing that binds": (
        [(0, "tracked", {}), (1, "shipped", {"notify": False})],
        [73],
    ),
}


@pytest.mark.parametrize(("story", "reminders"), STORIES.values(), ids=STORIES)
def test_reminders_keep_the_date_that_was_told_last(
    story: list[tuple[float, str, dict[str, object]]], reminders: list[float]
) -> None:
    world = World(PLAN)
    for number, (hours, status, said) in enumerate(story):
        world.live(at(hours) - world.now)
        world.take(event(status, world.now, number, **said))
        world.dispatch()
    world.live(at(110) - world.now)
    came = [(mail.decided_at - START) / H for mail in world.sent if mail.purpose is Purpose.REMINDER]
    assert came == pytest.approx(reminders)


def no_address(world: World) -> None:
    world.asks_for_address = True


def refused(world: World) -> None:
    world.refused = {"ana@example.com"}


@pytest.mark.parametrize("unreachable", [no_address, refused])
@pytest.mark.parametrize(
    ("said", "told"),
    [({}, 24), ({"notify": False}, None)],
    ids=["a date was told before", "none was"],
)
def test_a_message_that_never_left_told_no_date(
    unreachable: Callable[[World], None], said: dict[str, object], told: float | None
) -> None:
    world = World(PLAN)
    world.take(event("confirmed", START, 1, **said))
    world.settle()
    unreachable(world)
    world.now = at(2)
    email = "ana@example.com" if unreachable is refused else None
    world.take(event("shipped", world.now, 2, customer__email=email))
    world.settle()
    assert world.order is not None
    assert world.order.told_until == (None if told is None else at(told))
    assert world.order.deadline == at(74 if told is None else told), "dates and reminders go on"
    assert world.order.wake_at == world.order.deadline


def test_reminders_nobody_can_be_sent_keep_their_gaps() -> None:
    world = World(PLAN, asks_for_address=True)
    world.take(event("confirmed", START, 1))
    world.live(100 * H)
    tried = [row for row in world.rows.values() if row.purpose is Purpose.REMINDER]
    assert [hours_of(row) for row in tried] == [24, 48, 72]


def test_the_end_has_no_date_even_if_its_message_could_not_be_sent() -> None:
    world = World(PLAN)
    world.take(event("confirmed", START, 1))
    world.settle()
    world.asks_for_address = True
    world.take(event("delivered", at(1), 2))
    world.settle()
    assert world.order is not None
    assert (world.order.deadline, world.order.told_until, world.order.wake_at) == (None, None, None)


def hours_of(row: Notification) -> float:
    return (row.decided_at - START) / H
