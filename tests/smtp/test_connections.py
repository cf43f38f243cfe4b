"""Connections: kept, shared, lost, refused, given up; and what each of that means for the mails."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest

from avisa.core.retry import Verdict
from avisa.smtp.channel import EmailChannel
from avisa.smtp.relay import Patience
from tests.smtp.harness import CALM, mail, relay_to
from tests.smtp.scripted import Act, Line, ScriptedRelay, Visit, Word
from tests.tools.waiting import until

BOTH = pytest.mark.parametrize("offers", [("PIPELINING",), ()], ids=["pipelined", "stepwise"])


def channel_to(server: ScriptedRelay, **changes: object) -> EmailChannel:
    return EmailChannel(relay_to(server, **({"patience": CALM} | changes)), jitter=lambda: 0.5)


@BOTH
async def test_a_connection_is_kept_for_many_mails(offers: tuple[str, ...]) -> None:
    async with ScriptedRelay(offers=offers) as server:
        channel = channel_to(server, connections=2)
        await channel.start()
        for batch in range(5):
            receipts = await asyncio.gather(*(channel.deliver(mail(batch * 50 + i)) for i in range(50)))
            assert {receipt.verdict for receipt in receipts} == {Verdict.ACCEPTED}
        assert channel.connections == len(server.visits) == 1  # one domain holds at most half
        await channel.stop(1)
        assert channel.connections == 0
    assert len({taken.recipient for taken in server.taken}) == len(server.taken) == 250
    assert server.said[-1] == b"QUIT\r\n"


@BOTH
async def test_refused_recipients_cost_no_connection(offers: tuple[str, ...]) -> None:
    def rcpt(visit: Visit, line: bytes) -> Word:
        return b"550 5.1.1 no\r\n" if b"bad" in line else b"250 ok\r\n"

    async with ScriptedRelay({"RCPT": rcpt}, offers=offers) as server:
        channel = channel_to(server, connections=1)
        await channel.start()
        names = [f"{'bad' if i % 3 else 'good'}{i}@mail.example" for i in range(60)]
        receipts = await asyncio.gather(*(channel.deliver(mail(i, to=to)) for i, to in enumerate(names)))
        await channel.stop(1)
    for to, receipt in zip(names, receipts, strict=True):
        assert receipt.verdict is (Verdict.PERMANENT if "bad" in to else Verdict.ACCEPTED)
    assert len(server.visits) == 1, "a refused recipient costs no connection"
    assert [taken.recipient.decode() for taken in server.taken] == [to for to in names if "good" in to]


@pytest.mark.parametrize("goodbye", [Act.EOF, b"421 4.4.2 idle too long\r\n"], ids=["EOF", "421"])
async def test_a_mail_after_an_idle_connection_was_closed_takes_a_new_one(goodbye: Word) -> None:
    async with ScriptedRelay() as server:
        channel = channel_to(server)
        await channel.start()
        assert (await channel.deliver(mail(1))).verdict is Verdict.ACCEPTED
        visit = server.visits[0]
        if isinstance(goodbye, bytes):
            visit.writer.write(goodbye)
        else:
            visit.writer.close()
        await until(lambda: channel.connections == 0)
        assert channel.open
        assert (await channel.deliver(mail(2))).verdict is Verdict.ACCEPTED
        await channel.stop(1)
    assert len(server.visits) == 2


@BOTH
@pytest.mark.parametrize("goodbye", [Act.EOF, Act.DROP, b"421 4.4.2 bye\r\n"], ids=["EOF", "reset", "421"])
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
async def test_a_mail_whose_envelope_meets_a_goodbye_takes_a_new_connection(
    offers: tuple[str, ...], goodbye: Word, stage: str
) -> None:
    """Nothing was sent, so the mail goes at once over a new connection."""

    def leave_the_second_time(visit: Visit, line: bytes) -> Word:
        count = sum(said.startswith(line[:4]) for said in visit.said)
        usual = b"354 go\r\n" if line.startswith(b"DATA") else b"250 ok\r\n"
        return goodbye if count == 2 else usual

    async with ScriptedRelay({stage: leave_the_second_time}, offers=offers) as server:
        channel = channel_to(server, connections=1)
        await channel.start()
        receipts = [await channel.deliver(mail(i)) for i in range(3)]
        await channel.stop(1)
    assert [receipt.verdict for receipt in receipts] == [Verdict.ACCEPTED] * 3
    assert len(server.taken) == 3
    assert len(server.visits) == 3


async def test_an_unused_connection_ends_with_quit() -> None:
    patience = Patience(idle=0.05)
    async with ScriptedRelay() as server:
        channel = channel_to(server, patience=patience)
        await channel.start()
        await until(lambda: server.said[-1:] == [b"QUIT\r\n"] and channel.connections == 0)
        assert channel.open
        assert (await channel.deliver(mail(1))).verdict is Verdict.ACCEPTED
        await channel.stop(1)


@BOTH
async def test_a_connection_is_renewed_after_its_last_mail(offers: tuple[str, ...]) -> None:
    async with ScriptedRelay(offers=offers) as server:
        channel = channel_to(server, connections=1, mails_per_connection=7)
        await channel.start()
        receipts = await asyncio.gather(*(channel.deliver(mail(i)) for i in range(50)))
        await channel.stop(1)
    assert {receipt.verdict for receipt in receipts} == {Verdict.ACCEPTED}
    assert len(server.visits) == 8
    assert max(sum(line == b".\r\n" for line in visit.said) for visit in server.visits) == 7


@BOTH
async def test_a_domain_that_hangs_delays_no_other_domain(offers: tuple[str, ...]) -> None:
    """The slow domain's mails come first and never get an answer; all others go out meanwhile."""

    def rcpt(visit: Visit, line: bytes) -> Word:
        return Act.HANG if b"@slow" in line else b"250 ok\r\n"

    async with ScriptedRelay({"RCPT": rcpt}, offers=offers) as server:
        channel = channel_to(server, connections=4, patience=Patience())
        await channel.start()
        slow = [channel.deliver(mail(i, to=f"a{i}@slow.example")) for i in range(100)]
        others = [channel.deliver(mail(i, to=f"a{i}@d{i % 7}.example")) for i in range(100)]
        receipts = await asyncio.gather(*others)
        assert {receipt.verdict for receipt in receipts} == {Verdict.ACCEPTED}
        assert not any(answer.done() for answer in slow)
        assert channel.connections <= 4
        await channel.stop(0)
        assert {answer.result().verdict for answer in slow} == {Verdict.TEMPORARY}


