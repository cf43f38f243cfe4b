"""`avisa run` with nothing set but where things may lie: the embedded defaults, end to end, in one process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.tools.parts import needs
from tests.tools.waiting import PATIENCE

PROJECT = Path(__file__).parents[2]
CANARIES = ("canary", "Ana Canária", "hunter2")
ORDER = {
    "order_id": "A-1",
    "status": "confirmed",
    "customer": {"name": "Ana Canária", "email": "ana.canary@example.pt", "locale": "pt-PT"},
    "details": {"number": "1042"},
}


@dataclass(frozen=True)
class Running:
    process: subprocess.Popen[bytes]
    folder: Path
    url: str
    environ: dict[str, str]

    def avisa(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "avisa.cli", *words],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environ,
            timeout=PATIENCE,
        )

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


def until(ready: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not ready():
        assert time.monotonic() < end, f"still waiting for {what}"
        time.sleep(0.1)


@pytest.fixture
@needs("process")
def running(tmp_path: Path) -> Iterator[Running]:
    port = free_port()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AVISA_")} | {
        "PYTHONPATH": str(PROJECT),
        "AVISA_TEMPLATES": "current",
        "AVISA_HTTP__PORT": port,
        "AVISA_INBOX__DIR": "mails",
        "AVISA_LOG__FORMAT": "json",
        "AVISA_LOG__LEVEL": "debug",
        "AVISA_CLOCK__START": "2026-03-02T10:00:00Z",  # out of the quiet hours
        "AVISA_SECRET_KEY": "hunter2-5b0f6c9e1d7a4b32c8e60f9d1a57b34e",
    }
    (tmp_path / "current").symlink_to(PROJECT / "templates")
    with started(tmp_path, environ) as run:
        yield run


@contextmanager
def started(folder: Path, environ: dict[str, str]) -> Iterator[Running]:
    """`avisa run` in the folder, once it is ready or has ended; killed in the end."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "avisa.cli", "run"], stdout=log, stderr=log, cwd=folder, env=environ
        )
    run = Running(process, folder, f"http://127.0.0.1:{environ['AVISA_HTTP__PORT']}", environ)
    try:
        until(lambda: process.poll() is not None or is_ready(run.url), "/readyz")
        yield run
    finally:
        process.kill()
        process.wait()


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=PATIENCE).status_code == 200
    except httpx.TransportError:
        return False


def test_an_event_becomes_a_mail_and_nobody_is_named_in_the_log(running: Running) -> None:
    published = running.avisa("publish", "-", "--json", stdin=json.dumps(ORDER) + '\n{"name": "Ana Canária"\n')
    assert json.loads(published.stdout) == {"published": 2}

    mails = running.folder / "mails"
    until(lambda: list(mails.glob("*.eml")), "the mail")
    assert "1042" in httpx.get(f"{running.url}/inbox", timeout=PATIENCE).text
    until(lambda: json.loads(running.avisa("outbox", "--state", "sent", "--json").stdout), "its settlement")
    document = json.loads(running.avisa("timeline", "A-1", "--json").stdout)
    assert [entry["kind"] for entry in document["entries"]] == ["event", "decision", "settled"]
    assert document["entries"][-1]["message_id"] in (mails / "000001.eml").read_text()
    until(lambda: json.loads(running.avisa("dead-letters", "--json").stdout), "the dead letter")
    counted = json.loads(running.avisa("counts", "--json").stdout)
    assert (counted["events"]["read"], counted["notifications"]["by_state"]["sent"]) == (2, 1)

    for path in ("/metrics", "/readyz", "/livez", "/asyncapi.json"):
        page = httpx.get(running.url + path, timeout=PATIENCE).text
        assert not any(canary in page for canary in CANARIES), path
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(PATIENCE) == 0
    assert not any(canary in running.log for canary in CANARIES)
    lines = [json.loads(line) for line in running.log.splitlines()]
    assert {"embedded.inbox_started", "app.started", "app.stopped"} <= {line["event"] for line in lines}


def test_readyz_says_how_a_folder_that_is_a_link_is_kept_up_with(running: Running) -> None:
    def detail() -> str:
        said: str = httpx.get(f"{running.url}/readyz", timeout=PATIENCE).json()["checks"]["catalog"]["detail"]
        return said

    until(lambda: detail().endswith("; `current` is a link, so the folder is looked at every 2 s"), "the link")


@pytest.mark.long
def test_words_are_pushed_and_rolled_back_beside_a_running_service(running: Running) -> None:
    def in_force() -> str:
        detail: str = httpx.get(f"{running.url}/readyz", timeout=PATIENCE).json()["checks"]["catalog"]["detail"]
        return detail

    def did(*words: str) -> dict[str, object]:
        done = running.avisa("templates", *words, "--json")
        assert done.returncode == 0, done.stdout
        document: dict[str, object] = json.loads(done.stdout)
        return document

    assert in_force().startswith("version 1 (")
    did("pull", "words")
    message = running.folder / "words/messages/order-confirmed/pt-PT.md"
    message.write_text(message.read_text().replace("subject: ", "subject: Bom dia. ", 1))
    assert did("push", "words", "--note", "more polite", "--author", "ana")["version"] == 2
    until(lambda: in_force().startswith("version 2 ("), "the new words")
    assert running.avisa("publish", "-", stdin=json.dumps(ORDER)).returncode == 0
    until(lambda: list((running.folder / "mails").glob("*.eml")), "the mail")
    until(lambda: json.loads(running.avisa("outbox", "--state", "sent", "--json").stdout), "its settlement")
    again = running.avisa("timeline", "A-1", "--mail", "1/update/1/customer", "--out", "again", "--json")
    assert json.loads(again.stdout)["subject"].startswith("Bom dia. ")
    assert (running.folder / "again/mail.eml").read_bytes() == (running.folder / "mails/000001.eml").read_bytes()
    assert did("rollback")["version"] == 3
    until(lambda: in_force().startswith("version 3 ("), "the old words")
    (newest, *_) = json.loads(running.avisa("templates", "history", "--json").stdout)
    assert len(newest["in_force_on"]) == 1
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(PATIENCE) == 0
    assert json.loads(running.avisa("templates", "history", "--json").stdout)[0]["in_force_on"] == []


def test_a_second_service_on_one_port_or_store_is_refused(running: Running) -> None:
    busy = running.avisa("run")
    assert busy.returncode == 78
    assert "AVISA_HTTP__PORT" in busy.stderr
    beside = Running(
        running.process, running.folder, running.url, running.environ | {"AVISA_HTTP__PORT": free_port()}
    ).avisa("run")
    assert beside.returncode == 78
    assert "AVISA_STORE__URL" in beside.stderr
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(PATIENCE) == 0


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])
