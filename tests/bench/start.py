"""`python -m tests.bench.start`: the processor time from a start of `avisa run` to ready, with what is embedded.

The first start makes the store and tries every message; a restart finds both. The best of some restarts counts,
because whatever else the machine did can only have made one longer.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from tests.bench.checkout import PROJECT
from tests.bench.machine import cpu_seconds, free_port

RESTARTS = 3
_PATIENCE = 120.0


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        first = started(Path(folder))
        again = min(started(Path(folder)) for _ in range(RESTARTS))
    print(f"first start to ready {first:6.2f} s of processor time\nrestart to ready     {again:6.2f} s")


def started(folder: Path) -> float:
    """Start Avisa in the folder, and end it when it is ready. Returns its seconds of processor time until then."""
    port = free_port()
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), "AVISA_HTTP__PORT": str(port)}
    command = [sys.executable, "-m", "avisa.cli", "run"]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log)
    try:
        end = time.monotonic() + _PATIENCE
        while not _ready(port):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError((folder / "log").read_text()[-2000:])
            time.sleep(0.01)
        return cpu_seconds(process.pid)
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
    main()
