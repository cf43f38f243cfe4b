"""`python -m tests.bench [--short | --full]`: measure, print, and write `bench.json`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench import due, rounds, stages
from tests.bench.due import Due
from tests.bench.numbers import Numbers, Pace, Target, document, figure, middle, ratio, spread, table
from tests.bench.rounds import Latency
from tests.bench.variants import VARIANTS, Avisa, Ground, Naive, Variant, migrate
from tests.tools.kafka import ApacheKafka
from tests.tools.postgres import running

BY_NAME = {variant.name: variant for variant in VARIANTS}
SMTP_SOURCE = "smtp_source"
MAIL = 8_700  # bytes of a mail of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    rounds: int
    events: int  # for Avisa in each round
    slow_events: int  # for those who need ten times as long
    seconds: float  # of each latency
    stage_events: int
    open_orders: tuple[int, int]  # among which the due are claimed


SHORT = Size(rounds=1, events=4_000, slow_events=500, seconds=2, stage_events=3_000, open_orders=(10_000, 100_000))
USUAL = Size(
    rounds=3, events=15_000, slow_events=2_000, seconds=10, stage_events=8_000, open_orders=(100_000, 1_000_000)
)
FULL = Size(
    rounds=7, events=30_000, slow_events=3_000, seconds=30, stage_events=20_000, open_orders=(1_000_000, 10_000_000)
)


def main() -> None:
    words = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    size = words.add_mutually_exclusive_group()
    size.add_argument("--short", action="store_const", const=SHORT, dest="size", help="a minute and a half")
    size.add_argument("--full", action="store_const", const=FULL, dest="size", help="10 million open orders too")
    words.add_argument("--only", metavar="WORD", default="", help="only variants with this word in their name")
    words.add_argument("--out", type=Path, default=Path("bench.json"))
    asked = words.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing that was started outlives us
    chosen = [variant for variant in VARIANTS if asked.only in variant.name]
    with ground() as there:
        bench = Bench(there, asked.size or USUAL, chosen)
        bench.run()
    asked.out.write_text(json.dumps(bench.document(), indent=2) + "\n")
    print(f"\nwritten: {asked.out}")


@contextmanager
def ground() -> Iterator[Ground]:
    """Kafka and PostgreSQL, both as durable as they come."""
    with tempfile.TemporaryDirectory(prefix="avisa-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        kafka = ApacheKafka(folder=folder / "kafka")
        durable = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "256MB", "max_wal_size": "2GB"}
        with contextmanager(running)(**durable) as postgres:
            try:
                kafka.start()
                yield Ground(folder, kafka, postgres)
            finally:
                kafka.stop()


class Bench:
    """All that is measured in one run."""

    def __init__(self, ground: Ground, size: Size, variants: list[Variant]) -> None:
        self._ground = ground
        self._size = size
        self._variants = variants
        self._paces: defaultdict[str, list[Pace]] = defaultdict(list)
        self._latencies: dict[str, Latency] = {}
        self._due: dict[str, tuple[Due, Due]] = {}

    def run(self) -> None:
        """Measure and print, part by part."""
        began = time.monotonic()
        print(f"{os.cpu_count()} cores, shared by service, broker, sink, PostgreSQL and this harness;")
        print(f"load {os.getloadavg()[0]:.1f} at the start; Python {platform.python_version()}")
        for number in range(self._size.rounds):
            self._round(number)
        print("\nAs fast as it goes: from the first event published to the last mail accepted\n")
        print(self._pace_table())
        print("\nFrom publishing an event to the acceptance of its mail, at half of that rate\n")
        for variant in self._variants:
            rate = middle(self._paces[variant.name]).mails_per_s / 2
            self._latencies[variant.name] = rounds.at_pace(self._ground, variant, rate, self._size.seconds)
        print(self._latency_table())
        self._stages()
        self._reminders()
        print("\nWhat is aimed at\n")
        print(table(["", "asked", "measured", ""], [target.cells() for target in self.targets()]))
        print(f"\n{time.monotonic() - began:.0f} s; load {os.getloadavg()[0]:.1f} at the end")

    def _round(self, number: int) -> None:
        """Each variant once; the next round begins with another one."""
        turn: list[Variant | None] = [*self._variants, None]
        shift = number % len(turn)
        for variant in turn[shift:] + turn[:shift]:
            if variant is None:
                pace = rounds.smtp_source(self._ground, self._size.events, MAIL)
            else:
                slow = isinstance(variant, Naive)
                events = self._size.slow_events if slow else self._size.events
                pace = rounds.as_fast_as_it_goes(self._ground, variant, events)
            name = SMTP_SOURCE if variant is None else variant.name
            self._paces[name].append(pace)
            print(f"  round {number + 1}: {name:18} {pace.mails_per_s:8,.0f} mails/s", flush=True)

    def _pace_table(self) -> str:
        head = ["", "mails/s", "rounds", "CPU µs/mail", "sink", "Kafka", "PostgreSQL", "MB"]
        rows = []
        for name, paces in self._paces.items():
            one = middle(paces)
            shares = [figure(one.cpu_us[part]) for part in ("service", "sink", "kafka", "postgres")]
            rows.append([name, figure(one.mails_per_s), spread(paces), *shares, figure(one.rss_mb)])
        return table(head, rows)

    def _latency_table(self) -> str:
        rows = [
            [name, figure(one.per_s), figure(one.p50_ms), figure(one.p99_ms), f"{one.mails:,}"]
            for name, one in self._latencies.items()
        ]
        return table(["", "mails/s", "p50 ms", "p99 ms", "mails"], rows)

    def _stages(self) -> None:
        sqlite = next((one for one in self._variants if isinstance(one, Avisa) and one.store == "sqlite"), None)
        if sqlite is None:
            return
        costs = stages.measure(self._ground, sqlite, self._size.stage_events)
        print("\nProcessor time of a mail by stage, in avisa_sqlite with a meter in it\n")
        print(table(["", "CPU µs/mail"], [[name, figure(cost)] for name, cost in costs.items()]))

    def _reminders(self) -> None:
        for store in sorted({one.store for one in self._variants if isinstance(one, Avisa)}, reverse=True):
            fewer, more = (self._due_among(store, orders) for orders in self._size.open_orders)
            self._due[store] = (fewer, more)
        if self._due:
            print("\nReminders: 500 due orders claimed among all that are open, decided and stored\n")
            head = ["", "open orders", "claim ms", "claimed, decided, stored/s", "decided/s"]
            rows = []
            for name, pair in self._due.items():
                for one in pair:
                    shown = (one.claim_ms, one.decided_per_s, one.only_decided_per_s)
                    rows.append([name, f"{one.orders:,}", *map(figure, shown)])
            print(table(head, rows))

    def _due_among(self, store: str, orders: int) -> Due:
        if store == "postgres":
            postgres = self._ground.postgres
            url = postgres.database()
            migrate({"AVISA_STORE__URL": url}, self._ground.folder)
            database = url.rpartition("/")[2]
            found = due.measure(url, orders, lambda statement: postgres.sql(statement, database))
            postgres.sql(f'DROP DATABASE "{database}"')
            return found
        with tempfile.TemporaryDirectory(dir=self._ground.folder) as folder:
            url = f"sqlite:///{folder}/avisa.db"
            return due.measure(url, orders, due.sqlite_fill(url))

    # ------------------------------------------------------------ what comes of it

    def _rate(self, name: str) -> float | None:
        return middle(self._paces[name]).mails_per_s if self._paces.get(name) else None

    def _cpu(self, name: str) -> float | None:
        return middle(self._paces[name]).cpu_us["service"] if self._paces.get(name) else None

    def ratios(self) -> dict[str, float | None]:
        """Within this run."""
        many = {
            f"due_claim_{store}_{more.orders}_to_{fewer.orders}": ratio(more.claim_ms, fewer.claim_ms)
            for store, (fewer, more) in self._due.items()
        }
        return {
            "sqlite_to_naive_kept": ratio(self._rate("avisa_sqlite"), self._rate("naive_kept")),
            "sqlite_to_naive_each": ratio(self._rate("avisa_sqlite"), self._rate("naive_each")),
            "naive_kept_cpu_to_sqlite": ratio(self._cpu("naive_kept"), self._cpu("avisa_sqlite")),
            "sqlite_to_smtp_source": ratio(self._rate("avisa_sqlite"), self._rate(SMTP_SOURCE)),
            "postgres_to_naive_kept": ratio(self._rate("avisa_postgres"), self._rate("naive_kept")),
            "postgres_2_to_postgres": ratio(self._rate("avisa_postgres_2"), self._rate("avisa_postgres")),
            **many,
        }

    def targets(self) -> list[Target]:
        """What is aimed at, with what came out."""
        got = self.ratios()
        of_orders = [
            Target(
                what=f"claim among {more.orders:,} open orders / among {fewer.orders:,}, {store}",
                got=ratio(more.claim_ms, fewer.claim_ms),
                wanted=2.5,
                at_most=True,
            )
            for store, (fewer, more) in self._due.items()
        ]
        decided = [
            Target(what=f"due orders decided a second, {store}", got=more.only_decided_per_s, wanted=20_000)
            for store, (_, more) in self._due.items()
        ]
        p99 = self._latencies.get("avisa_sqlite")
        alone = middle(self._paces["avisa_sqlite"]) if self._paces.get("avisa_sqlite") else None
        return [
            Target(what="SQLite, one process / naive, kept connection", got=got["sqlite_to_naive_kept"], wanted=15),
            Target(what="SQLite, one process / smtp-source -d", got=got["sqlite_to_smtp_source"], wanted=0.25),
            Target(what="PostgreSQL, two processes / one", got=got["postgres_2_to_postgres"], wanted=1.6),
            *of_orders,
            *decided,
            Target(what="idle memory", got=alone.idle_mb if alone else None, wanted=120, at_most=True, unit=" MB"),
            Target(
                what="p99 at half load, SQLite", got=p99.p99_ms if p99 else None, wanted=50, at_most=True, unit=" ms"
            ),
            Target(what="start to ready", got=alone.ready_s if alone else None, wanted=2, at_most=True, unit=" s"),
        ]

    def document(self) -> dict[str, object]:
        """What `bench.json` holds."""
        variants = {}
        for name, paces in self._paces.items():
            one, latency = middle(paces), self._latencies.get(name)
            variants[name] = Numbers(
                mails_per_s=one.mails_per_s,
                cpu_us_per_mail=one.cpu_us["service"],
                p50_ms=latency.p50_ms if latency else None,
                p99_ms=latency.p99_ms if latency else None,
                rss_mb=one.rss_mb,
            )
        return document(variants, self.ratios())


if __name__ == "__main__":
    main()
