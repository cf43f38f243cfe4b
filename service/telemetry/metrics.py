"""The metrics (docs/reference.md, Metrics), on a registry of their own.

The flows move counters and histograms through the functions below. Each labelled child is made once and cached, so
that counting costs a dictionary look-up. What only the store or the edges know is read at each scrape (`Readings`).
Labels come from closed sets: no order id, address or event id is ever a label.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from avisa import __version__
from avisa.core.model import SETTLED, Purpose, Reason, State
from avisa.telemetry.logs import dropped_lines

# It would add a second series to every counter. The ignore: the library left this function untyped.
disable_created_metrics()  # type: ignore[no-untyped-call]

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
REGISTRY = CollectorRegistry()

_events = Counter("avisa_events", "Records read, by what came of them.", ["reason"], registry=REGISTRY)
_fields_ignored = Counter(
    "avisa_event_fields_ignored",
    "Fields of events that could not be used and were left out.",
    ["field"],
    registry=REGISTRY,
)
_odd_times = Counter(
    "avisa_event_times_odd",
    "Events that occurred, by their own word, more than five minutes ahead or more than a year ago.",
    ["when"],
    registry=REGISTRY,
)
_dead_letters = Counter("avisa_dead_letters", "Records that could not be read.", ["reason"], registry=REGISTRY)
_notifications = Counter(
    "avisa_notifications",
    "Notifications decided (queued) and settled.",
    ["purpose", "channel", "state"],
    registry=REGISTRY,
)
_holds = Counter("avisa_holds", "Notifications that the gate made wait.", ["reason"], registry=REGISTRY)
_lateness = Histogram(
    "avisa_reminder_lateness_seconds",
    "From the moment a reminder was due to its acceptance, in real time.",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 14400),
    registry=REGISTRY,
)
_to_accepted = Histogram(
    "avisa_event_to_accepted_seconds",
    "From the record's timestamp to the acceptance of the mail that tells it, in real time.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600, 3600),
    registry=REGISTRY,
)
Gauge("avisa_build_info", "What is running.", ["version"], registry=REGISTRY).labels(__version__).set(1)


@cache
def _child(counter: Counter, *labels: str) -> Counter:
    return counter.labels(*labels)


def decided(reason: Reason, n: int = 1) -> None:
    """Count `n` events decided, or records skipped, for `reason`."""
    _child(_events, reason).inc(n)


def dead_lettered(reason: Reason) -> None:
    """Count a record that became a dead letter."""
    _child(_dead_letters, reason).inc()


def field_ignored(field: str) -> None:
    """Count a field that was left out. `field` must come from a closed set (`core.facts.known_field`)."""
    _child(_fields_ignored, field).inc()


def odd_time(when: Literal["ahead", "long_ago"]) -> None:
    """Count an event whose time can hardly be right."""
    _child(_odd_times, when).inc()


def queued(purpose: Purpose, channel: str, n: int = 1) -> None:
    """Count `n` notifications that were decided and stored."""
    _child(_notifications, purpose, channel, State.QUEUED).inc(n)


def settled(purpose: Purpose, channel: str, state: State, n: int = 1) -> None:
    """Count `n` notifications that reached one of their final states."""
    _child(_notifications, purpose, channel, state).inc(n)


def held(reason: Reason) -> None:
    """Count a notification that begins to wait for `reason`."""
    _child(_holds, reason).inc()


def reminder_lateness(seconds: float) -> None:
    _lateness.observe(seconds)


def event_to_accepted(seconds: float) -> None:
    _to_accepted.observe(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """What store and edges report at a scrape. None: they could not be asked, so the metric is absent."""

    outbox: Mapping[State, int] | None = None  # unsettled only
    outbox_oldest_seconds: float | None = None  # how long the oldest due one has waited; 0 if none is
    orders: Mapping[str, int] | None = None  # open, final, stuck
    questions: Mapping[str, int] | None = None  # to owners, by what came of them
    promises: Mapping[str, int] | None = None  # orders by the state of their promise
    in_doubt: int | None = None  # ever sent again or settled in doubt
    kafka_lag_records: int | None = None
    kafka_lag_seconds: float | None = None
    kafka_open_transaction_records: int | None = None
    blind: bool | None = None
    paused: bool | None = None
    channel_paused: Mapping[str, bool] | None = None  # by channel: it waits because the relay refused us
    catalog_ok: bool | None = None  # False: the templates on disk are wrong and the last good ones are in force
    smtp_connections: int | None = None


_ONE_NUMBER = {
    "outbox_oldest_seconds": "How long the oldest notification that is due has waited.",
    "kafka_lag_records": "Records in our partitions that are not yet taken in.",
    "kafka_lag_seconds": "Age of the oldest record not yet taken in.",
    "kafka_open_transaction_records": "Records that we cannot read, behind a transaction open for 10 s or more.",
    "blind": "1 while reminders are held because we cannot know.",
    "paused": "1 while an operator has stopped all sending.",
    "catalog_ok": "0 while the template folder is wrong and the last good catalog is in force.",
    "smtp_connections": "Open connections to the relay.",
}
_BY_LABEL = {
    "outbox": ("state", "Notifications that are not settled."),
    "orders": ("state", "Orders known."),
    "questions": ("state", "Questions to owners, by what came of them."),
    "promises": ("state", "Orders by the state of their promise."),
    "channel_paused": ("channel", "1 while the channel waits because we were refused."),
}


class _Scrape(Collector):
    """Turns the readings of the current scrape into metrics."""

    def __init__(self) -> None:
        self.readings = Readings()

    def collect(self) -> Iterator[Metric]:
        for name, (label, meaning) in _BY_LABEL.items():
            values: Mapping[str, float] | None = getattr(self.readings, name)
            if values is not None:
                family = GaugeMetricFamily(f"avisa_{name}", meaning, labels=[label])
                for key in (s for s in State if s not in SETTLED) if name == "outbox" else values:
                    family.add_metric([key], values.get(key, 0))
                yield family
        for name, meaning in _ONE_NUMBER.items():
            number: float | None = getattr(self.readings, name)
            if number is not None:
                yield GaugeMetricFamily(f"avisa_{name}", meaning, value=number)
        if self.readings.in_doubt is not None:
            yield CounterMetricFamily(
                "avisa_in_doubt", "Notifications sent again or settled in doubt.", value=self.readings.in_doubt
            )
        yield CounterMetricFamily("avisa_log_lines_dropped", "Log lines that nobody took.", value=dropped_lines())


_scrape = _Scrape()
REGISTRY.register(_scrape)


def exposition(readings: Readings) -> bytes:
    """Return all metrics in Prometheus's text format 0.0.4, in UTF-8."""
    _scrape.readings = readings
    return generate_latest(REGISTRY)
