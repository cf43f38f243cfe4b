"""The bench takes hold of the service at its doors, and charges each stage what it used and no other."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy.util import await_only, greenlet_spawn

from tests.bench import stages
from tests.bench.metered import DOORS, Meter
from tests.bench.variants import Avisa, Ground
from tests.tools.kafka import ApacheKafka
from tests.tools.parts import needs
from tests.tools.postgres import Postgres

MEANWHILE = {"decide": 0.10, "draft": 0.05}


def test_every_metered_function_exists() -> None:
    gone = [f"{holder.__name__}.{name}" for holder, name, _ in DOORS if not hasattr(holder, name)]
    assert not gone


def test_what_is_done_while_a_transaction_waits_for_its_server_is_not_its_cost() -> None:
    """SQLAlchemy leaves its greenlet in the middle of a stage; the stages that go on meanwhile pay for themselves."""
    meter = Meter()
    used: list[float] = []

    def transaction(answered: asyncio.Event) -> None:
        meter.call("store: commit", lambda: burn(0.04))
        await_only(answered.wait())
        meter.call("store: commit", lambda: (burn(0.02), await_only(asyncio.sleep(0)), burn(0.02)))

    async def commit(answered: asyncio.Event) -> None:
        await greenlet_spawn(meter.call, "store: settle", lambda: (burn(0.03), transaction(answered)))

    async def dispatched(answered: asyncio.Event) -> None:
        await meter.steps("dispatch", commit(answered))

    async def both() -> None:
        began = time.thread_time()
        answered = asyncio.Event()
        committing = [asyncio.create_task(dispatched(answered)) for _ in range(2)]
        await asyncio.sleep(0)
        for stage, seconds in MEANWHILE.items():
            meter.call(stage, lambda seconds=seconds: burn(seconds))
        answered.set()
        await asyncio.gather(*committing)
        used.append(time.thread_time() - began)

    in_thread = threading.Thread(target=lambda: asyncio.run(both()))  # a thread's greenlets are traced by thread
    in_thread.start()
    in_thread.join()
    wanted = {"store: commit": 0.16, "store: settle": 0.06} | MEANWHILE
    assert {stage: meter.seconds[stage] for stage in wanted} == pytest.approx(wanted, rel=0.1)
    assert sum(meter.seconds.values()) == pytest.approx(used[0], rel=0.05)


def burn(seconds: float) -> None:
    """Use so much processor time."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


@pytest.fixture
@needs("smtp")
def ground(tmp_path: Path, apache_kafka: ApacheKafka, postgres: Postgres) -> Ground:
    tmp_path.chmod(0o755)
    return Ground(tmp_path, apache_kafka, postgres)


@needs("process")
def test_the_stages_of_a_mail_by_postgresql_add_up(ground: Ground) -> None:
    costs = stages.measure(ground, Avisa(name="metered", store="postgres"), 400)
    everything, rest = costs.pop("all"), costs.pop("the rest")
    assert min(costs.values()) > 0, costs
    assert 0 < rest < everything / 2, (rest, everything, costs)
    assert costs["store: transaction"] > costs["store: settle"], costs  # the driver's part
