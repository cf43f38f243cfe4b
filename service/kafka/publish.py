"""Events out of a file into a topic, for operators and demonstrations."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import RecordMetadata
from pydantic_core import from_json

from avisa.kafka.cluster import Cluster

AT_ONCE = 500  # records sent before their acknowledgements are awaited
OCTETS_AT_ONCE = 256 * 1024
UNREAD_AT_MOST = 2 * 1024 * 1024  # octets; the embedded broker keeps only the newest few MB of a partition
_LOOK_AGAIN = 0.05  # seconds


async def publish(cluster: Cluster, lines: Iterable[bytes], *, wait_for_reader: bool = False) -> int:
    """Send each line that is not blank as one record to the first topic, keyed by its order_id; answers how many.

    When it returns, all replicas have them all. Lines go out as they are, also those that are no event: what
    becomes of them is for the service to say. `wait_for_reader` is for the embedded broker: it holds back while
    more than 2 MiB are unread by the service.

    Raises `UnreachableError` if no broker lets us in, and KafkaError if one does not take a record.
    """
    await cluster.known_topics()  # says best why not
    published = 0
    backlog = _Backlog(cluster) if wait_for_reader else None
    try:
        async with cluster.producer() as producer:
            for values in _portions(lines):
                sent = [await producer.send(cluster.topics[0], value=value, key=_key(value)) for value in values]
                acknowledged = await asyncio.gather(*sent)
                published += len(values)
                if backlog is not None:
                    await backlog.grow(acknowledged, values)
    finally:
        if backlog is not None:
            await backlog.close()
    return published


def _portions(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The lines that are not blank, by as many as are sent at once."""
    portion: list[bytes] = []
    octets = 0
    for line in lines:
        if value := line.strip():
            portion.append(value)
            octets += len(value)
        if len(portion) >= AT_ONCE or octets >= OCTETS_AT_ONCE:
            yield portion
            portion, octets = [], 0
    if portion:
        yield portion


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
        self._admin = AIOKafkaAdminClient(**cluster.options())
        self._group_id = cluster.group_id
        self._connected = False
        self._unread: deque[tuple[TopicPartition, int, int]] = deque()  # partition, offset, octets
        self._octets = 0

    async def grow(self, sent: Iterable[RecordMetadata], values: Iterable[bytes]) -> None:
        """Add what was sent, and wait while there is too much."""
        for record, value in zip(sent, values, strict=True):
            self._unread.append((TopicPartition(record.topic, record.partition), record.offset, len(value)))
            self._octets += len(value)
        while self._octets > UNREAD_AT_MOST:
            await self._look()
            if self._octets > UNREAD_AT_MOST:
                await asyncio.sleep(_LOOK_AGAIN)

    async def close(self) -> None:
        if self._connected:
            await self._admin.close()

    async def _look(self) -> None:
        """Forget what was read meanwhile."""
        if not self._connected:
            await self._admin.start()
            self._connected = True
        partitions = list({partition for partition, _, _ in self._unread})
        offsets = await self._admin.list_consumer_group_offsets(self._group_id, partitions=partitions)
        read = {partition: known.offset for partition, known in offsets.items()}
        self._unread = deque(one for one in self._unread if one[1] >= read.get(one[0], 0))
        self._octets = sum(octets for _, _, octets in self._unread)
