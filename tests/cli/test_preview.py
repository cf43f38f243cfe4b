"""`avisa preview` of a sample and of a real order, with pictures and without."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from avisa.core.model import Fact
from avisa.ports import Change
from avisa.preview import screenshots
from avisa.store import open_store
from tests.cli.histories import at
from tests.cli.test_command import Avisa, asked, kept
from tests.fakes import RealClock
from tests.store.harness import order
from tests.templates.harness import shipped
from tests.templates.test_folder import laid_out
from tests.tools import picture
from tests.tools.parts import needs
from tests.tools.waiting import PATIENCE

__all__ = ["asked", "kept"]

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def few_words(tmp_path: Path) -> None:
    """A folder of two languages beside the command, which is as good as five, and quicker."""
    laid_out(tmp_path / "templates", shipped("en", "pt-BR"))


def without_chromium(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screenshots, "NAMES", ("no-such-browser",))


async def _keep_real(url: str) -> None:
    store = open_store(url, clock=RealClock(), exclusive=True)
    await store.start()
    facts = {"customer.name": "Rui Costa", "customer.email": "rui@example.org", "details.number": "4711"}
    real = order(
        "R-1",
        status="confirmed",
        facts={name: Fact(rank=(1, -1, 1), value=value) for name, value in facts.items()},
        statuses=(((1, -1, 1), "confirmed"),),
    )
    nowhere = order("R-2", facts={})
    await store.orders.commit([Change(order=real), Change(order=nowhere)], now=at(2, 10))
    await store.close()


@pytest.fixture
def real(tmp_path: Path) -> None:
    asyncio.run(_keep_real(f"sqlite:///{tmp_path / 'avisa.db'}"))


def test_without_chromium_preview_takes_no_pictures_and_says_so(
    asked: Avisa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_chromium(monkeypatch)
    ended = asked("preview", "shipped", "--out", "out", "--json")
    assert ended.code == 0
    assert ended.json["files"] == ["out/mail.eml", "out/mail.html", "out/mail.txt", "out/short.txt"]
    assert ended.json["notes"] == ["no pictures: none of no-such-browser is on the path"]
    assert "no pictures" in asked("preview", "shipped", "--out", "out").out


def test_a_browser_that_does_not_work_is_no_error_either(
    asked: Avisa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "bin" / "chromium"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(broken.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{broken.parent}:{os.environ['PATH']}")
    ended = asked("preview", "shipped", "--out", "out", "--json")
    assert ended.code == 0
    (note,) = ended.json["notes"]
    assert note.startswith(f"no pictures: Chromium ({broken}) took no pictures: ")


@needs("chromium")
def test_pictures_are_taken_of_desktop_phone_and_dark(asked: Avisa, tmp_path: Path) -> None:
    made = asked("preview", "shipped", "--out", "out", "--json").json
    assert made["notes"] == []
    assert made["files"][4:] == ["out/desktop.png", "out/mobile.png", "out/dark.png"]
    folder = tmp_path / "out"
    desktop, phone, dark = (picture.size(folder / f"{name}.png") for name in ("desktop", "mobile", "dark"))
    assert desktop[0] == dark[0] == 800
    assert desktop[1] == dark[1] > 300  # as high as the mail, not as a window
    assert phone[0] == 2 * 375
    assert phone[1] / 2 > desktop[1]  # narrower, so higher
    assert picture.brightness(folder / "desktop.png") > 0.8
    assert picture.brightness(folder / "dark.png") < 0.2


def test_a_real_order_is_shown_and_nothing_about_it_changes(
    asked: Avisa, real: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_chromium(monkeypatch)
    before = asked("timeline", "R-1", "--json").json
    made = asked("preview", "shipped", "--order", "R-1", "--locale", "en", "--out", "out", "--json").json
    assert "4711" in made["subject"]
    assert "Hi Rui," in (tmp_path / "out" / "mail.txt").read_text()
    assert b"rui@example.org" in (tmp_path / "out" / "mail.eml").read_bytes()
    assert asked("timeline", "R-1", "--json").json == before
    assert asked("outbox", "--json").json == []
    made = asked("preview", "shipped", "--order", "R-2", "--out", "out", "--json").json
    assert "no address" in made["notes"][0]


def test_what_is_wrong_with_another_message_does_not_matter(
    asked: Avisa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_chromium(monkeypatch)
    file = tmp_path / "templates" / "messages" / "delivered" / "en.md"
    file.write_text(file.read_text() + "{{ nonsense }}\n")
    assert asked("preview", "shipped", "--out", "out").code == 0
    ended = asked("preview", "delivered", "--out", "out", "--json")
    assert (ended.code, ended.json["error"]) == (1, "problems")
    assert "nonsense" in ended.json["message"]
    (tmp_path / "templates" / "messages" / "delayed" / "en.md").write_bytes(b"\xff")
    assert asked("preview", "shipped", "--out", "out").code == 0
    assert "UTF-8" in asked("preview", "delayed", "--out", "out", "--json").json["message"]
    ended = asked("preview", "nope", "--json")
    assert ended.json["message"].startswith("there is no message nope; there are ask-owner, cancelled, ")


def test_an_order_of_their_own_samples_is_shown(
    asked: Avisa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_chromium(monkeypatch)
    own = '{"order_id": "A-77", "status": "shipped", "customer": {"name": "Rita Alves", "email": "rita@example.pt"}}'
    (tmp_path / "templates" / "samples.jsonl").write_text(own + "\n")
    assert "A-77" in asked("preview", "delayed", "--sample", "A-77", "--out", "out", "--json").json["subject"]
    assert "Rita" in (tmp_path / "out" / "mail.txt").read_text()
    ended = asked("preview", "delayed", "--sample", "nope", "--json")
    assert ended.json["message"] == "delayed has the samples full, bare, odd, slot, A-77"


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["shipped", "--order", "nope"], 1, "not_found"),
        (["shipped", "--order", "R-1", "--sample", "odd"], 64, "usage"),
        (["nope", "--order", "R-1"], 1, "not_found"),
        ([], 64, "usage"),
        (["shipped", "--serve"], 64, "usage"),
        (["--serve", "--order", "R-1"], 64, "usage"),
        (["shipped", "--port", "99999"], 64, "usage"),
    ],
)
def test_preview_refuses_what_it_cannot_show(
    asked: Avisa, real: None, words: list[str], code: int, error: str
) -> None:
    ended = asked("preview", *words, "--json")
    assert (ended.code, ended.json["error"]) == (code, error)


def test_an_order_needs_a_store(asked: Avisa) -> None:
    ended = asked("preview", "shipped", "--order", "R-1", "--json")
    assert (ended.code, ended.json["error"]) == (74, "storage")


@needs("process")
def test_the_page_is_served_until_it_is_ended(tmp_path: Path) -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith("AVISA_")}
    served = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "avisa.cli", "preview", "--serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=own | {"PYTHONPATH": str(ROOT)},
    )
    try:
        assert served.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+/", served.stdout.readline())
        assert found is not None
        assert "order-confirmed" in httpx.get(found[0], timeout=PATIENCE).text
        with httpx.stream("GET", f"{found[0]}changes", timeout=PATIENCE) as stream:
            next(stream.iter_lines())
            served.send_signal(signal.SIGINT)  # an open page does not keep it
            out, err = served.communicate(timeout=PATIENCE)
        assert (served.returncode, out, err) == (0, "", "")
    finally:
        served.kill()
        served.wait()


def test_a_taken_port_is_said(asked: Avisa) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = asked("preview", "--serve", "--port", str(taken.getsockname()[1]), "--json")
    assert (ended.code, ended.json["error"]) == (64, "usage")
    assert "--port" in ended.json["message"]