async def test_a_slow_answer_to_the_dot_delays_no_other_domain() -> None:
    async with ScriptedRelay({"DOT": lambda visit, _: Act.HANG if hangs(visit) else b""}) as server:
        channel = channel_to(server, connections=2, patience=Patience())
        await channel.start()
        slow = [channel.deliver(mail(i, to=f"a{i}@slow.example")) for i in range(5)]
        others = [channel.deliver(mail(i, to=f"a{i}@fast.example")) for i in range(50)]
        receipts = await asyncio.gather(*others)
        assert {receipt.verdict for receipt in receipts} == {Verdict.ACCEPTED}
        await channel.stop(0)
        verdicts = sorted(answer.result().verdict for answer in slow)
        assert verdicts == [Verdict.IN_DOUBT] + [Verdict.TEMPORARY] * 4
    assert sum(b"@slow" in taken.recipient for taken in server.taken) == 1


def hangs(visit: Visit) -> bool:
    """The mail whose dot has just come is for the slow domain."""
    before = [line for line in visit.said if line.startswith((b"RCPT", b"."))]
    dots = sum(line == b".\r\n" for line in before)
    recipients = [line for line in before if line.startswith(b"RCPT")]
    return b"@slow" in recipients[dots - 1]


async def test_fewer_connections_are_opened_when_the_relay_allows_fewer() -> None:
    """A relay that takes two and turns the others away keeps its two, and no mail suffers."""

    def greeting(visit: Visit, line: bytes) -> Word:
        if sum(not v.writer.is_closing() for v in server.visits) > 2:
            return b"421 4.7.0 too many connections\r\n"
        return b"220 hello\r\n"

    async with ScriptedRelay({"GREETING": greeting}) as server:
        channel = channel_to(server, connections=8)
        await channel.start()
        for _ in range(20):
            answers = (channel.deliver(mail(i, to=f"a{i}@d{i}.example")) for i in range(40))
            assert {receipt.verdict for receipt in await asyncio.gather(*answers)} == {Verdict.ACCEPTED}
        assert channel.open
        assert len(server.visits) <= 9, "it does not keep knocking"
        await channel.stop(1)
    assert len(server.taken) == 800


async def test_mails_are_accepted_again_when_the_relay_is_back() -> None:
    async with ScriptedRelay() as server:
        port = server.port
    channel = channel_to(server, patience=Patience(connect=0.5))
    await channel.start()
    receipts = await asyncio.gather(*(channel.deliver(mail(i)) for i in range(10)))
    assert {(r.verdict, r.stage) for r in receipts} == {(Verdict.TEMPORARY, "connect")}
    assert not channel.open
    assert (await channel.deliver(mail(1))).verdict is Verdict.TEMPORARY
    assert channel.refusal is None
    server.port = port
    async with server:
        await until(lambda: channel.open)
        assert (await channel.deliver(mail(1))).verdict is Verdict.ACCEPTED
        await channel.stop(1)


