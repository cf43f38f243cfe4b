"""Each reason comes out of some flow: an operator sees it on a timeline, in the outbox or in the counts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from avisa import events, views
from avisa.answers import Written
from avisa.core.model import Reason, State
from avisa.core.plan import Events
from avisa.core.question import Reply
from avisa.core.question_token import question_token
from avisa.core.retry import Receipt, Verdict
from avisa.core.snooze import Of, Snooze
from avisa.core.unsubscribe_token import address_hash
from avisa.kafka.consumer import cut_record
from avisa.kafka.raw_record import CutValue
from avisa.ports import Record, Unreadable
from tests.events.records import attributes, plain, record
from tests.events.test_bad_input import DEAD
from tests.feeds.plans import DEBEZIUM, plan
from tests.flows.harness import FEED, GREYLISTED, LOST_ANSWER, POLICY, Flows, running
from tests.templates import harness as templates

HOUR = timedelta(hours=1)
CONFIRMED = "A-1/1/update/1/customer"
REMINDER = "A-1/1/reminder/1/customer"
REFUSED = Receipt(verdict=Verdict.PERMANENT, stage="rcpt", code=550)

_ASKING = templates.PLAN.replace("window: 48h", "window: 48h\n  ask_owner_at: 50%").replace(
    "care@example.com}", "care@example.com, next: boss, after: 4h}\n  boss: {name: Berta, email: boss@example.com}"
)

Scene = Callable[[Flows], Awaitable[None]]
SCENES: dict[Reason, Scene] = {}
PROMISING = templates.PLAN.replace("{message: plain}", "{message: plain, promise: {warn_before: 6h}}").replace(
    "final: true", "final: true, fulfils_promise: true"
)
PLANS = {
    **dict.fromkeys((Reason.NO_NEWS, Reason.UNANSWERED, Reason.ON_TRACK, Reason.PASSED_ON), _ASKING),
    Reason.QUIET_HOURS: templates.PLAN.replace("window: 48h", 'window: 48h\n  quiet_hours: "08:00-20:00"'),
    Reason.BURST_WAIT: templates.PLAN.replace("window: 48h", "window: 48h\n  burst_wait: 5m"),
    Reason.FLOOD: templates.PLAN.replace("window: 48h", "window: 48h\n  flood: {per_order: 1/1h}"),
    Reason.FREQUENCY_CAP: templates.PLAN.replace("window: 48h", "window: 48h\n  promise: {at_most_every: 12h}"),
    Reason.PROMISE_NEAR: PROMISING.replace("warn_before: 6h", "ask_owner_before: 8h"),
    Reason.PROMISE_AT_RISK: PROMISING,
    Reason.PROMISE_BROKEN: PROMISING,
    Reason.REMINDERS_SPENT: templates.PLAN.replace("window: 48h", "window: 48h\n  remind: {at_most: 1}"),
}


def scene(*reasons: Reason) -> Callable[[Scene], Scene]:
    def named(play: Scene) -> Scene:
        SCENES.update(dict.fromkeys(reasons, play))
        return play

    return named


async def shown(flows: Flows) -> set[str]:
    """All reasons that commands with `--json` print now."""
    counted = (await views.counts(flows.store.queries))["events"]
    dead = [letter["reason"] for letter in await views.dead_letters(flows.store.queries)]
    outbox = [row["reason"] for row in await views.outbox(flows.store.queries, lambda at: at)]
    timeline = await views.timeline(flows.store.queries, "A-1")
    lines = [] if timeline is None else [line["reason"] for line in timeline["entries"]]
    return {*counted["by_reason"], *dead, *outbox, *lines}


@pytest.mark.parametrize("reason", Reason)
async def test_an_operator_sees_the_reason(tmp_path: Path, reason: Reason) -> None:
    async with running(tmp_path / "avisa.db", plan=PLANS.get(reason, templates.PLAN)) as flows, flows.sending():
        await SCENES[reason](flows)
        assert reason in await shown(flows)


# ---------------------------------------------------------------- decisions


@scene(Reason.ENTERED, Reason.ACCEPTED)
async def told(flows: Flows) -> None:
    await flows.happens("confirmed")
    await flows.became(CONFIRMED, State.SENT)


@scene(Reason.REPEATED)
async def again(flows: Flows) -> None:
    await flows.happens("confirmed")
    await flows.happens("confirmed")


@scene(Reason.FACTS_CHANGED)
async def again_with_a_reason(flows: Flows) -> None:
    await flows.happens("confirmed")
    await flows.happens("confirmed", reason="The glaze cracked.")


@scene(Reason.ALREADY_SEEN)
async def the_same_event_twice(flows: Flows) -> None:
    event = flows.event("confirmed")
    await flows.intake.take([event])
    await flows.intake.take([event])


@scene(Reason.OLDER_THAN_KNOWN)
async def out_of_order(flows: Flows) -> None:
    older = flows.event("confirmed")
    await flows.pass_time(HOUR)
    await flows.happens("shipped")
    await flows.intake.take([older])


@scene(Reason.NOT_TO_TELL)
async def imported(flows: Flows) -> None:
    await flows.happens("confirmed", notify=False)


@scene(Reason.TOO_OLD_TO_TELL)
async def read_late(flows: Flows) -> None:
    event = flows.event("confirmed")
    await flows.pass_time(73 * HOUR)
    await flows.intake.take([event])


@scene(Reason.UNKNOWN_STATUS)
async def a_status_that_nobody_planned_for(flows: Flows) -> None:
    await flows.happens("lost_in_space")


@scene(Reason.WINDOW_PASSED, Reason.REMINDERS_SPENT)
async def silence(flows: Flows) -> None:
    await told(flows)
    await flows.pass_time(49 * HOUR)
    await flows.wake.once()


QUESTION = "A-1/1/ask_owner/{}/owner:{}"


@scene(Reason.NO_NEWS, Reason.UNANSWERED)
async def no_news_for_the_owner(flows: Flows) -> None:
    await told(flows)
    await flows.pass_time(24 * HOUR)
    await flows.wake.once()
    await flows.became(QUESTION.format(1, "care"), State.SENT)
    await flows.pass_time(4 * HOUR)
    await flows.wake.once()


@scene(Reason.PROMISE_NEAR)
async def a_date_that_the_owner_is_asked_about(flows: Flows) -> None:
    await flows.happens("confirmed", promised_at=flows.clock.now().date().isoformat())
    await flows.became(CONFIRMED, State.SENT)
    await flows.pass_time(8 * HOUR)
    await flows.wake.once()


@scene(Reason.ON_TRACK)
async def an_owner_looked(flows: Flows) -> None:
    await no_news_for_the_owner(flows)
    token = question_token(templates.SECRET, QUESTION.format(1, "care"))
    await flows.answers.take(token, Written(reply=Reply.ON_TRACK, facts={}))


@scene(Reason.PASSED_ON)
async def not_mine(flows: Flows) -> None:
    await no_news_for_the_owner(flows)
    token = question_token(templates.SECRET, QUESTION.format(1, "care"))
    await flows.answers.take(token, Written(reply=Reply.PASS_ON, facts={}))


@scene(Reason.PROMISE_AT_RISK, Reason.PROMISE_BROKEN)
async def a_promise_that_nobody_keeps(flows: Flows) -> None:
    await flows.happens("confirmed", promised_at=flows.clock.now().date().isoformat())
    await flows.became(CONFIRMED, State.SENT)
    for purpose in ("promise_at_risk", "promise_broken"):
        await flows.pass_time(13 * HOUR)
        await flows.wake.once()
        await flows.became(f"A-1/1/{purpose}/1/customer", State.SENT)


# ---------------------------------------------------------------- the gate


@scene(Reason.SNOOZED)
async def held_back(flows: Flows) -> None:
    await told(flows)
    await flows.pass_time(49 * HOUR)
    now = flows.clock.now()
    await flows.store.operations.snooze(Snooze(of=Of.ORDER, name="A-1", until=now + HOUR, author="rui", at=now))
    await flows.wake.once()
    await flows.became(REMINDER, State.HELD)


@scene(Reason.SUPERSEDED)
async def overtaken(flows: Flows) -> None:
    await flows.intake.take([flows.event("confirmed"), flows.event("shipped")])


@scene(Reason.QUIET_HOURS, Reason.BURST_WAIT)
async def not_now(flows: Flows) -> None:
    await flows.happens("confirmed")
    await flows.became(CONFIRMED, State.HELD)


@scene(Reason.FLOOD)
async def over_the_budget(flows: Flows) -> None:
    await told(flows)
    await flows.happens("shipped")
    await flows.became("A-1/2/update/1/customer", State.HELD)


@scene(Reason.GATHERED)
async def two_of_a_kind(flows: Flows) -> None:
    await flows.happens("glazed", "A-0")
    await flows.became("A-0/1/owner_alert/unknown_status/owner:care", State.SENT)
    for order_id in ("A-1", "A-2"):
        await flows.happens("glazed", order_id)
        flows.dispatch.nudge()
        await flows.became(f"{order_id}/1/owner_alert/unknown_status/owner:care", State.HELD)


@scene(Reason.LISTED)
async def two_of_a_kind_an_hour_later(flows: Flows) -> None:
    await two_of_a_kind(flows)
    await flows.pass_time(timedelta(hours=1))
    for order_id in ("A-1", "A-2"):
        await flows.became(f"{order_id}/1/owner_alert/unknown_status/owner:care", State.SENT, State.DROPPED)


@scene(Reason.FREQUENCY_CAP)
async def moved_twice(flows: Flows) -> None:
    await flows.happens("confirmed", promised_at="2026-03-20")
    await flows.became(CONFIRMED, State.SENT)
    await flows.happens("confirmed", promised_at="2026-03-24")
    await flows.became("A-1/1/promise_moved/1/customer", State.SENT)
    await flows.happens("confirmed", promised_at="2026-03-28")
    await flows.became("A-1/1/promise_moved/2/customer", State.HELD)


@scene(Reason.BLIND)
async def behind_when_a_reminder_is_claimed(flows: Flows) -> None:
    await told(flows)
    flows.channel.open = False  # so that the reminder is left over, and claimed
    await silence_without_capacity(flows)
    flows.clock.pass_real(timedelta(minutes=10))
    flows.lag.probed(FEED, at=flows.clock.real(), end=5)  # five records came, and none was read
    flows.clock.pass_real(timedelta(minutes=10))
    flows.channel.open = True
    flows.dispatch.nudge()
    await flows.became(REMINDER, State.HELD)


async def silence_without_capacity(flows: Flows) -> None:
    await flows.pass_time(49 * HOUR)
    assert await flows.wake.once() == 1


@scene(Reason.UNSUBSCRIBED)
async def a_reminder_for_who_wants_none(flows: Flows) -> None:
    hashed = address_hash(templates.SECRET, "ana@example.com")
    await flows.store.operations.unsubscribe(hashed, now=flows.clock.now())
    await silence(flows)
    await flows.became(REMINDER, State.DROPPED)


@scene(Reason.NO_ADDRESS)
async def nobody_to_write_to(flows: Flows) -> None:
    await flows.happens("confirmed", customer__email=None)
    await flows.became(CONFIRMED, State.DROPPED)


# ---------------------------------------------------------------- settled


@scene(Reason.REFUSED)
async def refused_for_good(flows: Flows) -> None:
    flows.channel.script = [REFUSED]
    await flows.happens("confirmed")
    await flows.became(CONFIRMED, State.FAILED)


@scene(Reason.EXPIRED)
async def refused_for_days(flows: Flows) -> None:
    flows.channel.script = [GREYLISTED] * 1000
    await flows.happens("confirmed")
    for attempts in range(1, 100):
        await flows.tried(CONFIRMED, attempts)
        if (await flows.row(CONFIRMED)).notification.state is State.FAILED:
            return
        await flows.pass_time(POLICY.give_up / 10)


@scene(Reason.IN_DOUBT)
async def the_answer_is_lost(flows: Flows) -> None:
    flows.channel.script = [LOST_ANSWER]
    await flows.happens("confirmed")
    await flows.became(CONFIRMED, State.RETRYING)


@scene(Reason.CANNOT_RENDER)
async def a_fault_of_ours(flows: Flows) -> None:
    flows.trip_over("ana@example.com")
    await flows.happens("confirmed")
    await flows.became(CONFIRMED, State.RETRYING)


@scene(Reason.DROPPED_BY_OPERATOR)
async def dropped_by_hand(flows: Flows) -> None:
    flows.channel.open = False
    await flows.happens("confirmed")
    await flows.store.operations.drop([CONFIRMED], now=flows.clock.now())


# ---------------------------------------------------------------- records that are no event


FEED_OF_ROWS = DEBEZIUM + "only: {op: [u, d]}\n"
ROW = {"id": 7, "status": "s"}
CHANGES = {
    Reason.FILTERED: {"op": "c", "after": ROW},
    Reason.UNCHANGED: {"op": "u", "before": ROW, "after": ROW},
    Reason.DELETED: {"op": "d", "before": ROW, "after": None},
}


def the_record(reason: Reason) -> Record:
    if reason is Reason.TOMBSTONE:
        return record(None)
    if reason is Reason.OTHER_TYPE:
        return record(plain(), *attributes(type=b"invoice.paid"))
    if reason is Reason.NO_SEQUENCE:
        return record(plain())
    if reason in CHANGES:
        return record(CHANGES[reason])
    if reason is Reason.NO_SCHEMA:
        return record(b"\0\0\0\0\7{}")
    return next(bad for _, bad, expected in DEAD if expected is reason)


async def a_batch_that_is_none(flows: Flows) -> None:
    cut = CutValue(b"", reason=Reason.BAD_BATCH, message="its batch cannot be unpacked here")
    await flows.intake.take([cut_record(cut, record(b""))])


async def unreadable(flows: Flows, reason: Reason) -> None:
    feed = FEED_OF_ROWS if reason in CHANGES else "envelope: registry" if reason is Reason.NO_SCHEMA else None
    rules = Events(
        rank_by="sequence" if reason is Reason.NO_SEQUENCE else "occurred_at",
        feeds={} if feed is None else plan(feed, "orders.status").events.feeds,
    )
    taken = events.read(the_record(reason), rules=rules, types=("order.status",))
    await flows.intake.take([taken])
    assert reason in (Reason.TOMBSTONE, Reason.OTHER_TYPE, *CHANGES) or isinstance(taken, Unreadable)


for _reason in list(Reason)[list(Reason).index(Reason.NOT_JSON) :]:
    SCENES[_reason] = lambda flows, reason=_reason: unreadable(flows, reason)  # type: ignore[misc]
SCENES[Reason.BAD_BATCH] = a_batch_that_is_none
