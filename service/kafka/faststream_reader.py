"""FastStream as we use it: a batch subscriber that is kept from losing anything.

Left to itself FastStream loses batches: when its parser or a handler raises, it swallows the exception although the
position has moved on, and the next commit steps over the gap. So four of its parts are replaced:

- the consumer, which reads a batch again if its handler never finished it (`consumer.Consumer`);
- the parser and the decoder, which hand the records on as they are and so cannot fail;
- the commits, which are ours: exactly what was stored (`offsets.Offsets`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextvars import Context
from functools import partial
from typing import Any

import structlog
from aiokafka import ConsumerRebalanceListener
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.message import StreamMessage

from avisa.kafka.cluster import CLIENT_ID, REQUEST_TIMEOUT_MS, Cluster
from avisa.kafka.consumer import Consumer, RawRecord

BATCH = 500
FINISH_WITHIN = 10.0  # seconds for the batch that is being stored when we stop; then it is cancelled, and not stored
CLOSE_WITHIN = 20.0  # seconds for the whole of stopping
REPEAT_AFTER = 60.0  # seconds after which the same error of FastStream is logged again

Records = tuple[RawRecord, ...]

_log = structlog.get_logger("avisa.kafka")


class FastStreamLog:
    """FastStream's errors in our log, by type and never by text, each type at most once a minute."""

    def __init__(self) -> None:
        self._logged_at: dict[str, float] = {}

    def log(self, level: int, _message: Any, /, *, exc_info: Any = None, **_more: Any) -> None:
        if level < logging.WARNING or not isinstance(exc_info, BaseException):
            return
        error, now = type(exc_info).__name__, asyncio.get_running_loop().time()
        if now - self._logged_at.get(error, -REPEAT_AFTER) >= REPEAT_AFTER:
            self._logged_at[error] = now
            _log.error("kafka.library_failed", error=error)


class Reader:
    """One consumer, from start to close."""

    def __init__(
        self,
        cluster: Cluster,
        topics: frozenset[str],
        *,
        on_batch: Callable[[Records], Coroutine[Any, Any, None]],
        listener: ConsumerRebalanceListener,
        log: FastStreamLog,
    ) -> None:
        self._broker = KafkaBroker(
            cluster.servers,
            security=cluster.secured(),
            client_id=CLIENT_ID,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            retry_backoff_ms=300,
            metadata_max_age_ms=30_000,  # new partitions are found within this time
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
            auto_offset_reset="earliest",  # a new group reads all there is; old news is recorded, not sent
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

        async def apart(records: Records) -> None:
            # FastStream has the batch in a context variable, and a timer keeps the context it is begun in: asyncpg's,
            # one for each statement, would keep the records of the batch for five minutes.
            await asyncio.create_task(on_batch(records), context=Context())

        self._subscriber(apart)

    async def start(self) -> None:
        """Connect, join the group and wait for an assignment, which may be empty. Raises KafkaError."""
        await self._broker.connect()
        config = self._broker.config.broker_config
        assert isinstance(config.builder, partial), "FastStream offers no other way to replace its consumer"
        config.builder = partial(Consumer, **config.builder.keywords)
        await self._broker.start()

    @property
    def consumer(self) -> Consumer:
        consumer = self._subscriber.consumer
        assert isinstance(consumer, Consumer), "there is one once `start` has returned"
        return consumer

    async def close(self) -> None:
        """Finish the batch that is being stored, leave the group and close, within `CLOSE_WITHIN` seconds.

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


async def _unparsed(records: Records) -> StreamMessage[Records]:
    """Return the records unread. FastStream's own parser loses the whole batch for one header that is not UTF-8."""
    return StreamMessage(raw_message=records, body=records)


async def _undecoded(message: StreamMessage[Records]) -> Records:
    return message.raw_message
