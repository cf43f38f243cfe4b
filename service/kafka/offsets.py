"""Offsets, committed while the next batches are being stored.

A commit takes the broker some milliseconds, and nothing need wait for it: a batch that is stored and not yet
committed is at worst read once more. So the offsets of a few batches are committed together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

GATHER = 0.1  # seconds in which offsets gather: one commit costs us and the broker the same for any number of them
COMMIT_TIMEOUT = 10.0  # seconds; aiokafka itself would try for ever

_log = structlog.get_logger("avisa.kafka")


class Offsets:
    """Commits offsets in the background, in one request at a time."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._uncommitted: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}
        self._committing: asyncio.Task[None] | None = None
        self._flushing = asyncio.Event()

    def commit_soon(self, offsets: Mapping[TopicPartition, int]) -> None:
        """All records before these offsets are stored: commit them within `GATHER` seconds."""
        self._uncommitted |= offsets
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit(), name="offsets")

    def commit_moved(self, offsets: Mapping[TopicPartition, int]) -> None:
        """As `commit_soon`, for those of the offsets that are not committed yet."""
        known = self._committed | self._uncommitted
        if moved := {partition: offset for partition, offset in offsets.items() if offset != known.get(partition, 0)}:
            self.commit_soon(moved)

    async def flush(self) -> None:
        """Commit at once, and wait until that is done or has failed."""
        if self._committing is not None:
            self._flushing.set()
            try:
                await asyncio.wait({self._committing})
            finally:  # the caller may be cancelled
                self._flushing.clear()

    async def _commit(self) -> None:
        while self._uncommitted:
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHER):
                    await self._flushing.wait()
            offsets, self._uncommitted = self._uncommitted, {}
            if (error := await commit(self._consumer, offsets)) is not None:
                _log.warning("kafka.commit_failed", error=error)
            else:
                self._committed |= offsets


async def commit(consumer: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> str | None:
    """Commit the offsets of the partitions that are still assigned to us. Returns the type of the error, if any.

    A failed commit loses nothing: the next one covers it, and a record that is read twice is known by its identity.
    """
    assigned = consumer.assignment()
    ours = {partition: offset for partition, offset in offsets.items() if partition in assigned}
    if not ours:
        return None
    try:
        async with asyncio.timeout(COMMIT_TIMEOUT):
            await consumer.commit(ours)
    except (KafkaError, TimeoutError) as error:
        return type(error).__name__
    return None
