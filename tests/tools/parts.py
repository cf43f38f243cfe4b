"""Real parts that a test needs: a machine without one skips, and says how to get it.

`AVISA_TEST_REQUIRE` names parts that may not be missing (`kafka,postgres,smtp,chromium`): there a missing
part fails the test instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


def _postgres() -> bool:
    if shutil.which("pg_config") is None:
        return False
    found = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True).stdout.strip()
    return (Path(found) / "initdb").exists()


def _smtp_sink() -> str | None:
    return shutil.which("smtp-sink") or shutil.which("smtp-sink", path="/usr/sbin")


_PARTS: dict[str, tuple[Callable[[], object], str]] = {
    "kafka": (
        lambda: shutil.which("java") and shutil.which("mvn"),
        "Apache Kafka needs Java 17 and Maven: apt install openjdk-17-jre-headless maven",
    ),
    "postgres": (_postgres, "PostgreSQL's server programs are needed: apt install postgresql"),
    "smtp": (_smtp_sink, "smtp-sink is needed: apt install postfix"),
    "chromium": (
        lambda: shutil.which("chromium") or shutil.which("chromium-browser"),
        "Chromium is needed: apt install chromium",
    ),
    "promtool": (lambda: shutil.which("promtool"), "promtool is needed: apt install prometheus"),
}


def need(part: str) -> None:
    """Skip the test (or module) that needs `part` where it is not to be had; fail where it is required."""
    there, how = _PARTS[part]
    if there():
        return
    if part in os.environ.get("AVISA_TEST_REQUIRE", "").replace(",", " ").split():
        pytest.fail(f"{part} is required here. {how}", pytrace=False)
    pytest.skip(how, allow_module_level=True)
