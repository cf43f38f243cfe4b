"""A status that was told, left and comes back before anybody was told of another is not told again.

Unless a fact that matters changed meanwhile; and what still waits about the statuses between is superseded.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from avisa.core.model import Purpose, Reason
from avisa.core.plan import Plan
from tests.builders import event, hours_span, plan, touchpoint
from tests.core.harness import START, World

H = timedelta(hours=1)
HELD = H  # by burst_wait: so long after it was decided an update waits

PLAN = plan(
    touchpoint("confirmed", window=hours_span(24), news=("tracking",)),
    touchpoint("checked", burst_wait=HELD),
    touchpoint("packed", burst_wait=HELD),
    touchpoint("kept", always=True, burst_wait=HELD),
    touchpoint("delivered", final=True, window=None),
    touchpoint("collected", final=True, window=None, burst_wait=HELD),
)
Row = tuple[float, str, dict[str, object]]
SILENT: dict[str, object] = {"notify": False}

# Each story: what comes, each with its hour; the reasons; the statuses that are told, each with its purpose.
STORIES: dict[str, tuple[list[Row], str, str]] = {
    "between waits": (
        [(0, "confirmed", {}), (1, "checked", {}), (1.5, "confirmed", {})],
        "entered entered repeated",
        "confirmed",
    ),
    "between was told": (
        [(0, "confirmed", {}), (1, "checked", {}), (3, "confirmed", {})],
        "entered entered entered",
        "confirmed checked confirmed",
    ),
    "between is silent": (
        [(0, "confirmed", {}), (1, "checked", SILENT), (3, "confirmed", {})],
        "entered not_to_tell repeated",
        "confirmed",
    ),
    "between is unknown": (
        [(0, "confirmed", {}), (1, "teleported", {}), (3, "confirmed", {})],
        "entered unknown_status repeated",
        "confirmed",
    ),
    "two wait": (
        [(0, "confirmed", {}), (1, "checked", {}), (1.2, "packed", {}), (1.5, "confirmed", {})],
        "entered entered entered repeated",
        "confirmed",
    ),
    "again and again": (
        [(0, "confirmed", {})]
        + [(n / 10, status, {}) for n, status in enumerate(["checked", "confirmed", "packed", "confirmed"], 1)],
        "entered entered repeated entered repeated",
        "confirmed",
    ),
    "the first waits too": (
        [(0, "checked", {}), (0.1, "packed", {}), (0.2, "checked", {})],
        "entered entered entered",
        "checked",
    ),
    "what waits is dropped by an end that nobody hears of": (
        [(0, "checked", {}), (0.1, "delivered", SILENT), (0.2, "checked", {})],
        "entered not_to_tell entered",
        "checked",
    ),
    "an end comes back that waits": (
        [(0, "collected", {}), (0.1, "teleported", {}), (0.2, "collected", {})],
        "entered unknown_status repeated",
        "collected",
    ),
    "the first is always told": (
        [(0, "kept", {}), (0.1, "packed", {}), (0.2, "kept", {})],
        "entered entered repeated",
        "kept",
    ),
    "between is always told": (
        [(0, "confirmed", {}), (1, "kept", {}), (1.5, "confirmed", {})],
        "entered entered entered",
        "kept confirmed confirmed",
    ),
    "with another reason": (
        [(0, "confirmed", {}), (1, "checked", {}), (1.5, "confirmed", {"reason": "ice"})],
        "entered entered facts_changed",
        "confirmed confirmed",
    ),
    "with the reason told": (
        [(0, "confirmed", {"reason": "ice"}), (1, "checked", {"reason": "x"}), (1.5, "confirmed", {"reason": "ice"})],
        "entered entered repeated",
        "confirmed",
    ),
    "with the details told": (
        [
            (0, "confirmed", {"details__tracking": "1"}),
            (1, "checked", {"details__tracking": "2"}),
            (1.5, "confirmed", {"details__tracking": "1"}),
        ],
        "entered entered repeated",
        "confirmed",
    ),
    "with another detail that is news": (
        [
            (0, "confirmed", {"details__tracking": "1"}),
            (1, "checked", {"details__tracking": "2"}),
            (1.5, "confirmed", {}),
        ],
        "entered entered facts_changed",
        "confirmed confirmed",
    ),
    "the end": (
        [(0, "delivered", {}), (1, "checked", {}), (1.5, "delivered", {})],
        "entered entered repeated",
        "delivered",
    ),
}


@pytest.mark.parametrize(("rows", "reasons", "told"), STORIES.values(), ids=STORIES)
def test_what_the_customer_knows_is_not_told_again(rows: list[Row], reasons: str, told: str) -> None:
    world = played(PLAN, rows)
    assert " ".join(world.reasons) == reasons
    updates = [mail.status for mail in world.sent if mail.purpose is Purpose.UPDATE]
    if "kept" in told:
        assert sorted(updates) == sorted(told.split())
    else:
        assert updates == told.split()
    waited = [row.key for row in world.rows.values() if row.key not in world.settled]
    assert not [key for key in waited if world.rows[key].to_customer]


def test_a_promise_that_moved_meanwhile_is_told() -> None:
    rows: list[Row] = [(0, "confirmed", {"promised_at": "2026-03-09"}), (1, "checked", {"promised_at": "2026-03-12"})]
    world = played(PLAN, [*rows, (1.5, "confirmed", {})])
    assert world.reasons[-1] is Reason.FACTS_CHANGED
    assert [mail.purpose for mail in world.sent] == [Purpose.UPDATE, Purpose.PROMISE_MOVED]
    assert world.sent[-1].promise_before == "2026-03-09"


def test_the_date_told_first_stands_again() -> None:
    world = played(PLAN, STORIES["between waits"][0])
    assert world.order is not None
    assert world.order.told_until == world.order.deadline == START + 24 * H
    world.live(30 * H)
    reminders = [mail for mail in world.sent if mail.purpose is Purpose.REMINDER]
    assert [(mail.status, mail.decided_at) for mail in reminders] == [("confirmed", START + 24 * H)]


def played(shop: Plan, rows: list[Row]) -> World:
    """The world three hours after the last of these events."""
    world = World(shop)
    for number, (hours, status, said) in enumerate(rows):
        world.live(START + hours * H - world.now)
        world.take(event(status, world.now, number, **said))
        world.dispatch()
    world.live(3 * H)
    return world
