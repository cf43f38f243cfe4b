"""Made-up orders of every shape, through Apache Kafka and each store, at two hours a second."""

from __future__ import annotations

import asyncio
import contextlib
import random
from datetime import timedelta
from pathlib import Path

from tests.replay.harness import Stage, templates
from tests.replay.play import LEAD, clock_at, play
from tests.tools.kafka import ApacheKafka
from tests.tools.orders import generated
from tests.tools.postgres import Postgres
from tests.tools.sink import Sink

SPEED = 7200.0
LENGTH = timedelta(days=2)
ORDERS = 250
PLAN = Path(__file__).with_name("plan.yaml")
PATIENCE = timedelta(seconds=10)  # the machine is shared with other tests; `make replay` keeps to 5


async def test_generated_orders_are_told_as_the_oracle_says(
    tmp_path: Path, apache_kafka: ApacheKafka, postgres: Postgres
) -> None:
    """Both stores at once, to wait for silences only once."""
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    urls = {"sqlite": f"sqlite:///{tmp_path / 'avisa.db'}", "postgres": postgres.database()}
    with contextlib.ExitStack() as stack:
        stages = []
        for store, url in urls.items():
            folder = tmp_path / store
            folder.mkdir()
            await apache_kafka.create_topic(f"replay.{store}", partitions=3)
            stages.append(
                Stage(
                    folder=folder,
                    servers=apache_kafka.bootstrap_servers,
                    topic=f"replay.{store}",
                    store_url=url,
                    templates=templates(folder / "templates", PLAN),
                    sink=stack.enter_context(Sink(folder / "sink")),
                    clock=clock_at(SPEED),
                    patience=PATIENCE,
                )
            )
        begin = stages[-1].clock.start + LEAD * SPEED
        orders = generated(ORDERS, seed=seed, start=begin, length=LENGTH)
        verdicts = await asyncio.gather(*(play(stage, orders) for stage in stages))
    for store, verdict in zip(urls, verdicts, strict=True):
        assert verdict.clean, f"seed {seed} on {store}\n{verdict}"
        assert verdict.mails["update"] > ORDERS
        assert verdict.mails["reminder"] > 0
        assert verdict.mails["promise_at_risk"] > 0
        assert verdict.mails["promise_broken"] > 0
        assert verdict.mails["ask_owner"] > 0
