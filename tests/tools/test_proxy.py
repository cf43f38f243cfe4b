"""A proxy that kills nobody would let every crash sweep pass."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools.proxy import Step, reached

PROGRAM = """
import asyncio, sys
from pathlib import Path
from tests.tools.proxy import Meter, Proxy, Step, if_any, named

class Port:
    open = True
    def say(self, word): print(word, flush=True); return word
    async def think(self, word): print(word, flush=True); return word
    def promise(self, word):
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(lambda: (print(word, flush=True), future.set_result(word)))
        return future

async def main():
    meter = Meter(Path(sys.argv[1]), Step.read(sys.argv[2]) if len(sys.argv) > 2 else None)
    port = Proxy(Port(), meter, {"say": named("say"), "think": if_any("think"), "promise": named("promise")})
    assert port.open
    port.say("one"); port.say("two")
    await port.think(""); await port.think("three")
    answer = port.promise("four")
    assert asyncio.isfuture(answer) and await answer == "four"
    print("end", flush=True)

asyncio.run(main())
"""
ALL = ["one", "two", "", "three", "four", "end"]


def run(record: Path, *fatal: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(record), *fatal],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode, done.stdout.splitlines()


def test_the_proxy_passes_everything_on_and_counts(tmp_path: Path) -> None:
    assert run(tmp_path / "record") == (0, ALL)
    assert [str(step) for step in reached(tmp_path / "record")] == [
        "before:say:1",
        "after:say:1",
        "before:say:2",
        "after:say:2",
        "after:think:1",
        "before:promise:1",
        "after:promise:1",
    ]


@pytest.mark.parametrize(
    ("fatal", "said"),
    [
        ("before:say:1", []),
        ("after:say:1", ALL[:1]),
        ("before:say:2", ALL[:1]),
        ("after:say:2", ALL[:2]),
        ("after:think:1", ALL[:4]),
        ("before:promise:1", ALL[:4]),
        ("after:promise:1", ALL[:5]),
    ],
)
def test_the_proxy_kills_at_every_step(tmp_path: Path, fatal: str, said: list[str]) -> None:
    assert run(tmp_path / "record", fatal) == (-signal.SIGKILL, said)
    assert list(reached(tmp_path / "record"))[-1] == Step.read(fatal)
