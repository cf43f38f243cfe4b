"""One run of a variant: as fast as it goes, or paced for its latency."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.machine import cpu_seconds, resident_mb
from tests.bench.numbers import Pace, percentile
from tests.bench.orders import number_of, records
from tests.bench.sinks import ClockingSink, SmtpSink, clocking_sink, postfix, smtp_sink
from tests.bench.variants import Ground, Service, Variant

WARM = 300  # mails before anything is measured
SETTLE = 0.7  # seconds after the last mail in which its outcome is stored; its cost counts too
CONNECTIONS = 8  # as many as Avisa holds to a relay
_PATIENCE = 60.0  # seconds without a mail, after which something is wrong
_SLOW_TO_START = 1_000  # mails left out of a latency, at most


def as_fast_as_it_goes(ground: Ground, variant: Variant, events: int) -> Pace:
    """Publish `events` at once to a service that is ready, and wait for the last mail.

    The clock runs from the first record published: whatever a variant does with an event counts, whenever it
    does it.
    """
    topic = ground.topic()
    with smtp_sink(ground.folder) as sink, variant.running(ground, topic, sink.port) as service:
        idle_mb = resident_mb(service.pids)
        publish_and_await(ground, topic, sink, service, 0, WARM)
        before = _cpu(ground, service, sink)
        took = publish_and_await(ground, topic, sink, service, WARM, events)
        if sink.count() != WARM + events:
            raise RuntimeError(f"{variant.name}: {sink.count()} mails came of {WARM + events} events")
        after = _cpu(ground, service, sink)
        return Pace(
            mails_per_s=events / took,
            cpu_us={name: (after[name] - before[name]) * 1e6 / events for name in after},
            rss_mb=resident_mb(service.pids, peak=True),
            idle_mb=idle_mb,
            ready_s=service.ready_after,
        )


def smtp_source(ground: Ground, mails: int, size: int) -> Pace:
    """`smtp-source -d` of postfix: mails of the same size and nothing to do but send them."""
    with smtp_sink(ground.folder) as sink:
        before = cpu_seconds(sink.pid)
        began = time.monotonic()
        like_ours = ["-d", "-s", str(CONNECTIONS), "-l", str(size), "-m", str(mails)]
        addresses = ["-f", "avisos@example.com", "-t", "customer@example.com", f"127.0.0.1:{sink.port}"]
        process = subprocess.Popen([postfix("smtp-source"), *like_ours, *addresses])
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        took = time.monotonic() - began
        if process.returncode:
            raise RuntimeError(f"smtp-source ended with {process.returncode}")
        return Pace(
            mails_per_s=mails / took,
            cpu_us={
                "service": (used.ru_utime + used.ru_stime) * 1e6 / mails,
                "sink": (cpu_seconds(sink.pid) - before) * 1e6 / mails,
                "kafka": 0.0,
                "postgres": 0.0,
            },
            rss_mb=None,  # the kernel counts what it had of us before it became another program
        )


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
        _await(sink, WARM + events, service)
        accepted = [(number_of(to), at) for to, at in sink.accepted()]
    came = {number: at for number, at in accepted if number >= WARM}
    if len(came) != events or len(accepted) != WARM + events:
        raise RuntimeError(f"{variant.name}: {len(accepted)} mails to {len(came)} customers of {events}")
    skipped = WARM + min(_SLOW_TO_START, events // 10)
    waits = [(came[number] - at) * 1000 for number, at in published.items() if number >= skipped]
    return Latency(p50_ms=percentile(waits, 50), p99_ms=percentile(waits, 99), mails=len(waits), per_s=per_s)


def publish_and_await(
    ground: Ground, topic: str, sink: SmtpSink | ClockingSink, service: Service, first: int, many: int
) -> float:
    """Publish at once, wait for the mails and for what is stored after them; answers the seconds from the first
    record to the last mail."""
    content = list(records(first, many))
    producer = ground.publisher()
    began = time.monotonic()
    for key, value in content:
        producer.produce(topic, value, key)
    producer.flush()
    took = _await(sink, first + many, service) - began
    time.sleep(SETTLE)
    return took


def _publish_evenly(ground: Ground, topic: str, first: int, many: int, per_s: float) -> dict[int, float]:
    """When each order's record was handed over, in seconds since 1970."""
    content = list(records(first, many))
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


def _await(sink: SmtpSink | ClockingSink, mails: int, service: Service) -> float:
    """Until the sink has taken so many; answers when that was seen, on the monotonic clock."""
    return _until(lambda: sink.count() >= mails, sink.count, service)


def _until(done: Callable[[], bool], progress: Callable[[], int], service: Service) -> float:
    last, moved = progress(), time.monotonic()
    while not done():
        service.check()
        if (now := progress()) != last:
            last, moved = now, time.monotonic()
        elif time.monotonic() - moved > _PATIENCE:
            raise TimeoutError(f"no mail for {_PATIENCE:.0f} s after {now} had come")
        time.sleep(0.01)
    return time.monotonic()


def _cpu(ground: Ground, service: Service, sink: SmtpSink) -> dict[str, float]:
    return {"service": service.cpu(), "sink": cpu_seconds(sink.pid)} | ground.neighbours()
