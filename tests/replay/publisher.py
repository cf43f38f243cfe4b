"""Publishes events at their virtual moments, and keeps a record of what Kafka acknowledged and when."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaProducer

from tests.oracle import Published
from tests.oracle.testimony import Clockwork
from tests.tools.orders import Scheduled

_LOOK_UP_EVERY = 0.5  # real seconds
_AHEAD = timedelta(milliseconds=2)  # nearer moments than this are not slept for


def real_now() -> datetime:
    return datetime.now(UTC)


async def publish(
    servers: str,
    topic: str,
    scheduled: Sequence[Scheduled],
    clock: Clockwork,
    published: list[Published],
    *,
    enough: Callable[[], bool] = lambda: False,
) -> None:
    """Publish all, keyed by order, none before its moment, or until it is `enough`; `published` grows meanwhile.

    A record counts from just before it is handed over, and lies in Kafka from its acknowledgement.
    """
    producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        answers = []
        for one in scheduled:
            if clock.real(one.at) - real_now() > _AHEAD:
                await producer.flush()
                await _until(clock.real(one.at), enough)
            if enough():
                break
            at = clock.virtual(real_now())
            value = json.dumps(one.event, ensure_ascii=False).encode()
            answer = await producer.send(topic, value, key=one.event["order_id"].encode())
            index = len(published)
            published.append(Published(at=at, acked=at, event=one.event))

            def acknowledged(_: object, index: int = index, at: datetime = at) -> None:
                published[index] = Published(at=at, acked=clock.virtual(real_now()), event=published[index].event)

            answer.add_done_callback(acknowledged)
            answers.append(answer)
        await asyncio.gather(*answers)
    finally:
        await producer.stop()


async def _until(moment: datetime, enough: Callable[[], bool]) -> None:
    """Sleep until the moment, a real one, or until it is enough."""
    while not enough():
        wait = moment - real_now()
        if wait <= _AHEAD:
            return
        await asyncio.sleep(min(_LOOK_UP_EVERY, wait.total_seconds()))
