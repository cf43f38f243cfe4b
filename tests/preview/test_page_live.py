"""The page in a real browser: a saved file changes what is shown, and the page stays where it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from avisa.preview import screenshots
from tests.preview.test_page import Table, table
from tests.tools.parts import needs
from tests.tools.waiting import PATIENCE

__all__ = ["table"]


class Page:
    """A page that runs its scripts."""

    def __init__(self, pipe: Any, address: str) -> None:
        self._pipe = pipe
        target = pipe.ask("Target.createTarget", url="about:blank")["targetId"]
        pipe.session = pipe.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        pipe.ask("Page.enable")
        pipe.ask("Emulation.setDeviceMetricsOverride", width=1200, height=900, deviceScaleFactor=1, mobile=False)
        pipe.ask("Page.navigate", url=address)
        pipe.wait_for("Page.loadEventFired")

    def asked(self, script: str) -> Any:
        answer = self._pipe.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def until(self, script: str) -> None:
        """Wait for something that is sure to come."""
        end = time.monotonic() + PATIENCE
        while not self.asked(script):
            assert time.monotonic() < end, script
            time.sleep(0.1)


@contextmanager
def opened(folder: Path, address: str) -> Iterator[Page]:
    program = screenshots.find()
    assert program is not None
    with screenshots._browser(program, folder) as pipe:
        yield Page(pipe, address)


@needs("chromium")
async def test_the_page_follows_a_saved_file_and_stays_where_it_is(table: Table, tmp_path: Path) -> None:
    following = asyncio.create_task(table.previewed.follow())
    try:
        await asyncio.to_thread(watched, table, tmp_path / "browser")
    finally:
        following.cancel()


def watched(table: Table, profile: Path) -> None:
    profile.mkdir()
    frame = "document.getElementById('shipped.en').querySelector('iframe')"
    with opened(profile, str(table.client.base_url)) as page:
        page.asked(f"{frame}.scrollIntoView()")  # until then it is not even loaded
        page.until(f"{frame}.contentDocument.body && {frame}.contentDocument.body.innerText.includes('1042')")
        page.until(f"{frame}.clientHeight === {frame}.contentDocument.documentElement.offsetHeight")
        page.asked("window.before = [scrollY, document.getElementById('shipped.pt-PT')]")
        table.edit("messages/shipped/en.md", "has left us", "HAS LEFT THE BUILDING")
        page.until(f"{frame}.contentDocument.body && {frame}.contentDocument.body.innerText.includes('THE BUILDING')")
        assert page.asked("before[0] > 0 && before[0] === scrollY")
        assert page.asked("before[1] === document.getElementById('shipped.pt-PT')")  # untouched
        table.edit("messages/shipped/en.md", "{{ order.number }}** HAS", "{{ order.nmbr }}** HAS")
        page.until("document.getElementById('state').textContent === '1 error'")
        assert page.asked("document.getElementById('shipped.en').innerText.includes('order.nmbr')")
        assert page.asked("document.querySelectorAll('#names i').length === 1")
        assert page.asked(f"{frame} === null")
