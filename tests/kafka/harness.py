"""A flow that keeps what it is given, and a subscription running into it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from avisa.core.model import OrderEvent
from avisa.core.plan import Events
from avisa.kafka import Cluster, LagTracker, Subscription
from avisa.ports import FindSchemas, Skipped, Taken, Unreadable, no_registry
from tests.fakes import RealClock


@dataclass
class Flow:
    """Takes batches; before each, `trouble` may raise or wait."""

    trouble: Callable[[Sequence[Taken]], Awaitable[None]] | None = None
    taken: list[Taken] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    async def __call__(self, taken: Sequence[Taken]) -> None:
        if self.trouble is not None:
            await self.trouble(taken)
        self.taken.extend(taken)
        self.batches.append(len(taken))

    @property
    def events(self) -> list[OrderEvent]:
        return [item for item in self.taken if isinstance(item, OrderEvent)]

    @property
    def orders(self) -> list[str]:
        return [event.order_id for event in self.events]

    @property
    def dead(self) -> list[Unreadable]:
        return [item for item in self.taken if isinstance(item, Unreadable)]

    @property
    def skipped(self) -> list[Skipped]:
        return [item for item in self.taken if isinstance(item, Skipped)]


@dataclass
class Running:
    subscription: Subscription
    lag: LagTracker
    flow: Flow
    clock: RealClock


@contextlib.asynccontextmanager
async def subscribed(
    cluster: Cluster,
    flow: Flow | None = None,
    *,
    blind_after: timedelta = timedelta(minutes=5),
    rules: Callable[[], Events] = Events,
    schemas: FindSchemas = no_registry,
) -> AsyncIterator[Running]:
    flow = flow or Flow()
    clock = RealClock()
    lag = LagTracker(since=clock.real(), blind_after=lambda: blind_after)
    subscription = Subscription(cluster, take=flow, rules=rules, schemas=schemas, lag=lag, clock=clock)
    running = asyncio.create_task(subscription.run())
    try:
        yield Running(subscription, lag, flow, clock)
    finally:
        await subscription.stop()
        await running


def a_topic() -> str:
    return f"orders.{uuid.uuid4().hex[:12]}"


def value(order_id: object) -> bytes:
    return json.dumps({"order_id": order_id, "status": "confirmed"}).encode()


async def publish(servers: str, topic: str, records: Iterable[dict[str, Any]], **options: Any) -> None:
    """Send records (keywords of `send`) in order, and wait until all are there."""
    async with AIOKafkaProducer(bootstrap_servers=servers, linger_ms=20, **options) as producer:
        sent = [await producer.send(topic, **record) for record in records]
        await asyncio.gather(*sent)


async def publish_header_name(servers: str, topic: str, name: bytes, codec: str | None) -> None:
    """Three records, of which the middle one has a header of that name, as only a careless program sends it."""
    compression = {None: 0, "gzip": 1, "zstd": 4}[codec]
    builder = _DefaultRecordBatchBuilderPy(2, compression, 0, -1, -1, 0, 10_000)
    for n in range(3):
        builder.append(n, None, None, value(n), [("x" * len(name) if n == 1 else "x", b"v")])
    place = builder._buffer.index(b"x" * len(name) + b"\x02v")
    builder._buffer[place : place + len(name)] = name
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        batch = producer.create_batch()
        batch._builder = builder
        batch._relative_offset = 3
        batch.close()
        await (await producer.send_batch(batch, topic, partition=0))


async def committed(servers: str, group: str, topic: str, partition: int = 0) -> int | None:
    async with AIOKafkaConsumer(bootstrap_servers=servers, group_id=group, enable_auto_commit=False) as consumer:
        offset: int | None = await consumer.committed(TopicPartition(topic, partition))
        return offset
