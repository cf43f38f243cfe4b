"""The table of SMTP outcomes, over a socket, with and without PIPELINING, replies cut at random bytes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from avisa.core.retry import Verdict
from avisa.smtp.channel import EmailChannel
from tests.smtp.harness import BRIEF, CALM, mail, relay_to
from tests.smtp.scripted import Act, Line, ScriptedRelay, Word

AT_ONCE = timedelta(0)
PATIENT = timedelta(minutes=5)
WEIGHED = timedelta(minutes=5, seconds=1)
V = Verdict


@dataclass(frozen=True)
class Row:
    name: str
    script: dict[str, Line]
    verdict: Verdict
    stage: str
    code: int | None
    at_least: timedelta | None = None
    unknown: bool = False
    open_after: bool | None = None  # None: either
    taken: int | None = None  # mails the relay has; None: either
    whole: bool = False  # the word is not cut


def _hangs(row: Row) -> bool:
    """Whether the relay falls silent somewhere, so that our patience must end."""
    words = [word for said in row.script.values() for word in (said if isinstance(said, list) else [said])]
    return any(not isinstance(word, bytes) or not word.endswith(b"\n") for word in words)


def row(verb: str, word: Word, verdict: Verdict, name: str = "", **more: Any) -> Row:
    """A relay that says `word` to `verb`; the receipt's code is the word's if it is a refusal or the taking."""
    stage = more.pop("stage", verb.lower())
    text = word.decode(errors="replace").strip() if isinstance(word, bytes) else word.name
    heard = isinstance(word, bytes) and (word[:1] in b"45" or (verb == "DOT" and word[:1] == b"2"))
    code = more.pop("code", int(text[:3]) if heard else None)
    more.setdefault("taken", {V.ACCEPTED: 1, V.IN_DOUBT: None}.get(verdict, 0))
    return Row(f"{verb} {name or text}", {verb: word}, verdict, stage, code, **more)


def rows() -> Iterator[Row]:
    # the route: nobody is marked, and the channel is closed until the relay is there again
    for word in (b"421 busy\r\n", b"450 busy\r\n", b"554 5.7.1 blocked\r\n", b"SSH-2.0\r\n", *Act):
        yield row("GREETING", word, V.TEMPORARY, open_after=False)
    yield row("GREETING", b"220-" + b"x" * 90_000, V.TEMPORARY, "endless", open_after=False)
    yield row("EHLO", b"451 later\r\n", V.TEMPORARY, open_after=False)
    for word in (b"421 bye\r\n", *Act):
        yield row("EHLO", word, V.TEMPORARY, open_after=False)
    yield row("EHLO", b"500 what?\r\n", V.ACCEPTED, stage="dot", code=250, open_after=True)
    both: dict[str, Line] = {"EHLO": b"550 no\r\n", "HELO": b"550 no\r\n"}
    yield Row("EHLO and HELO 550", both, V.TEMPORARY, "ehlo", 550, open_after=False)

    # MAIL: later, too big, or about us
    yield row("MAIL", b"450 later\r\n", V.TEMPORARY, open_after=True, at_least=AT_ONCE)
    yield row("MAIL", b"452 4.3.1 full\r\n", V.TEMPORARY, open_after=True, at_least=AT_ONCE)
    yield row("MAIL", b"451 Greylisted, come back\r\n", V.TEMPORARY, at_least=PATIENT)
    yield row("MAIL", b"552 too big\r\n", V.PERMANENT, open_after=True)
    yield row("MAIL", b"554 5.3.4 too big\r\n", V.PERMANENT, open_after=True)
    for code in (501, 530, 550, 553, 554):
        yield row("MAIL", b"%d 5.7.1 not you\r\n" % code, V.REFUSED_US, open_after=False)

    # RCPT
    yield row("RCPT", b"251 will forward\r\n", V.ACCEPTED, stage="dot", code=250)
    yield row("RCPT", b"252 cannot verify\r\n", V.ACCEPTED, stage="dot", code=250)
    script: dict[str, Line] = {"RCPT": [b"252 maybe\r\n", b"550 5.1.1 no\r\n"]}
    yield Row("RCPT 252, then 550", script, V.PERMANENT, "rcpt", 550, unknown=True)
    for word in (b"450 later\r\n", b"451 4.7.1 later\r\n", b"452 4.2.2 full\r\n", b"552 too much\r\n"):
        yield row("RCPT", word, V.TEMPORARY, at_least=PATIENT, open_after=True)
    yield row("RCPT", b"530 5.7.0 log in\r\n", V.REFUSED_US, open_after=False)
    yield row("RCPT", b"550-5.1.2 no such\r\n550 5.1.2 domain\r\n", V.PERMANENT, unknown=True)
    yield row("RCPT", b"550 listed at zen.spamhaus.org\r\n", V.TEMPORARY, at_least=WEIGHED, open_after=True)
    yield row("RCPT", b"550 5.7.1 not you\r\n", V.TEMPORARY, at_least=WEIGHED, open_after=True)
    yield row("RCPT", b"250-x\r\n" * 20_000, V.TEMPORARY, "endless lines")
    yield row("RCPT", b"250 " + b"x" * 90_000, V.TEMPORARY, "endless line")
    yield row("RCPT", b"250-x\r\n" * 1000 + b"250 ok\r\n", V.ACCEPTED, "long but fair", stage="dot", code=250)

    # DATA, before a word of the mail has left
    yield row("DATA", b"451 later\r\n", V.TEMPORARY, open_after=True)
    yield row("DATA", b"530 5.7.0 log in\r\n", V.REFUSED_US, open_after=False)
    yield row("DATA", b"250 what?\r\n", V.TEMPORARY)
    yield row("DATA", b"354 go\r\n250 taken already\r\n", V.TEMPORARY, "354 and more", whole=True)
    yield row("DATA", b"354 go\r\n250 ta", V.TEMPORARY, "354 and the start of more", whole=True)

    # after the dot
    for word in (b"251 fine\r\n", b"255 fine\r\n", b"250-fine\r\n250-really\r\n250 yes\r\n"):
        yield row("DOT", word, V.ACCEPTED)
    yield row("DOT", b"421 4.3.0 closing\r\n", V.TEMPORARY)
    yield row("DOT", b"451 4.3.0 later\r\n", V.TEMPORARY, at_least=AT_ONCE)
    yield row("DOT", b"451 4.7.1 later\r\n", V.TEMPORARY, at_least=PATIENT)
    for word in Act:
        yield row("DOT", word, V.IN_DOUBT, taken=1)
    for word in (b"ok, thanks\r\n", b"354 go on\r\n", b"250-" + b"x" * 90_000):
        yield row("DOT", word, V.IN_DOUBT, word[:9].decode(), code=None)

    # at any stage before the body
    for verb in ("MAIL", "RCPT", "DATA"):
        for word in (b"421 4.3.2 closing\r\n", b"hello?\r\n", b"\xff\xfe\x00\r\n", b"99 no\r\n", *Act):
            yield row(verb, word, V.TEMPORARY)
    # "no" is about the recipient or the message
    for code in (550, 551, 553, 554):
        for verb in ("RCPT", "DATA", "DOT"):
            yield row(verb, b"%d no\r\n" % code, V.PERMANENT, open_after=True)
        yield row("RCPT", b"%d 5.1.1 no\r\n" % code, V.PERMANENT, unknown=True, open_after=True)
    # leaving the refused mail behind is never its verdict
    for word in (b"500 what?\r\n", *Act):
        script = {"RCPT": b"550 5.1.1 no\r\n", "RSET": word}
        yield Row(f"RSET {word!r}", script, V.PERMANENT, "rcpt", 550, unknown=True)


@pytest.mark.parametrize("lenient", [False, True], ids=["strict", "lenient"])
@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "stepwise"])
@pytest.mark.parametrize("row", list(rows()), ids=lambda each: each.name)
async def test_a_reply_at_any_stage_becomes_the_right_receipt(row: Row, pipelining: bool, lenient: bool) -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    script: dict[str, Line] = {k: list(v) if isinstance(v, list) else v for k, v in row.script.items()}
    offers = ("PIPELINING", "8BITMIME") if pipelining else ("8BITMIME",)
    cuts = None if row.whole else random.Random(seed)
    async with ScriptedRelay(script, offers=offers, cuts=cuts, lenient=lenient) as server:
        # Only a row about silence is in a hurry; the others must not depend on how busy the machine is.
        patience = BRIEF if _hangs(row) else CALM
        channel = EmailChannel(relay_to(server, patience=patience), jitter=lambda: 0.5)
        await channel.start()
        receipt = await channel.deliver(mail(1))
        open_after = channel.open
        await channel.stop(0.5)
    assert (receipt.verdict, receipt.stage, receipt.code) == (row.verdict, row.stage, row.code)
    assert receipt.address_unknown is row.unknown
    assert "@" not in receipt.text
    if row.at_least is not None:
        assert receipt.at_least == row.at_least
    if row.open_after is not None:
        assert open_after is row.open_after
    if row.taken is not None:
        assert len(server.taken) == row.taken
