"""From an event to its mail: what may go wrong on the way, and what then becomes of the notification."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from avisa.core.model import Reason, State
from avisa.core.retry import Receipt
from avisa.dispatch.preparation import Prepared
from avisa.dispatch.settlements import Now
from avisa.ports import Claimed
from avisa.store import StoreUnavailable
from tests.fakes import START
from tests.flows.harness import BUSY_AT_DOT, GREYLISTED, LOST_ANSWER, POLICY, running
from tests.templates import harness as templates
from tests.tools.waiting import PATIENCE, until

CONFIRMED = "A-1/1/update/1/customer"
SHIPPED = "A-1/2/update/1/customer"
MINUTE = timedelta(minutes=1)


async def test_an_event_becomes_a_mail_to_the_customer(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db") as flows, flows.sending():
        await flows.happens("confirmed")
        await flows.became(CONFIRMED, State.SENT)
    assert [mail.recipient for mail in flows.channel.mails] == ["ana@example.com"]


async def test_a_doubt_outlasts_a_later_refusal(tmp_path: Path) -> None:
    """It may have been taken at the first attempt, whatever a later one is told."""
    async with running(tmp_path / "avisa.db") as flows, flows.sending():
        flows.channel.script = [LOST_ANSWER, GREYLISTED]
        await flows.happens("confirmed")
        await flows.became(CONFIRMED, State.RETRYING)
        await flows.pass_time(2 * MINUTE)
        await flows.tried(CONFIRMED, 2)
        await flows.happens("shipped")
        await flows.became(SHIPPED, State.SENT)
        row = await flows.row(CONFIRMED)
    assert (row.notification.state, row.reason) == (State.IN_DOUBT, Reason.IN_DOUBT)
    assert flows.channel.mails[0] == flows.channel.mails[1], "only the same bytes go out again"


async def test_an_overtaken_mail_delays_nobody_until_its_retry(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db") as flows, flows.sending():
        flows.channel.script = [BUSY_AT_DOT]
        await flows.happens("confirmed")
        await flows.became(CONFIRMED, State.RETRYING)
        await flows.happens("shipped")
        await flows.became(SHIPPED, State.SENT)
        row = await flows.row(CONFIRMED)
    assert (row.notification.state, row.reason) == (State.DROPPED, Reason.SUPERSEDED)


async def test_a_replica_that_stood_still_before_storing_takes_nothing_back(tmp_path: Path) -> None:
    """Meanwhile another replica took the order as many steps on, and the date that was to be told has passed."""
    async with running(tmp_path / "avisa.db") as flows, flows.sending():
        await flows.happens("confirmed")
        await flows.became(CONFIRMED, State.SENT)
        prepare = flows.write_path._prepare

        async def frozen(newborn: Sequence[Claimed], _at: Now) -> Prepared:
            flows.write_path._prepare = prepare
            await flows.pass_time(MINUTE)
            await flows.happens("delivered")
            await flows.pass_time(timedelta(days=9))
            return await prepare(newborn, Now.of(flows.clock))

        flows.write_path._prepare = frozen  # the process stands still just there
        await flows.happens("shipped")
        order = (await flows.history()).order
    assert (order.status, order.episode) == ("delivered", 2)


async def test_a_mail_found_half_sent_after_a_crash_is_sent_again_and_counted(tmp_path: Path) -> None:
    never = asyncio.get_running_loop().create_future()
    async with running(tmp_path / "avisa.db") as flows:
        async with flows.sending():
            flows.channel.script = [never]
            await flows.happens("confirmed")
            await until(lambda: len(flows.channel.mails) == 1)
        first = flows.channel.mails[0]
    async with running(tmp_path / "avisa.db", clock=flows.clock) as again, again.sending():
        await again.became(CONFIRMED, State.SENT)
        assert again.channel.mails == [first]
        assert (await again.store.queries.gauges()).in_doubt == 1
    never.cancel()


async def test_a_mail_greylisted_after_a_long_outage_is_tried_again(tmp_path: Path) -> None:
    """Days of waiting for the relay are no attempts."""
    async with running(tmp_path / "avisa.db") as flows, flows.sending():
        flows.channel.open = False
        await flows.happens("confirmed")
        await flows.pass_time(POLICY.give_up + MINUTE)
        flows.channel.open = True
        flows.channel.script = [GREYLISTED]
        flows.dispatch.nudge()
        await flows.tried(CONFIRMED, 1)
        assert (await flows.row(CONFIRMED)).notification.state is State.RETRYING
        await flows.pass_time(2 * MINUTE)
        await flows.became(CONFIRMED, State.SENT)


async def test_a_mail_refused_for_days_expires_and_the_owner_is_told(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db") as flows, flows.sending():
        flows.channel.script = [GREYLISTED] * 1000
        await flows.happens("confirmed")
        for attempts in range(1, 100):
            await flows.tried(CONFIRMED, attempts)
            if (await flows.row(CONFIRMED)).notification.state is State.FAILED:
                break
            await flows.pass_time(timedelta(hours=5))
        assert (await flows.row(CONFIRMED)).reason is Reason.EXPIRED
        assert flows.clock.real() - START >= POLICY.give_up
        assert await flows.row("A-1/1/owner_alert/unreachable/owner:care"), "the owner is told"


async def test_pause_is_seen_while_events_stream_in(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db") as flows, flows.sending():
        await flows.store.operations.pause("holiday", now=flows.clock.now())
        number = 0
        async with asyncio.timeout(PATIENCE):
            while not flows.dispatch.paused:
                number += 1
                await flows.happens("confirmed", f"B-{number}", customer__email=f"b{number}@example.com")
        sent = len(flows.channel.mails)
        await flows.happens("confirmed")
        await asyncio.sleep(0.2)
        assert len(flows.channel.mails) <= sent + 1
        assert not any("A-1" in mail.key for mail in flows.channel.mails)
        await flows.store.operations.resume()
        await flows.became(CONFIRMED, State.SENT)


async def test_a_message_that_fails_when_filled_is_sent_once_mended(tmp_path: Path) -> None:
    many = "{% for a in order.parts %}{% for b in order.parts %}{{ order.note }}{% endfor %}{% endfor %}"
    broken = templates.SHOWN.replace("{{ order.note }}", many)
    async with running(tmp_path / "avisa.db") as flows, flows.sending():
        await flows.push(templates.files(shown=broken))
        await flows.happens("shipped", details__note="fragile" * 100, details__parts=["x"] * 100)
        for attempts in (1, 2, 3):
            await flows.tried(CONFIRMED, attempts)
            assert (await flows.row(CONFIRMED)).reason is Reason.CANNOT_RENDER
            if attempts == 3:
                await flows.push(templates.files())
            await flows.pass_time(10 * MINUTE)
        await flows.became(CONFIRMED, State.SENT)


async def test_a_channel_that_raises_leaves_a_doubt_and_no_ghost(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db") as flows, flows.sending():
        wrong: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        flows.channel.script = [wrong]
        await flows.happens("confirmed")
        await until(lambda: len(flows.channel.mails) == 1)
        wrong.set_exception(RuntimeError("a bug"))
        await flows.became(CONFIRMED, State.RETRYING)
        await flows.pass_time(2 * MINUTE)
        await flows.became(CONFIRMED, State.SENT)
    assert flows.channel.mails[0] == flows.channel.mails[1]


async def test_a_mail_that_cannot_be_written_delays_nobody(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db") as flows, flows.sending():
        flows.trip_over("trouble@example.com")
        troubled = flows.event("shipped", customer__email="trouble@example.com")
        await flows.intake.take([troubled, flows.event("confirmed", "B-1")])
        await flows.became("B-1/1/update/1/customer", State.SENT)
        await flows.became(CONFIRMED, State.RETRYING)
        assert (await flows.row(CONFIRMED)).reason is Reason.CANNOT_RENDER


async def test_a_mail_claimed_as_the_store_went_away_is_sent(tmp_path: Path) -> None:
    """It is ours by then: nobody else would ever be given it while we live."""
    async with running(tmp_path / "avisa.db") as flows:
        flows.channel.open = False
        await flows.happens("confirmed")
        next_due, asked = flows.store.outbox.next_due, 0

        async def away_once(**seeing: Any) -> datetime | None:
            nonlocal asked
            asked += 1
            if asked == 1:
                raise StoreUnavailable("just then")
            return await next_due(**seeing)

        flows.store.outbox.next_due = away_once  # type: ignore[method-assign]  # a fault, at the one moment that matters
        flows.channel.open = True
        async with flows.sending():
            await flows.became(CONFIRMED, State.SENT)
    assert asked
