"""Records that others hand us, through the real broker and the embedded one, and an answer for each."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer

from avisa.embedded.broker import EmbeddedBroker
from avisa.kafka import Cluster, Publisher, publisher
from avisa.ports import NewRecord, Obstacle, Unwritten, Written
from tests.kafka.harness import a_topic, subscribed, value
from tests.tools.kafka import ApacheKafka
from tests.tools.parts import needs
from tests.tools.waiting import PATIENCE, until

LARGE = b"x" * 1024 * 1024  # with what is around it more than a broker takes, unless told otherwise


def records(*orders: object) -> list[NewRecord]:
    return [NewRecord(key=str(order).encode(), value=value(order)) for order in orders]


async def made(kafka: ApacheKafka, partitions: int = 1, *, name: str | None = None) -> str:
    """A topic that the broker has made and shows."""
    topic = name or a_topic()
    await kafka.create_topic(topic, partitions)
    async with asyncio.timeout(PATIENCE):
        while topic not in await kafka.topics():
            await asyncio.sleep(0.05)
    return topic


def obstacles(outcomes: object) -> list[Obstacle | None]:
    return [one.obstacle if isinstance(one, Unwritten) else None for one in outcomes]  # type: ignore[attr-defined]


async def read(servers: str, topic: str, number: int) -> list[tuple[bytes | None, bytes | None, object]]:
    async with AIOKafkaConsumer(topic, bootstrap_servers=servers, auto_offset_reset="earliest") as consumer:
        found = [await asyncio.wait_for(consumer.getone(), PATIENCE) for _ in range(number)]
    return [(one.key, one.value, one.headers) for one in found]


@pytest.fixture
async def writing(apache_kafka: ApacheKafka) -> AsyncIterator[Publisher]:
    opened = Publisher(Cluster(bootstrap_servers=apache_kafka.bootstrap_servers))
    yield opened
    await opened.stop()


async def test_each_record_is_answered_with_its_place(apache_kafka: ApacheKafka, writing: Publisher) -> None:
    topic = await made(apache_kafka, 3)
    headers = (("content-type", b"application/json"), ("ce_id", b"1"))
    first = [NewRecord(key=str(n % 7).encode(), value=value(n), headers=headers) for n in range(60)]
    written = [
        *await writing.write(topic, first),
        *await writing.write(topic, records(1, 2)),
    ]
    assert all(isinstance(one, Written) and one.topic == topic for one in written)
    places = {(one.partition, one.offset) for one in written if isinstance(one, Written)}
    assert len(places) == 62
    assert len({partition for partition, _ in places}) > 1
    assert await writing.write(topic, []) == []
    stored = await read(apache_kafka.bootstrap_servers, topic, 62)
    assert {content for _, content, _ in stored} == {value(n) for n in range(60)}
    by_key: dict[bytes | None, list[bytes | None]] = {}
    for key, content, with_it in stored:
        if with_it:
            assert with_it == headers
            by_key.setdefault(key, []).append(content)
    assert by_key == {b"%d" % n: [value(each) for each in range(n, 60, 7)] for n in range(7)}


async def test_requests_at_once_take_turns(apache_kafka: ApacheKafka, writing: Publisher) -> None:
    topic = await made(apache_kafka)
    outcomes = await asyncio.gather(*(writing.write(topic, records(n, n)) for n in range(20)))
    places = [one.offset for both in outcomes for one in both if isinstance(one, Written)]
    assert places == list(range(40))


async def test_a_topic_that_is_missing_is_not_made(apache_kafka: ApacheKafka, writing: Publisher) -> None:
    topic, missing = await made(apache_kafka), a_topic()
    assert obstacles(await writing.write(missing, records(1, 2))) == [Obstacle.NO_TOPIC] * 2
    assert obstacles(await writing.write(topic, records(1))) == [None]
    assert missing not in await apache_kafka.topics()
    await made(apache_kafka, name=missing)
    assert obstacles(await writing.write(missing, records(1))) == [None]


async def test_a_record_that_the_broker_refuses_spoils_nothing_after_it(
    apache_kafka: ApacheKafka, writing: Publisher
) -> None:
    topic = await made(apache_kafka)
    assert obstacles(await writing.write(topic, records(1))) == [None]
    refused = await writing.write(topic, [*records(2), NewRecord(value=LARGE), *records(3)])
    assert obstacles(refused) == [None, Obstacle.TOO_LARGE, Obstacle.REFUSED]
    for n in (4, 5):
        assert obstacles(await writing.write(topic, records(n))) == [None]
    stored = [content for _, content, _ in await read(apache_kafka.bootstrap_servers, topic, 4)]
    assert stored == [value(n) for n in (1, 2, 4, 5)]


async def test_without_a_broker_it_says_why() -> None:
    writing = Publisher(Cluster(bootstrap_servers="127.0.0.1:1"))
    (outcome,) = await writing.write("orders.status", records(1))
    assert outcome == Unwritten(obstacle=Obstacle.UNREACHABLE, detail="nobody listens there")
    await writing.stop()
    assert obstacles(await writing.write("orders.status", records(1))) == [Obstacle.UNREACHABLE]


async def test_what_a_frozen_broker_did_not_answer_is_in_doubt_and_not_sent_later(
    own_kafka: ApacheKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "WITHIN", 2.0)
    topic = await made(own_kafka)
    writing = Publisher(Cluster(bootstrap_servers=own_kafka.bootstrap_servers))
    assert obstacles(await writing.write(topic, records("before"))) == [None]
    own_kafka.pause()
    try:
        during = [asyncio.create_task(writing.write(topic, records(n, n))) for n in ("on its way", "behind", "late")]
        answers = [obstacles(one) for one in await asyncio.gather(*during)]
    finally:
        own_kafka.resume()
    assert answers[0] == [Obstacle.IN_DOUBT] * 2
    assert all(set(one) <= {Obstacle.BUSY, Obstacle.UNREACHABLE} for one in answers[1:])
    monkeypatch.setattr(publisher, "WITHIN", PATIENCE)
    assert obstacles(await writing.write(topic, records("after"))) == [None]
    await writing.stop()
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=own_kafka.bootstrap_servers, auto_offset_reset="earliest"
    ) as consumer:
        found: list[bytes | None] = []
        async with asyncio.timeout(PATIENCE):
            while value("after") not in found:
                found.append((await consumer.getone()).value)
    # What was on its way when the broker froze may have arrived.
    assert [content for content in found if content != value("on its way")] == [value("before"), value("after")]
    gc.collect()  # nothing was left behind that nobody listened to, or pytest will say so


async def test_a_broker_that_comes_back_is_written_to(
    own_kafka: ApacheKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "WITHIN", 3.0)
    topic = await made(own_kafka)
    writing = Publisher(Cluster(bootstrap_servers=own_kafka.bootstrap_servers))
    assert obstacles(await writing.write(topic, records(1))) == [None]
    own_kafka.kill9()
    assert obstacles(await writing.write(topic, records(2))) == [Obstacle.IN_DOUBT]
    assert obstacles(await writing.write(topic, records(3))) == [Obstacle.UNREACHABLE]
    await asyncio.to_thread(own_kafka.start)
    monkeypatch.setattr(publisher, "WITHIN", PATIENCE)
    assert obstacles(await writing.write(topic, records(4))) == [None]
    await writing.stop()


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker(("orders.status",), beside=tmp_path)
    broker.start()
    yield broker
    broker.stop()


@needs("process")
async def test_the_embedded_broker_is_full_until_its_reader_has_caught_up(embedded: EmbeddedBroker) -> None:
    cluster = embedded.cluster("avisa")
    writing = Publisher(cluster, wait_for_reader=True)
    fat = [NewRecord(key=b"1", value=b'{"order_id": "1", "status": "x", "reason": "' + b"x" * 700_000 + b'"}')]
    for _ in range(2):
        assert obstacles(await writing.write("orders.status", fat)) == [None]
    assert obstacles(await writing.write("orders.status", fat)) == [Obstacle.FULL]
    assert obstacles(await writing.write("orders.status", records(7))) == [None]  # there is room for a small one
    async with subscribed(cluster) as running:
        await until(lambda: len(running.flow.taken) == 3)
        async with asyncio.timeout(PATIENCE):
            while obstacles(await writing.write("orders.status", fat)) != [None]:
                await asyncio.sleep(0.1)
        await until(lambda: len(running.flow.taken) == 4)
    await writing.stop()
