"""A sink that loses mail or injects nothing would make every test beside it worthless."""

from __future__ import annotations

import smtplib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from tests.tools.sink import STAGES, Fault, Sink, Stage
from tests.tools.waiting import PATIENCE

MAIL = b"Subject: one\r\nMessage-ID: <1@example.com>\r\n\r\nHello\r\n.dotted\r\n..twice\r\n"


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    with Sink(tmp_path / "sink") as sink:
        yield sink


def send(sink: Sink, to: str = "ana@customers.example", data: bytes = MAIL) -> None:
    with smtplib.SMTP("127.0.0.1", sink.port, timeout=PATIENCE) as client:
        client.sendmail("shop@example.com", [to], data)


def test_the_sink_keeps_every_byte(sink: Sink) -> None:
    send(sink)
    send(sink, to="bo@customers.example", data=b".\r\n")
    first, second = sink.mails()
    assert (first.sender, first.to, first.data) == ("shop@example.com", "ana@customers.example", MAIL)
    assert (second.to, second.data) == ("bo@customers.example", b".\r\n")


def test_the_sink_reads_many_commands_of_one_write(sink: Sink) -> None:
    with smtplib.SMTP("127.0.0.1", sink.port, timeout=PATIENCE) as client:
        client.ehlo()
        assert client.has_extn("pipelining")
        envelope = b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
        client.send(envelope)
        assert [client.getreply()[0] for _ in range(3)] == [250, 250, 354]
        client.send(b"Subject: 1\r\n\r\none\r\n.\r\n" + envelope)
        assert [client.getreply()[0] for _ in range(4)] == [250, 250, 250, 354]
        client.send(b"Subject: 2\r\n\r\ntwo\r\n.\r\n")
        assert client.getreply()[0] == 250
    assert [mail.data[9:10] for mail in sink.mails()] == [b"1", b"2"]


@pytest.mark.parametrize(
    ("stage", "when"),
    [(stage, when) for stage in STAGES for when in ("before", "after") if (stage, when) != ("body", "after")],
)
def test_the_sink_cuts_the_connection_where_it_is_told(
    sink: Sink, stage: Stage, when: Literal["before", "after"]
) -> None:
    sink.ask(Fault(stage=stage, when=when))
    with pytest.raises((smtplib.SMTPException, OSError)):
        send(sink)
    assert sink.count() == ((stage, when) == ("dot", "after"))
    assert [fault.stage for _, fault in sink.faults()] == [stage]
    send(sink)
    assert sink.count() == 1 + ((stage, when) == ("dot", "after"))


def test_the_sink_kills_the_process_it_is_told_to(sink: Sink) -> None:
    victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    sink.ask(Fault(stage="rcpt", do="kill", nth=2, pid=victim.pid))
    send(sink)
    assert victim.poll() is None
    with pytest.raises((smtplib.SMTPException, OSError)):
        send(sink)
    assert victim.wait(10) == -9


def test_the_sink_delays_its_reply_if_asked_to(sink: Sink) -> None:
    sink.ask(Fault(stage="dot", when="after", do="delay", seconds=0.2))
    send(sink)
    assert sink.count() == 1


def test_the_record_of_a_sink_outlives_it(sink: Sink) -> None:
    send(sink)
    port = sink.port
    sink.stop()
    with pytest.raises(OSError, match="refused"):
        send(sink)
    sink.start()
    send(sink)
    assert sink.port == port
    assert [mail.data for mail in sink.mails()] == [MAIL, MAIL]
