"""The subscription: batches of records go from Kafka to the intake, and are read again if the intake fails.

The path of a batch: `Consumer.getmany` → FastStream → `Subscription._on_batch`, which decodes the records, has the
intake store them, and then has their offsets committed.

A broker that is away, a topic that does not exist yet and credentials that are refused are waited for, and reported
in `/readyz`. A consumer that is alive but makes no progress is replaced by a new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeVar

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from avisa.core.plan import Events
from avisa.kafka.batch import BatchReader
from avisa.kafka.cluster import Cluster, UnreachableError
from avisa.kafka.consumer import Consumer, RawRecord, partition_name
from avisa.kafka.faststream_reader import FastStreamLog, Reader
from avisa.kafka.lag import PROBE_EVERY, LagTracker
from avisa.ports import Clock, DurabilityLost, FindSchemas, Taken, no_registry

LONGEST_BACK_OFF = 30.0  # seconds, of both a start and a batch that fail
START_TIMEOUT = 90.0  # seconds until a first assignment; other members may take a minute to let go
PROBE_TIMEOUT = 15.0
LOOK_FOR_TOPICS_EVERY = 5.0
REPORT_SILENCE_AFTER = 5.0  # seconds without an answer to a probe
RECONNECT_AFTER = 45.0  # seconds without an answer to a probe
STUCK_AFTER = 60.0  # seconds without progress though there is something to read
REVOKE_TIMEOUT = 5.0  # seconds in which to store and commit the last batch when partitions are taken away

_T = TypeVar("_T")
_log = structlog.get_logger("avisa.kafka")


class Subscription(ConsumerRebalanceListener):
    """Reads the cluster's topics until it is stopped."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        take: Callable[[Sequence[Taken]], Awaitable[None]],
        rules: Callable[[], Events],
        types: Collection[str] = (),
        schemas: FindSchemas = no_registry,
        lag: LagTracker,
        clock: Clock,
    ) -> None:
        """`take` stores a batch; if it raises, the batch is read again. `events.read` wants `rules`, `types` and
        `schemas`."""
        self._cluster = cluster
        self._take = take
        self._rules = rules
        self._batches = BatchReader(types, schemas)
        self._lag = lag
        self._clock = clock
        self._log = FastStreamLog()
        self._stopping = asyncio.Event()
        self._stopped = asyncio.Event()
        self._reader: Reader | None = None
        self._failures = 0  # of `take`, in a row
        self._durability_lost: DurabilityLost | None = None
        self._rejoining_since: float | None = None
        self.detail = "not started"  # one line for /readyz

    async def run(self) -> None:
        """Read until `stop`, whatever happens to Kafka. Raises DurabilityLost if `take` does."""
        failures = 0
        try:
            while not self._stopping.is_set():
                try:
                    topics = await self._unless_stopped(self._existing_topics(), PROBE_TIMEOUT)
                    if topics:
                        await self._session(topics)
                    failures = 0
                except UnreachableError as error:
                    self._report(f"no Kafka: {error}", servers=self._cluster.bootstrap_servers)
                    failures += 1
                except (KafkaError, OSError, TimeoutError) as error:
                    self._report(f"Kafka fails us: {type(error).__name__}")
                    failures += 1
                except _StopError:
                    break
                await self._pause(_back_off(failures))
        finally:
            self.detail = "stopped"
            self._stopped.set()
        if self._durability_lost is not None:
            raise self._durability_lost

    async def stop(self) -> None:
        """Finish the current batch, leave the group and close, within `CLOSE_WITHIN` seconds."""
        self._stopping.set()
        await self._stopped.wait()

    async def _session(self, topics: frozenset[str]) -> None:
        """Read the topics with one consumer, until it has to be replaced."""
        reader = self._reader = Reader(self._cluster, topics, on_batch=self._on_batch, listener=self, log=self._log)
        try:
            await self._unless_stopped(reader.start(), START_TIMEOUT)
            await self._watch(reader.consumer, topics)
        finally:
            await reader.close()
            self._lag.revoked()

    @property
    def _consumer(self) -> Consumer:
        assert self._reader is not None, "only a reader calls"
        return self._reader.consumer

    # ---------------------------------------------------------------- batches

    async def _on_batch(self, records: Sequence[RawRecord]) -> None:
        """Decode a batch, have it stored, then have its offsets committed; if it cannot be stored, read it again."""
        consumer = self._consumer
        try:
            batch = await self._batches.read(records, self._rules(), self._clock.real())
            if batch.taken:
                await self._take(batch.taken)
            for partition, offset in batch.waiting.items():
                consumer.hold(partition, offset, batch.again_in)
        except DurabilityLost as error:
            consumer.rewind()
            self._durability_lost = error
            self._stopping.set()
        except Exception as error:
            consumer.rewind()
            self._failures += 1
            wait = _back_off(self._failures)
            _log.warning("kafka.batch_failed", error=type(error).__name__, records=len(records), again_in=wait)
            await self._pause(wait)
        except BaseException:
            consumer.rewind()
            raise
        else:
            self._failures = 0
            consumer.offsets.commit_soon(consumer.read_to)
            for partition, offset in consumer.read_to.items():
                self._lag.consumed_to(partition_name(partition), offset)
        finally:
            consumer.finish()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Let the current batch be stored and its offsets committed before another member reads it again."""
        self._rejoining_since = _now()
        self._lag.revoked()
        try:
            async with asyncio.timeout(REVOKE_TIMEOUT):
                await self._consumer.idle.wait()
                self._consumer.commit_positions()
                await self._consumer.offsets.flush()
        except TimeoutError:
            _log.info("kafka.batch_outlived_assignment")

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._rejoining_since = None
        partitions = sorted(map(partition_name, assigned))
        self._lag.assigned(partitions, among=set(map(partition_name, self._consumer.all_partitions())))
        self._report(f"reading {len(partitions)} partition(s)", level="info", partitions=", ".join(partitions[:20]))

    # ---------------------------------------------------------------- watching

    async def _watch(self, consumer: Consumer, topics: frozenset[str]) -> None:
        """Probe the ends of our partitions, and return when the consumer has to be replaced."""
        missing = frozenset(self._cluster.topics) - topics
        looked = answered = moved = _now()
        positions: dict[TopicPartition, int] = {}
        while not self._stopping.is_set():
            try:
                positions_now, unread = await self._unless_stopped(self._probe(consumer), PROBE_TIMEOUT)
            except (KafkaError, TimeoutError) as error:
                if _now() - answered > REPORT_SILENCE_AFTER:
                    self._report(f"Kafka does not answer: {type(error).__name__}")
                if _now() - answered > RECONNECT_AFTER:
                    return
            else:
                answered = _now()
                if self._lag.feeds:
                    self._report_reading(sorted(map(partition_name, consumer.held)))
                if positions_now != positions or not unread or consumer.unfinished:
                    positions, moved = positions_now, answered
                rejoining = self._rejoining_since is not None and answered - self._rejoining_since > START_TIMEOUT
                if rejoining or answered - moved > STUCK_AFTER:
                    self._report("the consumer stood still and is replaced")
                    return
            if missing and _now() - looked > LOOK_FOR_TOPICS_EVERY:
                looked = _now()
                if missing & await self._unless_stopped(self._cluster.known_topics(), PROBE_TIMEOUT):
                    return
            hurry = not self._lag.caught_up(self._clock.real())
            await self._pause(PROBE_EVERY.total_seconds() / (10 if hurry else 1))

    async def _probe(self, consumer: Consumer) -> tuple[dict[TopicPartition, int], bool]:
        """Ask for the ends of our partitions and note the lag. Returns our positions, and whether we could read on.

        The records of an unfinished batch are not consumed yet: there our position is where the batch begins. What
        lies behind an open transaction counts as lag, but we cannot read it.
        """
        assigned = sorted(consumer.assignment())
        at = self._clock.real()
        ends = await consumer.high_watermarks(assigned)
        # Asked afterwards: what it still hides of `ends` lies behind a transaction that is open now.
        stable_ends = await consumer.end_offsets(assigned)
        self._lag.answered = True
        positions: dict[TopicPartition, int] = {}
        for partition, end in ends.items():
            if partition not in consumer.assignment():
                continue
            position = await consumer.position(partition)
            position = consumer.unfinished.get(partition, position)
            positions[partition] = position
            self._lag.consumed_to(partition_name(partition), position)
            self._lag.probed(partition_name(partition), at=at, end=end, stable_end=stable_ends[partition])
        consumer.commit_positions()
        readable = positions.keys() - consumer.held.keys()
        return positions, any(positions[partition] < stable_ends[partition] for partition in readable)

    async def _existing_topics(self) -> frozenset[str]:
        """Return those of our topics that exist. We never create one: its partitions are the operators' to choose."""
        known = await self._cluster.known_topics()
        self._lag.answered = True
        existing = known & frozenset(self._cluster.topics)
        if missing := frozenset(self._cluster.topics) - existing:
            self._report(f"waiting for topic {', '.join(sorted(missing))}: it does not exist, or we may not see it")
        return existing

    # ---------------------------------------------------------------- waiting

    def _report_reading(self, held: Sequence[str]) -> None:
        reading = f"reading {len(self._lag.feeds)} partition(s)"
        if held:
            self._report(f"{reading}, of which wait for their schemas {', '.join(held[:5])}")
        elif hidden := self._lag.behind_transaction(self._clock.real()):
            self._report(f"{reading}, behind an open transaction in {', '.join(sorted(hidden)[:5])}")
        else:
            self._report(reading, level="info")

    def _report(self, detail: str, *, level: str = "warning", **more: str) -> None:
        """Set the line for /readyz, and log it when it changes."""
        if detail != self.detail:
            self.detail = detail
            getattr(_log, level)("kafka.state_changed", detail=detail, **more)

    async def _pause(self, seconds: float) -> None:
        """Sleep, but wake for `stop`."""
        await asyncio.wait({stop := asyncio.ensure_future(self._stopping.wait())}, timeout=seconds)
        stop.cancel()

    async def _unless_stopped(self, work: Awaitable[_T], timeout: float) -> _T:
        """Return the result of `work`. Raises TimeoutError after `timeout` seconds, `_StopError` after `stop`."""
        working, stop = asyncio.ensure_future(work), asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({working, stop}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise _StopError if stop.done() else TimeoutError
        finally:
            stop.cancel()
            if not working.done():
                working.cancel()
                await asyncio.wait({working}, timeout=1)


class _StopError(Exception):
    """`stop` was called."""


def _back_off(failures: int) -> float:
    return 0.0 if failures == 0 else float(min(LONGEST_BACK_OFF, 0.25 * 2 ** min(failures, 10)))


def _now() -> float:
    return asyncio.get_running_loop().time()
