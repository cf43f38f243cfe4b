"""A scene: replicas of Avisa on one store, one topic and one relay, orders coming in, and what befalls them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer

from tests.bench.machine import family
from tests.crash.campaign import PLAN
from tests.oracle import Verdict
from tests.replay.harness import ROOT, Stage, silence_ends, templates
from tests.replay.play import clock_at
from tests.replay.publisher import publish, real_now
from tests.tools.kafka import ApacheKafka
from tests.tools.orders import generated
from tests.tools.sink import Sink

SPEED = 3600.0  # an hour a second
PATIENCE = timedelta(seconds=8)  # the machine is shared with other tests
LEASE = 3.0  # seconds
LENGTH = 9.0  # seconds for which orders come in
ORDERS = 70
LONGEST = 90.0  # seconds for anything to come about; two rebalances in a row take forty
_LOOK_EVERY = 0.1
# Nobody answers here, so nobody is asked, and no promise is looked after.
WITHOUT_OWNERS = (
    "owners.desk.next",
    "owners.desk.after",
    "owners.chief",
    "defaults.ask_owner_at",
    "defaults.promise",
    "touchpoints.delivered.fulfils_promise",
)
REPLICA = (sys.executable, "-m", "tests.faults")


def until(true: Callable[[], object], what: str, within: float = LONGEST) -> None:
    """Wait for it."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, f"still waiting for {what}"
        time.sleep(_LOOK_EVERY)


def together(*plays: Callable[[], None]) -> None:
    """All at the same time, for most of it is waiting; raises what the first to fail raised."""
    with ThreadPoolExecutor(len(plays)) as stages:
        for playing in [stages.submit(play) for play in plays]:
            playing.result()


@dataclass(kw_only=True)
class Scene:
    """Replicas that share everything but their process. What happens is noted with the first."""

    replicas: list[Stage]
    sink: Sink
    seed: int

    @property
    def first(self) -> Stage:
        return self.replicas[0]

    @property
    def living(self) -> list[Stage]:
        return [replica for replica in self.replicas if not replica.dead]

    def start(self, *replicas: Stage) -> None:
        """Start them, and wait until all that live share the partitions."""
        for replica in replicas:
            replica.start()
        for replica in replicas:
            assert replica.wait_ready(), replica.log_tail()
        until(self.shared_out, "the partitions")

    def stop(self) -> None:
        """SIGTERM to all that live; each must end well."""
        codes = {replica.pid: replica.stop() for replica in self.living}
        assert not any(codes.values()), codes

    def shared_out(self) -> bool:
        """Whether the living read all partitions, each at least one."""
        details = [replica.health()["checks"].get("assignment", {}).get("detail", "0") for replica in self.living]
        counts = [int(detail.split()[0]) for detail in details]
        return sum(counts) == PARTITIONS and all(counts)

    def well(self) -> bool:
        """Whether all that live find nothing wrong."""
        return all(replica.health().get("status") == "ok" for replica in self.living)

    @contextlib.contextmanager
    def away(self, *, doubts: bool = False) -> Iterator[None]:
        """Something is away until the end of the block, and for as long as it takes to get over it.

        `doubts`: answers of the relay, or what was done with them, may be lost by it.
        """
        begin = real_now()
        self.first.rereads = True
        if doubts:
            self.first.kills.append(begin)
        yield
        if doubts:
            self.first.kills.append(real_now())
        try:
            until(lambda: self.well() and self.shared_out(), "everybody to be well")
        except AssertionError as late:
            states = [replica.health() for replica in self.living]
            raise AssertionError(f"{late}: {states}\n{self.first.log_tail()}") from None
        self.first.down.append((begin, real_now()))

    def kill(self, replica: Stage) -> None:
        """SIGKILL; it stays dead, and the others take over."""
        with self.away(doubts=True):
            replica.kill()
        if replica is not self.first:
            self.first.kills += replica.kills

    @contextlib.contextmanager
    def frozen(self, replica: Stage) -> Iterator[None]:
        """It stands still with its sender processes, as a machine does that swaps or is moved."""
        with self.away(doubts=True), standing_still(*family(replica.pid)):
            yield

    def play(self, befall: Callable[[], None]) -> None:
        """Publish, have it befall in the middle, wait for the last reminder, and see that the oracle is content."""
        verdict = asyncio.run(self._played(befall))
        assert verdict.clean, f"seed {self.seed}\n{verdict}"
        assert verdict.mails["reminder"] > 0

    async def _played(self, befall: Callable[[], None]) -> Verdict:
        stage = self.first
        begin = stage.clock.virtual(real_now() + timedelta(seconds=0.5))
        orders = generated(ORDERS, seed=self.seed, start=begin, length=timedelta(seconds=LENGTH) * SPEED)
        publishing = asyncio.ensure_future(publish(stage.servers, stage.topic, orders, stage.clock, stage.published))
        await asyncio.sleep(LENGTH / 3)
        await asyncio.to_thread(befall)
        await publishing
        end = silence_ends(stage.published, stage.plan()) + (PATIENCE + timedelta(seconds=1)) * SPEED
        await asyncio.sleep(max(0.0, (stage.clock.real(end) - real_now()).total_seconds()))
        await asyncio.to_thread(self._come_to_rest)
        return await asyncio.to_thread(stage.judge, stage.clock.virtual(real_now()))

    def _come_to_rest(self) -> None:
        """Wait until nothing is left to be told, and was not a moment ago: who sees again may only be about to."""
        deadline, rests = time.monotonic() + LONGEST, 0
        while rests < 2:
            rests = rests + 1 if self.well() and self.first.settled() else 0
            if time.monotonic() > deadline:
                left = [row for row in self.first.avisa("outbox") if row["state"] not in ("sent", "dropped")]
                well = [replica.health() for replica in self.living]
                raise AssertionError(f"unsettled: {left}\n{well}\n{self.first.log_tail()}")
            time.sleep(0.5)


