"""Variants that are all alive at once and take turns, as fast as each goes.

Whatever slows the machine for minutes slows neighbours alike, so it is their ratio that tells something.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.bench.latency import Latency
from tests.bench.machine import cpu_seconds, resident_mb
from tests.bench.numbers import Numbers, Pace, Ratio, figure, middle, paired, table
from tests.bench.sinks import SmtpSink, postfix, smtp_sink
from tests.bench.traffic import WARM, publish_and_await
from tests.bench.variants import Ground, Service, SmtpSource, Variant

MAIL = 7_900  # bytes of a mail of ours
CONNECTIONS = 8  # as many as Avisa holds to a relay


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """What came of all rounds, by the variants' names."""

    paces: Mapping[str, Sequence[Pace]]
    idle_mb: Mapping[str, float]  # once it is ready, before the first event
    peak_mb: Mapping[str, float]

    def cpu(self, this: str, that: str) -> Ratio | None:
        """Processor time of a mail of `this` in multiples of that of `that`; None if not both had turns."""
        return self._paired(this, that, lambda pace: pace.cpu_us["service"])

    def rate(self, this: str, that: str) -> Ratio | None:
        """Mails a second likewise."""
        return self._paired(this, that, lambda pace: pace.mails_per_s)

    def _paired(self, this: str, that: str, figure_of: Callable[[Pace], float]) -> Ratio | None:
        if this not in self.paces or that not in self.paces:
            return None
        these, those = ([figure_of(pace) for pace in self.paces[name]] for name in (this, that))
        return paired(these, those)

    def numbers(self, latencies: Mapping[str, Latency]) -> dict[str, Numbers]:
        """What `bench.json` holds of each variant."""
        found = {}
        for name, paces in self.paces.items():
            one, latency = middle(paces), latencies.get(name)
            found[name] = Numbers(
                mails_per_s=one.mails_per_s,
                cpu_us_per_mail=one.cpu_us["service"],
                postgres_cpu_us_per_mail=one.cpu_us["postgres"],
                p50_ms=latency.p50_ms if latency else None,
                p99_ms=latency.p99_ms if latency else None,
                rss_mb=self.peak_mb.get(name),
                idle_mb=self.idle_mb.get(name),
            )
        return found

    def table(self) -> str:
        """The medians of the rounds."""
        head = ["", "CPU µs/mail", "sink", "Kafka", "PostgreSQL", "mails/s", "MB"]
        rows = []
        for name, paces in self.paces.items():
            one = middle(paces)
            shares = [figure(one.cpu_us[part]) for part in ("service", "sink", "kafka", "postgres")]
            rows.append([name, *shares, figure(one.mails_per_s), figure(self.peak_mb.get(name))])
        return table(head, rows)


def take_turns(ground: Ground, variants: Sequence[Variant | SmtpSource], rounds: int) -> Turns:
    """Start all, and let each have a turn in every round: there and back again, so that neighbours stay neighbours
    and nobody is always the first of two."""
    with ExitStack() as living:
        them = [living.enter_context(alive(ground, variant)) for variant in variants]
        paces: dict[str, list[Pace]] = {one.variant.name: [] for one in them}
        for number in range(rounds):
            for one in them if number % 2 == 0 else reversed(them):
                paces[one.variant.name].append(one.turn())
            shown = "  ".join(f"{name} {figure(turns[-1].cpu_us['service'])}" for name, turns in paces.items())
            print(f"  round {number + 1}, CPU µs a mail: {shown}", flush=True)
        services = [one for one in them if isinstance(one, Alive)]
        return Turns(
            paces=paces,
            idle_mb={one.variant.name: one.idle_mb for one in services},
            peak_mb={one.variant.name: one.peak_mb() for one in services},
        )


@dataclass(slots=True)
class Alive:
    """A variant that is running, with a topic, a store and a sink of its own, and waits for its next turn."""

    variant: Variant
    service: Service
    idle_mb: float
    _ground: Ground
    _topic: str
    _sink: SmtpSink
    _published: int = 0

    def turn(self, mails: int | None = None) -> Pace:
        """Publish some events at once and wait for the last mail.

        The clock runs from the first record published: whatever a variant does with an event counts, whenever it
        does it.
        """
        mails = mails or self.variant.turn
        before = self._cpu()
        took = publish_and_await(self._ground, self._topic, self._sink, self.service, self._published, mails)
        after = self._cpu()
        self._published += mails
        if self._sink.count() != self._published:
            raise RuntimeError(f"{self.variant.name}: {self._sink.count()} mails came of {self._published} events")
        return Pace(
            mails_per_s=mails / took,
            cpu_us={name: (after[name] - before[name]) * 1e6 / mails for name in after},
        )

    def peak_mb(self) -> float:
        """Memory so far, at most."""
        return resident_mb(self.service.pids, peak=True)

    def _cpu(self) -> dict[str, float]:
        parts = {"service": self.service.cpu(), "sink": cpu_seconds(self._sink.pid)}
        return parts | self._ground.neighbours()


@dataclass(slots=True)
class AliveSource:
    """`smtp-source`, which is a process of its own in each turn, and its sink."""

    variant: SmtpSource
    _sink: SmtpSink

    def turn(self) -> Pace:
        """Send mails of the size of ours."""
        mails = self.variant.turn
        before, began = cpu_seconds(self._sink.pid), time.monotonic()
        like_ours = ["-d", "-s", str(CONNECTIONS), "-l", str(MAIL), "-m", str(mails)]
        addresses = ["-f", "avisos@example.com", "-t", "customer@example.com", f"127.0.0.1:{self._sink.port}"]
        process = subprocess.Popen([postfix("smtp-source"), *like_ours, *addresses])
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        took = time.monotonic() - began
        if process.returncode:
            raise RuntimeError(f"smtp-source ended with {process.returncode}")
        seconds = {"service": used.ru_utime + used.ru_stime, "sink": cpu_seconds(self._sink.pid) - before}
        seconds |= {"kafka": 0.0, "postgres": 0.0}
        return Pace(mails_per_s=mails / took, cpu_us={name: it * 1e6 / mails for name, it in seconds.items()})


@contextmanager
def alive(ground: Ground, variant: Variant | SmtpSource) -> Iterator[Alive | AliveSource]:
    """Start it, and warm it up."""
    with smtp_sink(ground.folder) as sink:
        if isinstance(variant, SmtpSource):
            yield AliveSource(variant, sink)
            return
        topic = ground.topic()
        with variant.running(ground, topic, sink.port) as service:
            started = Alive(variant, service, resident_mb(service.pids), ground, topic, sink)
            started.turn(WARM)
            yield started
