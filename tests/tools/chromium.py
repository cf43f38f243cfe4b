"""Chromium without a window: what a page says after its scripts, and a page that is clicked and typed into."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from avisa.preview import screenshots
from avisa.preview.screenshots import Look, Pipe
from tests.tools.waiting import PATIENCE

_FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
_WINDOW = Look(width=1200)
_LOOK_EVERY = 0.1


def document(page: Path, *, dark: bool, budget: int) -> str:
    """The page's HTML after its scripts ran, timers included for `budget` milliseconds of its own time."""
    with tempfile.TemporaryDirectory() as profile:
        look = [f"--user-data-dir={profile}", f"--blink-settings=preferredColorScheme={0 if dark else 1}"]
        asked = ["--dump-dom", f"--virtual-time-budget={budget}", page.as_uri()]
        command = [screenshots.find() or "chromium", *_FLAGS, *look, *asked]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout


class Tab:
    """A tab of a running Chromium. Mouse and keyboard are the browser's own."""

    def __init__(self, pipe: Pipe, look: Look, *, scripts: bool) -> None:
        self._pipe = pipe
        target = pipe.ask("Target.createTarget", url="about:blank")["targetId"]
        pipe.session = pipe.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        pipe.ask("Page.enable")
        pipe.ask("Emulation.setScriptExecutionDisabled", value=not scripts)
        size = {"width": look.width, "height": 900, "deviceScaleFactor": look.scale, "mobile": look.phone}
        pipe.ask("Emulation.setDeviceMetricsOverride", **size)

    def open(self, address: str) -> None:
        self._pipe.ask("Page.navigate", url=address)
        self.until("document.readyState === 'complete'")

    def asked(self, script: str) -> Any:
        """What the expression is in this page. It may be a promise; it works also where the page runs no scripts."""
        answer = self._pipe.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def until(self, script: str) -> None:
        """Wait for something that is sure to come."""
        end = time.monotonic() + PATIENCE
        while not self.asked(f"Boolean({script})"):
            assert time.monotonic() < end, script
            time.sleep(_LOOK_EVERY)

    def shows(self, *texts: str) -> None:
        """Wait until these can be read."""
        for text in texts:
            self.until(f"document.body?.innerText.includes({json.dumps(text)})")

    def click(self, selector: str, times: int = 1) -> None:
        """Click the middle of an element so often, faster than any page loads."""
        self.asked(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})")
        left, top, width, height = self.asked(
            f"(it => [it.x, it.y, it.width, it.height])(document.querySelector({json.dumps(selector)})"
            ".getBoundingClientRect())"
        )
        x, y = left + width / 2, top + height / 2
        for number in range(times):
            for kind in ("mousePressed", "mouseReleased"):
                event = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": number + 1}
                self._pipe.ask("Input.dispatchMouseEvent", **event)

    def type(self, selector: str, text: str) -> None:
        """Click a field and type."""
        self.click(selector)
        self._pipe.ask("Input.insertText", text=text)

    def press(self, key: str, times: int = 1) -> None:
        """Press a key that writes nothing but `Enter`, by its name of the DOM."""
        more = {"text": "\r"} if key == "Enter" else {}
        code = {"Tab": 9, "Enter": 13}[key]
        for _ in range(times):
            for kind in ("keyDown", "keyUp"):
                event = {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, **more}
                self._pipe.ask("Input.dispatchKeyEvent", **event)


@contextmanager
def opened(look: Look = _WINDOW, *, scripts: bool = True) -> Iterator[Tab]:
    """A browser of its own."""
    program = screenshots.find()
    assert program is not None
    with (
        tempfile.TemporaryDirectory(prefix="avisa-chromium-", ignore_cleanup_errors=True) as profile,
        screenshots.browser(program, Path(profile)) as pipe,
    ):
        yield Tab(pipe, look, scripts=scripts)