@contextlib.contextmanager
def standing_still(*pids: int) -> Iterator[None]:
    """These processes are frozen within the block."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


PARTITIONS = 3
_scenes = count()


@contextlib.contextmanager
def scene(
    folder: Path,
    kafka: ApacheKafka,
    store_url: str,
    *,
    seed: int = 0,
    replicas: int = 1,
    started: int | None = None,
    speed: float = SPEED,
    **settings: str,
) -> Iterator[Scene]:
    """Everything is up and running, of the replicas so many as are `started`; in the end all is stopped in good
    order."""
    topic = f"faults.{next(_scenes)}"
    asyncio.run(kafka.create_topic(topic, partitions=PARTITIONS))
    clock = clock_at(speed)
    folder.mkdir(parents=True)
    words = templates(folder / "templates", PLAN, without=WITHOUT_OWNERS)
    with Sink(folder / "sink") as sink:
        stages: list[Stage] = []
        for number in range(replicas):
            own = folder / f"replica-{number}"
            own.mkdir()
            stages.append(
                Stage(
                    folder=own,
                    servers=kafka.bootstrap_servers,
                    topic=topic,
                    store_url=store_url,
                    templates=words,
                    sink=sink,
                    clock=clock,
                    command=REPLICA,
                    settings={
                        "PYTHONPATH": str(ROOT),
                        "AVISA_RETRY__LEASE": f"{LEASE:g}s",
                        "AVISA_RETRY__STEPS": "1s",
                        **settings,
                    },
                    patience=PATIENCE,
                    starts=stages[0].starts if stages else [],
                    ends=stages[0].ends if stages else [],
                )
            )
        played = Scene(replicas=stages, sink=sink, seed=seed)
        try:
            played.first.avisa("migrate")
            played.start(*stages[:started])
            yield played
            played.stop()
        finally:
            for replica in played.living:
                replica.kill()


def event(played: Scene, order_id: str, status: str, sequence: int = 0, **more: Any) -> dict[str, Any]:
    now = played.first.clock.virtual(datetime.now(UTC))
    return {
        "order_id": order_id,
        "id": f"{order_id}-{sequence}",
        "status": status,
        "occurred_at": now.isoformat(),
        "sequence": sequence,
        "customer": {"name": "Ana", "email": f"{order_id.lower()}@customers.example", "time_zone": "Europe/Lisbon"},
        "details": {"number": order_id, "url": f"https://shop.example.com/{order_id}"},
        **more,
    }


def put(played: Scene, events: Sequence[dict[str, Any]]) -> None:
    async def sent() -> None:
        async with AIOKafkaProducer(bootstrap_servers=played.first.servers, acks="all") as producer:
            answers = [
                await producer.send(played.first.topic, json.dumps(one).encode(), key=one["order_id"].encode())
                for one in events
            ]
            await asyncio.gather(*answers)

    asyncio.run(sent())


def states(stage: Stage) -> dict[str, int]:
    found: dict[str, int] = stage.avisa("counts")["notifications"]["by_state"]
    return {state: number for state, number in found.items() if number}
