"""Kafka goes away and comes back, freezes, or was never there; nobody has to restart us (promise 10)."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Sequence

import pytest

from avisa.kafka import Cluster
from avisa.kafka.consumer import RawRecord
from avisa.kafka.faststream_reader import CLOSE_WITHIN
from avisa.ports import Taken
from tests.kafka.harness import Flow, a_topic, committed, publish, subscribed, value
from tests.tools.kafka import ApacheKafka
from tests.tools.parts import needs
from tests.tools.waiting import until


def cluster_of(kafka: ApacheKafka, topic: str) -> Cluster:
    return Cluster(bootstrap_servers=kafka.bootstrap_servers, topics=(topic,), group_id=f"g.{topic}")


async def topic_on(kafka: ApacheKafka) -> str:
    topic = a_topic()
    await kafka.create_topic(topic)
    return topic


async def test_reading_goes_on_after_the_broker_is_killed_and_started(own_kafka: ApacheKafka) -> None:
    topic = await topic_on(own_kafka)
    async with subscribed(cluster_of(own_kafka, topic)) as running:
        for wave in range(2):
            await publish(own_kafka.bootstrap_servers, topic, [{"value": value(f"{wave}.{n}")} for n in range(50)])
            await until(lambda wave=wave: len(set(running.flow.orders)) == 50 * wave + 50)
            await asyncio.to_thread(own_kafka.kill9)
            await asyncio.to_thread(own_kafka.start)
        await publish(own_kafka.bootstrap_servers, topic, [{"value": value("last")}])
        await until(lambda: "last" in running.flow.orders)
    assert len(set(running.flow.orders)) == 101
    assert await committed(own_kafka.bootstrap_servers, f"g.{topic}", topic) == 101


async def test_a_batch_stored_but_not_committed_is_read_again(own_kafka: ApacheKafka) -> None:
    """What was stored but not acknowledged comes again; its identity tells."""
    topic = await topic_on(own_kafka)
    died = asyncio.Event()

    async def broker_dies(_taken: Sequence[Taken]) -> None:
        if not died.is_set():
            died.set()
            await asyncio.to_thread(own_kafka.kill9)

    await publish(own_kafka.bootstrap_servers, topic, [{"value": value(n)} for n in range(10)])
    async with subscribed(cluster_of(own_kafka, topic), Flow(trouble=broker_dies)) as running:
        await until(lambda: len(running.flow.taken) == 10)
        await asyncio.to_thread(own_kafka.start)
        await publish(own_kafka.bootstrap_servers, topic, [{"value": value("last")}])
        await until(lambda: "last" in running.flow.orders)
    assert set(running.flow.orders) == {*map(str, range(10)), "last"}
    assert await committed(own_kafka.bootstrap_servers, f"g.{topic}", topic) == 11


async def test_reading_goes_on_after_the_broker_was_frozen(own_kafka: ApacheKafka) -> None:
    topic = await topic_on(own_kafka)
    async with subscribed(cluster_of(own_kafka, topic)) as running:
        await publish(own_kafka.bootstrap_servers, topic, [{"value": value("before")}])
        await until(lambda: running.flow.orders == ["before"])
        own_kafka.pause()
        await asyncio.sleep(12)  # longer than a request may take
        own_kafka.resume()
        await publish(own_kafka.bootstrap_servers, topic, [{"value": value("after")}])
        await until(lambda: "after" in running.flow.orders)


async def test_stopping_is_bounded_while_the_broker_is_frozen(own_kafka: ApacheKafka) -> None:
    topic = await topic_on(own_kafka)
    try:
        async with subscribed(cluster_of(own_kafka, topic)) as running:
            await publish(own_kafka.bootstrap_servers, topic, [{"value": value(1)}])
            await until(lambda: running.flow.orders == ["1"])
            own_kafka.pause()
            began = time.monotonic()
        assert time.monotonic() - began < CLOSE_WITHIN + 5
    finally:
        own_kafka.resume()


async def test_stopping_gives_up_on_a_flow_that_never_ends(own_kafka: ApacheKafka) -> None:
    topic = await topic_on(own_kafka)
    began = asyncio.Event()

    async def never(_taken: Sequence[Taken]) -> None:
        began.set()
        await asyncio.Event().wait()

    await publish(own_kafka.bootstrap_servers, topic, [{"value": value(1)}])
    async with subscribed(cluster_of(own_kafka, topic), Flow(trouble=never)):
        await began.wait()
        stopped = time.monotonic()
    assert time.monotonic() - stopped < CLOSE_WITHIN + 5
    assert not await committed(own_kafka.bootstrap_servers, f"g.{topic}", topic)


async def test_a_broker_that_is_down_at_the_start_is_waited_for(
    tmp_path_factory: pytest.TempPathFactory, own_kafka: ApacheKafka
) -> None:
    topic = await topic_on(own_kafka)
    await publish(own_kafka.bootstrap_servers, topic, [{"value": value(1)}])
    await asyncio.to_thread(own_kafka.kill9)
    async with subscribed(cluster_of(own_kafka, topic)) as running:
        await until(lambda: "no Kafka: nobody listens there" in running.subscription.detail)
        assert not running.lag.answered
        await asyncio.to_thread(own_kafka.start)
        await until(lambda: running.flow.orders == ["1"])
        assert running.lag.answered


@needs("process")
async def test_stopping_is_quick_while_a_broker_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cluster = Cluster(bootstrap_servers=f"127.0.0.1:{silent.getsockname()[1]}")
        async with subscribed(cluster) as running:
            await until(
                lambda: (
                    "does not answer" in running.subscription.detail or "TimeoutError" in running.subscription.detail
                )
            )
            began = time.monotonic()
        assert time.monotonic() - began < 5


async def test_a_batch_that_faststream_loses_is_read_again(
    own_kafka: ApacheKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FastStream swallows what is raised on the way to us; here its parser fails on purpose, twice."""
    from avisa.kafka import faststream_reader

    unparsed = faststream_reader._unparsed
    failures = iter([True, True])

    async def failing(records: tuple[RawRecord, ...]) -> object:
        if next(failures, False):
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "on purpose")
        return await unparsed(records)

    monkeypatch.setattr(faststream_reader, "_unparsed", failing)
    topic = await topic_on(own_kafka)
    await publish(own_kafka.bootstrap_servers, topic, [{"value": value(n)} for n in range(10)])
    async with subscribed(cluster_of(own_kafka, topic)) as running:
        await until(lambda: len(running.flow.taken) == 10)
    assert running.flow.orders == [str(n) for n in range(10)]
    assert await committed(own_kafka.bootstrap_servers, f"g.{topic}", topic) == 10


async def test_a_consumer_that_stands_still_is_replaced(
    own_kafka: ApacheKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    from avisa.kafka import subscription

    monkeypatch.setattr(subscription, "STUCK_AFTER", 2.0)
    topic = await topic_on(own_kafka)
    async with subscribed(cluster_of(own_kafka, topic)) as running:
        await until(lambda: running.lag.caught_up(running.subscription._clock.real()))
        reading = running.subscription._reader
        assert reading is not None
        reading.consumer.pause(*reading.consumer.assignment())  # alive, with a heartbeat, and deaf
        await publish(own_kafka.bootstrap_servers, topic, [{"value": value(1)}])
        await until(lambda: running.flow.orders == ["1"])
        assert running.subscription._reader is not reading
