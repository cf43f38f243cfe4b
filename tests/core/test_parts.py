"""The parts of an order: each has a status of its own, and the order the one that holds it back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from avisa.core import context, facts, parts
from avisa.core.model import Notification, Purpose, Reason, State
from avisa.core.plan import Plan
from avisa.core.promise import PromiseState
from tests.builders import event, hours_span, plan, touchpoint
from tests.core.harness import START, World

H = timedelta(hours=1)
PLAN = plan(
    touchpoint("confirmed"),
    touchpoint("in_production", window=hours_span(72)),
    touchpoint("shipped"),
    touchpoint("delivered", final=True, fulfils_promise=True),
    touchpoint("cancelled", final=True),
)


class Shop:
    """A world in which things happen an hour apart, and are sent at once unless it is `night`."""

    def __init__(self, plan: Plan = PLAN) -> None:
        self.world = World(plan, now=START)
        self.number = 0
        self.night = False

    def take(self, status: str, part: object = None, *, at: datetime | None = None, **said: object) -> Reason:
        self.number += 1
        self.world.now += H
        reason = self.world.take(event(status, at or self.world.now, self.number, part=part, **said))
        if not self.night:
            self.world.settle()
        return reason

    @property
    def status(self) -> str:
        assert self.world.order is not None
        return self.world.order.status

    @property
    def statuses(self) -> dict[str, str]:
        """Of each part, by id."""
        order = self.world.order
        assert order is not None and order.parts is not None
        return {part.id: parts.newest(part, order)[1] for part in order.parts.known}

    def mails(self) -> list[tuple[str, Any]]:
        """What the customer read, as it would be written now: the status, and which parts of how many."""
        return [(mail.status, of(self.variables(mail))) for mail in self.world.sent if mail.to_customer]

    def variables(self, mail: Notification) -> dict[str, Any]:
        order = self.world.loaded()
        assert order is not None
        return context.build(order, mail, self.world.plan, self.world.now, facts.view(order))

    def last(self) -> tuple[str, Any]:
        """The newest mail, of which the order still knows what it told."""
        return self.mails()[-1]


def of(variables: dict[str, Any]) -> str | None:
    part = variables.get("part")
    return None if part is None else f"{', '.join(map(str, part['numbers']))} of {part['of']}"


def test_each_part_tells_its_own_news_and_the_order_stays_where_its_first_part_is() -> None:
    shop = Shop()
    assert shop.take("in_production") is Reason.ENTERED
    assert shop.last() == ("in_production", None)
    assert shop.take("shipped", "A", of=3) is Reason.ENTERED
    assert shop.last() == ("shipped", "1 of 3")
    assert shop.take("shipped", "B") is Reason.ENTERED
    assert shop.last() == ("shipped", "2 of 3")
    assert shop.status == "in_production", "the third was not shipped yet"
    assert shop.take("delivered", "B") is Reason.ENTERED
    assert shop.last() == ("delivered", "2 of 3")
    shop.take("shipped", "C")
    assert shop.last() == ("shipped", "3 of 3")
    assert shop.status == "shipped"
    shop.take("delivered", "A")
    shop.take("delivered", "C")
    assert shop.last() == ("delivered", "3 of 3")
    order = shop.world.order
    assert order is not None and order.final and order.status == "delivered"
    assert order.deadline is None
    assert [mail.status for mail in shop.world.sent] == [
        "in_production", "shipped", "shipped", "delivered", "shipped", "delivered", "delivered",
    ]  # fmt: skip


def test_an_event_without_a_part_speaks_of_all_that_it_outranks() -> None:
    shop = Shop()
    shop.take("in_production")
    shop.take("shipped", "A", of=3)
    shop.take("delivered", "A")
    assert shop.take("cancelled", at=shop.world.now + 30 * timedelta(minutes=1)) is Reason.ENTERED
    assert shop.statuses == {"A": "cancelled"}
    assert shop.last() == ("cancelled", None), "of all three, named or not"
    order = shop.world.order
    assert order is not None and order.final


def test_a_part_that_knows_better_is_not_cancelled_with_the_others() -> None:
    shop = Shop()
    shop.take("in_production")
    shop.take("shipped", "A", of=2)
    shop.take("shipped", "B")
    before = shop.world.now + H / 2
    shop.take("delivered", "A")
    assert shop.take("cancelled", at=before) is Reason.ENTERED
    assert shop.statuses == {"A": "delivered", "B": "cancelled"}
    assert shop.last() == ("cancelled", "2 of 2")
    assert shop.status == "delivered", "of final statuses the one that the plan has first"


def test_an_older_event_of_a_part_is_not_told() -> None:
    shop = Shop()
    shop.take("shipped", "A", of=2)
    shop.take("delivered", "B")
    late = shop.world.now - H / 2
    assert shop.take("confirmed", "B", at=late) is Reason.OLDER_THAN_KNOWN
    assert shop.take("delivered", "A", at=late) is Reason.ENTERED, "older than B's newest, but not than A's"
    assert shop.statuses == {"A": "delivered", "B": "delivered"}


def test_a_new_part_was_told_with_the_whole_order() -> None:
    shop = Shop()
    shop.take("in_production")
    assert shop.take("in_production", "A") is Reason.REPEATED
    assert len(shop.world.sent) == 1


def test_a_part_with_another_reason_is_told_again_and_its_reason_is_not_that_of_another() -> None:
    shop = Shop()
    shop.take("in_production")
    shop.take("shipped", "A", of=2, reason="The lorry broke down.")
    shop.take("shipped", "B")
    assert "reason" not in shop.variables(shop.world.sent[-1])
    assert shop.take("shipped", "A", reason="The lorry broke down.") is Reason.REPEATED
    assert shop.take("shipped", "A", reason="It is on another lorry.") is Reason.FACTS_CHANGED
    mail = shop.world.sent[-1]
    assert shop.last() == ("shipped", "1 of 2")
    assert shop.variables(mail)["reason"] == "It is on another lorry."


def test_a_mail_about_one_part_has_its_own_details() -> None:
    shop = Shop()
    shop.take("in_production", details__number="1042")
    shop.take("shipped", "A", of=2, details__tracking="RR1")
    first = shop.world.sent[-1]
    shop.take("shipped", "B", details__tracking="RR2")
    second = shop.world.sent[-1]
    assert shop.variables(first)["order"]["tracking"] == "RR1"
    assert shop.variables(second)["order"]["tracking"] == "RR2"
    assert shop.variables(first)["order"]["number"] == "1042"


def test_the_progress_in_a_mail_about_one_part_is_that_of_the_part() -> None:
    def states(mail: Notification) -> list[str]:
        return [stage["state"] for stage in shop.variables(mail)["progress"]]

    shop = Shop()
    shop.take("confirmed")
    shop.take("in_production")
    shop.take("shipped", "A", of=2)
    assert states(shop.world.sent[-1]) == ["done", "done", "now", "next"]
    shop.take("in_production", "B", reason="The glaze dries.")
    assert states(shop.world.sent[-1]) == ["done", "now", "next", "next"]
    shop.take("cancelled", "B")
    last = shop.variables(shop.world.sent[-1])["progress"]
    assert [stage["status"] for stage in last] == ["confirmed", "in_production", "cancelled"]


def test_a_detail_that_is_news_is_held_against_that_of_the_same_part() -> None:
    shop = Shop(plan(touchpoint("shipped", news=("tracking",)), touchpoint("delivered", final=True)))
    shop.take("shipped", "A", of=2, details__tracking="RR1")
    shop.take("shipped", "B", details__tracking="RR2")
    assert shop.take("shipped", "A", details__tracking="RR1") is Reason.REPEATED
    assert shop.take("shipped", "A", details__tracking="RR3") is Reason.FACTS_CHANGED


def test_parts_that_arrive_while_a_mail_waits_are_told_by_it() -> None:
    shop = Shop()
    shop.take("in_production")
    shop.night = True
    shop.take("shipped", "A", of=3)
    shop.take("shipped", "B")
    shop.world.settle()
    assert shop.mails()[1:] == [("shipped", "1, 2 of 3")]
    shop.take("shipped", "C")
    shop.take("delivered", "C")
    shop.world.settle()
    assert shop.mails()[2:] == [("delivered", "3 of 3")]


def test_one_mail_speaks_of_the_order_where_all_its_parts_have_come() -> None:
    shop = Shop()
    shop.take("in_production")
    shop.night = True
    for part in "ABC":
        shop.take("shipped", part, of=3)
    shop.world.settle()
    assert shop.mails()[1:] == [("shipped", None)]
    assert shop.status == "shipped"


def test_what_waits_about_a_part_is_dropped_when_it_is_back_where_the_customer_knows_it() -> None:
    shop = Shop()
    shop.take("shipped", "A", of=2)
    shop.take("shipped", "B")
    shop.night = True
    shop.take("delivered", "A")
    assert shop.take("shipped", "A") is Reason.REPEATED
    shop.world.settle()
    assert [mail.status for mail in shop.world.sent] == ["shipped", "shipped"]
    order = shop.world.order
    assert order is not None and order.deadline is not None


def test_a_mail_about_parts_that_nobody_named_yet_has_their_numbers_too() -> None:
    shop = Shop()
    shop.take("confirmed")
    late = shop.world.now + H / 2
    shop.take("in_production", "A", of=4)
    shop.night = True
    assert shop.take("in_production", at=late) is Reason.ENTERED, "of the three others"
    assert shop.take("in_production", "B") is Reason.REPEATED
    shop.world.settle()
    assert shop.last() == ("in_production", "2, 3, 4 of 4")
    shop.night = False
    assert shop.take("in_production", "C") is Reason.REPEATED
    assert shop.take("shipped", "C") is Reason.ENTERED
    assert shop.last() == ("shipped", "3 of 4")


def test_a_mail_about_the_parts_that_nobody_named_yet_does_not_speak_of_the_whole_order() -> None:
    shop = Shop()
    shop.take("confirmed")
    shop.take("shipped", "A", of=3)
    late = shop.world.now + H / 2
    shop.take("delivered", "A")
    assert shop.take("cancelled", at=late) is Reason.ENTERED
    assert shop.last() == ("cancelled", "2, 3 of 3"), "nobody takes back the parcel that has arrived"


def test_a_mail_about_the_parts_that_nobody_named_yet_has_reason_and_progress_of_the_order() -> None:
    shop = Shop()
    shop.take("confirmed")
    shop.take("shipped", "A", of=3, reason="The lorry broke down.")
    shop.take("in_production", reason="The glaze dries.")
    shown = shop.variables(shop.world.sent[-1])
    assert (shown["part"]["id"], shown["part"]["number"], shown["part"]["numbers"]) == ("", 2, [2, 3])
    assert shown["reason"] == "The glaze dries."
    assert [stage["state"] for stage in shown["progress"]] == ["done", "now", "next", "next"]


def test_a_waiting_mail_that_takes_in_the_parts_that_nobody_named_says_so() -> None:
    shop = Shop()
    shop.take("confirmed")
    shop.take("shipped", "A", of=4)
    shop.night = True
    shop.take("in_production", "B")
    assert shop.take("in_production") is Reason.ENTERED
    shop.world.settle()
    assert shop.mails()[2:] == [("in_production", "2, 3, 4 of 4")]


def test_a_waiting_mail_does_not_speak_of_parts_that_went_on_before_anybody_named_them() -> None:
    shop = Shop()
    shop.take("confirmed", "A", of=3)
    shop.night = True
    shop.take("in_production")
    late = shop.world.now + H / 2
    shop.take("in_production", "A")
    shop.take("shipped", at=late)
    shop.world.settle()
    assert shop.mails()[1:] == [("in_production", "1 of 3"), ("shipped", "2, 3 of 3")]


def test_a_mail_that_waited_when_the_first_part_was_named_speaks_of_the_others() -> None:
    shop = Shop()
    shop.take("confirmed")
    shop.night = True
    shop.take("in_production")
    shop.take("shipped", "A", of=3)
    shop.world.settle()
    assert shop.mails()[1:] == [("in_production", "2, 3 of 3"), ("shipped", "1 of 3")]


def test_a_mail_about_the_order_does_not_count_its_only_part() -> None:
    shop = Shop()
    shop.take("confirmed")
    shop.night = True
    shop.take("in_production")
    shop.take("in_production", "A")
    shop.world.settle()
    assert shop.last() == ("in_production", None), "that there is only one nobody said"
    shop.take("in_production", "B", of=2)
    shop.take("shipped", "B")
    shop.world.settle()
    assert shop.mails()[2:] == [("shipped", "2 of 2")]


def test_a_mail_that_waits_about_the_order_is_dropped_when_its_only_part_is_where_the_customer_knows_it() -> None:
    shop = Shop()
    shop.take("shipped")
    shop.night = True
    shop.take("cancelled")
    assert shop.take("shipped", "A") is Reason.REPEATED
    shop.world.settle()
    assert [mail.status for mail in shop.world.sent] == ["shipped"]
    order = shop.world.order
    assert order is not None and not order.final and order.deadline is not None


def test_a_mail_that_waits_about_the_order_tells_of_a_part_that_is_named_after_a_repeat() -> None:
    shop = Shop()
    shop.take("confirmed", "A")
    late = shop.world.now + H / 2
    shop.night = True
    shop.take("shipped")
    shop.take("shipped")
    assert shop.take("confirmed", "B", at=late) is Reason.OLDER_THAN_KNOWN
    shop.world.settle()
    assert shop.mails()[1:] == [("shipped", None)]


def test_a_part_is_told_although_another_one_goes_on() -> None:
    shop = Shop()
    shop.take("in_production")
    shop.night = True
    shop.take("shipped", "A", of=2)
    shop.take("shipped", "B")
    shop.take("delivered", "B")
    shop.world.settle()
    assert [mail.status for mail in shop.world.sent[1:]] == ["shipped", "delivered"]
    assert shop.mails()[1:] == [("shipped", "1 of 2"), ("delivered", "2 of 2")]


def test_always_tells_a_part_of_each_status() -> None:
    shop = Shop(plan(touchpoint("shipped", always=True), touchpoint("delivered", final=True)))
    shop.night = True
    shop.take("shipped", "A", of=2)
    shop.take("delivered", "A")
    shop.world.settle()
    assert shop.mails() == [("shipped", "1 of 2"), ("delivered", "1 of 2")]


def test_a_part_that_ended_unheard_makes_its_waiting_news_stale() -> None:
    shop = Shop()
    shop.take("in_production")
    shop.night = True
    shop.take("shipped", "A", of=2)
    shop.take("cancelled", "A", notify=False)
    shop.world.settle()
    assert [mail.status for mail in shop.world.sent] == ["in_production"]


def test_a_part_that_ended_unheard_is_not_in_the_mail_that_waits_about_others_too() -> None:
    shop = Shop()
    shop.take("shipped", "A", of=2)
    shop.take("shipped", "B")
    shop.night = True
    shop.take("cancelled")
    shop.take("delivered", "A", notify=False)
    shop.world.settle()
    assert shop.mails()[2:] == [("cancelled", "2 of 2")]
    assert shop.take("cancelled", "A") is Reason.ENTERED, "of this parcel the customer did not read it"
    shop.world.settle()
    assert shop.mails()[3:] == [("cancelled", "1 of 2")]


def test_a_status_that_is_told_once_is_told_of_the_first_part_only() -> None:
    shop = Shop(plan(touchpoint("shipped", once=True), touchpoint("delivered", final=True)))
    shop.take("shipped", "A", of=2)
    assert shop.take("shipped", "B") is Reason.REPEATED
    assert len(shop.world.sent) == 1


def test_the_owner_learns_of_a_part_in_a_status_that_is_not_in_the_plan() -> None:
    shop = Shop()
    shop.take("in_production")
    assert shop.take("teleported", "A", of=2) is Reason.UNKNOWN_STATUS
    alert = shop.world.sent[-1]
    assert (alert.purpose, alert.status) == (Purpose.OWNER_ALERT, "teleported")
    assert shop.status == "in_production"
    shop.take("teleported", "B")
    assert shop.status == "teleported"


def test_reminders_are_those_of_the_order() -> None:
    shop = Shop()
    shop.take("in_production")
    shop.take("shipped", "A", of=2)
    shop.world.live(timedelta(hours=73))
    reminder = shop.world.sent[-1]
    assert (reminder.purpose, reminder.status) == (Purpose.REMINDER, "in_production")
    assert "part" not in shop.variables(reminder)
    assert reminder.due == START + 2 * H + timedelta(hours=72), "from the mail about the first parcel on"


def test_an_order_of_which_only_parts_are_spoken_waits_for_those_that_nobody_named() -> None:
    shop = Shop()
    shop.take("shipped", "A", of=2, promised_at="2026-03-04")
    shop.take("delivered", "A")
    order = shop.world.order
    assert order is not None and order.promise is not None
    assert (order.status, order.final) == ("shipped", False), "where it was first heard of"
    assert order.deadline is not None, "the customer waits for the second"
    assert order.promise.state is PromiseState.OPEN
    shop.take("delivered", "B")
    order = shop.world.order
    assert order is not None and order.final and order.promise is not None
    assert order.promise.state is PromiseState.KEPT


def test_parts_that_nobody_named_are_at_the_first_status_of_the_plan_if_all_that_was_heard_is_an_end() -> None:
    shop = Shop()
    shop.take("delivered", "A", of=2)
    assert (shop.status, shop.last()) == ("confirmed", ("delivered", "1 of 2"))
    shop.world.live(timedelta(days=3))
    assert shop.world.sent[-1].purpose is Purpose.REMINDER


def test_a_mail_about_very_many_parts_lists_some() -> None:
    shop = Shop()
    shop.take("in_production")
    shop.night = True
    for number in range(1, 151):
        shop.take("shipped", f"P{number}", of=200)
    shop.world.settle()
    assert shop.last() == ("shipped", "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …, 150 of 200")


def test_the_promise_is_kept_with_the_last_part() -> None:
    shop = Shop()
    shop.take("in_production", promised_at="2026-03-04")
    shop.take("shipped", "A", of=2)
    shop.take("delivered", "A")
    order = shop.world.order
    assert order is not None and order.promise is not None
    assert order.promise.state is PromiseState.OPEN
    shop.take("delivered", "B")
    order = shop.world.order
    assert order is not None and order.promise is not None
    assert order.promise.state is PromiseState.KEPT
    assert order.promise.fulfilled_at == shop.world.now


def test_the_promise_is_broken_by_the_part_that_came_last_whatever_arrived_last() -> None:
    shop = Shop()
    shop.take("in_production", promised_at=(START + 3 * H).isoformat())
    shop.take("shipped", "A", of=2)
    shop.take("shipped", "B")
    in_time = START + 2.6 * H
    shop.take("delivered", "B")
    late = shop.world.now
    shop.take("delivered", "A", at=in_time)
    assert shop.take("delivered", "A", at=shop.world.now) is Reason.REPEATED
    order = shop.world.order
    assert order is not None and order.promise is not None
    assert (order.promise.state, order.promise.fulfilled_at) == (PromiseState.BROKEN, late)


def test_a_promise_is_kept_where_the_others_were_delivered_and_one_was_cancelled() -> None:
    shop = Shop()
    shop.take("in_production", promised_at="2026-03-04")
    shop.take("delivered", "A", of=2)
    shop.take("cancelled", "B")
    order = shop.world.order
    assert order is not None and order.promise is not None
    assert (order.status, order.promise.state) == ("delivered", PromiseState.KEPT)


def test_a_later_part_opens_an_order_again() -> None:
    shop = Shop()
    shop.take("delivered", "A")
    assert shop.world.order is not None and shop.world.order.final
    assert shop.take("shipped", "B") is Reason.ENTERED
    assert not shop.world.order.final and shop.status == "shipped"
    assert shop.last() == ("shipped", "2 of 2")


def test_the_news_of_a_part_is_told_again_once_there_is_an_address() -> None:
    shop = Shop()
    shop.world.asks_for_address = True
    shop.take("shipped", "A", of=2)
    shop.take("shipped", "A")
    assert shop.world.told() == []
    assert shop.take("shipped", "B", customer__email="ana@example.pt") is Reason.ENTERED
    assert shop.last() == ("shipped", None), "of both"


def test_what_an_order_keeps_of_parts_has_an_end() -> None:
    shop = Shop()
    shop.take("shipped", "first", of=2)
    for number in range(210):
        shop.take("delivered", f"P{number}")
    assert shop.world.order is not None and shop.world.order.parts is not None
    assert len(shop.world.order.parts.known) == 200
    assert shop.world.order.parts.named == 211
    assert shop.statuses["first"] == "shipped", "one that has not ended is not forgotten for one that has"
    assert shop.status == "shipped"


def test_a_mail_that_went_out_stays_sent() -> None:
    shop = Shop()
    shop.take("shipped", "A", of=2)
    shop.take("delivered", "A")
    assert {row.state for row in shop.world.rows.values()} == {State.SENT}


def test_a_repeated_event_of_the_whole_order_takes_no_part_back() -> None:
    shop = Shop()
    shop.take("in_production", promised_at="2026-03-09")
    shop.take("shipped", "A", of=3)
    shop.take("delivered", "B")
    assert shop.take("in_production", promised_at="2026-03-16") is Reason.FACTS_CHANGED
    assert shop.statuses == {"A": "shipped", "B": "delivered"}
    assert shop.world.sent[-1].purpose is Purpose.PROMISE_MOVED
    assert shop.take("in_production") is Reason.REPEATED
    shop.take("shipped", "C")
    assert shop.take("in_production") is Reason.REPEATED, "and of no part"
    assert (shop.status, shop.statuses["C"]) == ("shipped", "shipped")
    assert shop.take("in_production", reason="The glaze cracked.") is Reason.FACTS_CHANGED
    assert shop.last() == ("shipped", None)
    assert [mail.status for mail in shop.world.sent if mail.purpose is Purpose.UPDATE] == [
        "in_production", "shipped", "delivered", "shipped", "shipped",
    ]  # fmt: skip


def test_the_whole_order_moves_the_parts_that_it_is_ahead_of() -> None:
    shop = Shop()
    shop.take("confirmed", "A", of=2)
    shop.take("shipped", "B")
    assert shop.take("in_production") is Reason.ENTERED
    assert shop.statuses == {"A": "in_production", "B": "shipped"}
    assert shop.last() == ("in_production", "1 of 2")
    assert shop.take("teleported") is Reason.UNKNOWN_STATUS, "it stands behind all"
    assert shop.statuses == {"A": "teleported", "B": "teleported"}


def test_a_part_that_has_ended_is_not_opened_by_the_whole_order() -> None:
    shop = Shop()
    shop.take("cancelled", "A", of=2)
    shop.take("shipped", "B")
    assert shop.take("teleported") is Reason.UNKNOWN_STATUS
    assert shop.statuses == {"A": "cancelled", "B": "teleported"}


def test_an_order_that_is_no_longer_cancelled_has_its_parts_where_they_were() -> None:
    shop = Shop()
    shop.take("in_production")
    shop.take("shipped", "A", of=2)
    shop.take("shipped", "B")
    shop.take("cancelled")
    assert shop.last() == ("cancelled", None)
    assert shop.take("in_production") is Reason.ENTERED
    assert (shop.status, shop.statuses) == ("shipped", {"A": "shipped", "B": "shipped"})
    assert shop.last() == ("shipped", None)


def test_an_older_event_of_the_whole_order_is_older_still() -> None:
    shop = Shop()
    shop.take("shipped", "A", of=1)
    assert shop.take("in_production", at=shop.world.now - H / 2) is Reason.OLDER_THAN_KNOWN


def test_a_parcel_that_was_delivered_is_so_again_once_nothing_is_cancelled_whatever_the_plan_knows() -> None:
    shop = Shop()
    shop.take("delivered", "A", of=2)
    shop.take("cancelled")
    assert shop.take("teleported") is Reason.UNKNOWN_STATUS
    assert (shop.status, shop.statuses) == ("teleported", {"A": "delivered"})
    assert shop.last() == ("delivered", "1 of 2")


def test_an_older_event_may_put_a_part_where_the_whole_order_is() -> None:
    shop = Shop()
    shop.take("shipped", "A")
    late = shop.world.now + H / 2
    assert shop.take("in_production") is Reason.REPEATED
    assert shop.take("confirmed", "A", at=late) is Reason.ENTERED
    assert shop.statuses == {"A": "in_production"}
    assert shop.last()[0] == "in_production"