async def test_a_relay_that_always_hangs_up_is_unreachable() -> None:
    async with ScriptedRelay({"MAIL": Act.EOF}) as server:
        channel = channel_to(server, connections=1)  # a second one, greeted meanwhile, would be hope for a moment
        await channel.start()
        receipts = await asyncio.gather(*(channel.deliver(mail(i)) for i in range(100)))
        assert {receipt.verdict for receipt in receipts} == {Verdict.TEMPORARY}
        assert not channel.open
        assert len(server.visits) < 10
        await channel.stop(1)


async def test_a_recipient_on_whom_the_relay_hangs_up_delays_no_other() -> None:
    def rcpt(visit: Visit, line: bytes) -> Word:
        return Act.EOF if b"poison" in line else b"250 ok\r\n"

    async with ScriptedRelay({"RCPT": rcpt}) as server:
        channel = channel_to(server)
        await channel.start()
        poison = channel.deliver(mail(0, to="poison@mail.example"))
        others = [channel.deliver(mail(i)) for i in range(1, 60)]
        assert {receipt.verdict for receipt in await asyncio.gather(*others)} == {Verdict.ACCEPTED}
        assert (await poison).verdict is Verdict.TEMPORARY
        assert channel.open
        await channel.stop(1)


async def test_the_channel_opens_again_when_the_login_works() -> None:
    script: dict[str, Line] = {"AUTH": [b"535 5.7.8 wrong\r\n", b"535 5.7.8 wrong\r\n", b"235 2.7.0 welcome\r\n"]}
    async with ScriptedRelay(script, offers=("PIPELINING", "AUTH PLAIN")) as server:
        channel = channel_to(server, username="u", password="p", probe_every=0.05)
        await channel.start()
        receipt = await channel.deliver(mail(1))
        assert (receipt.verdict, receipt.stage) == (Verdict.REFUSED_US, "auth")
        assert not channel.open
        assert channel.refusal == receipt
        await until(lambda: channel.open)
        assert len(server.visits) == 3
        receipts = await asyncio.gather(*(channel.deliver(mail(i)) for i in range(20)))
        assert {receipt.verdict for receipt in receipts} == {Verdict.ACCEPTED}
        assert channel.refusal is None
        await channel.stop(1)


async def test_a_relay_that_refused_the_sender_is_probed_with_one_mail() -> None:
    script: dict[str, Line] = {"MAIL": b"550 5.7.1 not you\r\n"}
    async with ScriptedRelay(script) as server:
        channel = channel_to(server, probe_every=0.05)
        await channel.start()
        receipts = await asyncio.gather(*(channel.deliver(mail(i)) for i in range(50)))
        assert {receipt.verdict for receipt in receipts} == {Verdict.REFUSED_US}
        await until(lambda: channel.open)
        asked = sum(line.startswith(b"MAIL") for line in server.said)
        receipts = await asyncio.gather(*(channel.deliver(mail(i, to=f"a@d{i}.example")) for i in range(50)))
        assert {receipt.verdict for receipt in receipts} == {Verdict.REFUSED_US}
        assert sum(line.startswith(b"MAIL") for line in server.said) == asked + 1, "one probe, not fifty"
        server.script.clear()
        await until(lambda: channel.open)
        receipts = await asyncio.gather(*(channel.deliver(mail(i, to=f"a@d{i}.example")) for i in range(50)))
        assert {receipt.verdict for receipt in receipts} == {Verdict.ACCEPTED}
        await channel.stop(1)


async def test_a_blocklisting_marks_no_recipient() -> None:
    script: dict[str, Line] = {
        "RCPT": b"554 5.7.1 Service unavailable; Client host blocked using zen.spamhaus.org\r\n"
    }
    async with ScriptedRelay(script) as server:
        channel = channel_to(server)
        await channel.start()
        verdicts = [(await channel.deliver(mail(i))).verdict for i in range(3)]
        assert verdicts == [Verdict.TEMPORARY, Verdict.TEMPORARY, Verdict.REFUSED_US]
        assert not channel.open
        await channel.stop(1)


async def test_stop_waits_for_the_answer_to_the_dot() -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def dot(visit: Visit, line: bytes) -> Word:
        asked.set()
        await answer.wait()
        return b"250 taken\r\n"

    async with ScriptedRelay({"DOT": dot}) as server:
        channel = channel_to(server, connections=1)
        await channel.start()
        under_way, waiting = channel.deliver(mail(1)), channel.deliver(mail(2, to="a@other.example"))
        await asked.wait()
        stopping = asyncio.create_task(channel.stop(10))
        await asyncio.sleep(0)
        assert waiting.result().verdict is Verdict.TEMPORARY, "given back"
        assert not channel.open
        answer.set()
        await stopping
        assert under_way.result().verdict is Verdict.ACCEPTED
        assert (await channel.deliver(mail(3))).verdict is Verdict.TEMPORARY
    assert len(server.taken) == 1


