"""A copy of each dead letter to `<topic>.dlq`, for those who watch topics rather than tables.

The table is the truth. A topic that is missing, or a broker that is away, blocks nothing: the copies wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from avisa.kafka.cluster import Cluster, UnreachableError
from avisa.ports import DeadLetter, Operations

SUFFIX = ".dlq"
AT_ONCE = 16  # each may hold a value of 1 MiB
CUT_TO = 4 * 1024
LOOK_EVERY = 5.0  # seconds
TRY_AGAIN_AFTER = 60.0  # seconds, when Kafka or all topics are away

_log = structlog.get_logger("avisa.kafka")


class DeadLetterCopies:
    """Sends the copies that were not sent yet, as long as it runs."""

    def __init__(self, cluster: Cluster, commands: Operations) -> None:
        self._cluster = cluster
        self._commands = commands
        self._told: set[str] = set()

    async def run(self) -> None:
        """Run until cancelled. Raises nothing else: whatever fails is tried again."""
        while True:
            wait = LOOK_EVERY
            try:
                if await self._commands.uncopied_dead_letters(1) and not await self._copy_all():
                    wait = TRY_AGAIN_AFTER
            except UnreachableError:
                wait = TRY_AGAIN_AFTER  # the subscription tells of it
            except Exception as error:
                wait = TRY_AGAIN_AFTER
                self._tell("kafka.dead_letter_copies_wait", type(error).__name__)
            await asyncio.sleep(wait)

    async def _copy_all(self) -> bool:
        """Send all that wait; False if there is no topic to send them to."""
        there = {topic for topic in await self._cluster.known_topics() if topic.endswith(SUFFIX)}
        wanted = {topic + SUFFIX for topic in self._cluster.topics}
        if not wanted & there:
            self._tell("kafka.dead_letter_topic_missing", ", ".join(sorted(wanted)))
            return False
        async with self._cluster.producer() as producer:
            while letters := await self._commands.uncopied_dead_letters(AT_ONCE):
                sent = await asyncio.gather(*(self._copy(producer, letter, there) for letter in letters))
                await self._commands.copied_dead_letters([letter.id for letter in letters])
                _log.info("kafka.dead_letters_copied", copies=sum(sent))
        self._told.clear()
        return True

    async def _copy(self, producer: AIOKafkaProducer, letter: DeadLetter, there: Collection[str]) -> bool:
        """Send one copy. Where only its topic is missing of several there is none, so that it holds up no other."""
        topic = letter.record.position.topic + SUFFIX
        if topic not in there:
            self._tell("kafka.dead_letter_topic_missing", topic)
            return False
        record = letter.record
        timestamp = round(record.timestamp.timestamp() * 1000)
        headers = _headers(letter)
        try:
            await producer.send_and_wait(topic, record.value, record.key, timestamp_ms=timestamp, headers=headers)
        except MessageSizeTooLargeError:
            cut = (record.value or b"")[:CUT_TO]
            await producer.send_and_wait(topic, cut, record.key, timestamp_ms=timestamp, headers=headers)
        return True

    def _tell(self, event: str, what: str) -> None:
        if event + what not in self._told:
            self._told.add(event + what)
            _log.warning(event, what=what)


def _headers(letter: DeadLetter) -> list[tuple[str, bytes | None]]:
    """The record's own headers, and what was wrong with it and where it lay."""
    at = letter.record.position
    told = {
        "stage": letter.stage,
        "reason": letter.reason.value,
        "message": letter.message,
        "topic": at.topic,
        "partition": str(at.partition),
        "offset": str(at.offset),
    }
    return [*letter.record.headers, *((f"avisa.error.{name}", text.encode()) for name, text in told.items())]
