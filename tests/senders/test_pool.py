"""Mails are written and sent by other processes, which may die, freeze or not start."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from avisa import telemetry
from avisa.clock import real_now
from avisa.core.model import State
from avisa.core.retry import Receipt, Verdict
from avisa.ports import RENDERING, Draft
from avisa.senders import process as processes
from avisa.senders.pool import SenderPool
from tests.fakes import RealClock
from tests.flows.harness import Flows, running
from tests.senders.harness import Witness, only, outgoing, pool_to, starting, strike, up, written_here
from tests.smtp.scripted import Act, ScriptedRelay, Visit
from tests.templates import harness as templates
from tests.tools.waiting import until

pytestmark = pytest.mark.needs_process

KEY = "{}/1/update/1/customer"
RETRIED = timedelta(minutes=2)  # after the first step of the flows' retries
SOME = 40  # orders


def flows_by(pool: SenderPool, folder: Path) -> AbstractAsyncContextManager[Flows]:
    return running(folder / "avisa.db", clock=RealClock(), mailer=pool)


async def test_a_mail_has_the_bytes_that_this_process_would_have_written(tmp_path: Path) -> None:
    async with ScriptedRelay() as server, pool_to(server) as pool, flows_by(pool, tmp_path) as flows, flows.sending():
        await flows.happens("confirmed")
        await flows.became(KEY.format("A-1"), State.SENT)
        assert [mail.data for mail in server.taken] == [await written_here(flows, "A-1")]
        assert pool.connections == 1
        assert pool.refusal is None


async def test_mails_of_a_new_catalog_are_written_by_it(tmp_path: Path) -> None:
    async with ScriptedRelay() as server, pool_to(server) as pool, flows_by(pool, tmp_path) as flows, flows.sending():
        for number in range(6):  # more than a sender process keeps
            files = templates.files()
            files["plan.yaml"] = templates.PLAN.replace("\n", f"\n# {number}\n", 1)
            await flows.push(files)
            order = f"A-{number}"
            await flows.happens("confirmed", order)
            await flows.became(KEY.format(order), State.SENT)
            assert server.taken[-1].data == await written_here(flows, order)


async def test_killed_in_the_midst_the_mail_goes_out_again_with_the_same_bytes(tmp_path: Path) -> None:
    script = {"DOT": [Act.HANG, b"250 taken\r\n"]}
    async with ScriptedRelay(script) as server, pool_to(server) as pool, flows_by(pool, tmp_path) as flows:
        async with flows.sending():
            await flows.happens("confirmed")
            await until(lambda: server.taken)
            strike(only(pool), signal.SIGKILL)
            await flows.became(KEY.format("A-1"), State.RETRYING)
            await up(pool)
            await flows.pass_time(RETRIED)
            await flows.became(KEY.format("A-1"), State.SENT)
        once, again = server.taken
        assert once == again
        assert (await flows.store.queries.gauges()).in_doubt == 1


async def test_of_many_none_is_lost_and_none_comes_twice_that_was_answered(tmp_path: Path) -> None:
    async def slow(_: Visit, __: bytes) -> bytes:
        await asyncio.sleep(0.02)
        return b""

    async with ScriptedRelay({"DOT": slow}) as server, pool_to(server) as pool, flows_by(pool, tmp_path) as flows:
        orders = [f"A-{number}" for number in range(SOME)]
        async with flows.sending():
            for order in orders:
                await flows.happens("confirmed", order, customer__email=f"{order.lower()}@example.com")
            await until(lambda: len(server.taken) > SOME / 4)
            before = [order for order in orders if (await flows.row(KEY.format(order))).notification.state == "sent"]
            strike(only(pool), signal.SIGKILL)
            await up(pool)
            for order in orders:
                await flows.became(KEY.format(order), State.SENT, State.RETRYING)
            doubtful = [order for order in orders if (await flows.row(KEY.format(order))).notification.attempts == 1]
            assert set(before) <= set(doubtful)
            await flows.pass_time(RETRIED)
            for order in orders:
                await flows.became(KEY.format(order), State.SENT)
        bytes_of: dict[bytes, set[bytes]] = {}
        for mail in server.taken:
            bytes_of.setdefault(mail.recipient, set()).add(mail.data)
        assert len(bytes_of) == SOME
        assert all(len(different) == 1 for different in bytes_of.values())
        twice = len(server.taken) - SOME
        assert twice <= (await flows.store.queries.gauges()).in_doubt
        recipients = [mail.recipient for mail in server.taken]
        assert all(recipients.count(f"{order.lower()}@example.com".encode()) == 1 for order in before)


async def test_what_open_orders_are_told_is_compiled_before_a_mail_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))  # where a sender process finds the witness
    first, second = tmp_path / "first", tmp_path / "second"
    async with ScriptedRelay() as server, pool_to(server) as pool:
        pool.compile_ahead("a catalog", Witness(tmp_path), ["first", "second"])
        await until(lambda: first.exists() and second.exists())
        first.unlink()
        second.unlink()
        strike(only(pool), signal.SIGKILL)
        await until(lambda: first.exists() and second.exists())  # by the next process


async def test_what_was_frozen_past_its_lease_does_not_leave() -> None:
    async with ScriptedRelay() as server, pool_to(server) as pool:
        receipts: list[Receipt] = []
        strike(only(pool), signal.SIGSTOP)
        until_then = real_now() + timedelta(seconds=0.5)
        pool.send(outgoing(leased_until=until_then), lambda receipt, _: receipts.append(receipt))
        await until(lambda: real_now() > until_then)
        strike(only(pool), signal.SIGCONT)
        await until(lambda: receipts)
        assert [receipt.verdict for receipt in receipts] == [Verdict.TEMPORARY]
        assert not server.taken


async def test_a_lease_that_is_renewed_lets_a_mail_leave() -> None:
    async with ScriptedRelay() as server, pool_to(server) as pool:
        receipts: list[Receipt] = []
        strike(only(pool), signal.SIGSTOP)
        until_then = real_now() + timedelta(seconds=0.2)
        pool.send(outgoing(leased_until=until_then), lambda receipt, _: receipts.append(receipt))
        pool.renew({"A-1": real_now() + timedelta(minutes=5)})
        await until(lambda: real_now() > until_then)
        strike(only(pool), signal.SIGCONT)
        await until(lambda: receipts)
        assert [receipt.verdict for receipt in receipts] == [Verdict.ACCEPTED]
        assert len(server.taken) == 1


async def test_what_says_nothing_for_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PATIENCE", 1)
    async with ScriptedRelay() as server, pool_to(server) as pool:
        frozen, receipts = only(pool), list[Receipt]()
        strike(frozen, signal.SIGSTOP)
        pool.send(outgoing(), lambda receipt, _: receipts.append(receipt))
        await until(lambda: receipts)
        assert [receipt.verdict for receipt in receipts] == [Verdict.IN_DOUBT]
        await up(pool)
        assert only(pool) is not frozen


async def test_signals_that_end_avisa_do_not_end_its_senders() -> None:
    async with ScriptedRelay() as server, pool_to(server) as pool:
        receipts: list[Receipt] = []
        strike(only(pool), signal.SIGTERM)
        strike(only(pool), signal.SIGINT)
        pool.send(outgoing(), lambda receipt, _: receipts.append(receipt))
        await until(lambda: receipts)
        assert [receipt.verdict for receipt in receipts] == [Verdict.ACCEPTED]


async def test_a_stop_waits_for_answers_and_leaves_no_process() -> None:
    answer = asyncio.Event()

    async def when_asked(_: Visit, __: bytes) -> bytes:
        await answer.wait()
        return b""

    async with ScriptedRelay({"DOT": when_asked}) as server, pool_to(server) as pool:
        receipts: list[Receipt] = []
        pid = only(pool).pid
        pool.send(outgoing(), lambda receipt, _: receipts.append(receipt))
        await until(lambda: b".\r\n" in server.said)
        stopping = asyncio.ensure_future(pool.stop(30.0))
        await asyncio.sleep(0.1)
        answer.set()
        await stopping
        assert [receipt.verdict for receipt in receipts] == [Verdict.ACCEPTED]
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_while_no_process_comes_up_the_pool_is_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_COMMAND", ("false",))
    async with ScriptedRelay() as server, starting(server) as pool:
        await until(lambda: pool._processes)
        receipts: list[Receipt] = []
        pool.send(outgoing(), lambda receipt, _: receipts.append(receipt))
        assert [receipt.verdict for receipt in receipts] == [Verdict.TEMPORARY]
        assert not pool.open
        assert "no sender process runs" in pool.detail
        monkeypatch.undo()
        await up(pool)
        assert pool.open


async def test_a_message_that_cannot_be_written_says_why() -> None:
    async with ScriptedRelay() as server, pool_to(server) as pool:
        receipts: list[Receipt] = []
        unreadable = Draft(catalog="test", locale="en", json=b"{}")
        pool.send(replace(outgoing(), draft=unreadable), lambda receipt, _: receipts.append(receipt))
        await until(lambda: receipts)
        assert [receipt.stage for receipt in receipts] == [RENDERING]


async def test_two_share_the_connections_and_the_mails() -> None:
    async with ScriptedRelay() as server, pool_to(server, size=2, connections=2) as pool:
        receipts: list[Receipt] = []
        for number in range(SOME):
            pool.send(outgoing(f"A-{number}"), lambda receipt, _: receipts.append(receipt))
        assert [len(process) for process in pool._processes] == [SOME / 2, SOME / 2]
        await until(lambda: len(receipts) == SOME)
        assert {receipt.verdict for receipt in receipts} == {Verdict.ACCEPTED}
        assert len(server.taken) == SOME
        assert len(server.visits) == 2


async def test_the_log_of_a_sender_process_is_ours(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        telemetry.configure("json", "info", fd=file.fileno())
        async with ScriptedRelay() as server, pool_to(server) as pool:
            await until(lambda: pool.connections)
            await server.__aexit__()
            pool.send(outgoing(), lambda *_: None)
            await until(lambda: not pool.open)
            await until(lambda: "smtp.relay_lost" in (tmp_path / "log").read_text())
        assert pool.detail == "the relay is not reached"
    telemetry.configure()


async def test_a_refusal_that_is_about_us_is_known_here() -> None:
    async with ScriptedRelay({"MAIL": b"550 5.7.1 not from you\r\n"}) as server, pool_to(server) as pool:
        receipts: list[Receipt] = []
        pool.send(outgoing(), lambda receipt, _: receipts.append(receipt))
        await until(lambda: receipts)
        assert [receipt.verdict for receipt in receipts] == [Verdict.REFUSED_US]
        await until(lambda: not pool.open)
        assert pool.refusal == receipts[0]
