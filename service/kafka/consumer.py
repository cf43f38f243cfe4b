"""A batch of records: where it begins and ends in each partition, and how to give it back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError

from avisa.core.model import Position
from avisa.kafka import non_utf8_headers
from avisa.kafka.offsets import Offsets
from avisa.ports import Record

ASTRAY_PAUSE = 1.0  # seconds
Raw = ConsumerRecord[bytes, bytes]
_log = structlog.get_logger("avisa.kafka")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MS = 253_370_764_800_000  # the year 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Records of several partitions, in order within each."""

    records: Sequence[Raw]
    first: dict[TopicPartition, int]
    after: dict[TopicPartition, int]  # the offset that follows the last

    @classmethod
    def of(cls, records: Sequence[Raw]) -> Batch:
        first: dict[TopicPartition, int] = {}
        after: dict[TopicPartition, int] = {}
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            first.setdefault(partition, record.offset)
            after[partition] = record.offset + 1
        return cls(records=records, first=first, after=after)

    def rewind(self, consumer: AIOKafkaConsumer) -> None:
        """Have the batch read again. Partitions that are no longer ours are read again by whoever has them."""
        ours = consumer.assignment()
        for partition, offset in self.first.items():
            if partition in ours:
                consumer.seek(partition, offset)


class Consumer(AIOKafkaConsumer):
    """A consumer that hands out no new batch before the last one was settled: taken, or given back.

    So whatever becomes of a batch on its way to us, it is not stepped over: if it never arrived it is read again.
    """

    in_hand: Batch | None = None

    def __init__(self, *topics: str, **options: Any) -> None:
        super().__init__(*topics, **options)  # type: ignore[no-untyped-call]  # theirs has no annotations
        self.offsets = Offsets(self)
        self.idle = asyncio.Event()
        self.idle.set()

    async def getmany(self, *partitions: TopicPartition, **options: Any) -> dict[TopicPartition, list[Raw]]:
        if self.in_hand is not None:
            self.in_hand.rewind(self)
            self.settle()
            _log.error("kafka.batch_went_astray")
            await asyncio.sleep(ASTRAY_PAUSE)
        handed: dict[TopicPartition, list[Raw]] = {}
        try:
            handed = await super().getmany(*partitions, **options)
        except UnicodeDecodeError:  # the position has not moved
            _log.warning("kafka.header_name_not_utf8")
            non_utf8_headers.install()
        except (KafkaError, ConsumerStoppedError):
            raise
        except Exception:  # FastStream would have us try again without a pause
            await asyncio.sleep(ASTRAY_PAUSE)
            raise
        if handed:  # in the same turn of the loop in which the position moved
            self.in_hand = Batch.of([record for records in handed.values() for record in records])
            self.idle.clear()
        return handed

    async def stop(self) -> None:
        """Leave the group, once what was taken is committed."""
        await self.offsets.settled()
        await super().stop()  # type: ignore[no-untyped-call]  # as above

    def settle(self) -> None:
        """The batch in hand was taken or given back."""
        self.in_hand = None
        self.idle.set()


def feed(partition: TopicPartition) -> str:
    return Position(topic=partition.topic, partition=partition.partition, offset=0).feed


def as_record(raw: Raw, now_real: datetime) -> Record:
    """The record as the flows know it; one whose timestamp means no moment is taken to be from now."""
    sane = 0 <= raw.timestamp <= _LATEST_MS
    return Record(
        position=Position(topic=raw.topic, partition=raw.partition, offset=raw.offset),
        timestamp=_EPOCH + timedelta(milliseconds=raw.timestamp) if sane else now_real,
        key=raw.key,
        headers=tuple(raw.headers),
        value=raw.value,
    )
