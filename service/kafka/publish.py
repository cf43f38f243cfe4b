"""Events out of a file into a topic, for operators and demonstrations."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from typing import Any

from pydantic_core import from_json

from avisa.kafka.backlog import Backlog
from avisa.kafka.cluster import Cluster

CHUNK_RECORDS = 500  # records sent before their acknowledgements are awaited
CHUNK_BYTES = 256 * 1024


async def publish(cluster: Cluster, lines: Iterable[bytes], *, wait_for_reader: bool = False) -> int:
    """Send each line that is not blank as one record to the first topic, keyed by its order_id.

    Returns how many were sent, once all replicas have them all. Lines are sent as they are, also those that are no
    event: the service makes dead letters of them. `wait_for_reader` is for the embedded broker: sending waits while
    the service has more than 2 MiB to read.

    Raises `UnreachableError` if no broker lets us in, and KafkaError if one does not take a record.
    """
    await cluster.known_topics()  # it says best why a broker does not let us in
    published = 0
    async with cluster.producer() as producer, Backlog(cluster) if wait_for_reader else nullcontext() as backlog:
        for values in _chunks(lines):
            sent = [await producer.send(cluster.topics[0], value=value, key=_key(value)) for value in values]
            acknowledged = await asyncio.gather(*sent)
            published += len(values)
            if backlog is not None:
                for record, value in zip(acknowledged, values, strict=True):
                    backlog.add(record.topic, record.partition, record.offset, len(value))
                await backlog.wait_for_room()
    return published


def _chunks(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield the lines that are not blank, as many at a time as are sent at once."""
    chunk: list[bytes] = []
    size = 0
    for line in lines:
        if value := line.strip():
            chunk.append(value)
            size += len(value)
        if len(chunk) >= CHUNK_RECORDS or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _key(value: bytes) -> bytes | None:
    """Return the order's id, so that all events of an order lie in one partition, in order."""
    try:
        content: Any = from_json(value)
    except ValueError:
        return None
    if isinstance(content, Mapping):
        inner = content.get("data")
        order_id = content.get("order_id", inner.get("order_id") if isinstance(inner, Mapping) else None)
        if isinstance(order_id, str | int) and not isinstance(order_id, bool):
            return str(order_id).encode()
    return None
