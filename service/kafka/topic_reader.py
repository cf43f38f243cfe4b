"""A whole topic read once, from its first record to the end that it has at the start. No group, no offset kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime

from aiokafka import AIOKafkaConsumer, TopicPartition

from avisa.kafka import record_reader
from avisa.kafka.cluster import Cluster
from avisa.kafka.consumer import RawRecord, cut_record, to_record
from avisa.kafka.raw_record import CutValue
from avisa.ports import Record, Unreadable

_POLL_MS = 500


def read_to_end(
    cluster: Cluster, topic: str, now_real: datetime, progress: Callable[[int, int], None]
) -> Iterator[Record | Unreadable]:
    """Yield the committed records of a topic; those of a partition in the order in which they lie there.

    `progress` is called with how many offsets are behind us, and how many there are in all. `now_real` stands for a
    timestamp that is none.

    Raises `UnreachableError` if no broker lets us in, LookupError if there is no such topic, and KafkaError.
    """
    with asyncio.Runner() as runner:
        if topic not in runner.run(cluster.known_topics()):
            raise LookupError(topic)
        record_reader.install()
        consumer = runner.run(_started(cluster, topic))
        try:
            ends = runner.run(_ends(consumer))
            begins = runner.run(_positions(consumer))
            positions = begins
            whole = sum(ends.values()) - sum(begins.values())
            while any(positions[partition] < end for partition, end in ends.items()):
                record_reader.allowance.renew()
                batch = runner.run(_polled(consumer))
                for partition, records in batch.items():
                    for raw in records:
                        if raw.offset < ends[partition]:
                            record = to_record(raw, now_real)
                            yield cut_record(raw.value, record) if isinstance(raw.value, CutValue) else record
                positions = runner.run(_positions(consumer))
                progress(sum(positions.values()) - sum(begins.values()), whole)
        finally:
            runner.run(consumer.stop())


async def _started(cluster: Cluster, topic: str) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(
        topic,
        **cluster.options(),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    try:
        await consumer.start()
    except BaseException:
        await consumer.stop()
        raise
    return consumer


async def _polled(consumer: AIOKafkaConsumer) -> dict[TopicPartition, list[RawRecord]]:
    return await consumer.getmany(timeout_ms=_POLL_MS)


async def _ends(consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
    """Where the partitions end for readers of committed records."""
    ends: dict[TopicPartition, int] = await consumer.end_offsets(list(consumer.assignment()))
    return ends


async def _positions(consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
    return {partition: await consumer.position(partition) for partition in consumer.assignment()}
