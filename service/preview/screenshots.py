"""Pictures of a page, taken by Chromium, if there is one.

The DevTools protocol goes through a pipe (`--remote-debugging-pipe`), so that one browser takes all pictures, each
exactly as wide as a phone or a window and as high as the page is. Chromium listens on no port, runs no script of the
page, and its profile is thrown away.
"""

from __future__ import annotations

import base64
import itertools
import os
import select
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 60.0  # seconds for any one answer, on a machine that is busy

_FLAGS = (
    "--headless", "--remote-debugging-pipe", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
    "--hide-scrollbars", "--mute-audio",
)  # fmt: skip
# Chromium reads commands from file 3 and writes to file 4.
_ON_ITS_FILE_NUMBERS = 'exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null'
_LOW = 20  # pixels: the window is lower than any page, so that the picture is as high as the page
_END = b"\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a page is looked at."""

    width: int  # CSS pixels
    scale: float = 1.0
    phone: bool = False
    dark: bool = False


@dataclass(frozen=True, slots=True)
class NoPicture:
    """Why there are no pictures."""

    problem: str


def find() -> str | None:
    """Where Chromium is: the first on the path that goes by one of its usual names."""
    return next((found for name in NAMES if (found := shutil.which(name)) is not None), None)


def pictures(program: str, page: Path, looks: Sequence[Look]) -> list[bytes] | NoPicture:
    """The page as a PNG for each of `looks`."""
    try:
        with (
            tempfile.TemporaryDirectory(prefix="avisa-chromium-", ignore_cleanup_errors=True) as folder,
            browser(program, Path(folder)) as pipe,
        ):
            return _taken(pipe, page.resolve().as_uri(), looks)
    except (OSError, _Failed) as trouble:
        return NoPicture(f"Chromium ({program}) took no pictures: {trouble}")


class _Failed(Exception):  # noqa: N818 -- `pictures` returns it as a NoPicture
    """Chromium does not do as it is asked."""


def _taken(pipe: Pipe, address: str, looks: Sequence[Look]) -> list[bytes]:
    target = pipe.ask("Target.createTarget", url="about:blank")["targetId"]
    pipe.session = pipe.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    pipe.ask("Page.enable")
    pipe.ask("Emulation.setScriptExecutionDisabled", value=True)
    return [_picture(pipe, address, look) for look in looks]


def _picture(pipe: Pipe, address: str, look: Look) -> bytes:
    pipe.ask(
        "Emulation.setDeviceMetricsOverride",
        width=look.width,
        height=_LOW,
        deviceScaleFactor=look.scale,
        mobile=look.phone,
    )
    colours = {"name": "prefers-color-scheme", "value": "dark" if look.dark else "light"}
    pipe.ask("Emulation.setEmulatedMedia", features=[colours])
    pipe.ask("Page.navigate", url=address)
    pipe.wait_for("Page.loadEventFired")
    height = pipe.ask("Page.getLayoutMetrics")["cssContentSize"]["height"]
    clip = {"x": 0, "y": 0, "width": look.width, "height": height, "scale": 1}
    taken = pipe.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
    return base64.b64decode(taken["data"])


class Pipe:
    """The DevTools protocol: JSON messages, each ended by a zero byte."""

    def __init__(self, *, reading: int, writing: int) -> None:
        self.session: str | None = None
        self._reading = reading
        self._writing = writing
        self._numbers = itertools.count(1)
        self._unread = b""
        self._events: list[str] = []

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The answer to one question. Raises _Failed, or OSError when Chromium is gone."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self.session is not None:
            message["sessionId"] = self.session
        left = orjson.dumps(message) + _END
        while left:
            left = left[os.write(self._writing, left) :]
        while (reply := self._next()).get("id") != number:
            self._events.append(reply.get("method", ""))
        if "error" in reply:
            raise _Failed(f"{method}: {reply['error'].get('message')}")
        answer: dict[str, Any] = reply["result"]
        return answer

    def wait_for(self, event: str) -> None:
        """Until the event has come since it was last waited for."""
        while event not in self._events:
            self._events.append(self._next().get("method", ""))
        self._events.clear()

    def _next(self) -> dict[str, Any]:
        while _END not in self._unread:
            if not select.select([self._reading], [], [], PATIENCE)[0]:
                raise _Failed(f"it did not answer within {PATIENCE:.0f} s")
            chunk = os.read(self._reading, 1 << 20)
            if not chunk:
                raise _Failed("it ended")
            self._unread += chunk
        message, _, self._unread = self._unread.partition(_END)
        read: dict[str, Any] = orjson.loads(message)
        return read


@contextmanager
def browser(program: str, folder: Path) -> Iterator[Pipe]:
    """A browser of its own, which ends with the block."""
    arguments = [program, *_FLAGS, f"--user-data-dir={folder}"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # it refuses to run as root without this; pages here run no scripts
    child = subprocess.Popen(  # noqa: S603 -- one of `NAMES`, as it is on the path
        ["/bin/sh", "-c", _ON_ITS_FILE_NUMBERS, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        process_group=0,  # so that what it starts ends with it
    )
    assert child.stdin is not None
    assert child.stdout is not None
    with child:
        try:
            yield Pipe(reading=child.stdout.fileno(), writing=child.stdin.fileno())
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
