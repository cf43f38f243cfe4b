"""A copy of each dead letter on `<topic>.dlq`, for those who watch topics rather than tables.

The table in the store is the truth. While a topic is missing or a broker is away, the copies wait and block nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from avisa.kafka.cluster import Cluster, UnreachableError
from avisa.loops import keep_going
from avisa.ports import DeadLetter, Operations

SUFFIX = ".dlq"
AT_ONCE = 4  # each may hold a value of 1 MiB, which is in memory three times while it is sent
CUT_TO = 4 * 1024  # bytes left of a value that is too large together with its headers
LOOK_EVERY = 5.0  # seconds
TRY_AGAIN_AFTER = 60.0  # seconds, while there is no broker or no topic

_log = structlog.get_logger("avisa.kafka")


class DeadLetterCopies:
    """Sends each dead letter that was not copied yet."""

    def __init__(self, cluster: Cluster, operations: Operations) -> None:
        self._cluster = cluster
        self._operations = operations
        self._logged_missing: set[str] = set()

    async def run(self) -> None:
        """Send copies until cancelled. Raises DurabilityLost."""
        await keep_going(self._step, event="kafka.dead_letter_copies_failed", pause=TRY_AGAIN_AFTER)

    async def _step(self) -> None:
        wait = LOOK_EVERY
        try:
            if await self._operations.uncopied_dead_letters(1) and not await self._copy_all():
                wait = TRY_AGAIN_AFTER
        except UnreachableError:  # logged by the subscription
            wait = TRY_AGAIN_AFTER
        await asyncio.sleep(wait)

    async def _copy_all(self) -> bool:
        """Send all copies. Returns False if there is no topic to send them to."""
        existing = {topic for topic in await self._cluster.known_topics() if topic.endswith(SUFFIX)}
        wanted = {topic + SUFFIX for topic in self._cluster.topics}
        if not wanted & existing:
            self._log_missing(", ".join(sorted(wanted)))
            return False
        async with self._cluster.producer(idempotent=False) as producer:
            while dead_letters := await self._operations.uncopied_dead_letters(AT_ONCE):
                sent = await asyncio.gather(*(self._copy(producer, one, existing) for one in dead_letters))
                await self._operations.copied_dead_letters([one.id for one in dead_letters])
                _log.info("kafka.dead_letters_copied", copies=sum(sent))
        self._logged_missing.clear()
        return True

    async def _copy(self, producer: AIOKafkaProducer, dead_letter: DeadLetter, existing: Collection[str]) -> bool:
        """Send one copy. Returns False if its topic is missing: it gets no copy, and others need not wait."""
        topic = dead_letter.record.position.topic + SUFFIX
        if topic not in existing:
            self._log_missing(topic)
            return False
        record = dead_letter.record
        timestamp = round(record.timestamp.timestamp() * 1000)
        headers = _headers(dead_letter)
        try:
            await producer.send_and_wait(topic, record.value, record.key, timestamp_ms=timestamp, headers=headers)
        except MessageSizeTooLargeError as error:
            error.__traceback__ = None  # its frames and the producer's future would hold the value in a circle
            cut = (record.value or b"")[:CUT_TO]
            await producer.send_and_wait(topic, cut, record.key, timestamp_ms=timestamp, headers=headers)
        return True

    def _log_missing(self, topics: str) -> None:
        if topics not in self._logged_missing:
            self._logged_missing.add(topics)
            _log.warning("kafka.dead_letter_topic_missing", topics=topics)


def _headers(dead_letter: DeadLetter) -> list[tuple[str, bytes | None]]:
    """Return the record's own headers, and what was wrong with it and where it lay."""
    at = dead_letter.record.position
    error = {
        "stage": dead_letter.stage,
        "reason": dead_letter.reason.value,
        "message": dead_letter.message,
        "topic": at.topic,
        "partition": str(at.partition),
        "offset": str(at.offset),
    }
    return [*dead_letter.record.headers, *((f"avisa.error.{name}", text.encode()) for name, text in error.items())]
