"""Events out of a file into a topic, for operators and demonstrations."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import RecordMetadata
from pydantic_core import from_json

from service.kafka.cluster import Cluster

UNREAD_AT_MOST = 2 * 1024 * 1024  # octets; the embedded broker keeps only the newest few MB of a partition
IN_FLIGHT = 1000  # records sent and not acknowledged yet
_LOOK_AGAIN = 0.1  # seconds


async def publish(cluster: Cluster, lines: Iterable[bytes], *, wait_for_reader: bool = False) -> int:
    """Send each line that is not blank as one record to the first topic, keyed by its order_id; answers how many.

    When it returns, all replicas have them all. Lines go out as they are, also those that are no event: what
    becomes of them is for the service to say. `wait_for_reader` is for the embedded broker: it holds back while
    more than 2 MiB are unread by the service.

    Raises `UnreachableError` if no broker lets us in, and KafkaError if one does not take a record.
    """
    await cluster.known_topics()  # says best why not
    published = 0
    async with cluster.producer() as producer:
        backlog = _Backlog(cluster) if wait_for_reader else None
        in_flight: deque[asyncio.Future[RecordMetadata]] = deque()
        for line in lines:
            value = line.strip()
            if not value:
                continue
            in_flight.append(await producer.send(cluster.topics[0], value=value, key=_key(value)))
            if len(in_flight) >= IN_FLIGHT or backlog is not None:
                sent = await in_flight.popleft()
                if backlog is not None:
                    await backlog.grow(sent, len(value))
            published += 1
        await asyncio.gather(*in_flight)
    return published


def _key(value: bytes) -> bytes | None:
    """The order's id, so that all its events lie in one partition, in order."""
    try:
        content: Any = from_json(value)
    except ValueError:
        return None
    if isinstance(content, Mapping):
        inner = content.get("data")
        order_id = content.get("order_id", inner.get("order_id") if isinstance(inner, Mapping) else None)
        if isinstance(order_id, str | int) and not isinstance(order_id, bool):
            return str(order_id).encode()
    return None


class _Backlog:
    """What we sent and the service has not acknowledged yet."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._unread: deque[tuple[TopicPartition, int, int]] = deque()  # partition, offset, octets
        self._octets = 0

    async def grow(self, sent: RecordMetadata, octets: int) -> None:
        """Add a record, and wait while there is too much."""
        self._unread.append((TopicPartition(sent.topic, sent.partition), sent.offset, octets))
        self._octets += octets
        while self._octets > UNREAD_AT_MOST:
            await self._look()
            if self._octets > UNREAD_AT_MOST:
                await asyncio.sleep(_LOOK_AGAIN)

    async def _look(self) -> None:
        """Forget what was read meanwhile."""
        admin = AIOKafkaAdminClient(**self._cluster.options())
        await admin.start()
        try:
            partitions = list({partition for partition, _, _ in self._unread})
            offsets = await admin.list_consumer_group_offsets(self._cluster.group_id, partitions=partitions)
        finally:
            await admin.close()
        read = {partition: known.offset for partition, known in offsets.items()}
        self._unread = deque(one for one in self._unread if one[1] >= read.get(one[0], 0))
        self._octets = sum(octets for _, _, octets in self._unread)
