"""`python -m tests.bench.simulate`: how long `avisa simulate` takes for many orders, and how much memory.

It writes events of made-up orders of six events each, in the order in which they happened, and simulates them by the
shipped plan. Printed are the wall time, the processor time of all its processes, and the most memory that all of them
had together (the shared part counted once: Pss, proc(5)).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.bench.machine import family

STATUSES = ("confirmed", "in_production", "in_production", "shipped", "out_for_delivery", "delivered")
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
SPAN = timedelta(days=300)  # in which orders begin
_LOOK_EVERY = 0.2  # seconds


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.bench.simulate", description=__doc__)
    asked.add_argument("--orders", type=int, default=100_000)
    orders = asked.parse_args().orders
    with tempfile.TemporaryDirectory(prefix="avisa-bench-") as folder:
        file = Path(folder) / "events.jsonl"
        events = write(file, orders)
        print(json.dumps(measure(file) | {"orders": orders, "events": events, "file_mb": file.stat().st_size >> 20}))


def write(file: Path, orders: int, *, seed: int = 7) -> int:
    """Write the events of so many orders; return how many there are."""
    rng = random.Random(seed)
    moments = []
    for number in range(orders):
        at = BEGIN + SPAN * rng.random()
        for step in range(len(STATUSES)):
            moments.append((at, number, step))
            at += timedelta(hours=rng.lognormvariate(3.2, 1.0))
    moments.sort()
    with file.open("w", encoding="utf-8") as lines:
        lines.writelines(_line(*moment) for moment in moments)
    return len(moments)


def _line(at: datetime, number: int, step: int) -> str:
    event = {
        "order_id": f"B-{number}",
        "id": f"{number}-{step}",
        "source": "/shop/oms",
        "status": STATUSES[step],
        "occurred_at": at.isoformat(),
        "sequence": step,
        "customer": {
            "id": f"c-{number}",
            "name": f"Cliente {number}",
            "email": f"c{number}@customers.example",
            "locale": "pt-PT",
            "time_zone": "Europe/Lisbon",
        },
        "promised_at": (BEGIN + timedelta(days=number % 300 + (24 if step == 2 and number % 5 == 0 else 20)))
        .date()
        .isoformat(),
        "details": {"number": f"B-{number}", "url": f"https://shop.example.com/orders/{number}"},
    }
    return json.dumps(event) + "\n"


def measure(file: Path) -> dict[str, float]:
    """Simulate the events; return seconds of wall and of processor time, and megabytes of memory at most."""
    began, cpu_before = time.monotonic(), _children()
    most, ended = [0], threading.Event()
    avisa = str(Path(sys.executable).with_name("avisa"))
    with subprocess.Popen([avisa, "simulate", str(file), "--json"], stdout=subprocess.PIPE) as run:

        def watch() -> None:
            while not ended.wait(_LOOK_EVERY):
                most[0] = max(most[0], sum(map(_pss, family(run.pid))))

        watcher = threading.Thread(target=watch)
        watcher.start()
        document = json.loads(run.communicate()[0])
        ended.set()
        watcher.join()
    assert run.returncode == 0
    return {
        "wall_s": round(time.monotonic() - began, 1),
        "cpu_s": round(_children() - cpu_before, 1),
        "memory_mb": most[0] >> 20,
        "messages": sum(sum(row["messages"].values()) for row in document["touchpoints"].values()),
    }


def _children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _pss(pid: int) -> int:
    """Bytes; 0 of a process that has ended."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:")), 0)


if __name__ == "__main__":
    main()
