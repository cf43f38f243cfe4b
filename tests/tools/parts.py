"""Real parts that a test needs. A machine without one skips the test, and says how to get the part.

Tests and fixtures say `@needs("kafka")`. Each test then bears the marker `needs_kafka`, also when only a fixture
of a fixture needs the part; `make unit` leaves out all that need one.

`AVISA_TEST_REQUIRE` names parts that may not be missing (`kafka,postgres,smtp,chromium`): there a missing
part fails the test instead.
"""

from __future__ import annotations

import inspect
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from tests.tools import engine


def _postgres() -> bool:
    if shutil.which("pg_config") is None:
        return False
    found = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True).stdout.strip()
    return (Path(found) / "initdb").exists()


def _smtp_sink() -> str | None:
    return shutil.which("smtp-sink") or shutil.which("smtp-sink", path="/usr/sbin")


PARTS: dict[str, tuple[Callable[[], object], str]] = {
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
    "process": (
        lambda: True,
        "The service, started as a process, can be had everywhere.",
    ),
    "engine": (
        engine.answers,
        "A Docker Engine must answer: apt install docker.io and start it, or name one in DOCKER_HOST.",
    ),
    "promtool": (lambda: shutil.which("promtool"), "promtool is needed: apt install prometheus"),
}


_Tested = TypeVar("_Tested", bound=Callable[..., object])


def needs(part: str) -> Callable[[_Tested], _Tested]:
    """A decorator: this test, or every test that uses this fixture, needs `part`."""
    assert part in PARTS

    def mark(tested: _Tested) -> _Tested:
        assert inspect.isfunction(tested), "what a fixture needs is said below `@pytest.fixture`, or pytest loses it"
        tested.__dict__["needs"] = part
        return tested

    return mark


def mark(item: pytest.Function) -> bool:
    """Give the test a marker for each part that it, or a fixture it uses, needs; return whether there is any."""
    fixtures = [each[-1].func for each in item._fixtureinfo.name2fixturedefs.values()]
    for part in {getattr(each, "needs", None) for each in (item.function, *fixtures)} - {None}:
        item.add_marker(f"needs_{part}")
    return any(marker.name.startswith("needs_") for marker in item.iter_markers())


def see_to(item: pytest.Item) -> None:
    """Skip the test where a part that it needs is not to be had; fail it where the part is required."""
    for part, (there, how) in PARTS.items():
        if item.get_closest_marker(f"needs_{part}") is None or there():
            continue
        if part in os.environ.get("AVISA_TEST_REQUIRE", "").replace(",", " ").split():
            pytest.fail(f"{part} is required here. {how}", pytrace=False)
        pytest.skip(how)
