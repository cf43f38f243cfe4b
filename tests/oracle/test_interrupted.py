"""A mail whose receipt was stored only after a stop sets its deadline anew, if that has passed meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.oracle import Kind, Latitude, Plan, Received
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
    stopped = replace(LATITUDE, kills=(stop,), down=((stop, at(30)),), starts=(at(-1), at(29.9)), ends=(stop,))
    kinds = found(plan, [*MAILS[:1], mail(30, "1/update/1/customer"), *MAILS[1:]], EVENTS, stopped)
    assert not kinds


def test_a_stop_after_it_starts_nothing_again(plan: Plan) -> None:
    stopped = replace(LATITUDE, kills=(at(1),), down=((at(1), at(30)),), starts=(at(-1), at(29.9)), ends=(at(1),))
    assert Kind.OVER_TOLD_DATE in found(plan, MAILS, EVENTS, stopped)


def test_what_was_away_while_the_service_lived_put_no_decision_off(plan: Plan) -> None:
    """The relay was away when the first reminder was decided; the stop that came later is another."""
    relay_away, stopped = (at(23), at(26)), (at(27), at(29))
    lived = replace(LATITUDE, down=(relay_away, stopped), starts=(at(-1), at(28.9)), ends=(at(27.1),))
    assert not found(plan, [MAILS[0], mail(25.9, "1/reminder/1/customer"), *later(48)], EVENTS, lived)


def test_a_stop_puts_a_decision_off(plan: Plan) -> None:
    stopped = replace(LATITUDE, down=((at(23), at(26)),), starts=(at(-1), at(25.8)), ends=(at(23),))
    kinds = found(plan, [MAILS[0], mail(25.9, "1/reminder/1/customer"), *later(48)], EVENTS, stopped)
    assert kinds == {Kind.EARLY}


def later(hour: float) -> list[Received]:
    return [
        mail(hour, "1/reminder/2/customer", soon=1),
        mail(hour, "1/owner_alert/stuck/owner:desk", to="desk@example.com", soon=1),
    ]


def test_what_a_stop_left_in_doubt_is_sent_again_where_the_order_is_back_in_its_status(plan: Plan) -> None:
    """Before the end of the order was told, the order was open again: the mail that waits says what is true."""
    stop = at(0) + timedelta(seconds=1)
    stopped = replace(LATITUDE, kills=(stop,), down=((stop, at(2.01)),), starts=(at(-1), at(2.005)), ends=(stop,))
    stopped = replace(stopped, until=at(3))
    ended = [event(0, "shipped"), event(1, "delivered")]
    came = [mail(2.01, "1/update/1/customer")]
    assert not found(plan, came, [*ended, event(2, "shipped")], stopped)
    assert Kind.STALE in found(plan, came, [*ended, event(2, "confirmed", notify=False)], stopped)
    assert Kind.STALE in found(plan, came, ended, stopped)


def falling(*, until: float) -> Latitude:
    """The service falls every four hours for an hour, on a clock on which patience is five hours."""
    falls = [(at(hour), at(hour + 1)) for hour in range(1, 36, 4)]
    begins, ends = zip(*falls, strict=True)
    return Latitude(speed=3600, until=at(until), down=tuple(falls), kills=begins, starts=(at(-1), *ends), ends=begins)


def test_reminders_that_changes_of_facts_dropped_may_have_been_the_last(plan: Plan) -> None:
    """Each was decided on time, and fell before it left: the relay was away, and a reason took its place."""
    away = (at(23), at(26)), (at(49), at(52))
    latitude = replace(LATITUDE, down=away, starts=(at(-1),), until=at(90))
    events = [event(0, "confirmed"), event(25, "confirmed", reason="A"), event(51, "confirmed", reason="B")]
    told = [MAILS[0], mail(26, "1/update/2/customer"), mail(52, "1/update/3/customer")]
    assert found(plan, told, events, latitude) == set()
    assert Kind.OVER_TOLD_DATE in found(plan, told[:2], events[:2], latitude)
