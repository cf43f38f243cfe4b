from __future__ import annotations

import os
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.readme import page


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A clean one, in which `avisa` is this checkout's."""
    commands = tmp_path / ".venv" / "bin"
    commands.mkdir(parents=True)
    (commands / "avisa").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m avisa.cli "$@"\n')
    (commands / "avisa").chmod(0o755)
    (commands / "python").symlink_to(sys.executable)
    (commands / "activate").write_text(":\n")  # what it would do is done here
    (tmp_path / "templates").symlink_to(page.ROOT / "templates")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {name: text for name, text in os.environ.items() if not name.startswith("AVISA_")} | {
        "PATH": f"{commands}:{os.environ['PATH']}",
        "PYTHONPATH": str(page.ROOT),
        "AVISA_HTTP__PORT": str(port),
        "AVISA_CLOCK__START": "2030-03-04T10:00:00Z",  # by day
        "AVISA_CLOCK__ORIGIN": datetime.now(UTC).isoformat(),
    }
