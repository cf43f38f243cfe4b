"""A mail whose receipt was stored only after a stop sets its deadline anew, if that has passed meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.oracle import Kind, Plan
from tests.oracle.test_judge import LATITUDE, at, event, found, mail, plan

__all__ = ["plan"]  # the fixture

EVENTS = [event(0, "confirmed")]
MAILS = [
    mail(0, "1/update/1/customer"),  # tells 24 hours
    mail(54, "1/reminder/1/customer", soon=8),
    mail(78, "1/reminder/2/customer", soon=9),
    mail(78, "1/owner_alert/stuck/owner:desk", to="desk@example.com", soon=9),
]


def test_a_stop_before_the_receipt_was_stored_starts_the_window_again(plan: Plan) -> None:
    stop = at(0) + timedelta(seconds=4)
    stopped = replace(LATITUDE, kills=(stop,), down=((stop, at(30)),), starts=(at(-1), at(29.9)))
    kinds = found(plan, [*MAILS[:1], mail(30, "1/update/1/customer"), *MAILS[1:]], EVENTS, stopped)
    assert not kinds


def test_a_stop_after_it_starts_nothing_again(plan: Plan) -> None:
    stopped = replace(LATITUDE, kills=(at(1),), down=((at(1), at(30)),), starts=(at(-1), at(29.9)))
    assert Kind.OVER_TOLD_DATE in found(plan, MAILS, EVENTS, stopped)
