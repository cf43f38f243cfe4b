"""What a course does that no `World` does: it keeps the flood budget, and drops what has no address."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from avisa.core.model import Alert, Purpose, Reason
from avisa.core.plan import Allowance, Flood
from avisa.simulate.course import Course
from tests import builders

MINUTE = timedelta(minutes=1)
PLAN = builders.plan(
    builders.touchpoint("confirmed"),
    flood=Flood(per_order=Allowance(count=3, per=timedelta(hours=1)), per_address=None),
)


def test_what_is_over_the_budget_of_an_order_waits_and_its_owner_is_told_once() -> None:
    events = [
        (at, builders.event("confirmed", at, number, reason=f"Because {number}."))
        for number in range(1, 7)
        if (at := builders.NOW + number * MINUTE)
    ]
    course = Course(PLAN, lambda *_: True)
    course.live(events, builders.NOW + timedelta(hours=3))
    updates = [it.at - builders.NOW for it in course.sent if it.notification.purpose is Purpose.UPDATE]
    # Three at once. The fourth waits for the first to be an hour old, and tells the last of the reasons.
    assert updates == [1 * MINUTE, 2 * MINUTE, 3 * MINUTE, 61 * MINUTE]
    alerts = [it for it in course.sent if it.notification.purpose is Purpose.OWNER_ALERT]
    assert [(it.at - builders.NOW, it.notification.ordinal) for it in alerts] == [(4 * MINUTE, Alert.FLOOD)]


def test_who_has_no_address_is_told_nothing_and_the_owner_learns_it() -> None:
    course = Course(PLAN, lambda notification, _: not notification.to_customer)
    course.live([(builders.NOW, builders.event("confirmed", builders.NOW, 1))], builders.NOW + timedelta(hours=1))
    assert course.dropped == Counter({Reason.NO_ADDRESS: 1})
    assert [it.notification.ordinal for it in course.sent] == [Alert.UNREACHABLE]
    assert course.silence.longest == {"confirmed": timedelta(hours=1)}


def test_a_date_that_nobody_kept_is_counted() -> None:
    """No reminder is left for it, and the next event comes a day too late."""
    plan = builders.plan(builders.touchpoint("confirmed"), builders.touchpoint("shipped"))
    course = Course(plan, lambda notification, _: notification.purpose is not Purpose.REMINDER)
    late = builders.NOW + timedelta(hours=72)
    events = [
        (builders.NOW, builders.event("confirmed", builders.NOW, 1)),
        (late, builders.event("shipped", late, 2)),
    ]
    course.live(events, late)
    assert course.broken_dates == 1
    assert course.silence.longest["confirmed"] == timedelta(hours=72)
