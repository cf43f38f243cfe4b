"""FastStream as we use it: a batch subscriber that is kept from losing anything.

Left to itself it loses batches: it swallows what a subscriber or its own parser raises while the position has
already moved on, and the next commit steps over the gap. So its parser gets nothing to look at, what goes wrong
is answered by the subscriber itself, by rewinding, and it commits nothing: we do, exactly what was taken. And
the consumer it reads from is of our make: it hands out no batch before the last one was settled.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from aiokafka import ConsumerRebalanceListener
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from avisa.kafka.cluster import CLIENT_ID, REQUEST_TIMEOUT_MS, Cluster
from avisa.kafka.consumer import Batch, Consumer, Raw

BATCH = 500
FINISH_WITHIN = 10.0  # seconds for the batch in hand when we stop; then it is cancelled, and so not stored
CLOSE_WITHIN = 20.0  # seconds for the whole of stopping
REPEAT_AFTER = 60.0  # seconds after which the library's same trouble is told again

_log = structlog.get_logger("avisa.kafka")


class LibraryLog:
    """What FastStream has to say, in our log: its errors, by type and never by text. It repeats itself for as
    long as a trouble lasts, so each is told once a minute."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def log(self, level: int, _message: Any, /, *, exc_info: Any = None, **_more: Any) -> None:
        if level < logging.WARNING or not isinstance(exc_info, BaseException):
            return
        what, now = type(exc_info).__name__, asyncio.get_running_loop().time()
        if now - self._said.get(what, -REPEAT_AFTER) >= REPEAT_AFTER:
            self._said[what] = now
            _log.error("kafka.trouble", error=what)


class Reader:
    """One consumer, from start to close."""

    def __init__(
        self,
        cluster: Cluster,
        topics: frozenset[str],
        *,
        on_batch: Callable[[Consumer, Batch], Awaitable[None]],
        listener: ConsumerRebalanceListener,
        log: LibraryLog,
    ) -> None:
        self._on_batch = on_batch
        self._broker = KafkaBroker(
            cluster.servers,
            security=cluster.secured(),
            client_id=CLIENT_ID,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            retry_backoff_ms=300,
            metadata_max_age_ms=30_000,  # so soon are new partitions found
            consumer_only=True,
            allow_auto_create_topics=False,
            apply_types=False,
            graceful_timeout=FINISH_WITHIN,
            logger=log,
        )
        self._subscriber = self._broker.subscriber(
            *sorted(topics),
            group_id=cluster.group_id,
            batch=True,
            max_records=BATCH,
            batch_timeout_ms=10,  # FastStream sleeps this long once more after an empty poll: it is our latency
            auto_offset_reset="earliest",  # no gap is skipped; what is old is recorded, not told
            ack_policy=AckPolicy.MANUAL,  # any other commits by itself
            no_reply=True,  # else a header `reply_to` makes it publish to a topic of the publisher's choice
            isolation_level="read_committed",
            session_timeout_ms=20_000,
            heartbeat_interval_ms=3_000,
            rebalance_timeout_ms=60_000,
            max_poll_interval_ms=300_000,
            fetch_max_wait_ms=cluster.fetch_wait_ms,
            fetch_max_bytes=8 * 1024 * 1024,
            max_partition_fetch_bytes=1024 * 1024,
            parser=_unparsed,
            decoder=_undecoded,
            listener=listener,
        )
        self._subscriber(self._take)

    async def start(self) -> None:
        """Connect, join the group and wait for an assignment, which may be empty. Raises KafkaError."""
        await self._broker.connect()
        config = self._broker.config.broker_config
        assert isinstance(config.builder, partial)
        config.builder = partial(Consumer, **config.builder.keywords)
        await self._broker.start()

    @property
    def consumer(self) -> Consumer:
        consumer = self._subscriber.consumer
        assert isinstance(consumer, Consumer), "it is there once started, and of our make"
        return consumer

    async def close(self) -> None:
        """Finish the batch in hand, leave the group and close, for as long as the broker lets us.

        aiokafka may hang on a broker that is frozen, and raise CancelledError by itself.
        """
        consumer = self._subscriber.consumer
        closing = asyncio.ensure_future(self._broker.stop())
        await asyncio.wait({closing}, timeout=CLOSE_WITHIN)
        if not closing.done():
            closing.cancel()
            if consumer is not None:
                await asyncio.wait({asyncio.ensure_future(consumer._client.close())}, timeout=1)
            await asyncio.wait({closing}, timeout=1)
            _log.warning("kafka.close_abandoned")
        elif not closing.cancelled() and (error := closing.exception()) is not None:
            _log.warning("kafka.close_failed", error=type(error).__name__)

    async def _take(self, _raw: Any) -> None:
        consumer = self.consumer
        if consumer.in_hand is not None:
            await self._on_batch(consumer, consumer.in_hand)


async def _unparsed(raw: tuple[Raw, ...], original: Callable[..., Awaitable[Any]]) -> Any:
    """FastStream's parser, with nothing to stumble over: it decodes every header, and the whole batch is lost for
    one that is null or not UTF-8. Nobody reads what it would have made of them."""
    message = await original((replace(raw[0], headers=(), value=b""),))
    message.raw_message = raw
    return message


async def _undecoded(message: Any) -> Any:
    """The records as they are."""
    return message.raw_message
