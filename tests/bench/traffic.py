"""Events published, and the wait for their mails."""

from __future__ import annotations

import time

from tests.bench.orders import records
from tests.bench.sinks import ClockingSink, SmtpSink
from tests.bench.variants import Ground, Service

WARM = 300  # mails before anything is measured
SETTLE = 0.7  # seconds after the last mail in which its outcome is stored; its cost counts too
_PATIENCE = 60.0  # seconds without a mail, after which something is wrong


def publish_and_await(
    ground: Ground, topic: str, sink: SmtpSink | ClockingSink, service: Service, first: int, many: int
) -> float:
    """Publish at once, wait for the mails and for what is stored after them; answers the seconds from the first
    record to the last mail."""
    content = list(records(first, many, promises=ground.promises))
    producer = ground.publisher()
    began = time.monotonic()
    for key, value in content:
        producer.produce(topic, value, key)
    producer.flush()
    took = await_mails(sink, first + many, service) - began
    time.sleep(SETTLE)
    return took


def await_mails(sink: SmtpSink | ClockingSink, mails: int, service: Service) -> float:
    """Until the sink has taken so many; answers when that was seen, on the monotonic clock."""
    last, moved = sink.count(), time.monotonic()
    while last < mails:
        service.check()
        if time.monotonic() - moved > _PATIENCE:
            raise TimeoutError(f"no mail for {_PATIENCE:.0f} s after {last} had come")
        time.sleep(0.01)
        if (now := sink.count()) != last:
            last, moved = now, time.monotonic()
    return time.monotonic()
