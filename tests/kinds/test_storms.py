"""One storm, one mail: the first alert of a kind to an owner goes out at once, and those of the next
hour follow together in one list. Whatever happens in between, each alert is told once."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from avisa.core.alert_list import MOST_SHOWN
from avisa.core.model import Reason, State
from avisa.core.retry import Receipt, Verdict
from avisa.ports import OutboxRow
from avisa.smtp.channel import EmailChannel
from avisa.store import migrate, open_store
from tests.fakes import HandClock, RealClock
from tests.flows.harness import GREYLISTED, LOST_ANSWER, Flows, files, running
from tests.smtp.harness import CALM, relay_to
from tests.templates.harness import SHIPPED
from tests.tools.parts import needs
from tests.tools.postgres import Postgres
from tests.tools.sink import Sink
from tests.tools.waiting import until

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
PLAN = """
brands:
  default: {name: Loja Azul, from: "Loja Azul <avisos@example.com>", locale: es, time_zone: Europe/Lisbon}
owners:
  care: {name: Carla, email: care@example.com}
  desk: {name: Dora, email: desk@example.com}
defaults: {owner: care, window: 48h, remind: {at_most: 1}, flood: {per_order: none, per_address: none}}
touchpoints:
  confirmed: {message: plain}
  delivered: {message: plain, final: true}
