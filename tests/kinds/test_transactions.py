"""What we cannot read is unread, not absent: lag and blindness are measured against the high watermark."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from avisa.kafka import Cluster, LagTracker, lag
from avisa.kafka.offsets import Offsets
from tests.kafka.harness import Running, a_topic, committed, publish, subscribed, value
from tests.tools.kafka import ApacheKafka
from tests.tools.waiting import until

START = datetime(2026, 3, 2, 10, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@dataclass(frozen=True, kw_only=True)
class Case:
    """Of a partition that is read as far as the broker lets us, 400 s long, and then looked at."""

    end: int
    stable_end: int
    records: int = 0  # of lag
    hidden: int = 0
    blind: bool = False


CASES = {
    "nothing was published": Case(end=0, stable_end=0),
    "all is read": Case(end=9, stable_end=9),
    "another producer's transaction, with ours behind it": Case(end=9, stable_end=4, records=5, hidden=5, blind=True),
    "a transaction with our own event": Case(end=9, stable_end=8, records=1, hidden=1, blind=True),
    "a transaction since the first record": Case(end=2, stable_end=0, records=2, hidden=2, blind=True),
    "it ended between the two questions": Case(end=9, stable_end=11),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_records_behind_an_open_transaction_are_unread(case: Case) -> None:
    tracker = LagTracker(since=START, blind_after=lambda: timedelta(minutes=5))
    tracker.assigned(["t/0"])
    for second in range(0, 401, 2):
        tracker.consumed_to("t/0", min(case.end, case.stable_end))
        tracker.probed("t/0", at=at(second), end=case.end, stable_end=case.stable_end)
        assert tracker.caught_up(at(second)) == (not case.blind or second >= 300)
    assert tracker.lag_records() == case.records
    assert tracker.behind_transaction(at(400)) == ({"t/0": case.hidden} if case.hidden else {})
    assert tracker.blind(at(400)) == case.blind


def test_transactions_that_follow_one_another_are_not_reported() -> None:
    tracker = LagTracker(since=START, blind_after=lambda: timedelta(minutes=5))
    tracker.assigned(["t/0"])
    for second in range(0, 60, 2):
        tracker.probed("t/0", at=at(second), end=second + 1, stable_end=second)
        assert not tracker.behind_transaction(at(second))
    tracker.probed("t/0", at=at(68), end=59, stable_end=58)
    assert tracker.behind_transaction(at(68)) == {"t/0": 1}, "this one has stood open since 58"


async def test_a_position_is_committed_when_it_moved_and_only_then(monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = TopicPartition("t", 0), TopicPartition("t", 1)
    asked: list[dict[TopicPartition, int]] = []

    class Consumer:
        def assignment(self) -> set[TopicPartition]:
            return {here, there}

        async def commit(self, offsets: dict[TopicPartition, int]) -> None:
            asked.append(offsets)

    offsets = Offsets(Consumer())
    for positions in ({here: 0, there: 7}, {here: 0, there: 7}, {here: 3, there: 7}):
        offsets.commit_moved(positions)
        await offsets.flush()
    assert asked == [{there: 7}, {here: 3}]


# ---------------------------------------------------------------- against Apache Kafka


@asynccontextmanager
async def transactional(kafka: ApacheKafka, *, timeout_ms: int = 60_000) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap_servers,
        transactional_id=a_topic(),
        transaction_timeout_ms=timeout_ms,
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def behind(running: Running, topic: str, records: int) -> None:
    """Wait until the lag tells what is hidden, and check all that is said of it."""
    await until(lambda: running.lag.lag_records() == records)
    await until(lambda: running.lag.blind(running.subscription._clock.real()))
    await until(lambda: f"behind an open transaction in {topic}/0" in running.subscription.detail)


async def read_to_the_end(kafka: ApacheKafka, running: Running, topic: str) -> None:
    """Wait until nothing is unread, for us and for who watches the group from outside."""
    partition = TopicPartition(topic, 0)
    async with AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap_servers) as outside:
        end = (await outside.end_offsets([partition]))[partition]
    await until(lambda: running.lag.lag_records() == 0)
    await until(lambda: not running.lag.blind(running.subscription._clock.real()))
    for _ in range(100):
        if await committed(kafka.bootstrap_servers, f"g.{topic}", topic) == end:
            return
        await asyncio.sleep(0.2)
    raise AssertionError("others see a lag where there is none")


async def test_kafka_hides_what_lies_behind_a_transaction(
    apache_kafka: ApacheKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another producer's transaction, our order's own, one aborted, a restart meanwhile, and a producer that dies."""
    monkeypatch.setattr(lag, "OPEN_FOR_LONG", timedelta(seconds=1))
    topic = a_topic()
    await apache_kafka.create_topic(topic)
    cluster = Cluster(bootstrap_servers=apache_kafka.bootstrap_servers, topics=(topic,), group_id=f"g.{topic}")
    plain = [{"value": value("behind")}]
    async with subscribed(cluster, blind_after=timedelta(seconds=4)) as running, transactional(apache_kafka) as other:
        await publish(apache_kafka.bootstrap_servers, topic, [{"value": value("before")}])
        await until(lambda: running.flow.orders == ["before"])
        await other.begin_transaction()
        await other.send_and_wait(topic, value("inside"), partition=0)
        await publish(apache_kafka.bootstrap_servers, topic, plain)
        await behind(running, topic, 2)
        assert running.flow.orders == ["before"]
        await other.commit_transaction()
        await until(lambda: running.flow.orders == ["before", "inside", "behind"])
        await read_to_the_end(apache_kafka, running, topic)
        await other.begin_transaction()
        await other.send_and_wait(topic, value("aborted"), partition=0)
        await behind(running, topic, 1)
        await other.abort_transaction()
        await read_to_the_end(apache_kafka, running, topic)
        assert "aborted" not in running.flow.orders
    async with transactional(apache_kafka, timeout_ms=20_000) as dies:
        await dies.begin_transaction()
        await dies.send_and_wait(topic, value("never"), partition=0)
    await publish(apache_kafka.bootstrap_servers, topic, plain)
    async with subscribed(cluster) as patient:
        await until(lambda: patient.lag.lag_records() == 2)
        assert not patient.lag.caught_up(patient.subscription._clock.real()), "nothing is sent after the restart"
    async with subscribed(cluster, blind_after=timedelta(seconds=4)) as running:
        await until(lambda: running.flow.orders == ["behind"])  # the broker aborts it
        await read_to_the_end(apache_kafka, running, topic)
