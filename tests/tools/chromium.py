"""Chromium without a window: what a page says after its scripts."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from avisa.preview import screenshots
from tests.tools.waiting import PATIENCE

_FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip


def document(page: Path, *, dark: bool, budget: int) -> str:
    """The page's HTML after its scripts ran, timers included for `budget` milliseconds of its own time."""
    with tempfile.TemporaryDirectory() as profile:
        look = [f"--user-data-dir={profile}", f"--blink-settings=preferredColorScheme={0 if dark else 1}"]
        asked = ["--dump-dom", f"--virtual-time-budget={budget}", page.as_uri()]
        command = [screenshots.find() or "chromium", *_FLAGS, *look, *asked]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
