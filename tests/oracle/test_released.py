"""Whoever is let out of quiet hours with all the others has the usual patience from then on."""

from __future__ import annotations

from tests.oracle import Kind, Plan
from tests.oracle.test_judge import event, found, mail, plan

__all__ = ["plan"]  # the fixture

NEARLY = 22 - 3 / 3600  # three seconds before quiet hours end
EVENTS = [event(0, "confirmed", notify=False), event(NEARLY, "delivered")]


def test_what_was_taken_in_just_before_the_end_of_quiet_hours(plan: Plan) -> None:
    assert not found(plan, [mail(22, "2/update/1/customer", soon=4.5)], EVENTS)


def test_patience_has_an_end_then_too(plan: Plan) -> None:
    assert found(plan, [mail(22, "2/update/1/customer", soon=5.5)], EVENTS) == {Kind.LATE}