unknown_status: {owner: care}
"""
REFUSED = Receipt(verdict=Verdict.PERMANENT, stage="rcpt", code=550)
_ROW = re.compile(r"^- (\S+?)(?: \((https://\S+)\))?: «(\w+)»(?:, ahora «(\w+)»)?$", re.MULTILINE)


class Read:
    """A mail as an owner reads it."""

    def __init__(self, data: bytes) -> None:
        mail = message_from_bytes(data, policy=policy.default)
        body = mail.get_body(("plain",))
        assert body is not None
        self.to = mail["To"].addresses[0].addr_spec
        self.subject = str(mail["Subject"])
        self.text = body.get_content().replace("\r\n", "\n")
        self.orders = [number for number, _, _, _ in _ROW.findall(self.text)]


@asynccontextmanager
async def at_work(file: Path, **more: object) -> AsyncIterator[Flows]:
    """A service with the shipped lists, which is sending."""
    shipped = (SHIPPED / "messages/several-orders/es.md").read_text("utf-8")
    async with running(file, plan=PLAN, **more) as flows:  # type: ignore[arg-type]  # handed on
        await flows.push(files(PLAN) | {"messages/several-orders/es.md": shipped})
        async with flows.sending():
            yield flows


def owners(flows: Flows, of: str = "care") -> list[Read]:
    mails = (Read(mail.data) for mail in flows.channel.mails if mail.recipient == f"{of}@example.com")
    return list(mails)


async def storm(flows: Flows, n: int = 60, status: str = "glazed", name: str = "A", **facts: object) -> None:
    """So many orders get a status that the plan does not know, in one batch."""
    ids = [f"{name}-{number:03}" for number in range(n)]
    await flows.intake.take(
        [flows.event(status, i, details__url=f"https://shop.example.com/{i}", **facts) for i in ids]
    )
    flows.dispatch.nudge()
    await calm(flows)


async def calm(flows: Flows) -> None:
    """Nothing is about to leave."""

    async def settled() -> bool:
        waiting = (await flows.store.queries.counts()).by_state
        return not (waiting.get(State.QUEUED) or waiting.get(State.SENDING))

    await until(settled)


async def an_hour_later(flows: Flows, mails: int = 1) -> None:
    """After an hour so many more mails have left."""
    before = len(flows.channel.mails)
    await flows.pass_time(HOUR + MINUTE)
    await until(lambda: len(flows.channel.mails) >= before + mails)
    await calm(flows)
    assert len(flows.channel.mails) == before + mails


async def ends(flows: Flows) -> Counter[tuple[str, str]]:
    """How the alerts ended: state and reason."""
    rows = [row for row in await flows.store.queries.outbox() if not row.notification.to_customer]
    return Counter((row.notification.state.value, str(row.reason)) for row in rows)


async def test_sixty_orders_are_two_mails(tmp_path: Path) -> None:
    with Sink(tmp_path / "sink") as sink:
        channel = EmailChannel(relay_to(sink, patience=CALM), jitter=lambda: 0.0)  # type: ignore[arg-type]  # by its port
        await channel.start()
        async with at_work(tmp_path / "avisa.db", channel=channel) as flows:
            await storm(flows)
            assert sink.count() == 1
            await flows.pass_time(HOUR - MINUTE)
            await calm(flows)
            assert sink.count() == 1
            await flows.pass_time(2 * MINUTE)
            await until(lambda: sink.count() == 2)
            await calm(flows)
            await flows.pass_time(24 * HOUR)
            await calm(flows)
            assert await ends(flows) == {("sent", "accepted"): 2, ("dropped", "listed"): 58}
            counts = await flows.store.queries.counts()
            assert counts.decided == sum(counts.by_state.values()) == 60
            first, listed = (Read(mail.data) for mail in sink.mails())
        await channel.stop(1)
    assert "A-000" in first.subject
    assert listed.subject == "Más pedidos (59) con un estado que nadie había previsto"
    assert listed.orders == [f"A-{number:03}" for number in range(1, MOST_SHOWN + 1)]
    assert "https://shop.example.com/A-050" in listed.text
    assert "Y 9 más" in listed.text
    assert listed.to == "care@example.com"


async def test_the_hour_is_one_of_the_virtual_clock(tmp_path: Path) -> None:
    async with at_work(tmp_path / "avisa.db", clock=HandClock(3600)) as flows:
        await storm(flows, 3)
        await flows.pass_time(timedelta(seconds=0.9))
        await calm(flows)
        assert len(owners(flows)) == 1
        await flows.pass_time(timedelta(seconds=0.2))
        await until(lambda: len(owners(flows)) == 2)
        assert owners(flows)[-1].orders == ["A-001", "A-002"]


async def test_the_timeline_of_each_order_says_by_which_mail_it_was_told(tmp_path: Path) -> None:
    async with at_work(tmp_path / "avisa.db") as flows:
        await storm(flows, 5)
        await an_hour_later(flows)
        rows: list[OutboxRow] = []
        for number in range(1, 5):
            history = await flows.history(f"A-{number:03}")
            assert [entry.reason for entry in history.entries if entry.kind == "gate"] == [Reason.GATHERED]
            rows += history.outbox
        (leader,) = [row for row in rows if row.notification.state is State.SENT]
        told = [row for row in rows if row.reason is Reason.LISTED]
        assert len(told) == 3
        assert {row.message_id for row in told} == {leader.message_id}


async def test_each_kind_has_its_first_and_its_list_also_of_the_same_orders(tmp_path: Path) -> None:
    """What waits to be gathered keeps no alert of another kind waiting behind it."""
    async with at_work(tmp_path / "avisa.db") as flows:
        await storm(flows, 4)
        await storm(flows, 4, "confirmed", customer__email=None, customer__id="c-9")
        assert len(owners(flows)) == 2
        await an_hour_later(flows, mails=2)
        lists = [mail for mail in owners(flows) if mail.orders]
        assert [sorted(mail.orders) for mail in lists] == [["A-001", "A-002", "A-003"]] * 2
        assert {mail.subject for mail in lists} == {
            "Más pedidos (3) con un estado que nadie había previsto",
            "Más pedidos (3) con cuyo cliente no podemos contactar",
        }
        gone_on = next(mail for mail in lists if "estado" in mail.subject)
        assert gone_on.text.count("«glazed», ahora «confirmed»") == 3


async def test_each_owner_has_a_first_and_a_list(tmp_path: Path) -> None:
    async with at_work(tmp_path / "avisa.db") as flows:
        await storm(flows, 4)
        await storm(flows, 3, name="D", owner="desk")
        await an_hour_later(flows, mails=2)
        assert [mail.orders for mail in owners(flows)] == [[], ["A-001", "A-002", "A-003"]]
        assert [mail.orders for mail in owners(flows, "desk")] == [[], ["D-001", "D-002"]]


async def test_one_more_within_the_hour_is_an_ordinary_mail(tmp_path: Path) -> None:
    async with at_work(tmp_path / "avisa.db") as flows:
        await storm(flows, 2)
        await an_hour_later(flows)
        assert ["A-000" in owners(flows)[0].subject, "A-001" in owners(flows)[1].subject] == [True, True]
        await flows.pass_time(2 * HOUR)
        await storm(flows, 1, name="B")
        assert "B-000" in owners(flows)[2].subject


async def test_a_storm_that_goes_on_is_a_mail_an_hour_and_none_starves(tmp_path: Path) -> None:
    async with at_work(tmp_path / "avisa.db") as flows:
        for hour in range(3):
            for quarter in range(4):
                await storm(flows, 5, name=f"H{hour}{quarter}")
                await flows.pass_time(HOUR / 4)
            await until(lambda mails=2 + hour: len(flows.channel.mails) == mails)
        await calm(flows)
        told = [mail.orders or [mail.subject] for mail in owners(flows)]
        assert [len(orders) for orders in told] == [1, 19, 20, 20]
        assert sum((await ends(flows)).values()) == 60


@pytest.mark.parametrize("when", ["while they wait", "while the list is on the wire"])
async def test_a_restart_in_between_loses_none_and_tells_none_twice(tmp_path: Path, when: str) -> None:
    file, clock = tmp_path / "avisa.db", HandClock()
    async with at_work(file, clock=clock) as flows:
        await storm(flows, 6)
        if when == "while the list is on the wire":
            flows.channel.script = [asyncio.get_running_loop().create_future()]
            await flows.pass_time(HOUR + MINUTE)
            await until(lambda: len(flows.channel.mails) == 2)
        before = flows.channel.mails[1:]
    async with at_work(file, clock=clock) as flows:
        await an_hour_later(flows)
        assert [mail.orders for mail in owners(flows)] == [[f"A-{number:03}" for number in range(1, 6)]]
        assert all(again.data == first.data for again, first in zip(flows.channel.mails, before, strict=False))
        assert await ends(flows) == {("sent", "accepted"): 2, ("dropped", "listed"): 4}


async def test_a_list_that_is_put_off_by_the_server_is_written_anew_with_all_that_came_since(tmp_path: Path) -> None:
    async with at_work(tmp_path / "avisa.db") as flows:
        await storm(flows, 4)
        flows.channel.script = [GREYLISTED]
        await an_hour_later(flows)
        assert [mail.orders for mail in owners(flows)] == [
            [],
            ["A-001", "A-002", "A-003"],
        ] and not flows.channel.script
        await storm(flows, 2, name="B")
        await flows.pass_time(10 * MINUTE)
        await calm(flows)
        await until(lambda: len(owners(flows)) == 3)
        assert owners(flows)[-1].orders == ["A-001", "A-002", "A-003", "B-000", "B-001"]
        await calm(flows)
        assert await ends(flows) == {("sent", "accepted"): 2, ("dropped", "listed"): 4}


async def test_a_first_that_is_put_off_takes_the_others_with_it(tmp_path: Path) -> None:
    async with at_work(tmp_path / "avisa.db") as flows:
        flows.channel.script = [GREYLISTED]
        await storm(flows, 4)
        await flows.pass_time(10 * MINUTE)
        await until(lambda: len(owners(flows)) == 2)
        assert owners(flows)[-1].orders == ["A-000", "A-001", "A-002", "A-003"]


async def test_an_answer_that_was_lost_sends_the_same_list_again(tmp_path: Path) -> None:
    async with at_work(tmp_path / "avisa.db") as flows:
        await storm(flows, 4)
        flows.channel.script = [LOST_ANSWER]
        await an_hour_later(flows)
        await storm(flows, 2, name="B")
        await flows.pass_time(10 * MINUTE)
        await until(lambda: len(owners(flows)) == 3)
        assert flows.channel.mails[1].data == flows.channel.mails[2].data
        await an_hour_later(flows)
        assert owners(flows)[-1].orders == ["B-000", "B-001"]


async def test_what_fails_with_its_list_can_be_sent_again_by_itself(tmp_path: Path) -> None:
    async with at_work(tmp_path / "avisa.db") as flows:
        await storm(flows, 4)
        flows.channel.script = [REFUSED]
        await an_hour_later(flows)
        assert await ends(flows) == {("sent", "accepted"): 1, ("failed", "refused"): 3}
        await flows.pass_time(2 * HOUR)
        keys = [row.notification.key for row in await flows.store.queries.outbox(state=State.FAILED)]
        await flows.store.operations.retry(keys, now_real=flows.clock.real())
        flows.dispatch.nudge()
        await calm(flows)
        await an_hour_later(flows)
        assert Counter(number for mail in owners(flows)[2:] for number in mail.orders or ["first"]).total() == 3
        assert not [end for end in await ends(flows) if end[0] == "failed"]


async def test_when_an_operator_drops_the_list_the_others_are_told_all_the_same(tmp_path: Path) -> None:
    async with at_work(tmp_path / "avisa.db") as flows:
        await storm(flows, 4)
        flows.channel.script = [GREYLISTED]
        await an_hour_later(flows)
        (leader,) = [row.notification.key for row in await flows.store.queries.outbox(state=State.RETRYING)]
        assert await flows.store.operations.drop([leader], now=flows.clock.now()) == {leader}
        flows.dispatch.nudge()
        await until(lambda: len(owners(flows)) == 3)
        await calm(flows)
        assert owners(flows)[-1].orders == ["A-002", "A-003"]
        assert (await ends(flows))["dropped", "dropped_by_operator"] == 1


async def test_an_order_that_flaps_is_listed_once(tmp_path: Path) -> None:
    async with at_work(tmp_path / "avisa.db") as flows:
        for n in range(8):
            await storm(flows, 1, ("glazed", "fired")[n % 2])
        await storm(flows, 1, name="B")
        await an_hour_later(flows)
        listed = owners(flows)[-1]
        assert sorted(listed.orders) == ["A-000", "B-000"]
        assert listed.subject.startswith("Más pedidos (2) ")


async def test_orders_without_a_customers_address_and_with_odd_numbers_are_told_too(tmp_path: Path) -> None:
    numbers = ["", "1<b>", "x" * 5_000, "evil.example", "[a](https://evil.example)", 7, None, ["1"]]
    async with at_work(tmp_path / "avisa.db") as flows:
        await storm(flows, 1)
        for n, number in enumerate(numbers):
            await storm(flows, 1, name=f"N{n}", details__number=number)
        await an_hour_later(flows)
        listed = owners(flows)[-1]
        assert listed.subject.startswith(f"Más pedidos ({len(numbers)}) ")
        assert listed.text.count("\n- ") == len(numbers)
        assert "https://evil.example" not in listed.text


@needs("postgres")
async def test_two_replicas_send_one_list(tmp_path: Path, postgres: Postgres) -> None:
    url, clock = postgres.database(), RealClock()
    await asyncio.to_thread(lambda: asyncio.run(migrate.upgrade(url)))
    stores = [open_store(url, clock=clock, exclusive=True) for _ in range(2)]
    async with (
        at_work(tmp_path, clock=clock, store=stores[0]) as one,
        at_work(tmp_path, clock=clock, store=stores[1]) as other,
    ):
        await asyncio.gather(storm(one, 30), storm(other, 30, name="B"))
        mails = lambda: owners(one) + owners(other)  # noqa: E731 -- asked again and again
        assert len(mails()) == 1
        await one.pass_time(HOUR + MINUTE)
        await other.pass_time(timedelta(0))
        await until(lambda: len(mails()) == 2)
        await calm(other)
        assert len(mails()) == 2
        assert mails()[0].subject != mails()[1].subject
        assert await ends(one) == {("sent", "accepted"): 2, ("dropped", "listed"): 58}
