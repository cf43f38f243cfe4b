from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.readme import documents
from tests.tools.parts import needs
from tests.tools.waiting import PATIENCE


@pytest.fixture
@needs("process")
def environ(tmp_path: Path) -> dict[str, str]:
    """A clean one, in which `avisa` is this checkout's."""
    commands = tmp_path / ".venv" / "bin"
    commands.mkdir(parents=True)
    (commands / "avisa").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m avisa.cli "$@"\n')
    (commands / "avisa").chmod(0o755)
    (commands / "python").symlink_to(sys.executable)
    (commands / "activate").write_text(":\n")  # what it would do is done here
    (tmp_path / "templates").symlink_to(documents.ROOT / "templates")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {name: text for name, text in os.environ.items() if not name.startswith("AVISA_")} | {
        "PATH": f"{commands}:{os.environ['PATH']}",
        "PYTHONPATH": str(documents.ROOT),
        "AVISA_HTTP__PORT": str(port),
        "AVISA_CLOCK__START": "2030-03-04T10:00:00Z",  # by day
        "AVISA_CLOCK__ORIGIN": datetime.now(UTC).isoformat(),
    }


@pytest.fixture
def running(tmp_path: Path, environ: dict[str, str]) -> Iterator[None]:
    """`avisa run` in the folder."""
    with (tmp_path / "log").open("wb") as log:
        service = subprocess.Popen(["avisa", "run"], cwd=tmp_path, env=environ, stdout=log, stderr=log)
    try:
        end = time.monotonic() + PATIENCE
        while not _ready(int(environ["AVISA_HTTP__PORT"])):
            assert service.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < end, (tmp_path / "log").read_text()
            time.sleep(0.1)
        yield
    finally:
        service.send_signal(signal.SIGTERM)
        assert service.wait(PATIENCE) == 0


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=PATIENCE).status_code == 200
    except httpx.TransportError:
        return False
