"""`python -m tests.bench.feeds`: what an event costs to read by each mapping that is shipped, beside a native one.

All take turns in one process, round by round, so that a machine that changes its speed changes it for all. Printed is
the processor time of an event, the least of the rounds, and how much more that is than for a native event.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from avisa import events
from avisa.core.model import OrderEvent
from avisa.core.plan import USUAL_EVENTS, Events
from avisa.ports import Record
from tests.bench.orders import event
from tests.feeds import shipped
from tests.feeds.plans import record

ROUNDS = 40
EVENTS = 500  # in each round

Reading = tuple[Sequence[Record], Events]


def main() -> None:
    """Measure and print."""
    readings: dict[str, Reading] = {"native": ([record(event(1), "orders.status")], USUAL_EVENTS)}
    readings |= {name: _shipped(name) for name in shipped.NAMES}
    best = dict.fromkeys(readings, float("inf"))
    for _ in range(ROUNDS):
        for name, reading in readings.items():
            best[name] = min(best[name], _cost(*reading))
    native = best["native"]
    print("| feed | µs an event | more than a native one |\n|---|---|---|")
    for name, cost in best.items():
        print(f"| {name} | {cost:.1f} | {cost - native:.1f} |")


def _shipped(name: str) -> Reading:
    """Those samples of a mapping that are events."""
    rules = shipped.plan(name).events
    records = [record(json.loads(sample), shipped.topic(name)) for sample in shipped.samples(name)]
    return [it for it in records if isinstance(events.read(it, rules=rules), OrderEvent)], rules


def _cost(records: Sequence[Record], rules: Events) -> float:
    """The processor time of reading an event, in microseconds."""
    times = EVENTS // len(records)
    begun = time.process_time()
    for _ in range(times):
        for each in records:
            events.read(each, rules=rules)
    return (time.process_time() - begun) / (times * len(records)) * 1e6


if __name__ == "__main__":
    main()
