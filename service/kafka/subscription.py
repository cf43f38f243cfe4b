"""Our subscription: batches of records from Kafka into the flow, and back again when the flow fails.

The start is a loop: a broker that is away, a topic that is not there yet and credentials that are refused are
waited out and told. A consumer that lives but stands still is replaced by a new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from avisa.kafka.cluster import Cluster, UnreachableError
from avisa.kafka.consumer import Batch, Consumer, as_record, feed
from avisa.kafka.faststream_reader import LibraryLog, Reader
from avisa.kafka.lag import PROBE_EVERY, LagTracker
from avisa.ports import Clock, Record, Taken

LONGEST_BACK_OFF = 30.0  # seconds, of both the start and a failing flow
START_TIMEOUT = 90.0  # seconds until a first assignment; other members may take a minute to let go
PROBE_TIMEOUT = 15.0
LOOK_FOR_TOPICS_EVERY = 5.0
SILENT_SOON = 5.0  # seconds without an answer to a probe, after which we say so
SILENT_AT_MOST = 45.0  # seconds without an answer to a probe, after which we connect anew
STUCK_AFTER = 60.0  # seconds without progress though there is something to read (K5)
LET_GO_WITHIN = 5.0  # seconds for the batch in hand when partitions are taken away

_T = TypeVar("_T")
_log = structlog.get_logger("avisa.kafka")


class Subscription(ConsumerRebalanceListener):
    """Reads the cluster's topics until it is stopped. `read` must not raise; what `take` raises means "again"."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        read: Callable[[Record], Taken],
        take: Callable[[Sequence[Taken]], Awaitable[None]],
        lag: LagTracker,
        clock: Clock,
    ) -> None:
        self._cluster = cluster
        self._read = read
        self._take = take
        self._lag = lag
        self._clock = clock
        self._log = LibraryLog()
        self._stopping = asyncio.Event()
        self._stopped = asyncio.Event()
        self._reader: Reader | None = None
        self._failures = 0  # of the flow, in a row
        self._rejoining_since: float | None = None
        self.detail = "not started"  # for /readyz: how it stands, in words

    async def run(self) -> None:
        """Read until `stop`. Whatever happens to Kafka is waited out; it never raises but for cancellation."""
        failures = 0
        try:
            while not self._stopping.is_set():
                try:
                    topics = await self._or_stop(self._topics_there(), PROBE_TIMEOUT)
                    if topics:
                        await self._session(topics)
                    failures = 0
                except UnreachableError as error:
                    self._tell(f"no Kafka: {error}", servers=self._cluster.bootstrap_servers)
                    failures += 1
                except (KafkaError, OSError, TimeoutError) as error:
                    self._tell(f"Kafka fails us: {type(error).__name__}")
                    failures += 1
                except _StopError:
                    break
                await self._pause(_back_off(failures))
        finally:
            self.detail = "stopped"
            self._stopped.set()

    async def stop(self) -> None:
        """Finish the batch in hand, leave the group and close; bounded, whatever state the broker is in."""
        self._stopping.set()
        await self._stopped.wait()

    # ---------------------------------------------------------------- one consumer, from start to end

    async def _session(self, topics: frozenset[str]) -> None:
        """Read the topics with a consumer of their own until it is better replaced."""
        reader = self._reader = Reader(self._cluster, topics, on_batch=self._on_batch, listener=self, log=self._log)
        try:
            await self._or_stop(reader.start(), START_TIMEOUT)
            await self._watch(reader.consumer, topics)
        finally:
            await reader.close()
            self._lag.revoked()

    # ---------------------------------------------------------------- batches

    async def _on_batch(self, consumer: Consumer, batch: Batch) -> None:
        try:
            now_real = self._clock.real()
            await self._take([self._read(as_record(raw, now_real)) for raw in batch.records])
        except Exception as error:
            batch.rewind(consumer)
            self._failures += 1
            wait = _back_off(self._failures)
            _log.warning("kafka.batch_failed", error=type(error).__name__, records=len(batch.records), again_in=wait)
            await self._pause(wait)
        except BaseException:
            batch.rewind(consumer)
            raise
        else:
            self._failures = 0
            consumer.offsets.passed(batch.after)
            for partition, after in batch.after.items():
                self._lag.passed(feed(partition), after)
        finally:
            consumer.settle()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Let the batch in hand be stored and its offsets committed before somebody else reads it again."""
        self._rejoining_since = _now()
        self._lag.revoked()
        assert self._reader is not None
        try:
            async with asyncio.timeout(LET_GO_WITHIN):
                await self._reader.consumer.idle.wait()
                await self._reader.consumer.offsets.settled()
        except TimeoutError:
            _log.info("kafka.batch_outlives_assignment")

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._rejoining_since = None
        feeds = sorted(map(feed, assigned))
        self._lag.assigned(feeds)
        self._tell(f"reading {len(feeds)} partition(s)", level="info", feeds=", ".join(feeds[:20]))

    # ---------------------------------------------------------------- watching

    async def _watch(self, consumer: Consumer, topics: frozenset[str]) -> None:
        """Probe the ends of our feeds, and return when the consumer is better replaced."""
        missing = frozenset(self._cluster.topics) - topics
        looked = heard = moved = _now()
        reached: dict[TopicPartition, int] = {}
        while not self._stopping.is_set():
            try:
                now_reached, unread = await self._or_stop(self._probe(consumer), PROBE_TIMEOUT)
            except (KafkaError, TimeoutError) as error:
                if _now() - heard > SILENT_SOON:
                    self._tell(f"Kafka does not answer: {type(error).__name__}")
                if _now() - heard > SILENT_AT_MOST:
                    return
            else:
                heard = _now()
                if self._lag.feeds:
                    self._tell(f"reading {len(self._lag.feeds)} partition(s)", level="info")
                if now_reached != reached or not unread or consumer.in_hand is not None:
                    reached, moved = now_reached, heard
                rejoining = self._rejoining_since is not None and heard - self._rejoining_since > START_TIMEOUT
                if rejoining or heard - moved > STUCK_AFTER:
                    self._tell("the consumer stood still and is replaced")
                    return
            if missing and _now() - looked > LOOK_FOR_TOPICS_EVERY:
                looked = _now()
                if missing & await self._or_stop(self._cluster.known_topics(), PROBE_TIMEOUT):
                    return
            hurry = not self._lag.caught_up(self._clock.real())
            await self._pause(PROBE_EVERY.total_seconds() / (10 if hurry else 1))

    async def _probe(self, consumer: Consumer) -> tuple[dict[TopicPartition, int], bool]:
        """Ask for the ends of our feeds, and tell the lag; answers how far we are and whether more is there.

        While no batch is in hand the position is what we took in; what is in hand is not.
        """
        assigned = sorted(consumer.assignment())
        at = self._clock.real()
        ends = await consumer.end_offsets(assigned)
        self._lag.answered = True
        reached: dict[TopicPartition, int] = {}
        for partition, end in ends.items():
            if partition not in consumer.assignment():
                continue
            position = await consumer.position(partition)
            if consumer.in_hand is not None:
                position = consumer.in_hand.first.get(partition, position)
            reached[partition] = position
            self._lag.passed(feed(partition), position)
            self._lag.probed(feed(partition), at=at, end=end)
        return reached, any(reached[partition] < ends[partition] for partition in reached)

    async def _topics_there(self) -> frozenset[str]:
        """Those of our topics that exist. We never make one: its partitions are the operators' to choose."""
        known = await self._cluster.known_topics()
        self._lag.answered = True
        there = known & frozenset(self._cluster.topics)
        if missing := frozenset(self._cluster.topics) - there:
            self._tell(f"waiting for topic {', '.join(sorted(missing))}: it does not exist, or we may not see it")
        return there

    # ---------------------------------------------------------------- waiting

    def _tell(self, detail: str, *, level: str = "warning", **more: str) -> None:
        """Log how it stands, once for each change."""
        if detail != self.detail:
            self.detail = detail
            getattr(_log, level)("kafka", detail=detail, **more)

    async def _pause(self, seconds: float) -> None:
        """Sleep, but wake for `stop`."""
        await asyncio.wait({stop := asyncio.ensure_future(self._stopping.wait())}, timeout=seconds)
        stop.cancel()

    async def _or_stop(self, work: Awaitable[_T], timeout: float) -> _T:
        """The result of `work`. Raises TimeoutError if it takes longer, `_StopError` if we are to stop first."""
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
    """We are to stop."""


def _back_off(failures: int) -> float:
    return 0.0 if failures == 0 else float(min(LONGEST_BACK_OFF, 0.25 * 2 ** min(failures, 10)))


def _now() -> float:
    return asyncio.get_running_loop().time()
