"""What events and silence come to, one story a test (docs/design.md, Deciding)."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from avisa.core import decide, facts
from avisa.core.evolve import evolve
from avisa.core.model import Purpose, Reason, State
from avisa.core.plan import Calendar, Events, Plan, QuietHours, Remind, Span
from tests.builders import event, hours_span, plan, touchpoint
from tests.core.harness import START, World

H = timedelta(hours=1)
LISBON = ZoneInfo("Europe/Lisbon")


def local(moment: datetime | None) -> str:
    assert moment is not None
    return moment.astimezone(LISBON).strftime("%a %H:%M")


def shop(**given: object) -> Plan:
    return plan(
        touchpoint("confirmed", window=hours_span(24)),
        touchpoint("in_production"),
        touchpoint("shipped"),
        touchpoint("delivered", final=True),
        **given,
    )


def keys(world: World, purpose: Purpose) -> list[str]:
    return [row.key for row in world.rows.values() if row.purpose is purpose]


# ---------------------------------------------------------------- the guards, in their order


def test_the_first_event_is_told_and_dated() -> None:
    world = World(shop())
    assert world.take(event("confirmed", START, 1)) is Reason.ENTERED
    world.settle()
    assert world.told() == ["confirmed"]
    assert world.sent[0].next_update == START + 24 * H
    assert world.order is not None and world.order.wake_at == START + 24 * H


def test_a_repeated_event_has_no_second_effect() -> None:
    world = World(shop())
    world.take(event("confirmed", START, 1))
    before = world.order
    assert world.take(event("confirmed", START, 1)) is Reason.ALREADY_SEEN
    assert before is not None
    assert world.order == evolve(before, version=before.version + 1)


def test_an_older_event_fills_in_facts_and_is_not_told() -> None:
    world = World(shop())
    world.take(event("shipped", START, 2, details__total="10"))
    assert world.take(event("confirmed", START - H, 1, details__total="9", details__url="https://x.example")) is (
        Reason.OLDER_THAN_KNOWN
    )
    assert world.order is not None and world.order.status == "shipped"
    assert facts.view(world.order) == {"details.total": "10", "details.url": "https://x.example"}


def test_a_repeat_makes_what_lies_between_older() -> None:
    world = World(shop())
    world.take(event("confirmed", START - 3 * H, 1))
    world.take(event("confirmed", START - H, 3))
    assert world.take(event("shipped", START - 2 * H, 2)) is Reason.OLDER_THAN_KNOWN


def test_notify_false_records_without_telling() -> None:
    world = World(shop())
    assert world.take(event("confirmed", START, 1, notify=False)) is Reason.NOT_TO_TELL
    assert world.rows == {}
    assert world.order is not None and world.order.wake_at == START + 24 * H, "the window runs all the same"


def test_what_happened_too_long_ago_is_recorded() -> None:
    world = World(shop())
    assert world.take(event("confirmed", START - 73 * H, 1)) is Reason.TOO_OLD_TO_TELL
    assert World(shop(tell_from=START)).take(event("confirmed", START - H, 1)) is Reason.TOO_OLD_TO_TELL


def test_an_unknown_status_is_told_to_the_owner_once_an_episode() -> None:
    world = World(shop(unknown=touchpoint("unknown", message="generic", owner="production")))
    assert world.take(event("teleported", START, 1)) is Reason.UNKNOWN_STATUS
    assert world.take(event("teleported", START + H / 60, 2, reason="x")) is Reason.UNKNOWN_STATUS
    assert keys(world, Purpose.OWNER_ALERT) == ["A-1/1/owner_alert/unknown_status/owner:production"]
    world.live(50 * H)
    assert world.told(Purpose.REMINDER) == ["teleported"]


def test_an_unknown_status_is_told_to_the_owner_though_the_first_event_asked_not_to() -> None:
    world = World(shop(unknown=touchpoint("unknown", message="generic", owner="production")))
    assert world.take(event("teleported", START, 1, notify=False)) is Reason.NOT_TO_TELL
    assert keys(world, Purpose.OWNER_ALERT) == []
    assert world.take(event("teleported", START + H / 60, 2)) is Reason.UNKNOWN_STATUS
    assert keys(world, Purpose.OWNER_ALERT) == ["A-1/1/owner_alert/unknown_status/owner:production"]


def test_a_first_promise_alone_is_nothing_new() -> None:
    world = World(shop())
    world.take(event("confirmed", START, 1))
    world.settle()
    assert world.take(event("confirmed", START + H / 60, 2, promised_at="2026-03-09")) is Reason.REPEATED


def test_a_moved_promise_is_told_once() -> None:
    world = World(shop())
    world.take(event("confirmed", START, 1, promised_at="2026-03-09"))
    world.settle()
    assert world.take(event("confirmed", START + H / 60, 2, promised_at="2026-03-12")) is Reason.FACTS_CHANGED
    world.settle()
    assert keys(world, Purpose.PROMISE_MOVED) == ["A-1/1/promise_moved/1/customer"]
    assert world.sent[-1].promise_before == "2026-03-09"
    assert world.take(event("confirmed", START + H / 30, 3, promised_at="2026-03-12")) is Reason.REPEATED


def test_a_small_move_is_ignored_until_it_adds_up() -> None:
    world = World(plan(touchpoint("shipped", ignore_moves_under=4 * H)))
    world.take(event("shipped", START, 1, promised_at="2026-03-09T10:00:00+00:00"))
    world.settle()
    assert world.take(event("shipped", START, 2, promised_at="2026-03-09T12:00:00+00:00")) is Reason.REPEATED
    assert world.take(event("shipped", START, 3, promised_at="2026-03-09T14:00:00+00:00")) is Reason.FACTS_CHANGED


def test_a_promise_moved_back_before_it_was_told_leaves_nothing_to_tell() -> None:
    world = World(shop())
    world.take(event("confirmed", START, 1, promised_at="2026-03-09"))
    world.settle()
    told_until = world.order and world.order.told_until
    world.now += H
    world.take(event("confirmed", START + H, 2, promised_at="2026-03-12"))
    world.take(event("confirmed", START + H, 3, promised_at="2026-03-09"))
    world.settle()
    assert world.told(Purpose.PROMISE_MOVED) == []
    assert world.settled["A-1/1/promise_moved/1/customer"] is Reason.SUPERSEDED
    assert world.order is not None and world.order.told_until == told_until, "the date told before still binds"


def test_what_is_taken_back_before_anything_was_told_puts_nothing_off() -> None:
    """The order began in silence, and by when it must be broken counts from there."""
    world = World(shop())
    world.take(event("confirmed", START, 1, notify=False, promised_at="2026-03-09"))
    assert world.order is not None
    due = world.order.deadline
    world.now += H
    world.take(event("confirmed", START + H, 2, promised_at="2026-03-12"))
    world.now += H
    world.take(event("confirmed", START + 2 * H, 3, promised_at="2026-03-09"))
    assert world.told(Purpose.PROMISE_MOVED) == []
    assert world.order.deadline == due


def test_what_is_taken_back_leaves_the_window_of_an_episode_that_began_in_silence() -> None:
    """It ends before the date that was told in the episode before."""
    world = World(shop())
    world.take(event("in_production", START, 1, promised_at="2026-03-09"))
    world.settle()
    for hours, promised_at in ((1, "2026-03-09"), (2, "2026-03-12"), (3, "2026-03-09")):
        world.now = START + hours * H
        world.take(event("confirmed", world.now, 1 + hours, notify=hours > 1, promised_at=promised_at))
    assert world.told(Purpose.PROMISE_MOVED) == []
    assert world.order is not None
    assert (world.order.told_until, world.order.deadline) == (START + 48 * H, START + 25 * H)


def test_what_is_taken_back_brings_no_told_date_nearer() -> None:
    """A move was told, and its date; a second move was taken back before it left."""
    world = World(shop())
    moves = ((0, "2026-03-09"), (2, "2026-03-12"), (3, "2026-03-16"), (4, "2026-03-12"))
    for number, (hours, promised_at) in enumerate(moves, 1):
        world.now = START + hours * H
        world.take(event("in_production", world.now, number, promised_at=promised_at))
        if hours < 3:
            world.settle()
    world.settle()
    order = world.loaded()
    assert order is not None
    looked = decide.on_wake(order, world.plan, START + 49 * H)  # for whatever else is due
    assert looked.notifications == ()
    assert looked.order.deadline == order.told_until == START + 50 * H


def test_a_new_reason_is_told_with_the_message_of_the_touchpoint() -> None:
    world = World(shop())
    world.take(event("in_production", START, 1))
    world.settle()
    assert world.take(event("in_production", START, 2, reason="the paint dries")) is Reason.FACTS_CHANGED
    world.settle()
    assert [mail.key for mail in world.sent] == ["A-1/1/update/1/customer", "A-1/1/update/2/customer"]
    assert world.take(event("in_production", START, 3, reason="the paint dries")) is Reason.REPEATED


def test_an_unsent_update_tells_the_changed_facts_itself() -> None:
    world = World(shop())
    world.take(event("confirmed", START, 1, promised_at="2026-03-09"))
    assert world.take(event("confirmed", START, 2, promised_at="2026-03-12", reason="late")) is Reason.FACTS_CHANGED
    world.settle()
    assert [(mail.key, mail.revision) for mail in world.sent] == [("A-1/1/update/1/customer", 1)]


def test_a_newer_status_reopens_a_final_order_and_an_older_one_does_not() -> None:
    world = World(shop())
    world.take(event("delivered", START, 2))
    assert world.take(event("shipped", START - H, 1)) is Reason.OLDER_THAN_KNOWN
    assert world.order is not None and world.order.final
    assert world.take(event("shipped", START + H / 60, 3)) is Reason.ENTERED
    assert (world.order.final, world.order.episode, world.order.ended_at) == (False, 2, None)


def test_an_event_from_the_future_counts_as_now() -> None:
    world = World(shop())
    world.take(event("confirmed", START + 48 * H, 1))
    assert world.take(event("shipped", START + H / 60, 2)) is Reason.ENTERED


def test_the_sequence_comes_first_where_the_plan_says_so() -> None:
    world = World(shop(events=Events(rank_by="sequence")))
    world.take(event("shipped", START - H, 1, sequence=2))
    assert world.take(event("confirmed", START, 2, sequence=1)) is Reason.OLDER_THAN_KNOWN


# ---------------------------------------------------------------- facts


def test_a_null_clears_and_another_customer_starts_empty() -> None:
    world = World(shop())
    world.take(event("confirmed", START, 1, customer__id="c-1", customer__name="Ana", details__total="1"))
    world.take(event("confirmed", START + H / 60, 2, details__total=None))
    world.take(event("shipped", START + H / 30, 3, customer__id="c-2", customer__email="rui@example.com"))
    world.take(event("confirmed", START + H / 90, 4, customer__phone="+351"))
    assert world.order is not None
    assert facts.view(world.order) == {"customer.id": "c-2", "customer.email": "rui@example.com"}


def test_an_id_after_no_id_is_the_same_customer() -> None:
    world = World(shop())
    world.take(event("confirmed", START, 1, customer__name="Ana"))
    world.take(event("shipped", START + H / 60, 2, customer__id="c-1"))
    assert world.order is not None and facts.view(world.order)["customer.name"] == "Ana"


def test_a_late_event_can_show_that_a_run_began_earlier() -> None:
    """c-2 was known from 10:20 on; then it turns out that it was c-2 at 10:00 already, so what was said at 10:10 is
    theirs."""
    world = World(shop(), now=START + H)
    world.take(event("confirmed", START, 1, customer__id="c-1"))
    world.take(event("shipped", START + 20 * H / 60, 4, customer__id="c-2"))
    world.take(event("confirmed", START + 10 * H / 60, 3, customer__phone="+351"))
    assert world.order is not None and "customer.phone" not in facts.view(world.order)
    world.take(event("confirmed", START + 5 * H / 60, 2, customer__id="c-2"))
    assert facts.view(world.order)["customer.phone"] == "+351"


def test_a_reason_ends_with_its_episode() -> None:
    world = World(shop())
    world.take(event("confirmed", START, 1, reason="checking the payment", next_step="we build it"))
    world.take(event("shipped", START + H / 60, 2))
    assert world.order is not None and facts.view(world.order) == {}


# ---------------------------------------------------------------- deadlines


def test_an_event_that_tells_nothing_brings_the_date_nearer_but_never_further() -> None:
    world = World(shop())
    world.take(event("confirmed", START, 1))  # told until START + 24 h
    world.settle()
    world.now += 4 * H
    world.take(event("in_production", START + H, 2, notify=False))
    assert world.order is not None and world.order.deadline == START + 24 * H
    world.now += H
    world.plan = plan(touchpoint("shipped", window=hours_span(2)))
    world.take(event("shipped", START + 2 * H, 3, notify=False))
    assert world.order.deadline == world.now + 2 * H


def test_a_final_status_clears_a_told_date() -> None:
    world = World(shop())
    world.take(event("confirmed", START, 1))
    world.take(event("delivered", START + H / 60, 2, notify=False))
    assert world.order is not None
    assert (world.order.deadline, world.order.told_until, world.order.wake_at) == (None, None, None)


def test_without_a_window_nothing_is_dated() -> None:
    world = World(plan(touchpoint("shipped", window=None)))
    world.take(event("shipped", START, 1))
    world.settle()
    assert world.sent[0].next_update is None
    assert world.order is not None and world.order.wake_at is None


def test_an_untold_status_without_a_window_keeps_the_told_date() -> None:
    world = World(plan(touchpoint("confirmed"), touchpoint("shipped", window=None)))
    world.take(event("confirmed", START, 1))
    world.settle()
    world.take(event("shipped", START + H / 60, 2, notify=False))
    world.live(49 * H)
    assert world.told(Purpose.REMINDER) == ["shipped"]


def test_counting_from_the_last_event_follows_the_feed_and_tells_no_date() -> None:
    world = World(plan(touchpoint("shipped", window=hours_span(10), count_from="last_event")))
    world.take(event("shipped", START, 1))
    world.settle()
    assert world.sent[0].next_update is None
    world.now += 6 * H
    world.take(event("shipped", START + 6 * H, 2))
    assert world.order is not None and world.order.deadline == START + 16 * H


def test_working_days_run_on_the_calendar() -> None:
    office = Calendar(key="office", hours=(((time(9), time(18)),),) * 5 + ((), ()), zone=LISBON)
    world = World(plan(touchpoint("in_production", window=Span(days=3), calendar=office)))
    world.now = datetime(2026, 3, 5, 15, 0, tzinfo=START.tzinfo)  # a Thursday
    world.take(event("in_production", world.now, 1))
    assert world.order is not None and local(world.order.deadline) == "Tue 15:00"


@pytest.mark.parametrize(
    ("window", "told"),
    [(13, "Mon 20:30"), (22, "Mon 20:30"), (11, "Mon 20:00"), (23.5, "Tue 08:30")],
)
def test_a_deadline_in_quiet_hours_is_moved_before_them(window: float, told: str) -> None:
    quiet = QuietHours(begin=time(21), end=time(8))
    world = World(plan(touchpoint("confirmed", window=hours_span(window), quiet_hours=quiet)))
    world.take(event("confirmed", START, 1))
    assert world.order is not None and local(world.order.deadline) == told


def test_a_plan_with_other_windows_moves_what_was_not_told() -> None:
    world = World(shop())
    world.take(event("confirmed", START, 1, notify=False))
    world.plan = plan(touchpoint("confirmed", window=hours_span(2)))
    world.now += 3 * H
    assert world.order is not None
    world.order = evolve(world.order, wake_at=world.now)  # as a pushed plan does
    world.wake()
    world.settle()
    assert world.told(Purpose.REMINDER) == ["confirmed"]


# ---------------------------------------------------------------- reminders


def test_silence_is_broken_at_the_told_date_and_again_until_it_is_spent() -> None:
    remind = Remind(after=(hours_span(10),), then_every=hours_span(20), at_most=3)
    world = World(plan(touchpoint("in_production", remind=remind)))
    world.take(event("in_production", START, 1))
    world.live(200 * H)
    reminders = [mail for mail in world.sent if mail.purpose is Purpose.REMINDER]
    assert [(mail.decided_at - START) / H for mail in reminders] == [48, 58, 78]
    assert [mail.next_update for mail in reminders] == [START + 58 * H, START + 78 * H, None]
    assert [mail.last for mail in reminders] == [False, False, True]
    assert keys(world, Purpose.OWNER_ALERT) == ["A-1/1/owner_alert/stuck/owner:production"]
    assert world.order is not None and world.order.stuck


def test_what_was_missed_is_told_once_and_counts_once() -> None:
    world = World(shop())
    world.take(event("in_production", START, 1))
    world.settle()
    world.now += timedelta(days=30)
    world.wake()
    world.settle()
    assert world.told(Purpose.REMINDER) == ["in_production"]
    assert world.order is not None and world.order.deadline == world.now + 48 * H


def test_no_reminder_is_decided_while_a_message_is_unsettled() -> None:
    world = World(shop())
    world.take(event("confirmed", START, 1))
    world.now += 30 * H
    world.wake()
    assert world.told(Purpose.REMINDER) == []
    assert keys(world, Purpose.REMINDER) == []


def test_no_reminder_takes_the_place_of_news_that_is_still_unsent() -> None:
    """An update waits for the relay; meanwhile a newer episode begins in silence, and its window passes."""
    world = World(plan(touchpoint("in_production"), touchpoint("packed", window=hours_span(2))))
    world.take(event("in_production", START, 1))
    world.take(event("packed", START + H / 60, 2, notify=False))
    world.now += 3 * H
    world.wake()
    assert keys(world, Purpose.REMINDER) == []
    world.settle()
    assert world.told() == ["in_production"]
    assert world.order is not None
    assert world.order.deadline == world.now + 2 * H, "they have just heard from us"
    assert world.order.told_until == START + 48 * H, "and what that message told still binds"


def test_a_date_that_passed_before_the_first_attempt_is_replaced_before_it_is_told() -> None:
    world = World(shop())
    world.take(event("confirmed", START, 1))
    world.now += 30 * H
    world.settle()
    assert world.sent[0].next_update == world.now + 24 * H
    assert world.order is not None and world.order.deadline == world.now + 24 * H


def test_a_message_settled_after_its_deadline_starts_a_new_window() -> None:
    world = World(shop())
    world.take(event("confirmed", START, 1))
    world.dispatch(lose_answer=True)
    world.now += 30 * H
    world.settle()
    assert len(world.sent) == 2 and world.sent[0].key == world.sent[1].key
    assert world.order is not None and world.order.deadline == world.now + 24 * H


def test_a_reason_after_the_last_reminder_is_told_without_a_date() -> None:
    world = World(shop())
    world.take(event("in_production", START, 1))
    world.live(timedelta(days=9))
    assert world.order is not None and world.order.spent
    world.take(event("in_production", world.now, 2, reason="the paint dries"))
    world.settle()
    assert world.sent[-1].purpose is Purpose.UPDATE and world.sent[-1].next_update is None


# ---------------------------------------------------------------- the gate


def test_a_backlog_tells_only_the_newest() -> None:
    world = World(shop())
    for number, status in enumerate(["confirmed", "in_production", "shipped"]):
        world.take(event(status, START + number * H / 60, number + 1))
    world.settle()
    assert world.told() == ["shipped"]
    assert world.settled["A-1/1/update/1/customer"] is Reason.SUPERSEDED


def test_always_is_told_even_when_something_newer_is_known() -> None:
    world = World(plan(touchpoint("confirmed", always=True), touchpoint("shipped")))
    world.take(event("confirmed", START, 1))
    world.take(event("shipped", START + H / 60, 2))
    world.settle()
    assert world.told() == ["confirmed", "shipped"]


def test_nobody_reads_still_in_progress_after_delivered() -> None:
    world = World(plan(touchpoint("in_production"), touchpoint("delivered", final=True)))
    world.take(event("in_production", START, 1))
    world.settle()
    world.now += 48 * H
    world.wake()
    assert keys(world, Purpose.REMINDER), "decided"
    world.take(event("delivered", world.now, 2))
    world.settle()
    assert world.told(Purpose.REMINDER) == []


def test_quiet_hours_hold_customers_mail_and_not_owners() -> None:
    quiet = QuietHours(begin=time(21), end=time(8))
    world = World(plan(touchpoint("shipped", quiet_hours=quiet)))
    world.now = datetime(2026, 3, 2, 22, 0, tzinfo=START.tzinfo)
    world.take(event("shipped", world.now, 1))
    world.settle()
    assert world.sent == []
    world.live(11 * H)
    assert [local(mail.first_attempt_real) for mail in world.sent] == ["Tue 08:00"]


def test_burst_wait_lets_a_burst_end() -> None:
    world = World(plan(touchpoint("confirmed", burst_wait=H / 6), touchpoint("shipped", burst_wait=H / 6)))
    world.take(event("confirmed", START, 1))
    world.now += H / 12
    world.take(event("shipped", world.now, 2))
    world.live(H, step=timedelta(minutes=1))
    assert world.told() == ["shipped"]
    assert world.sent[0].first_attempt_real == START + H / 12 + H / 6


def test_what_is_in_doubt_and_superseded_is_not_sent_again() -> None:
    world = World(shop())
    world.take(event("confirmed", START, 1))
    world.dispatch(lose_answer=True)
    world.take(event("shipped", START + H / 60, 2))
    world.settle()
    assert [mail.status for mail in world.sent] == ["confirmed", "shipped"]
    assert world.rows["A-1/1/update/1/customer"].state is State.IN_DOUBT
