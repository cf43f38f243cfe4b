"""`avisa run` with a sender process: how both end, whichever ends first."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.bench.machine import family
from tests.cli.test_run import ORDER, PROJECT, Running, free_port, started, until
from tests.tools.parts import needs
from tests.tools.sink import Sink
from tests.tools.waiting import PATIENCE

SECRET = "hunter2-5b0f6c9e1d7a4b32c8e60f9d1a57b34e"


@pytest.fixture
@needs("process")
def environ(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "current").symlink_to(PROJECT / "templates")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AVISA_")}
    return clean | {
        "PYTHONPATH": str(PROJECT),
        "AVISA_SENDERS": "1",
        "AVISA_TEMPLATES": "current",
        "AVISA_HTTP__PORT": free_port(),
        "AVISA_INBOX__DIR": "mails",
        "AVISA_LOG__FORMAT": "json",
        "AVISA_CLOCK__START": "2026-03-02T10:00:00Z",  # out of the quiet hours
        "AVISA_SECRET_KEY": SECRET,
    }


@pytest.fixture
def sink(tmp_path: Path, environ: dict[str, str]) -> Iterator[Sink]:
    with Sink(tmp_path / "sink") as started:
        environ |= {
            "AVISA_SMTP__HOST": "127.0.0.1",
            "AVISA_SMTP__PORT": str(started.port),
            "AVISA_SMTP__TLS": "none",
            "AVISA_SMTP__REDIRECT_TO": "staging@example.com",
        }
        del environ["AVISA_INBOX__DIR"]
        yield started


def sender_of(run: Running) -> int:
    """The sender process, once it takes mails."""

    def is_open() -> bool:
        return bool(httpx.get(f"{run.url}/readyz", timeout=PATIENCE).json()["checks"]["email"]["ok"])

    until(is_open, "the sender process")
    (found,) = (pid for pid in family(run.process.pid) if b"avisa.senders" in cmdline(pid))
    return found


def cmdline(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def state(run: Running) -> str:
    """Of the only notification."""
    rows = json.loads(run.avisa("outbox", "--json").stdout)
    return str(rows[0]["state"]) if rows else ""


def lines(run: Running) -> list[str]:
    return [json.loads(line)["event"] for line in run.log.splitlines()]


def test_an_event_becomes_a_mail_and_sigterm_ends_both(tmp_path: Path, environ: dict[str, str]) -> None:
    with started(tmp_path, environ) as run:
        sender = sender_of(run)
        assert run.avisa("publish", "-", stdin=json.dumps(ORDER)).returncode == 0
        until(lambda: list((tmp_path / "mails").glob("*.eml")), "the mail")
        until(lambda: state(run) == "sent", "its settlement")
        assert SECRET.encode() not in cmdline(sender) + Path(f"/proc/{sender}/environ").read_bytes()
        os.kill(sender, signal.SIGTERM)  # as a service manager does, to every process
        run.process.send_signal(signal.SIGTERM)
        assert run.process.wait(PATIENCE) == 0
        assert not cmdline(sender)
        assert "app.stopped" in lines(run)
        assert "senders.ended" not in lines(run)


def test_killed_it_leaves_no_process_behind(tmp_path: Path, environ: dict[str, str]) -> None:
    with started(tmp_path, environ) as run:
        sender = sender_of(run)
        run.process.kill()
        run.process.wait()
        until(lambda: not cmdline(sender), "the end of the sender process")


def test_whoever_lost_its_parent_sends_nothing_of_it(tmp_path: Path, environ: dict[str, str], sink: Sink) -> None:
    """What it had in hand may be sent by the next process at once: the leases of a SQLite store end at a start."""
    with started(tmp_path, environ) as run:
        sender = sender_of(run)
        os.kill(sender, signal.SIGSTOP)
        assert run.avisa("publish", "-", stdin=json.dumps(ORDER)).returncode == 0
        until(lambda: state(run) == "sending", "the attempt")
        run.process.kill()
        run.process.wait()
        os.kill(sender, signal.SIGCONT)
        until(lambda: not cmdline(sender), "the end of the sender process")
    assert sink.count() == 0
    with started(tmp_path, environ) as run:
        until(lambda: state(run) == "sent", "the next attempt")
        (mail,) = sink.mails()
        assert mail.to == "staging@example.com"
        assert b"X-Avisa-Intended-To: ana.canary@example.pt" in mail.data
        run.process.send_signal(signal.SIGTERM)
        assert run.process.wait(PATIENCE) == 0
