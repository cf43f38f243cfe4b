"""Events out of a file into a topic, for operators and demonstrations."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import RecordMetadata
from pydantic_core import from_json

from avisa.kafka.cluster import Cluster

CHUNK_RECORDS = 500  # records sent before their acknowledgements are awaited
CHUNK_BYTES = 256 * 1024
UNREAD_AT_MOST = 2 * 1024 * 1024  # bytes; the embedded broker keeps only the newest few MB of a partition
_LOOK_EVERY = 0.05  # seconds


async def publish(cluster: Cluster, lines: Iterable[bytes], *, wait_for_reader: bool = False) -> int:
    """Send each line that is not blank as one record to the first topic, keyed by its order_id.

    Returns how many were sent, once all replicas have them all. Lines are sent as they are, also those that are no
    event: the service makes dead letters of them. `wait_for_reader` is for the embedded broker: sending waits while
    the service has more than 2 MiB to read.

    Raises `UnreachableError` if no broker lets us in, and KafkaError if one does not take a record.
    """
    await cluster.known_topics()  # it says best why a broker does not let us in
    published = 0
    async with cluster.producer() as producer, _Backlog(cluster) if wait_for_reader else nullcontext() as backlog:
        for values in _chunks(lines):
            sent = [await producer.send(cluster.topics[0], value=value, key=_key(value)) for value in values]
            acknowledged = await asyncio.gather(*sent)
            published += len(values)
            if backlog is not None:
                await backlog.grow(acknowledged, values)
    return published


def _chunks(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield the lines that are not blank, as many at a time as are sent at once."""
    chunk: list[bytes] = []
    size = 0
    for line in lines:
        if value := line.strip():
            chunk.append(value)
            size += len(value)
        if len(chunk) >= CHUNK_RECORDS or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _key(value: bytes) -> bytes | None:
    """Return the order's id, so that all events of an order lie in one partition, in order."""
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
    """The records that we sent and the service has not read yet."""

    def __init__(self, cluster: Cluster) -> None:
        self._admin = AIOKafkaAdminClient(**cluster.options())
        self._group_id = cluster.group_id
        self._unread: deque[tuple[TopicPartition, int, int]] = deque()  # partition, offset, bytes
        self._size = 0  # bytes

    async def __aenter__(self) -> _Backlog:
        await self._admin.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._admin.close()

    async def grow(self, sent: Iterable[RecordMetadata], values: Iterable[bytes]) -> None:
        """Add what was sent, and wait while more than `UNREAD_AT_MOST` is unread."""
        for record, value in zip(sent, values, strict=True):
            self._unread.append((TopicPartition(record.topic, record.partition), record.offset, len(value)))
            self._size += len(value)
        while self._size > UNREAD_AT_MOST:
            await self._drop_read()
            if self._size > UNREAD_AT_MOST:
                await asyncio.sleep(_LOOK_EVERY)

    async def _drop_read(self) -> None:
        """Drop the records before the offsets that the service has committed."""
        partitions = list({partition for partition, _, _ in self._unread})
        offsets = await self._admin.list_consumer_group_offsets(self._group_id, partitions=partitions)
        committed = {partition: known.offset for partition, known in offsets.items()}
        self._unread = deque(one for one in self._unread if one[1] >= committed.get(one[0], 0))
        self._size = sum(size for _, _, size in self._unread)
