"""`make replay ORDERS=orders.csv OUT=folder`: real orders through Apache Kafka, PostgreSQL and an SMTP sink."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

from tests.replay.harness import Stage, templates
from tests.replay.play import LEAD, clock_at, play, report
from tests.tools.kafka import ApacheKafka
from tests.tools.orders import real
from tests.tools.postgres import running
from tests.tools.sink import Sink


def main() -> int:
    """0 if the oracle finds nothing."""
    asked = _arguments()
    out: Path = asked.out
    out.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="avisa-replay-")))
        kafka = ApacheKafka(folder=work / "kafka")
        kafka.start()
        stack.callback(kafka.stop)
        url = f"sqlite:///{work / 'avisa.db'}"
        if asked.store == "postgres":
            url = stack.enter_context(contextlib.contextmanager(running)()).database()
        sink = stack.enter_context(Sink(work / "sink"))
        clock = clock_at(asked.speed)
        stage = Stage(
            folder=work,
            servers=kafka.bootstrap_servers,
            topic="orders.status",
            store_url=url,
            templates=templates(work / "templates", asked.plan),
            sink=sink,
            clock=clock,
        )
        asyncio.run(kafka.create_topic(stage.topic, partitions=3))
        scheduled = real(asked.orders, clock.start + LEAD * asked.speed, first=asked.first)
        longest = (scheduled[-1].at - clock.start) / asked.speed
        print(f"{len(scheduled)} events at {asked.speed:g} x real time: about {longest.total_seconds() / 60:.0f} min")
        try:
            verdict = asyncio.run(play(stage, scheduled))
        finally:
            shutil.copy(stage.log, out / "avisa.log")
        print(json.dumps(report(stage, verdict, out), indent=2))
        for violation in verdict.violations[:50]:
            print(violation)
        return 0 if verdict.clean else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.replay", description=__doc__)
    parser.add_argument("orders", type=Path, help="a file with the columns of the Olist orders")
    parser.add_argument("out", type=Path, help="folder for events.jsonl, mails.jsonl and replay.json")
    parser.add_argument("--speed", type=float, default=5_400.0, help="virtual seconds a real second (1.5 hours)")
    parser.add_argument("--store", choices=("postgres", "sqlite"), default="postgres")
    parser.add_argument("--plan", type=Path, default=None, help="a plan.yaml in place of the shipped one")
    parser.add_argument("--first", type=int, default=None, help="only so many orders")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
