"""How long after its event a mail is accepted, at a pace that the service can keep up with."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tests.bench.numbers import percentile
from tests.bench.orders import number_of, records
from tests.bench.sinks import clocking_sink
from tests.bench.traffic import WARM, await_mails, publish_and_await
from tests.bench.variants import Ground, Variant

_SLOW_TO_START = 1_000  # mails left out, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """From publishing an event to the acceptance of its mail."""

    p50_ms: float
    p99_ms: float
    mails: int
    per_s: float  # as published


def at_pace(ground: Ground, variant: Variant, per_s: float, seconds: float) -> Latency:
    """Publish evenly, `per_s` for `seconds`, and see when each mail comes."""
    topic = ground.topic()
    events = int(per_s * seconds)
    with clocking_sink(ground.folder) as sink, variant.running(ground, topic, sink.port) as service:
        publish_and_await(ground, topic, sink, service, 0, WARM)
        published = _publish_evenly(ground, topic, WARM, events, per_s)
        await_mails(sink, WARM + events, service)
        accepted = [(number_of(to), at) for to, at in sink.accepted()]
    came = {number: at for number, at in accepted if number >= WARM}
    if len(came) != events or len(accepted) != WARM + events:
        raise RuntimeError(f"{variant.name}: {len(accepted)} mails to {len(came)} customers of {events}")
    skipped = WARM + min(_SLOW_TO_START, events // 10)
    waits = [(came[number] - at) * 1000 for number, at in published.items() if number >= skipped]
    return Latency(p50_ms=percentile(waits, 50), p99_ms=percentile(waits, 99), mails=len(waits), per_s=per_s)


def _publish_evenly(ground: Ground, topic: str, first: int, many: int, per_s: float) -> dict[int, float]:
    """When each order's record was handed over, in seconds since 1970."""
    content = list(records(first, many, promises=ground.promises))
    producer = ground.publisher()
    handed: dict[int, float] = {}
    began = time.monotonic()
    while len(handed) < many:
        due = min(many, int((time.monotonic() - began) * per_s) + 1)
        for place in range(len(handed), due):
            key, value = content[place]
            handed[first + place] = time.time()
            producer.produce(topic, value, key)
        producer.poll(0)
        time.sleep(0.002)
    producer.flush()
    return handed
