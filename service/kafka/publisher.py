"""Records that others hand us, into our topics, with an answer for each.

Requests take turns: between them they share one idempotent producer, which is made when it is first needed and
replaced after any trouble. One that the broker has refused a record is of no use any more, and one that waits for a
broker would write its records whenever that comes back, long after somebody was told to send them again.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Sequence
from contextlib import suppress

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    BrokerResponseError,
    KafkaError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    RecordListTooLargeError,
)
from aiokafka.structs import RecordMetadata

from avisa.kafka.backlog import Backlog
from avisa.kafka.cluster import Cluster, UnreachableError
from avisa.ports import NewRecord, Obstacle, Unwritten, Written

WITHIN = 10.0  # seconds for everything, from waiting for a turn to the last acknowledgement
_END_WITHIN = 12.0  # seconds; a producer first waits for the answer to a request that is on its way
_STOP_WITHIN = 3.0  # seconds, of each of two steps

_BUSY = Unwritten(obstacle=Obstacle.BUSY, detail="events of others are being written")
_FULL = Unwritten(obstacle=Obstacle.FULL, detail="the built-in broker is full until what it holds is read")
_NO_ANSWER = Unwritten(obstacle=Obstacle.UNREACHABLE, detail="the broker does not answer in time")
_STOPPING = Unwritten(obstacle=Obstacle.UNREACHABLE, detail="Avisa is being stopped")
_TOO_LARGE = Unwritten(obstacle=Obstacle.TOO_LARGE, detail="it is larger than the broker takes")
_BEHIND = Unwritten(obstacle=Obstacle.REFUSED, detail="one before it could not be written")
_IN_DOUBT = Unwritten(obstacle=Obstacle.IN_DOUBT, detail="the broker did not say whether it was written")

_log = structlog.get_logger("avisa.kafka")


class Publisher:
    """Writes records to the topics of a cluster, from the first `write` to `stop`."""

    def __init__(self, cluster: Cluster, *, wait_for_reader: bool = False) -> None:
        """`wait_for_reader` is for the embedded broker: what it has no room for is not written."""
        self._cluster = cluster
        self._wait_for_reader = wait_for_reader
        self._turn = asyncio.Lock()
        self._producer: AIOKafkaProducer | None = None
        self._backlog: Backlog | None = None
        self._topics: frozenset[str] = frozenset()  # that were there when we last asked
        self._ending: set[asyncio.Task[None]] = set()
        self._stopped = False

    async def write(self, topic: str, records: Sequence[NewRecord]) -> Sequence[Written | Unwritten]:
        """Write the records in their order; return what became of each, within 10 s."""
        end = asyncio.get_running_loop().time() + WITHIN
        try:
            async with asyncio.timeout_at(end):
                await self._turn.acquire()
        except TimeoutError:
            return [_BUSY] * len(records)
        try:
            obstacle = await self._get_ready(topic, sum(len(record.value) for record in records), end)
            return [obstacle] * len(records) if obstacle else await self._send(topic, records, end)
        finally:
            self._turn.release()

    async def stop(self) -> None:
        """Let who has the turn finish, but not for long, and write nothing more."""
        self._stopped = True
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_WITHIN), self._turn:
                pass
        self._end_producer()
        if self._ending:
            await asyncio.wait(self._ending, timeout=_STOP_WITHIN)
        if self._backlog is not None:
            await self._backlog.__aexit__()

    async def _get_ready(self, topic: str, size: int, end: float) -> Unwritten | None:
        """Have a producer, and room in `topic` for `size` bytes; else return why not."""
        if self._stopped:
            return _STOPPING
        try:
            async with asyncio.timeout_at(end):
                if self._producer is None or topic not in self._topics:
                    self._topics = await self._cluster.known_topics()  # it says best why a broker does not let us in
                if topic not in self._topics:
                    return Unwritten(obstacle=Obstacle.NO_TOPIC, detail=f"the broker has no topic {topic}")
                if self._producer is None:
                    self._producer = await self._start_producer()
                return None if await self._has_room(size) else _FULL
        except TimeoutError:
            return _NO_ANSWER
        except UnreachableError as error:
            return Unwritten(obstacle=Obstacle.UNREACHABLE, detail=str(error))
        except (KafkaError, OSError) as error:
            return _refused(error, otherwise=_NO_ANSWER)

    async def _has_room(self, size: int) -> bool:
        if not self._wait_for_reader:
            return True
        if self._backlog is None:
            self._backlog = await Backlog(self._cluster).__aenter__()
        return await self._backlog.has_room(size)

    async def _send(self, topic: str, records: Sequence[NewRecord], end: float) -> Sequence[Written | Unwritten]:
        producer = self._producer
        assert producer is not None
        sent: list[Future[RecordMetadata]] = []
        unsent = _NO_ANSWER
        outcomes: list[Written | Unwritten] = []
        try:
            async with asyncio.timeout_at(end):
                for record in records:
                    future = await producer.send(topic, record.value, record.key, headers=list(record.headers))
                    sent.append(future)
                if sent:
                    await asyncio.wait(sent)
        except TimeoutError:
            pass
        except KafkaError as error:
            unsent = _refused(error, otherwise=_NO_ANSWER)
        finally:
            outcomes += map(_outcome, sent)
            outcomes += [unsent] * (len(records) - len(sent))
            trouble = [one for one in outcomes if isinstance(one, Unwritten)]
            if trouble:
                _log.warning("kafka.not_written", topic=topic, records=len(trouble), obstacle=trouble[0].obstacle)
                self._end_producer()
        if self._backlog is not None:
            for record, outcome in zip(records, outcomes, strict=True):
                if isinstance(outcome, Written) and outcome.offset is not None:
                    self._backlog.add(topic, outcome.partition, outcome.offset, len(record.value))
        return outcomes

    async def _start_producer(self) -> AIOKafkaProducer:
        producer = self._cluster.producer()
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    def _end_producer(self) -> None:
        """Begin to end the producer, so that the next turn begins with another one."""
        if self._producer is not None:
            ending = asyncio.create_task(_end(self._producer), name="end of a producer")
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
            self._producer = None


async def _end(producer: AIOKafkaProducer) -> None:
    """Stop a producer for good. What it has not sent yet it would send first, and wait for ever for a broker."""
    waiting = producer._message_accumulator
    for batch in (*waiting._pending_batches, *(batch for batches in waiting._batches.values() for batch in batches)):
        batch.future.cancel()
    waiting._batches.clear()
    with suppress(KafkaError, OSError, TimeoutError):
        async with asyncio.timeout(_END_WITHIN):
            await producer.stop()


def _outcome(sent: Future[RecordMetadata]) -> Written | Unwritten:
    """What the broker said of a record that was sent. If it said nothing yet, it is not listened to any longer."""
    if not sent.done():
        sent.cancel()
        return _IN_DOUBT
    error = sent.exception()
    if error is not None:
        return _refused(error, otherwise=_IN_DOUBT)
    place = sent.result()
    # A second attempt is told that the first one succeeded, not always where.
    offset = place.offset if place.offset >= 0 else None
    return Written(topic=place.topic, partition=place.partition, offset=offset)


def _refused(error: BaseException, *, otherwise: Unwritten) -> Unwritten:
    """The broker's refusal, which is certain; or, if the error is none, `otherwise`."""
    match error:
        case MessageSizeTooLargeError() | RecordListTooLargeError():
            return _TOO_LARGE
        case OutOfOrderSequenceNumber():
            return _BEHIND
        case BrokerResponseError(retriable=False):
            return Unwritten(obstacle=Obstacle.REFUSED, detail=f"the broker refuses it ({type(error).__name__})")
        case _:
            return otherwise
