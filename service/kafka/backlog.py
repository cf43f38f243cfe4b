"""What we sent and the service has not read yet. The embedded broker keeps only the newest few MB of a partition, so
whoever sends to it must not run ahead."""

from __future__ import annotations

import asyncio
from collections import deque

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from avisa.kafka.cluster import Cluster

UNREAD_AT_MOST = 2 * 1024 * 1024  # bytes
_LOOK_EVERY = 0.05  # seconds


class Backlog:
    """The records that we sent and the service has not read yet, by the offsets that it has committed."""

    def __init__(self, cluster: Cluster) -> None:
        self._admin = AIOKafkaAdminClient(**cluster.options())
        self._group_id = cluster.group_id
        self._unread: deque[tuple[TopicPartition, int, int]] = deque()  # partition, offset, bytes
        self._size = 0  # bytes

    async def __aenter__(self) -> Backlog:
        await self._admin.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._admin.close()

    def add(self, topic: str, partition: int, offset: int, size: int) -> None:
        """Add a record of `size` bytes that was sent."""
        self._unread.append((TopicPartition(topic, partition), offset, size))
        self._size += size

    async def wait_for_room(self) -> None:
        """Wait while more than `UNREAD_AT_MOST` is unread. Raises KafkaError."""
        while self._size > UNREAD_AT_MOST:
            await self._drop_read()
            if self._size > UNREAD_AT_MOST:
                await asyncio.sleep(_LOOK_EVERY)

    async def has_room(self, size: int) -> bool:
        """Whether no more than `UNREAD_AT_MOST` is unread with `size` bytes more; if nothing is unread, there is room
        for whatever comes. Raises KafkaError."""
        if self._size + size > UNREAD_AT_MOST:
            await self._drop_read()
        return not self._unread or self._size + size <= UNREAD_AT_MOST

    async def _drop_read(self) -> None:
        """Drop the records before the offsets that the service has committed."""
        partitions = {partition for partition, _, _ in self._unread}
        offsets = await self._admin.list_consumer_group_offsets(self._group_id, partitions=list(partitions))
        committed = {partition: known.offset for partition, known in offsets.items()}
        self._unread = deque(one for one in self._unread if one[1] >= committed.get(one[0], 0))
        self._size = sum(size for _, _, size in self._unread)
