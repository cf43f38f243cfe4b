"""A moved promise is told by whatever update goes out after it, be it of an earlier episode."""

from __future__ import annotations

from tests.oracle import Kind, Plan
from tests.oracle.test_judge import event, found, mail, plan

__all__ = ["plan"]  # the fixture

EVENTS = [
    event(0, "confirmed", promised_at="2026-03-05"),  # told whatever comes after it
    event(0.0001, "shipped", notify=False),
    event(0.0002, "shipped", promised_at="2026-03-09"),
    event(1, "delivered"),
]
DELIVERED = mail(1, "3/update/1/customer")


def test_the_update_of_an_earlier_episode_carries_it(plan: Plan) -> None:
    assert not found(plan, [mail(0, "1/update/1/customer"), DELIVERED], EVENTS)


def test_a_lost_update_is_found_if_nothing_later_carries_it(plan: Plan) -> None:
    early = mail(0, "1/update/1/customer", soon=0.1)
    assert Kind.LOST in found(plan, [early, mail(3, "3/update/1/customer")], [*EVENTS[:3], event(3, "delivered")])
