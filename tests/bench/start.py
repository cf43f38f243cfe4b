"""`python -m tests.bench.start [COMMIT]`: what a start of `avisa run` takes until it is ready, and the memory it then
has.

It runs with what is embedded, unless `AVISA_…` in the environment names other parts. The first start makes the store
and tries every message; a restart finds both. With a commit the two take turns. The best of some restarts counts,
because whatever else the machine did can only have made one longer.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.bench.checkout import TODAY, Checkout, checkout
from tests.bench.machine import cpu_seconds, free_port, resident_mb

RESTARTS = 5
IDLE = 2.0  # seconds after it was ready
_PATIENCE = 120.0


@dataclass(frozen=True, slots=True, order=True)
class Start:
    """What one start took."""

    cpu: float  # seconds of processor time
    idle: float  # MB


def main(commit: str | None = None) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        variants = {"today": TODAY} | ({commit: stack.enter_context(checkout(commit))} if commit else {})
        folders = {name: Path(stack.enter_context(tempfile.TemporaryDirectory())) for name in variants}
        first = {name: started(each, folders[name]) for name, each in variants.items()}
        again: dict[str, list[Start]] = {name: [] for name in variants}
        for _ in range(RESTARTS):
            for name, each in variants.items():
                again[name].append(started(each, folders[name]))
    print(f"{'':12} {'first start, s':>16} {'restart, s':>12} {'idle, MB':>10}")
    for name in variants:
        idle = min(start.idle for start in again[name])
        print(f"{name[:12]:12} {first[name].cpu:16.2f} {min(again[name]).cpu:12.2f} {idle:10.1f}")


def started(avisa: Checkout, folder: Path) -> Start:
    """Start Avisa in the folder, and end it a little after it is ready."""
    port = free_port()
    named = {name: value for name, value in os.environ.items() if name.startswith("AVISA_")}
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": avisa.python_path, **named, "AVISA_HTTP__PORT": str(port)}
    command = [sys.executable, "-m", avisa.module, "run"]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log)
    try:
        end = time.monotonic() + _PATIENCE
        while not _ready(port):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError((folder / "log").read_text()[-2000:])
            time.sleep(0.01)
        cpu = cpu_seconds(process.pid)
        time.sleep(IDLE)
        return Start(cpu, resident_mb([process.pid]))
    finally:
        process.terminate()
        process.wait()


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
            return True
    except OSError:  # nobody listens yet, or it answers 503
        return False


if __name__ == "__main__":
    main(*sys.argv[1:])
