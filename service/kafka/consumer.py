"""A consumer that hands out one batch at a time, and can read the last one again."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.consumer.fetcher import READ_UNCOMMITTED
from aiokafka.errors import ConsumerStoppedError, KafkaError

from avisa.core.model import Position
from avisa.kafka import record_reader
from avisa.kafka.offsets import Offsets
from avisa.kafka.raw_record import CutValue
from avisa.ports import Record, Unreadable

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
        record_reader.install()
        self.offsets = Offsets(self)
        self.unfinished: dict[TopicPartition, int] = {}  # the first offset of the batch in each of its partitions
        self.read_to: dict[TopicPartition, int] = {}  # where reading goes on behind the batch, in the same ones
        self.held: dict[TopicPartition, asyncio.TimerHandle] = {}  # partitions that wait for what we cannot hurry
        self.idle = asyncio.Event()
        self.idle.set()

    async def getmany(self, *partitions: TopicPartition, **options: Any) -> dict[TopicPartition, list[RawRecord]]:
        if self.unfinished:
            self.rewind()
            self.finish()
            _log.error("kafka.batch_lost_on_the_way")
            await asyncio.sleep(LOST_BATCH_PAUSE)
        record_reader.allowance.renew()
        subscribed = self._subscription.subscription
        assigned = None if subscribed is None else subscribed.assignment
        before = {partition: self._position(partition) for partition in self.assignment()}
        try:
            batch: dict[TopicPartition, list[RawRecord]] = await super().getmany(*partitions, **options)
        except BaseException as error:
            # One partition fails, and aiokafka drops what it has read of the others, behind which it already stands.
            if subscribed is self._subscription.subscription and subscribed and assigned is subscribed.assignment:
                self._go_back(before)
            if not isinstance(error, KafkaError | ConsumerStoppedError) and isinstance(error, Exception):
                await asyncio.sleep(LOST_BATCH_PAUSE)  # FastStream would try again without a pause
            raise
        if batch:  # nothing is awaited between the move of the position and this note of it
            self.unfinished = {partition: records[0].offset for partition, records in batch.items()}
            self.read_to = {partition: self._position(partition) for partition in batch}
            self.idle.clear()
        return batch

    def rewind(self) -> None:
        """Go back to the start of the unfinished batch, in the partitions that are still assigned to us."""
        assigned = self.assignment()
        for partition, offset in self.unfinished.items():
            if partition in assigned:
                self.seek(partition, offset)

    def hold(self, partition: TopicPartition, offset: int, seconds: float) -> None:
        """Of the unfinished batch, what lies from `offset` on in this partition is to be read again in so many
        seconds. The other partitions are read on, and the group sees a member that polls."""
        self.read_to[partition] = offset  # also of one that was taken away: what was not stored is not committed
        if partition not in self.assignment():
            return
        self.seek(partition, offset)
        self.pause(partition)
        if (before := self.held.pop(partition, None)) is not None:
            before.cancel()
        self.held[partition] = asyncio.get_running_loop().call_later(seconds, self._release, partition)

    def _release(self, partition: TopicPartition) -> None:
        del self.held[partition]
        if partition in self.assignment():  # one that was taken away and came back is not paused, and does no harm
            self.resume(partition)

    def _go_back(self, positions: Mapping[TopicPartition, int | None]) -> None:
        for partition, position in positions.items():
            if position is not None and position != self._position(partition):
                self.seek(partition, position)

    def finish(self) -> None:
        """Nothing is to be done any more about the last batch: it was stored, or the consumer went back to it."""
        self.unfinished = {}
        self.idle.set()

    def all_partitions(self) -> set[TopicPartition]:
        """Those of our topics, whoever of the group reads them."""
        return {
            TopicPartition(topic, number)
            for topic in self.subscription()
            for number in self.partitions_for_topic(topic) or ()
        }

    async def high_watermarks(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Return where the partitions end. Raises KafkaError.

        `end_offsets` will not do: it answers for readers of committed records, with the offset of the first record
        of an open transaction, however much lies behind it.
        """
        fetcher: Any = copy(self._fetcher)  # theirs has no other way to ask for it
        fetcher._isolation_level = READ_UNCOMMITTED
        ends: dict[TopicPartition, int] = await fetcher.end_offsets(partitions, self._request_timeout_ms)
        return ends

    def commit_positions(self) -> None:
        """Have our positions committed. Transaction markers and aborted records yield no batch, and who watches the
        group from outside would count them as lag."""
        positions = {
            partition: position
            for partition in self.assignment() - self.unfinished.keys()
            if (position := self._position(partition)) is not None
        }
        self.offsets.commit_moved(positions)

    def _position(self, partition: TopicPartition) -> Any:
        """Return the offset where reading goes on, or None while that is not known. `position` would wait for it."""
        return self._subscription.subscription.assignment.state_value(partition)._position

    async def stop(self) -> None:
        """Commit the offsets of what was stored, then leave the group."""
        for timer in self.held.values():
            timer.cancel()
        self.commit_positions()
        await self.offsets.flush()
        await super().stop()  # type: ignore[no-untyped-call]  # as above


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


def cut_record(value: CutValue, record: Record) -> Unreadable:
    """Return the dead letter of a record that our reader did not read whole."""
    return Unreadable(
        record=replace(record, value=bytes(value)),
        stage="batch",
        reason=value.reason,
        message=value.message,
        cut=True,
        size=value.size,
        sha256=value.sha256,
    )
