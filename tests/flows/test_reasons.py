"""Each reason comes out of some flow: an operator sees it on a timeline, in the outbox or in the counts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from avisa import events, views
from avisa.core.model import Reason, State
from avisa.core.retry import Receipt, Verdict
from avisa.core.unsubscribe_token import address_hash
from avisa.ports import Record, Unreadable
from tests.events.records import attributes, plain, record
from tests.events.test_bad_input import DEAD
from tests.flows.rig import FEED, GREYLISTED, LOST_ANSWER, POLICY, Rig, running
from tests.templates import desk

HOUR = timedelta(hours=1)
CONFIRMED = "A-1/1/update/1/customer"
REMINDER = "A-1/1/reminder/1/customer"
REFUSED = Receipt(verdict=Verdict.PERMANENT, stage="rcpt", code=550)

Scene = Callable[[Rig], Awaitable[None]]
SCENES: dict[Reason, Scene] = {}
PLANS = {
    Reason.QUIET_HOURS: desk.PLAN.replace("window: 48h", 'window: 48h\n  quiet_hours: "08:00-20:00"'),
    Reason.BURST_WAIT: desk.PLAN.replace("window: 48h", "window: 48h\n  burst_wait: 5m"),
    Reason.REMINDERS_SPENT: desk.PLAN.replace("window: 48h", "window: 48h\n  remind: {at_most: 1}"),
}


def scene(*reasons: Reason) -> Callable[[Scene], Scene]:
    def named(play: Scene) -> Scene:
        SCENES.update(dict.fromkeys(reasons, play))
        return play

    return named


async def shown(rig: Rig) -> set[str]:
    """All reasons that commands with `--json` print now."""
    counted = (await views.counts(rig.store.queries))["events"]
    dead = [letter["reason"] for letter in await views.dead_letters(rig.store.queries)]
    outbox = [row["reason"] for row in await views.outbox(rig.store.queries, lambda at: at)]
    timeline = await views.timeline(rig.store.queries, "A-1")
    lines = [] if timeline is None else [line["reason"] for line in timeline["entries"]]
    return {*counted["by_reason"], *dead, *outbox, *lines}


@pytest.mark.parametrize("reason", Reason)
async def test_an_operator_sees_the_reason(tmp_path: Path, reason: Reason) -> None:
    async with running(tmp_path / "avisa.db", plan=PLANS.get(reason, desk.PLAN)) as rig, rig.sending():
        await SCENES[reason](rig)
        assert reason in await shown(rig)


# ---------------------------------------------------------------- decisions


@scene(Reason.ENTERED, Reason.ACCEPTED)
async def told(rig: Rig) -> None:
    await rig.happens("confirmed")
    await rig.became(CONFIRMED, State.SENT)


@scene(Reason.REPEATED)
async def again(rig: Rig) -> None:
    await rig.happens("confirmed")
    await rig.happens("confirmed")


@scene(Reason.FACTS_CHANGED)
async def again_with_a_reason(rig: Rig) -> None:
    await rig.happens("confirmed")
    await rig.happens("confirmed", reason="The glaze cracked.")


@scene(Reason.ALREADY_SEEN)
async def the_same_event_twice(rig: Rig) -> None:
    event = rig.event("confirmed")
    await rig.intake.take([event])
    await rig.intake.take([event])


@scene(Reason.OLDER_THAN_KNOWN)
async def out_of_order(rig: Rig) -> None:
    older = rig.event("confirmed")
    await rig.pass_time(HOUR)
    await rig.happens("shipped")
    await rig.intake.take([older])


@scene(Reason.NOT_TO_TELL)
async def imported(rig: Rig) -> None:
    await rig.happens("confirmed", notify=False)


@scene(Reason.TOO_OLD_TO_TELL)
async def read_late(rig: Rig) -> None:
    event = rig.event("confirmed")
    await rig.pass_time(73 * HOUR)
    await rig.intake.take([event])


@scene(Reason.UNKNOWN_STATUS)
async def a_status_that_nobody_planned_for(rig: Rig) -> None:
    await rig.happens("lost_in_space")


@scene(Reason.WINDOW_PASSED, Reason.REMINDERS_SPENT)
async def silence(rig: Rig) -> None:
    await told(rig)
    await rig.pass_time(49 * HOUR)
    await rig.wake.once()


# ---------------------------------------------------------------- the gate


@scene(Reason.SUPERSEDED)
async def overtaken(rig: Rig) -> None:
    await rig.intake.take([rig.event("confirmed"), rig.event("shipped")])


@scene(Reason.QUIET_HOURS, Reason.BURST_WAIT)
async def not_now(rig: Rig) -> None:
    await rig.happens("confirmed")
    await rig.became(CONFIRMED, State.HELD)


@scene(Reason.BLIND)
async def behind_when_a_reminder_is_claimed(rig: Rig) -> None:
    await told(rig)
    rig.channel.open = False  # so that the reminder is left over, and claimed
    await silence_without_capacity(rig)
    rig.clock.pass_real(timedelta(minutes=10))
    rig.lag.probed(FEED, at=rig.clock.real(), end=5)  # five records came, and none was read
    rig.clock.pass_real(timedelta(minutes=10))
    rig.channel.open = True
    rig.dispatch.nudge()
    await rig.became(REMINDER, State.HELD)


async def silence_without_capacity(rig: Rig) -> None:
    await rig.pass_time(49 * HOUR)
    assert await rig.wake.once() == 1


@scene(Reason.UNSUBSCRIBED)
async def a_reminder_for_who_wants_none(rig: Rig) -> None:
    hashed = address_hash(desk.SECRET, "ana@example.com")
    await rig.store.operations.unsubscribe(hashed, now=rig.clock.now())
    await silence(rig)
    await rig.became(REMINDER, State.DROPPED)


@scene(Reason.NO_ADDRESS)
async def nobody_to_write_to(rig: Rig) -> None:
    await rig.happens("confirmed", customer__email=None)
    await rig.became(CONFIRMED, State.DROPPED)


# ---------------------------------------------------------------- settled


@scene(Reason.REFUSED)
async def refused_for_good(rig: Rig) -> None:
    rig.channel.script = [REFUSED]
    await rig.happens("confirmed")
    await rig.became(CONFIRMED, State.FAILED)


@scene(Reason.EXPIRED)
async def refused_for_days(rig: Rig) -> None:
    rig.channel.script = [GREYLISTED] * 1000
    await rig.happens("confirmed")
    for attempts in range(1, 100):
        await rig.tried(CONFIRMED, attempts)
        if (await rig.row(CONFIRMED)).notification.state is State.FAILED:
            return
        await rig.pass_time(POLICY.give_up / 10)


@scene(Reason.IN_DOUBT)
async def the_answer_is_lost(rig: Rig) -> None:
    rig.channel.script = [LOST_ANSWER]
    await rig.happens("confirmed")
    await rig.became(CONFIRMED, State.RETRYING)


@scene(Reason.CANNOT_RENDER)
async def a_fault_of_ours(rig: Rig) -> None:
    await rig.happens("confirmed", promised_at="no date at all")  # no publisher can send this; the reader refuses it
    await rig.became(CONFIRMED, State.RETRYING)


@scene(Reason.DROPPED_BY_OPERATOR)
async def dropped_by_hand(rig: Rig) -> None:
    rig.channel.open = False
    await rig.happens("confirmed")
    await rig.store.operations.drop([CONFIRMED], now=rig.clock.now())


# ---------------------------------------------------------------- records that are no event


def the_record(reason: Reason) -> Record:
    if reason is Reason.TOMBSTONE:
        return record(None)
    if reason is Reason.OTHER_TYPE:
        return record(plain(), *attributes(type=b"invoice.paid"))
    if reason is Reason.NO_SEQUENCE:
        return record(plain())
    return next(bad for _, bad, expected in DEAD if expected is reason)


async def unreadable(rig: Rig, reason: Reason) -> None:
    rank_by = "sequence" if reason is Reason.NO_SEQUENCE else "occurred_at"
    taken = events.read(the_record(reason), rank_by=rank_by, types=("order.status",))
    await rig.intake.take([taken])
    assert reason in (Reason.TOMBSTONE, Reason.OTHER_TYPE) or isinstance(taken, Unreadable)


for _reason in list(Reason)[list(Reason).index(Reason.NOT_JSON) :]:
    SCENES[_reason] = lambda rig, reason=_reason: unreadable(rig, reason)  # type: ignore[misc]
