"""What the relay took and what we say it took, for thousands of mails under random faults."""

from __future__ import annotations

import asyncio
import random

import pytest

from avisa.core.retry import Verdict
from avisa.smtp.channel import EmailChannel
from avisa.smtp.relay import Patience
from tests.depth import rounds
from tests.smtp.harness import mail, relay_to
from tests.smtp.scripted import Act, Line, ScriptedRelay, Visit, Word
from tests.tools import waiting

MAILS = 2000  # in full depth
# Few mails meet a relay that hangs; a machine that is busy may be silent for longer than a moment.
PATIENCE = Patience(connect=5, opening=5, mail=5, rcpt=5, data=5, stall=5, dot=5, quit=5, idle=5)


class Moody:
    """Answers at random; notes for which mails it withheld the answer to the dot."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.withheld: set[str] = set()

    def script(self) -> dict[str, Line]:
        return {"MAIL": self.envelope, "RCPT": self.envelope, "DATA": self.data, "DOT": self.dot}

    def envelope(self, visit: Visit, line: bytes) -> Word:
        rcpt = line.startswith(b"RCPT")
        return self._mood(
            [b"450 4.2.0 later\r\n", b"550 5.1.1 no\r\n" if rcpt else b"552 too big\r\n", b"421 bye\r\n"], line
        )

    def data(self, visit: Visit, line: bytes) -> Word:
        return self._mood([b"451 later\r\n", b"554 no\r\n", b"421 bye\r\n"], line)

    def dot(self, visit: Visit, line: bytes) -> Word:
        word = self._mood([b"451 later\r\n", b"554 no\r\n", b"421 bye\r\n", b"250-so\r\n250 be it\r\n"], line)
        if isinstance(word, Act) or word.startswith(b"?"):
            self.withheld.update(recipient.decode() for recipient in visit.recipients)
        return word

    def _mood(self, replies: list[bytes], line: bytes) -> Word:
        luck = self._rng.random()
        if luck < 0.06:
            return self._rng.choice(replies)
        if luck < 0.075:
            return self._rng.choice([Act.DROP, Act.EOF])
        if luck < 0.077:
            return b"?\r\n"
        if luck < 0.0771:  # it costs a patience
            return Act.HANG
        return b""


@pytest.mark.parametrize("offers", [("PIPELINING",), ()], ids=["pipelined", "stepwise"])
async def test_receipts_are_true_whatever_the_relay_does(offers: tuple[str, ...]) -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    rng = random.Random(seed)
    moody = Moody(rng)
    mails = rounds(MAILS)
    async with ScriptedRelay(moody.script(), offers=offers, cuts=rng) as server:
        channel = EmailChannel(relay_to(server, patience=PATIENCE, mails_per_connection=40), jitter=rng.random)
        await channel.start()
        receipts = {}
        for start in range(0, mails, 200):
            batch = {f"c{n}@d{rng.randrange(3)}.example": n for n in range(start, start + 200)}
            answers = [channel.deliver(mail(n, to=to)) for to, n in batch.items()]
            receipts |= dict(zip(batch, await asyncio.gather(*answers), strict=True))
            async with asyncio.timeout(waiting.PATIENCE):
                while not channel.open:
                    await asyncio.sleep(0.01)
        await channel.stop(2)
    taken = [mail.recipient.decode() for mail in server.taken]
    verdicts = {verdict: {to for to, r in receipts.items() if r.verdict is verdict} for verdict in Verdict}
    assert len(taken) == len(set(taken)), "no mail was sent twice"
    assert verdicts[Verdict.ACCEPTED] <= set(taken), "what we call accepted is there"
    assert set(taken) <= verdicts[Verdict.ACCEPTED] | verdicts[Verdict.IN_DOUBT], "what is there, we never deny"
    assert verdicts[Verdict.IN_DOUBT] == moody.withheld, "doubt is where the answer was lost, nowhere else"
    for stored in server.taken:
        number = int(stored.recipient.partition(b"@")[0][1:])
        assert stored.data.startswith(b"Subject: %d\r\n" % number), "each body went to its own recipient"
    assert len(verdicts[Verdict.ACCEPTED]) > mails / 2


async def test_one_connection_sends_mails_in_order() -> None:
    async with ScriptedRelay(cuts=random.Random(1)) as server:
        channel = EmailChannel(relay_to(server, connections=1, patience=PATIENCE), jitter=lambda: 0.0)
        await channel.start()
        receipts = await asyncio.gather(*(channel.deliver(mail(n)) for n in range(2000)))
        await channel.stop(1)
    assert {receipt.verdict for receipt in receipts} == {Verdict.ACCEPTED}
    assert [m.recipient for m in server.taken] == [b"customer%d@mail.example" % n for n in range(2000)]
