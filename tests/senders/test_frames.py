"""Frames come out as they went in, however a socket cuts them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from avisa.core.retry import Receipt, Verdict
from avisa.senders.frames import (
    KEPT_RENDERERS,
    Answer,
    BegunMail,
    Frames,
    Leases,
    Logging,
    Mails,
    NewRenderer,
    Report,
    Setup,
    Stop,
    ToSender,
    framed,
    keep,
)
from avisa.smtp.relay import Patience, Relay

AT = datetime(2026, 3, 2, 10, 15, 30, 123456, tzinfo=UTC)
RELAY = Relay(
    host="relay.example", port=587, tls="starttls", username="avisa", password="päss", patience=Patience(dot=7)
)
TO_SENDER: list[ToSender] = [
    Setup(RELAY, Logging("json", "info"), 4711),
    NewRenderer("0123-abcd", bytes(range(256)) * 300),
    Mails(
        [BegunMail(f"A-{n}/1/update/1/customer", "0123-abcd", b'{"to": "ana@example.com"}', AT) for n in range(50)]
    ),
    Leases({"A-1/1/update/1/customer": AT}),
    Stop(5.0),
]
GREYLISTED = Receipt(verdict=Verdict.TEMPORARY, stage="rcpt", code=450, text="4.7.1", at_least=timedelta(minutes=5))
UNKNOWN = Receipt(verdict=Verdict.PERMANENT, stage="rcpt", code=550, text="5.1.1", address_unknown=True)
REPORTS = [
    Report(open=True, connections=8, refusal=None, answers=[], log=b""),
    Report(
        open=False,
        connections=0,
        refusal=Receipt(verdict=Verdict.REFUSED_US, stage="auth", code=535),
        answers=[Answer("A-1", GREYLISTED, ["order.url: dropped"]), Answer("A-2", UNKNOWN, [])],
        log=b'{"event": "smtp.relay_lost"}\n',
    ),
]


@pytest.mark.parametrize(("kind", "frames"), [(ToSender, TO_SENDER), (Report, REPORTS)])
def test_frames_come_out_as_they_went_in(kind: object, frames: list[ToSender] | list[Report]) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    rng = random.Random(seed)
    sent = b"".join(map(framed, frames))
    received: Frames[object] = Frames(kind)
    found: list[object] = []
    while sent:
        cut = rng.choice([1, 3, 5, 100, 70_000])
        found += received.feed(sent[:cut])
        sent = sent[cut:]
    assert found == frames


def test_a_password_is_not_shown() -> None:
    assert "päss" not in repr(TO_SENDER[0])


def test_the_oldest_renderer_is_forgotten() -> None:
    renderers: dict[str, int] = {}
    for number in range(KEPT_RENDERERS + 2):
        keep(renderers, str(number), number)
    assert list(renderers) == [str(number) for number in range(2, KEPT_RENDERERS + 2)]
