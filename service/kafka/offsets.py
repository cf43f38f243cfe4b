"""Offsets, committed while the next batches are being taken.

A commit takes the broker some milliseconds, in which nothing need stand still: the batch is stored, and until its
offsets are committed it would only be read again. So those of a few batches are committed together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

GATHER = 0.1  # seconds in which offsets gather: what a commit costs us and the broker, it costs for any number
COMMIT_TIMEOUT = 10.0  # seconds; aiokafka itself would try for ever (K6)

_log = structlog.get_logger("avisa.kafka")


class Offsets:
    """Commits what was taken: one request at a time, each with all that was taken meanwhile."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._after: dict[TopicPartition, int] = {}
        self._committing: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()  # somebody waits

    def passed(self, after: Mapping[TopicPartition, int]) -> None:
        """Everything before these offsets was taken: commit them soon."""
        self._after |= after
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit(), name="offsets")

    async def settled(self) -> None:
        """Wait until all that was passed is committed, or could not be."""
        if self._committing is not None:
            self._hurry.set()
            try:
                await asyncio.wait({self._committing})
            finally:  # whoever waits may give up
                self._hurry.clear()

    async def _commit(self) -> None:
        while self._after:
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHER):
                    await self._hurry.wait()
            after, self._after = self._after, {}
            if (problem := await commit(self._consumer, after)) is not None:
                _log.warning("kafka.commit_failed", error=problem)


async def commit(consumer: AIOKafkaConsumer, after: Mapping[TopicPartition, int]) -> str | None:
    """Commit, of these offsets, those of partitions that are still ours; answers why it could not be done, if so.

    That loses nothing: the next commit covers it, and what is read twice is known by its identity.
    """
    ours = consumer.assignment()
    offsets = {partition: offset for partition, offset in after.items() if partition in ours}
    if not offsets:
        return None
    try:
        async with asyncio.timeout(COMMIT_TIMEOUT):
            await consumer.commit(offsets)
    except (KafkaError, TimeoutError) as error:
        return type(error).__name__
    return None
