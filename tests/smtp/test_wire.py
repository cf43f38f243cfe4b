"""What goes over the wire is one mail, whatever is in it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avisa.core.retry import Verdict
from avisa.smtp.channel import EmailChannel
from avisa.smtp.delivery import wire
from avisa.smtp.reply import Reply, ReplyReader
from tests.smtp.harness import mail, relay_to
from tests.smtp.scripted import ScriptedRelay

SMUGGLED = [
    b"\r\n.\r\nMAIL FROM:<evil@x.example>\r\nRCPT TO:<b@y.example>\r\nDATA\r\nevil\r\n.\r\n",
    b"\n.\nMAIL FROM:<evil@x.example>\r\n",
    b"\n.\r\nMAIL FROM:<evil@x.example>\r\n",
    b"\r.\rMAIL FROM:<evil@x.example>\r\n",
    b"\r.\r\nMAIL FROM:<evil@x.example>\r\n",
    b"\r\n.\rMAIL FROM:<evil@x.example>\n",
    b"\r\n\0.\r\n.\r\n",
    b".",
    b".\r\n.\r\n..\r\n",
    b"no line end",
    b"",
]


@pytest.mark.parametrize("offers", [("PIPELINING",), ()], ids=["pipelined", "stepwise"])
async def test_no_second_mail_can_be_smuggled_into_a_body(offers: tuple[str, ...]) -> None:
    async with ScriptedRelay(offers=offers) as server:
        channel = EmailChannel(relay_to(server, connections=1), jitter=lambda: 0.5)
        await channel.start()
        for number, body in enumerate(SMUGGLED):
            receipt = await channel.deliver(mail(number, body=body))
            assert receipt.verdict is Verdict.ACCEPTED
        await channel.stop(1)
    assert len(server.taken) == len(SMUGGLED)
    for number, taken in enumerate(server.taken):
        assert taken.data.startswith(b"Subject: %d\r\n" % number)
        assert taken.sender == b"shop@shop.example"


@given(st.text(alphabet="ab.\r\n", max_size=40).map(str.encode))
def test_wire_data_has_crlf_lines_and_the_same_content(data: bytes) -> None:
    sent = wire(data)
    assert sent.endswith(b"\r\n")
    lines = sent.split(b"\r\n")[:-1]
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert not any(line.startswith(b".") and not line.startswith(b"..") for line in lines)
    received = b"\r\n".join(line.removeprefix(b".") for line in lines) + b"\r\n"
    text = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    assert received.replace(b"\r\n", b"\n") == text + (b"" if text.endswith(b"\n") else b"\n")


def test_data_that_is_wire_ready_is_not_copied() -> None:
    data = b"Subject: x\r\n\r\nHello\r\n"
    assert wire(data) is data


@given(st.integers(0, 1 << 32))
def test_replies_are_read_however_they_are_cut(seed: int) -> None:
    rng = random.Random(seed)
    text = b"250-one\r\n250-two\r\n250 three\r\n354 go\r\n550 5.1.1 no\n250\r\n"
    reader, replies = ReplyReader(), []
    while text:
        cut = rng.randrange(1, len(text) + 1)
        replies += reader.feed(text[:cut])
        text = text[cut:]
    expected = [
        Reply(250, b"one\ntwo\nthree"),
        Reply(354, b"go"),
        Reply(550, b"5.1.1 no"),
        Reply(250, b""),
    ]
    assert replies == expected
    assert replies[2].enhanced == "5.1.1"
    assert not reader.unfinished


async def test_mails_the_relay_cannot_take_are_refused_unsent() -> None:
    offers = ("PIPELINING", "SIZE 300")
    big, eight_bit = b"x" * 70 + b"\r\n", "olá\r\n".encode()
    async with ScriptedRelay(offers=offers) as server:
        channel = EmailChannel(relay_to(server), jitter=lambda: 0.5)
        await channel.start()
        assert (await channel.deliver(mail(1))).verdict is Verdict.ACCEPTED
        for body in (big * 5, eight_bit):
            receipt = await channel.deliver(mail(2, body=body))
            assert (receipt.verdict, receipt.stage) == (Verdict.PERMANENT, "mail")
        receipt = await channel.deliver(mail(3, to="jürgen@mail.example"))
        assert receipt.verdict is Verdict.PERMANENT
        receipt = await channel.deliver(mail(4, to="a@b.example\r\nRCPT TO:<x@y.example>"))
        assert receipt.verdict is Verdict.PERMANENT
        server.offers = ("PIPELINING", "SIZE 0", "8BITMIME", "SMTPUTF8")
        await channel.stop(1)
        channel = EmailChannel(relay_to(server), jitter=lambda: 0.5)
        await channel.start()
        receipts = [
            await channel.deliver(mail(5, body=eight_bit)),
            await channel.deliver(mail(6, to="jürgen@mail.example")),
        ]
        assert {receipt.verdict for receipt in receipts} == {Verdict.ACCEPTED}
        await channel.stop(1)
    mails = [line for line in server.said if line.startswith(b"MAIL")]
    assert b"SIZE=" in mails[0]
    assert b"BODY=8BITMIME" in mails[1]
    assert b"SMTPUTF8" in mails[2]
    assert len(server.taken) == 3
