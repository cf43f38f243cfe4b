"""The tests of the test: every kind of fault, planted by hand, is found; what is right passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.oracle import Counts, Kind, Latitude, Plan, Published, Received, judge, message_id, read_plan

PLAN = """
brands:
  default: {name: Loja, from: "Loja <avisos@example.com>", locale: en, time_zone: UTC}
owners:
  desk: {name: Desk, email: desk@example.com}
defaults:
  window: 48h
  remind: {at_most: 2}
  quiet_hours: "21:00-08:00"
touchpoints:
  confirmed: {message: order-confirmed, owner: desk, window: 24h, always: true, quiet_hours: none}
  in_production: {message: in-production, owner: desk, remind: {after: [24h]}}
  shipped: {message: shipped}
  delivered: {message: delivered, final: true}
unknown_status: {owner: desk}
"""
START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
ADDRESS = "ana@customers.example"


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def event(hours: float, status: str, **more: Any) -> Published:
    moment = at(hours)
    value: dict[str, Any] = {
        "order_id": "A-1",
        "id": f"{status}-{hours}",
        "status": status,
        "occurred_at": moment.isoformat(),
        "customer": {"id": "c-1", "email": ADDRESS},
        **more,
    }
    return Published(at=moment, acked=moment + timedelta(seconds=1), event=value)


def mail(hours: float, key: str, *, to: str = ADDRESS, digest: str = "d", soon: float = 2) -> Received:
    return Received(
        at=at(hours) + timedelta(seconds=soon),
        to=to,
        message_id=message_id(f"A-1/{key}", "example.com"),
        subject=key,
        purpose=key.split("/")[1],
        digest=digest,
    )


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN, "utf-8")
    return read_plan(path)


LATITUDE = Latitude(until=at(10_000))
EVENTS = [event(0, "confirmed"), event(12, "in_production"), event(90, "shipped"), event(100, "delivered")]
STUCK = "2/owner_alert/stuck/owner:desk"
MAILS = [
    mail(0, "1/update/1/customer"),
    mail(22, "2/update/1/customer"),  # in quiet hours at 12, until 8 in the morning
    mail(58.5, "2/reminder/1/customer"),  # 12 + 48 is 22:00 on the next day but one: 20:30
    mail(82.5, "2/reminder/2/customer"),
    mail(82.5, STUCK, to="desk@example.com"),
    mail(94, "3/update/1/customer"),
    mail(100, "4/update/1/customer"),
]


def found(
    plan: Plan,
    mails: list[Received],
    events: list[Published] | None = None,
    latitude: Latitude = LATITUDE,
    counts: Counts | None = None,
) -> set[Kind]:
    verdict = judge(EVENTS if events is None else events, mails, plan, latitude, counts)
    return {violation.kind for violation in verdict.violations}


def test_a_whole_course_is_clean(plan: Plan) -> None:
    verdict = judge(EVENTS, MAILS, plan, LATITUDE)
    assert verdict.clean, str(verdict)
    assert verdict.mails == {"update": 4, "reminder": 2, "owner_alert": 1}
    assert verdict.max_lateness_real_s == pytest.approx(2)


@pytest.mark.parametrize("gone", range(len(MAILS)))
def test_no_mail_can_be_missing(plan: Plan, gone: int) -> None:
    kinds = found(plan, [mail for number, mail in enumerate(MAILS) if number != gone])
    assert kinds & {Kind.LOST, Kind.OVER_TOLD_DATE}, kinds


@pytest.mark.parametrize("twice", range(len(MAILS)))
def test_no_mail_can_come_twice(plan: Plan, twice: int) -> None:
    again = replace(MAILS[twice], at=MAILS[twice].at + timedelta(seconds=3))
    assert Kind.DUPLICATE in found(plan, sorted([*MAILS, again], key=lambda mail: mail.at))


def test_a_kill_excuses_the_same_mail_again(plan: Plan) -> None:
    again = replace(MAILS[0], at=MAILS[0].at + timedelta(seconds=9))
    latitude = replace(
        LATITUDE, kills=(at(0) + timedelta(seconds=3),), down=((at(0) + timedelta(seconds=3), at(0.002)),)
    )
    mails = [MAILS[0], again, *MAILS[1:]]
    assert judge(EVENTS, mails, plan, latitude).excused == 1
    assert found(plan, mails, latitude=latitude) == set()
    other = [MAILS[0], replace(again, digest="another"), *MAILS[1:]]
    assert found(plan, other, latitude=latitude) == {Kind.OTHER_BYTES}
    much_later = replace(LATITUDE, kills=(at(1),))
    assert Kind.DUPLICATE in found(plan, mails, latitude=much_later)


def test_a_double_after_something_newer_is_out_of_order(plan: Plan) -> None:
    again = replace(MAILS[5], at=MAILS[6].at + timedelta(seconds=2))
    latitude = replace(LATITUDE, kills=(MAILS[5].at + timedelta(seconds=1),))
    assert found(plan, [*MAILS, again], latitude=latitude) == {Kind.OUT_OF_ORDER}


def test_an_older_status_after_a_newer_one_is_out_of_order(plan: Plan) -> None:
    swapped = [*MAILS[:5], replace(MAILS[6], at=at(100)), replace(MAILS[5], at=at(100.001))]
    assert Kind.OUT_OF_ORDER in found(plan, swapped)


def test_the_mail_of_a_superseded_update_is_stale(plan: Plan) -> None:
    """In the night both became due: only the newer is to be told."""
    events = [event(0, "confirmed"), event(12, "in_production"), event(14, "shipped"), event(40, "delivered")]
    mails = [MAILS[0], mail(22, "3/update/1/customer"), mail(46, "4/update/1/customer")]
    assert found(plan, mails, events) == set()
    assert found(plan, [MAILS[0], mail(22, "2/update/1/customer"), *mails[1:]], events) == {Kind.STALE}


def test_an_update_that_always_goes_is_missed(plan: Plan) -> None:
    events = [event(0, "confirmed"), event(0.0001, "delivered")]
    assert found(plan, [mail(0, "1/update/1/customer"), mail(0.0001, "2/update/1/customer")], events) == set()
    assert found(plan, [mail(0.0001, "2/update/1/customer")], events) == {Kind.LOST}


def test_an_update_may_be_overtaken(plan: Plan) -> None:
    events = [event(0, "shipped"), event(0.0001, "delivered")]
    assert found(plan, [mail(0.0001, "2/update/1/customer")], events) == set()
    assert found(plan, [mail(0, "1/update/1/customer"), mail(0.0001, "2/update/1/customer")], events) == set()
    assert found(plan, [mail(0, "1/update/1/customer")], events) == {Kind.LOST}


def test_a_reminder_tells_an_episode_that_began_in_silence(plan: Plan) -> None:
    """The update of the first waited out an outage; meanwhile the second was there, untold, and its window passed."""
    events = [event(0, "shipped"), event(1, "in_production", notify=False)]
    down = replace(
        LATITUDE, down=((at(-0.1), at(60)),), kills=(at(-0.1),), starts=(at(-1), at(59.9)), ends=(at(-0.1),)
    )
    mails = [
        mail(60, "2/reminder/1/customer"),
        mail(84, "2/reminder/2/customer"),
        mail(84, "2/owner_alert/stuck/owner:desk", to="desk@example.com"),
    ]
    up = [event(0, "shipped"), event(50, "in_production", notify=False)]
    assert Kind.LOST not in found(plan, mails, events, down)
    assert Kind.LOST in found(plan, mails, up)


def test_a_reminder_before_its_deadline_is_early(plan: Plan) -> None:
    early = replace(MAILS[2], at=at(58.4))
    assert Kind.EARLY in found(plan, [*MAILS[:2], early, *MAILS[3:]])


def test_a_reminder_after_the_told_date_is_over_it(plan: Plan) -> None:
    late = replace(MAILS[2], at=at(58.5) + timedelta(seconds=20))
    assert found(plan, [*MAILS[:2], late, *MAILS[3:]]) >= {Kind.OVER_TOLD_DATE}


def test_an_outage_explains_a_late_reminder_but_not_a_missing_one(plan: Plan) -> None:
    down = replace(LATITUDE, down=((at(58), at(59)),), kills=(at(58),), starts=(at(-1), at(58.9)), ends=(at(58),))
    late = [*MAILS[:2], mail(58.95, "2/reminder/1/customer"), *MAILS[3:]]
    assert Kind.OVER_TOLD_DATE not in found(plan, late, latitude=down)
    later = [*MAILS[:2], mail(60, "2/reminder/1/customer"), *MAILS[3:]]
    assert Kind.OVER_TOLD_DATE in found(plan, later, latitude=down)


def test_a_reminder_after_a_final_status_is_found(plan: Plan) -> None:
    events = [event(0, "shipped"), event(1, "delivered")]
    mails = [mail(0, "1/update/1/customer"), mail(1, "2/update/1/customer")]
    assert found(plan, mails, events) == set()
    assert found(plan, [mails[0], mails[1], mail(48, "1/reminder/1/customer")], events) >= {
        Kind.OUT_OF_ORDER,
        Kind.STALE,
    }
    silent_end = [events[0], event(1, "delivered", notify=False)]
    assert found(plan, mails[:1], silent_end) == set()
    assert found(plan, [mails[0], mail(34.5, "1/reminder/1/customer")], silent_end) == {Kind.STALE, Kind.EARLY}
    assert found(plan, [mails[0], mail(58.5, "1/reminder/1/customer")], silent_end) == {Kind.STALE}


def test_what_lay_unread_at_a_start_is_taken_in_before_anything_is_sent(plan: Plan) -> None:
    second = 1 / 3600
    events = [event(0, "shipped"), event(48 - 4 * second, "delivered", notify=False)]
    mails = [mail(0, "1/update/1/customer"), mail(48, "1/reminder/1/customer")]
    assert found(plan, mails, events) == set()  # it may have been on its way
    kill, start, ready = at(48 - 10 * second), at(48 - 2 * second), at(48 + second)
    latitude = replace(LATITUDE, down=((kill, ready),), kills=(kill,), starts=(at(-1), start), ends=(kill,))
    assert found(plan, mails, events, latitude) == {Kind.STALE}


def test_a_reminder_beyond_the_last_is_unexpected(plan: Plan) -> None:
    events = [event(0, "in_production")]
    mails = [
        mail(0, "1/update/1/customer"),
        mail(46, "1/reminder/1/customer"),
        mail(70, "1/reminder/2/customer"),
        mail(70, "1/owner_alert/stuck/owner:desk", to="desk@example.com"),
    ]
    events = [event(-2, "in_production")]
    mails[0] = mail(-2, "1/update/1/customer")
    assert found(plan, mails, events) == set()
    assert found(plan, [*mails, mail(118, "1/reminder/3/customer")], events) == {Kind.UNEXPECTED}


def test_two_mails_where_one_was_asked_for(plan: Plan) -> None:
    assert Kind.UNEXPECTED in found(plan, [*MAILS, mail(101, "4/update/2/customer")])
    stranger = replace(MAILS[0], message_id="<1@elsewhere.example>")
    assert Kind.UNEXPECTED in found(plan, [*MAILS, stranger])


def test_a_mail_to_somebody_else_has_the_wrong_recipient(plan: Plan) -> None:
    assert found(plan, [replace(MAILS[0], to="eve@customers.example"), *MAILS[1:]]) == {Kind.WRONG_RECIPIENT}


def test_a_mail_in_quiet_hours_is_found(plan: Plan) -> None:
    assert Kind.IN_QUIET_HOURS in found(plan, [MAILS[0], mail(12, "2/update/1/customer"), *MAILS[2:]]) | found(
        plan, [MAILS[0], mail(12.5, "2/update/1/customer"), *MAILS[2:]]
    )


def test_an_untold_episode_keeps_the_told_date(plan: Plan) -> None:
    events = [event(0, "confirmed"), event(20, "shipped", notify=False), event(25, "delivered")]
    mails = [MAILS[0], mail(24, "2/reminder/1/customer"), mail(25, "3/update/1/customer")]
    assert found(plan, mails, events) == set()
    assert found(plan, [mails[0], mails[2]], events) == {Kind.OVER_TOLD_DATE}


def test_a_mail_about_what_is_not_to_be_told_is_unexpected(plan: Plan) -> None:
    events = [event(0, "shipped", notify=False), event(1, "delivered", notify=False)]
    assert found(plan, [], events) == set()
    assert found(plan, [mail(0, "1/update/1/customer")], events) == {Kind.UNEXPECTED}
    old = [event(100, "shipped", occurred_at=at(20).isoformat()), event(101, "delivered", notify=False)]
    assert found(plan, [], old) == set()
    assert found(plan, [mail(100, "1/update/1/customer")], old) == {Kind.UNEXPECTED}


def test_events_out_of_order_and_again(plan: Plan) -> None:
    events = [
        event(1, "shipped"),
        event(1.1, "confirmed", occurred_at=at(0.5).isoformat()),
        event(1.2, "shipped", id="shipped-1", occurred_at=at(1).isoformat()),
        event(2, "delivered"),
    ]
    mails = [mail(1, "1/update/1/customer"), mail(2, "2/update/1/customer")]
    assert found(plan, mails, events) == set()
    assert found(plan, [mails[0], mail(1.1, "2/update/1/customer"), mails[1]], events) >= {Kind.UNEXPECTED}


def test_a_moved_promise_and_a_new_reason(plan: Plan) -> None:
    events = [
        event(0, "shipped", promised_at="2026-03-09"),
        event(1, "shipped", promised_at="2026-03-12"),
        event(2, "shipped", promised_at="2026-03-12"),
        event(3, "shipped", reason="The lorry broke down."),
        event(4, "delivered"),
    ]
    mails = [
        mail(0, "1/update/1/customer"),
        mail(1, "1/promise_moved/1/customer"),
        mail(3, "1/update/2/customer"),
        mail(4, "2/update/1/customer"),
    ]
    assert found(plan, mails, events) == set()
    assert found(plan, [mails[0], *mails[2:]], events) == {Kind.LOST}
    assert found(plan, [*mails[:2], mails[3]], events) == {Kind.LOST}
    assert found(plan, [*mails[:2], mail(2, "1/promise_moved/2/customer"), *mails[2:]], events) == {Kind.UNEXPECTED}


def test_a_promise_moved_and_moved_back(plan: Plan) -> None:
    def moves(hours: float) -> list[Published]:
        return [
            event(0, "shipped", promised_at="2026-03-09"),
            event(1, "shipped", promised_at="2026-03-12"),
            event(1 + hours, "shipped", promised_at="2026-03-09"),
            event(4, "delivered"),
        ]

    first, last = mail(0, "1/update/1/customer"), mail(4, "2/update/1/customer")
    assert found(plan, [first, last], moves(0.0003)) == set()
    assert found(plan, [first, last], moves(1)) == {Kind.LOST}
    there, back = mail(1, "1/promise_moved/1/customer"), mail(2, "1/promise_moved/2/customer")
    assert found(plan, [first, there, back, last], moves(1)) == set()
    assert found(plan, [first, there, last], moves(1)) == {Kind.LOST}


def test_an_unknown_status_is_told_to_its_owner(plan: Plan) -> None:
    events = [event(0, "lost_at_sea"), event(1, "lost_at_sea"), event(2, "delivered")]
    alert = mail(0, "1/owner_alert/unknown_status/owner:desk", to="desk@example.com")
    last = mail(2, "2/update/1/customer")
    assert found(plan, [alert, last], events) == set()
    assert found(plan, [last], events) == {Kind.LOST}
    assert Kind.UNEXPECTED in found(plan, [alert, mail(0, "1/update/1/customer"), last], events)


def test_alerts_of_a_kind_are_told_together_an_hour_later(plan: Plan) -> None:
    def orders(name: str) -> list[Published]:
        to = f"{name.lower()}@customers.example"
        rows = [event(hour, status) for hour, status in ((0.1, "lost_at_sea"), (2, "delivered"))]
        return [
            replace(row, event={**row.event, "order_id": name, "id": f"{name}-{n}", "customer": {"email": to}})
            for n, row in enumerate(rows)
        ]

    def told(name: str, hours: float, *lists: str) -> Received:
        key = f"{name}/1/owner_alert/unknown_status/owner:desk"
        return replace(
            mail(hours, "1/owner_alert/unknown_status/owner:desk", to="desk@example.com"),
            message_id=message_id(key, "example.com"),
            lists=lists,
        )

    names = ("B-1", "B-2", "B-3")
    events = sorted((row for name in names for row in orders(name)), key=lambda row: row.at)
    ends = [
        replace(
            mail(2, "2/update/1/customer", to=f"{name.lower()}@customers.example"),
            message_id=message_id(f"{name}/2/update/1/customer", "example.com"),
        )
        for name in names
    ]
    first = told("B-1", 0.1)
    assert found(plan, [first, told("B-2", 1.1, "B-2", "B-3"), *ends], events) == set()
    assert found(plan, [first, told("B-2", 1.1, "B-2"), *ends], events) == {Kind.LOST}
    assert found(plan, [first, told("B-2", 1.5, "B-2", "B-3"), *ends], events) == {Kind.LATE, Kind.LOST}
    assert found(plan, [first, told("B-2", 0.5, "B-2", "B-3"), *ends], events) == {Kind.EARLY}
    assert found(plan, [first, told("B-2", 0.1), told("B-3", 0.1), *ends], events) == {Kind.EARLY}
    assert found(plan, [told("B-1", 1.1, "B-1", "B-2", "B-3"), *ends], events) == {Kind.LATE, Kind.LOST}


def test_every_update_of_a_reopened_order_is_missed_if_lost(plan: Plan) -> None:
    events = [event(0, "delivered"), event(5, "shipped"), event(6, "delivered")]
    mails = [mail(0, "1/update/1/customer"), mail(5, "2/update/1/customer"), mail(6, "3/update/1/customer")]
    assert found(plan, mails, events) == set()
    assert found(plan, [mails[0], mails[2]], events) == {Kind.LOST}


def sums(events: Mapping[str, int], states: Mapping[str, int], *, dead: int = 0) -> Counts:
    return Counts(
        events={"read": sum(events.values()) + dead, "by_reason": events, "dead_letters": dead},
        notifications={"decided": sum(states.values()), "by_state": states},
    )


def test_counts_that_do_not_add_up_are_found(plan: Plan) -> None:
    right = sums({"entered": 4}, {"sent": 7, "dropped": 1})
    assert found(plan, MAILS, counts=right) == set()
    for wrong in (
        sums({"entered": 3}, {"sent": 7}),
        sums({"entered": 3, "repeated": 1}, {"sent": 7}),
        sums({"entered": 4, "already_seen": 1}, {"sent": 7}),
        sums({"entered": 4}, {"sent": 6}),
        sums({"entered": 4}, {"sent": 7, "queued": 1}),
        replace(right, events={**right.events, "read": 5}),
        replace(right, notifications={**right.notifications, "decided": 7}),
    ):
        assert found(plan, MAILS, counts=wrong) == {Kind.COUNTS}, wrong
    killed = replace(LATITUDE, kills=(at(1),))
    assert found(plan, MAILS, latitude=killed, counts=sums({"entered": 4, "already_seen": 2}, {"sent": 7})) == set()


def test_a_mail_that_no_record_asks_for_is_unexpected(plan: Plan) -> None:
    events = [event(0, "shipped"), event(26, "delivered")]
    mails = [mail(0, "1/update/1/customer"), mail(26, "2/update/1/customer")]
    for key in ("1/update/2/customer", "2/update/3/customer", "3/update/1/customer", "1/promise_moved/1/customer"):
        came = sorted([*mails, mail(26.1, key)], key=lambda it: it.at)
        assert Kind.UNEXPECTED in found(plan, came, events)


def test_a_reason_may_be_told_again_after_a_late_record_ended_the_stay_that_it_was_of(plan: Plan) -> None:
    events = [
        event(0, "shipped"),
        event(1, "shipped", reason="The ferry did not sail."),
        event(3, "shipped"),
        event(4, "cancelled", occurred_at=at(2).isoformat()),
        event(5, "shipped", reason="The ferry did not sail."),
    ]
    told = [mail(0, "1/update/1/customer"), mail(1, "1/update/2/customer")]
    again = mail(5, "1/update/3/customer")
    until = Latitude(until=at(6))
    assert not found(plan, [*told, again], events, until)
    assert not found(plan, told, events, until)
    assert found(plan, [*told, again], [it for it in events if it.event["status"] == "shipped"], until)