@pytest.mark.parametrize("stage", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "DOT"])
async def test_stopping_without_grace_leaves_a_receipt_that_is_true(stage: str) -> None:
    reached = asyncio.Event()

    async def hang(visit: Visit, line: bytes) -> Word:
        reached.set()
        return Act.HANG

    async with ScriptedRelay({stage: hang}) as server:
        channel = channel_to(server)
        await channel.start()
        answer = channel.deliver(mail(1))
        await reached.wait()
        await channel.stop(0)
        expected = Verdict.IN_DOUBT if stage == "DOT" else Verdict.TEMPORARY
        assert answer.result().verdict is expected
        assert channel.connections == 0


@BOTH
async def test_cancelled_mails_leave_nothing_on_the_connection(offers: tuple[str, ...]) -> None:
    """Cancel at random moments: no answer ever goes to the wrong mail, and no withdrawn body is sent late."""
    seed = random.randrange(1 << 32)
    print("seed", seed)
    rng = random.Random(seed)

    async def rcpt(visit: Visit, line: bytes) -> Word:
        for _ in range(rng.randrange(4)):
            await asyncio.sleep(0)
        return b"550 5.1.1 no\r\n" if b"bad" in line else b"250 ok\r\n"

    async with ScriptedRelay({"RCPT": rcpt}, offers=offers, cuts=rng) as server:
        channel = channel_to(server, connections=4)
        await channel.start()
        answers = {}
        for number in range(600):
            to = f"{rng.choice(['bad', 'good'])}{number}@d{rng.randrange(4)}.example"
            answers[to] = answer = channel.deliver(mail(number, to=to))
            if rng.random() < 0.3:
                for _ in range(rng.randrange(12)):
                    await asyncio.sleep(0)
                answer.cancel()
        await asyncio.wait(answers.values())
        await channel.stop(5)
    taken = [mail.recipient.decode() for mail in server.taken]
    assert len(taken) == len(set(taken))
    for to, answer in answers.items():
        if not answer.cancelled():
            verdict = answer.result().verdict
            assert verdict is (Verdict.ACCEPTED if "good" in to else Verdict.PERMANENT)
            assert (to in taken) is (verdict is Verdict.ACCEPTED)
    assert not any("bad" in to for to in taken)


@BOTH
async def test_a_mail_cancelled_midway_ends_its_connection(offers: tuple[str, ...]) -> None:
    for stage in ("MAIL", "RCPT", "DATA", "DOT"):
        reached, go = asyncio.Event(), asyncio.Event()

        async def wait(visit: Visit, line: bytes, reached: asyncio.Event = reached, go: asyncio.Event = go) -> Word:
            if not go.is_set():
                reached.set()
                await go.wait()
            return b""

        async with ScriptedRelay({stage: wait}, offers=offers) as server:
            channel = channel_to(server, connections=1)
            await channel.start()
            first = channel.deliver(mail(1))
            await reached.wait()
            first.cancel()
            second = channel.deliver(mail(2))
            go.set()
            assert (await second).verdict is Verdict.ACCEPTED
            await channel.stop(1)
        assert len(server.visits) == 2
        taken = [mail.recipient for mail in server.taken]
        assert taken == ([b"customer1@mail.example"] if stage == "DOT" else []) + [b"customer2@mail.example"]


async def test_a_body_that_stalls_is_aborted_and_never_arrives_later() -> None:
    """The relay takes the DATA and reads no more until we have given up; then it reads all there is."""
    gave_up, read_all = asyncio.Event(), asyncio.Event()
    tail = b""

    async def data(visit: Visit, line: bytes) -> Word:
        nonlocal tail
        visit.writer.write(b"354 go\r\n")
        await gave_up.wait()
        try:
            while received := await visit.reader.read(1 << 16):
                tail = (tail + received)[-16:]
        except ConnectionError:
            pass
        read_all.set()
        return Act.DROP

    async with ScriptedRelay({"DATA": data}) as server:
        channel = channel_to(server, patience=Patience(stall=0.2))
        await channel.start()
        large = mail(1, body=(b"y" * 70 + b"\r\n") * 400_000)
        receipt = await channel.deliver(replace(large, wire_ready=True))
        gave_up.set()
        await read_all.wait()
        await channel.stop(0)
    assert (receipt.verdict, receipt.text) == (Verdict.IN_DOUBT, "the relay stopped reading")
    assert not tail.endswith(b"\r\n.\r\n")
