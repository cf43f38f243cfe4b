"""`avisa why`: a person's reading of an order."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console

from avisa.cli.views import why
from avisa.core.model import Alert, Purpose, Reason, State
from avisa.core.plan import Plan, Remind
from avisa.ports import Entry, History
from tests import builders
from tests.cli.histories import a_history, a_row, at
from tests.cli.test_command import Avisa, asked, kept

__all__ = ["asked", "kept"]


def plan(**fields: object) -> Plan:
    return builders.plan(builders.touchpoint("confirmed"), builders.touchpoint("in_production", **fields))


def silent(**fields: object) -> History:
    """Told, reminded once, and nothing waits."""
    history = a_history()
    settled = tuple(row for row in history.outbox if row.settled_at is not None)
    known = {"deadline": at(10, 9), "reminders": 1, "counted_from": at(8, 9)} | fields
    return replace(history, order=replace(history.order, **known), outbox=settled)


def test_each_line_says_what_was_told_or_why_it_was_not() -> None:
    document = why.why_json(a_history(), plan())
    assert [(line["at"][:16], line["told"], line["reason"], line["text"]) for line in document["entries"]] == [
        ("2026-03-02T10:01", True, "entered", "the customer was told of “confirmed”: a new status"),
        ("2026-03-02T11:00", False, "repeated", "“confirmed” came, and nobody was told: nothing new to tell"),
        ("2026-03-03T09:06", True, "entered", "the customer was told of “in_production”: a new status"),
        (
            "2026-03-05T09:00",
            True,
            "window_passed",
            "the customer was told that it is still “in_production”: no news within the window",
        ),
        (
            "2026-03-07T22:00",
            False,
            "quiet_hours",
            "the customer is to be told that it is still “in_production”: waits until the quiet hours are over",
        ),
        (
            "2026-03-07T22:00",
            False,
            "no_address",
            "the owner production was not told that the order is stuck: there is no address",
        ),
    ]
    assert document["order_id"] == "A-1042"


def test_what_waits_comes_next() -> None:
    history = a_history()
    rows = tuple(
        replace(row, notification=replace(row.notification, not_before=at(8, 7)))
        if row.notification.state is State.HELD
        else row
        for row in history.outbox
    )
    assert why.why_json(replace(history, outbox=rows), plan())["next"] == {
        "at": "2026-03-08T07:00:00Z",
        "what": "the customer is told that it is still “in_production”;"
        " until then: waits until the quiet hours are over",
    }


def test_the_deadline_comes_next_with_what_the_plan_says_then() -> None:
    remind = Remind(then_every=builders.hours_span(48), at_most=2)
    assert why.why_json(silent(), plan())["next"] == {
        "at": "2026-03-10T09:00:00Z",
        "what": "the customer is told that it is still “in_production”, unless news comes before",
    }
    assert why.why_json(silent(), plan(remind=remind))["next"]["what"] == (
        "the customer is told that it is still “in_production”, for the last time"
        " and the owner production is told that the order is stuck, unless news comes before"
    )
    spent = silent(reminders=3)
    assert why.why_json(spent, plan(owner=None))["next"]["what"].startswith("the order is stuck, and it has no owner")


def test_nothing_comes_next_of_an_order_that_ended_or_is_stuck() -> None:
    assert why.why_json(silent(final=True, deadline=None), plan())["next"] is None
    assert why.why_json(silent(spent=True, deadline=None), plan())["next"] is None


def test_every_outcome_and_alert_has_its_words() -> None:
    history = a_history()
    for number, alert in enumerate(set(Alert) - {Alert.SEVERAL}):
        for state in State:
            row = a_row(
                Purpose.OWNER_ALERT,
                episode=2,
                seq=10 + number,
                status="in_production",
                decided=at(9, 9),
                reason=Reason.UNKNOWN_STATUS,
                state=state,
                ordinal=str(alert),
                recipient="owner:production",
            )
            line = why.why_json(replace(history, outbox=(row,)), plan())["entries"][-1]
            assert line["told"] is (state in {State.SENT, State.IN_DOUBT})
            assert line["text"].startswith("the owner production ")


def test_an_alert_that_a_list_carried_was_told() -> None:
    row = a_row(
        Purpose.OWNER_ALERT,
        episode=2,
        seq=10,
        status="in_production",
        decided=at(9, 9),
        reason=Reason.LISTED,
        state=State.DROPPED,
        ordinal="stuck",
        recipient="owner:production",
    )
    line = why.why_json(replace(a_history(), outbox=(row,)), plan())["entries"][-1]
    assert (line["told"], line["reason"]) == (True, "listed")
    assert line["text"].startswith("the owner production was told that the order is stuck: told in one mail")


def test_a_person_reads_it_line_by_line() -> None:
    history = a_history()
    odd = Entry(
        order_id="A-1042",
        at=at(2, 12),
        kind="event",
        reason=Reason.REPEATED,
        status="\x1b[31mred",
        note="cut: reason",
    )
    console = Console(width=110)
    with console.capture() as captured:
        console.print(why.why(why.why_json(replace(history, entries=(odd,)), plan())))
    shown = captured.get()
    assert "\x1b[31m" not in shown
    assert "2 Mar 2026 10:01 UTC ✓ the customer was told of “confirmed”: a new status" in shown
    assert "nothing new to tell (cut: reason)" in shown
    assert "Next, on " in shown


def test_an_order_of_the_store_is_read_by_the_plan_of_the_folder_before_any_was_in_force(
    asked: Avisa, kept: object
) -> None:
    ended = asked("why", "A-1", "--json")
    assert ended.code == 0, ended.err
    assert set(ended.json) == {"order_id", "entries", "next"}
    assert ended.json["order_id"] == "A-1"
    assert ended.json["next"]["what"].startswith("the customer is told of ")
    assert asked("why", "A-2").code == 1


def test_a_message_says_by_when_the_customer_hears_again() -> None:
    history = a_history()
    told = replace(history.outbox[0], notification=replace(history.outbox[0].notification, next_update=at(4, 10)))
    line = why.why_json(replace(history, outbox=(told,), entries=()), plan())["entries"][0]
    assert line["text"].endswith("a new status; they hear again by 4 Mar 2026 10:00 UTC")
    assert line["at"] == "2026-03-02T10:01:00Z"
