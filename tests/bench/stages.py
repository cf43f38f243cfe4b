"""Runs Avisa with a meter in it (`metered`), and tells what each stage of a mail costs."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

from tests.bench.checkout import TODAY
from tests.bench.sinks import smtp_sink
from tests.bench.traffic import WARM, publish_and_await
from tests.bench.variants import Avisa, Ground


def measure(ground: Ground, variant: Avisa, events: int) -> dict[str, float]:
    """Processor time in µs a mail, by stage; what no stage is charged for is `the rest`, and `all` the sum."""
    file = ground.folder / "meter"
    metered = replace(
        variant, checkout=replace(TODAY, module="tests.bench.metered"), environ={"BENCH_METER": str(file)}
    )
    topic = ground.topic()
    with smtp_sink(ground.folder) as sink, metered.running(ground, topic, sink.port) as service:
        [pid] = service.pids
        publish_and_await(ground, topic, sink, service, 0, WARM)
        before = _read(file, pid)
        publish_and_await(ground, topic, sink, service, WARM, events)
        after = _read(file, pid)
    costs = {stage: (seconds - before.get(stage, 0.0)) * 1e6 / events for stage, seconds in after.items()}
    everything = costs.pop("all")
    ordered = dict(sorted(costs.items(), key=lambda item: -item[1]))
    return ordered | {"the rest": everything - sum(costs.values()), "all": everything}


def _read(file: Path, pid: int) -> dict[str, float]:
    """What the meter says now."""
    file.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR1)
    end = time.monotonic() + 10
    while not file.exists():
        if time.monotonic() > end:
            raise TimeoutError("the meter does not answer")
        time.sleep(0.02)
    read: dict[str, float] = json.loads(file.read_text())
    return read
