"""`python -m tests.bench [--short | --full] [--against COMMIT]`: measure, print, and write `bench.json`.

With `--against`, Avisa of another commit takes turns with today's, and nothing else is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench import against, due, latency, stages
from tests.bench.due import Due
from tests.bench.latency import Latency
from tests.bench.numbers import FEWEST, Numbers, Ratio, Target, document, figure, ratio, table
from tests.bench.turns import take_turns
from tests.bench.variants import VARIANTS, Avisa, Ground, SmtpSource, Variant, migrate
from tests.tools.kafka import ApacheKafka
from tests.tools.postgres import running

# Of `bench.json`: whose processor time, or whose rate, in multiples of whose.
CPU_RATIOS = {
    "naive_kept_cpu_to_sqlite": ("naive_kept", "avisa_sqlite"),
    "naive_kept_cpu_to_postgres": ("naive_kept", "avisa_postgres"),
    "sqlite_senders_cpu_to_sqlite": ("avisa_sqlite_senders", "avisa_sqlite"),
    "postgres_2_cpu_to_postgres": ("avisa_postgres_2", "avisa_postgres"),
}
RATE_RATIOS = {
    "sqlite_to_naive_kept": ("avisa_sqlite", "naive_kept"),
    "sqlite_to_naive_each": ("avisa_sqlite", "naive_each"),
    "sqlite_senders_to_naive_kept": ("avisa_sqlite_senders", "naive_kept"),
    "sqlite_senders_to_sqlite": ("avisa_sqlite_senders", "avisa_sqlite"),
    "sqlite_senders_to_smtp_source": ("avisa_sqlite_senders", "smtp_source"),
    "postgres_to_naive_kept": ("avisa_postgres", "naive_kept"),
    "postgres_2_to_postgres": ("avisa_postgres_2", "avisa_postgres"),
}

LABELS = {
    "naive_kept": "naive FastStream service, no store, one kept connection",
    "naive_each": "naive, one connection a mail",
    "avisa_sqlite": "Avisa on SQLite, one process",
    "avisa_sqlite_senders": "Avisa on SQLite, with a sender process",
    "avisa_postgres": "Avisa on PostgreSQL, one process",
    "avisa_postgres_2": "Avisa on PostgreSQL, two processes",
    "smtp_source": "`smtp-source`, in C, which only sends",
}
AVISAS = [one for one in VARIANTS if isinstance(one, Avisa) and one.alone]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    rounds: int
    seconds: float  # of each latency
    stage_events: int
    open_orders: tuple[int, int]  # among which the due are claimed


SHORT = Size(rounds=FEWEST, seconds=2, stage_events=3_000, open_orders=(10_000, 100_000))
USUAL = Size(rounds=12, seconds=10, stage_events=8_000, open_orders=(100_000, 1_000_000))
FULL = Size(rounds=40, seconds=30, stage_events=20_000, open_orders=(1_000_000, 10_000_000))


def main() -> None:
    words = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    size = words.add_mutually_exclusive_group()
    size.add_argument("--short", action="store_const", const=SHORT, dest="size", help="some minutes")
    size.add_argument("--full", action="store_const", const=FULL, dest="size", help="10 million open orders too")
    words.add_argument("--rounds", type=int, help="turns of each variant")
    words.add_argument("--only", metavar="WORD", help="only variants with this word in their name")
    words.add_argument("--without-promises", action="store_true", help="orders that have no promised date")
    words.add_argument("--against", metavar="COMMIT", help="a commit, or the path of a worktree")
    words.add_argument("--out", type=Path, default=Path("bench.json"))
    asked = words.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing that was started outlives us
    chosen_size = asked.size or USUAL
    rounds = asked.rounds or chosen_size.rounds
    if rounds < FEWEST:
        words.error(f"fewer than {FEWEST} rounds tell no interval")
    with ground(promises=not asked.without_promises) as there:
        print(f"{os.cpu_count()} cores, shared by services, broker, sinks, PostgreSQL and this harness;")
        print(f"load {os.getloadavg()[0]:.1f} at the start; Python {platform.python_version()}")
        began = time.monotonic()
        if asked.against:
            only = asked.only or "sqlite"
            found = against.measure(there, [one for one in AVISAS if only in one.name], asked.against, rounds)
        else:
            bench = Bench(there, chosen_size, [one for one in VARIANTS if (asked.only or "") in one.name])
            found = bench.run(rounds)
        print(f"\n{time.monotonic() - began:.0f} s; load {os.getloadavg()[0]:.1f} at the end")
    asked.out.write_text(json.dumps(found, indent=2) + "\n")
    print(f"\nwritten: {asked.out}")


@contextmanager
def ground(*, promises: bool = True) -> Iterator[Ground]:
    """Kafka and PostgreSQL, both as durable as they come, and the kind of orders that are published."""
    with tempfile.TemporaryDirectory(prefix="avisa-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        kafka = ApacheKafka(folder=folder / "kafka")
        durable = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "256MB", "max_wal_size": "2GB"}
        with contextmanager(running)(**durable) as postgres:
            try:
                kafka.start()
                yield Ground(folder, kafka, postgres, promises)
            finally:
                kafka.stop()


class Bench:
    """All that is measured in one run."""

    def __init__(self, ground: Ground, size: Size, variants: list[Variant | SmtpSource]) -> None:
        self._ground = ground
        self._size = size
        self._variants = variants
        self._services = [one for one in variants if not isinstance(one, SmtpSource)]
        self._latencies: dict[str, Latency] = {}
        self._due: dict[str, tuple[Due, Due]] = {}

    def run(self, rounds: int) -> dict[str, object]:
        """Measure and print, part by part; return what `bench.json` holds."""
        self._turns = take_turns(self._ground, self._variants, rounds)
        print("\nAs fast as it goes, from the first event published to the last mail accepted: medians\n")
        print(self._turns.table())
        self._latency()
        self._stages()
        self._reminders()
        ratios = self._ratios()
        print("\nRatios of neighbours: the median and where it would lie in 19 of 20 benches\n")
        print(table(["", "ratio"], [[name, _shown(one)] for name, one in ratios.items()]))
        print("\nWhat is aimed at\n")
        print(table(["", "asked", "measured", ""], [target.cells() for target in self._targets()]))
        numbers = self._turns.numbers(self._latencies)
        print("\nFor the README\n")
        print("\n".join(f"| {LABELS[name]} | {_cells(one)} |" for name, one in numbers.items()))
        return document(numbers, ratios)

    def _latency(self) -> None:
        print("\nFrom publishing an event to the acceptance of its mail, at half of that rate\n")
        rates = {name: one.mails_per_s for name, one in self._turns.numbers({}).items()}
        for one in self._services:
            found = latency.at_pace(self._ground, one, rates[one.name] / 2, self._size.seconds)
            self._latencies[one.name] = found
        rows = [
            [name, figure(one.per_s), figure(one.p50_ms), figure(one.p99_ms), f"{one.mails:,}"]
            for name, one in self._latencies.items()
        ]
        print(table(["", "mails/s", "p50 ms", "p99 ms", "mails"], rows))

    def _stages(self) -> None:
        metered = [one for one in self._services if isinstance(one, Avisa) and one.alone]
        costs = {one.name: stages.measure(self._ground, one, self._size.stage_events) for one in metered}
        if costs:
            print("\nProcessor time of a mail by stage, in µs, with a meter in the process\n")
            names = dict.fromkeys(stage for stages_of in costs.values() for stage in stages_of)
            rows = [[name, *(figure(one.get(name)) for one in costs.values())] for name in names]
            print(table(["", *costs], rows))

    def _reminders(self) -> None:
        for store in sorted({one.store for one in self._services if isinstance(one, Avisa)}, reverse=True):
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

    def _ratios(self) -> dict[str, float | Ratio | None]:
        """Within this run."""
        many = {
            f"due_claim_{store}_{more.orders}_to_{fewer.orders}": ratio(more.claim_ms, fewer.claim_ms)
            for store, (fewer, more) in self._due.items()
        }
        cpu = {name: self._turns.cpu(*pair) for name, pair in CPU_RATIOS.items()}
        rates = {name: self._turns.rate(*pair) for name, pair in RATE_RATIOS.items()}
        return cpu | rates | many

    def _targets(self) -> list[Target]:
        """What is aimed at, with what came out."""

        def cpu(name: str) -> float | None:
            found = self._turns.cpu(*CPU_RATIOS[name])
            return None if found is None else found.median

        def rate(name: str) -> float | None:
            found = self._turns.rate(*RATE_RATIOS[name])
            return None if found is None else found.median

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
        idle = self._turns.idle_mb.get("avisa_sqlite")
        return [
            Target(what="processor time, naive / SQLite", got=cpu("naive_kept_cpu_to_sqlite"), wanted=11),
            Target(what="processor time, naive / PostgreSQL", got=cpu("naive_kept_cpu_to_postgres"), wanted=9),
            Target(
                what="rate with a sender process on two cores, SQLite / naive",
                got=rate("sqlite_senders_to_naive_kept"),
                wanted=14,
            ),
            Target(
                what="rate with a sender process, SQLite / smtp-source -d",
                got=rate("sqlite_senders_to_smtp_source"),
                wanted=0.3,
            ),
            *of_orders,
            *decided,
            Target(what="idle memory, SQLite", got=idle, wanted=90, at_most=True, unit=" MB"),
            Target(
                what="p99 at half load, SQLite", got=p99.p99_ms if p99 else None, wanted=50, at_most=True, unit=" ms"
            ),
        ]


def _cells(one: Numbers) -> str:
    """Of a row of the README's table."""
    latency = "" if one.p50_ms is None else f"{one.p50_ms:,.0f}, {one.p99_ms:,.0f}"
    return " | ".join([f"{one.cpu_us_per_mail:,.0f}", f"{one.mails_per_s:,.0f}", latency])


def _shown(one: float | Ratio | None) -> str:
    return str(one) if isinstance(one, Ratio) else figure(one)


if __name__ == "__main__":
    main()
