"""Copies of dead letters: what watchers of topics see."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer

from avisa import events
from avisa.kafka import Cluster, DeadLetterCopies, dead_letter_topic
from avisa.ports import DeadLetter, Record, Unreadable
from avisa.store import Store, open_store
from tests.events.records import plain, record
from tests.fakes import RealClock
from tests.kafka.harness import a_topic
from tests.tools.kafka import ApacheKafka
from tests.tools.waiting import PATIENCE


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letter_topic, "LOOK_EVERY", 0.1)
    monkeypatch.setattr(dead_letter_topic, "TRY_AGAIN_AFTER", 0.2)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/avisa.db", clock=RealClock(), exclusive=True)
    await opened.start()
    yield opened
    await opened.close()


@contextlib.asynccontextmanager
async def copying(cluster: Cluster, store: Store) -> AsyncIterator[None]:
    running = asyncio.create_task(DeadLetterCopies(cluster, store.operations).run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait({running})


def dead(topic: str, bad: Record, offset: int = 7) -> Unreadable:
    position = replace(bad.position, topic=topic, offset=offset)
    letter = events.read(replace(bad, position=position, key=b"k"))
    assert isinstance(letter, Unreadable)
    return letter


async def keep(store: Store, *letters: Unreadable) -> None:
    await store.orders.commit([], dead_letters=letters, now=RealClock().now())


async def test_a_copy_has_the_original_and_what_was_wrong_with_it(apache_kafka: ApacheKafka, store: Store) -> None:
    topic = a_topic()
    cluster = Cluster(bootstrap_servers=apache_kafka.bootstrap_servers, topics=(topic,))
    letter = dead(topic, record(plain(status=[5]), ("trace", None), ("odd", b"\xff")))
    await keep(store, letter)
    async with copying(cluster, store):
        await apache_kafka.create_topic(topic + ".dlq")
        async with AIOKafkaConsumer(
            topic + ".dlq", bootstrap_servers=apache_kafka.bootstrap_servers, auto_offset_reset="earliest"
        ) as consumer:
            copy = await asyncio.wait_for(consumer.getone(), PATIENCE)
        async with asyncio.timeout(PATIENCE):  # it is marked once the broker's word for it is there
            while await store.operations.uncopied_dead_letters(10):
                await asyncio.sleep(0.05)
    assert (copy.key, copy.value) == (b"k", letter.record.value)
    assert copy.headers == (
        ("trace", None),
        ("odd", b"\xff"),
        ("avisa.error.stage", b"data"),
        ("avisa.error.reason", b"wrong_type"),
        ("avisa.error.message", b"/status: must be text"),
        ("avisa.error.topic", topic.encode()),
        ("avisa.error.partition", b"1"),
        ("avisa.error.offset", b"7"),
    )


async def test_a_copy_that_is_too_large_with_its_headers_is_cut(apache_kafka: ApacheKafka, store: Store) -> None:
    topic = a_topic()
    cluster = Cluster(bootstrap_servers=apache_kafka.bootstrap_servers, topics=(topic,))
    await apache_kafka.create_topic(topic + ".dlq")
    large = b"x" * 1024 * 1024
    values = [b"x", large, b"x", large, b"x"] * 2  # a partition that was refused one copy takes the next
    letters = [dead(topic, record(value), offset) for offset, value in enumerate(values)]
    await keep(store, *letters)
    assert await DeadLetterCopies(cluster, store.operations)._copy_all()
    async with AIOKafkaConsumer(
        topic + ".dlq", bootstrap_servers=apache_kafka.bootstrap_servers, auto_offset_reset="earliest"
    ) as consumer:
        copies = [await asyncio.wait_for(consumer.getone(), PATIENCE) for _ in letters]
    sizes = Counter(len(copy.value) for copy in copies)
    assert sizes == {1: 6, dead_letter_topic.CUT_TO: 4}


async def test_a_copy_that_was_refused_is_not_kept(apache_kafka: ApacheKafka, store: Store) -> None:
    """An exception whose frames hold what it was raised for is freed by the garbage collector alone."""
    topic = a_topic()
    cluster = Cluster(bootstrap_servers=apache_kafka.bootstrap_servers, topics=(topic,))
    await apache_kafka.create_topic(topic + ".dlq")
    await keep(store, *(dead(topic, record(b"x" * 1024 * 1024), offset) for offset in range(9)))
    gc.disable()
    try:
        assert await DeadLetterCopies(cluster, store.operations)._copy_all()
        letters = [one for one in gc.get_objects() if type(one) is DeadLetter]
        assert not [letter for letter in letters if letter.record.position.topic == topic]
    finally:
        gc.enable()


async def test_a_missing_dead_letter_topic_holds_up_no_other(apache_kafka: ApacheKafka, store: Store) -> None:
    with_copies, without = a_topic(), a_topic()
    cluster = Cluster(bootstrap_servers=apache_kafka.bootstrap_servers, topics=(without, with_copies))
    await apache_kafka.create_topic(with_copies + ".dlq")
    await keep(store, dead(without, record(b"1")), dead(with_copies, record(b"2")))
    left = await store.operations.uncopied_dead_letters(10)
    assert len(left) == 2

    async def none_left() -> None:
        while await store.operations.uncopied_dead_letters(10):
            await asyncio.sleep(0.05)

    async with copying(cluster, store):
        await asyncio.wait_for(none_left(), PATIENCE)
    assert without + ".dlq" not in await apache_kafka.topics()


async def test_copies_wait_while_there_is_no_topic_or_no_broker(apache_kafka: ApacheKafka, store: Store) -> None:
    topic = a_topic()
    await keep(store, dead(topic, record(b"1")))
    for servers in (apache_kafka.bootstrap_servers, "127.0.0.1:1"):
        async with copying(Cluster(bootstrap_servers=servers, topics=(topic,)), store):
            await asyncio.sleep(0.5)
    assert len(await store.operations.uncopied_dead_letters(10)) == 1
    assert topic + ".dlq" not in await apache_kafka.topics()
