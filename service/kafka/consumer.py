"""A consumer that hands out one batch at a time, and can read the last one again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError

from avisa.core.model import Position
from avisa.kafka import non_utf8_headers
from avisa.kafka.offsets import Offsets
from avisa.ports import Record

LOST_BATCH_PAUSE = 1.0  # seconds
RawRecord = ConsumerRecord[bytes, bytes]
_log = structlog.get_logger("avisa.kafka")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST_MS = 1_420_070_400_000  # the year 2015
_LATEST_MS = 253_370_764_800_000  # the year 9999


class Consumer(AIOKafkaConsumer):
    """An aiokafka consumer under which FastStream cannot lose a batch.

    A batch is unfinished from `getmany` until `finish`. If FastStream drops one on its way to us, the next
    `getmany` finds it unfinished and reads it again instead of stepping over it.
    """

    def __init__(self, *topics: str, **options: Any) -> None:
        super().__init__(*topics, **options)  # type: ignore[no-untyped-call]  # theirs has no annotations
        self.offsets = Offsets(self)
        self.unfinished: dict[TopicPartition, int] = {}  # the first offset of the batch in each of its partitions
        self.idle = asyncio.Event()
        self.idle.set()

    async def getmany(self, *partitions: TopicPartition, **options: Any) -> dict[TopicPartition, list[RawRecord]]:
        if self.unfinished:
            self.rewind()
            self.finish()
            _log.error("kafka.batch_lost_on_the_way")
            await asyncio.sleep(LOST_BATCH_PAUSE)
        batch: dict[TopicPartition, list[RawRecord]] = {}
        try:
            batch = await super().getmany(*partitions, **options)
        except UnicodeDecodeError:  # the position has not moved
            _log.warning("kafka.header_name_not_utf8")
            non_utf8_headers.install()
        except (KafkaError, ConsumerStoppedError):
            raise
        except Exception:  # FastStream would try again without a pause
            await asyncio.sleep(LOST_BATCH_PAUSE)
            raise
        if batch:  # nothing is awaited between the move of the position and this note of it
            self.unfinished = {partition: records[0].offset for partition, records in batch.items()}
            self.idle.clear()
        return batch

    def rewind(self) -> None:
        """Go back to the start of the unfinished batch, in the partitions that are still assigned to us."""
        assigned = self.assignment()
        for partition, offset in self.unfinished.items():
            if partition in assigned:
                self.seek(partition, offset)

    def finish(self) -> None:
        """Nothing is to be done any more about the last batch: it was stored, or the consumer went back to it."""
        self.unfinished = {}
        self.idle.set()

    async def stop(self) -> None:
        """Commit the offsets of what was stored, then leave the group."""
        await self.offsets.flush()
        await super().stop()  # type: ignore[no-untyped-call]  # as above


def next_offsets(records: Sequence[RawRecord]) -> dict[TopicPartition, int]:
    """Return for each partition the offset that follows its last record: what is to be committed."""
    return {TopicPartition(record.topic, record.partition): record.offset + 1 for record in records}


def partition_name(partition: TopicPartition) -> str:
    """Return `topic/partition`."""
    return Position(topic=partition.topic, partition=partition.partition, offset=0).feed


def to_record(raw: RawRecord, now_real: datetime) -> Record:
    """Return the record as the flows know it.

    A timestamp from before 2015, as one in seconds is, or from beyond the calendar is no moment: it counts as
    `now_real`.
    """
    dated = _EARLIEST_MS <= raw.timestamp <= _LATEST_MS
    return Record(
        position=Position(topic=raw.topic, partition=raw.partition, offset=raw.offset),
        timestamp=_EPOCH + timedelta(milliseconds=raw.timestamp) if dated else now_real,
        dated=dated,
        key=raw.key,
        headers=tuple(raw.headers),
        value=raw.value,
    )
