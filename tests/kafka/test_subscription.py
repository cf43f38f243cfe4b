"""Nothing is lost and nothing acknowledged early, whatever a record holds and whatever the flow does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextvars import copy_context

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from avisa.core import bucket
from avisa.core.model import Reason
from avisa.kafka import Cluster, offsets
from avisa.ports import DurabilityLost, Taken
from tests.kafka.harness import Flow, a_topic, committed, publish, publish_header_name, subscribed, value
from tests.tools.kafka import ApacheKafka
from tests.tools.waiting import until


def cluster_of(kafka: ApacheKafka, *topics: str) -> Cluster:
    return Cluster(bootstrap_servers=kafka.bootstrap_servers, topics=topics, group_id=f"g.{topics[0]}")


async def test_unreadable_records_inside_a_batch_lose_none_beside_them(apache_kafka: ApacheKafka) -> None:
    topic = a_topic()
    await apache_kafka.create_topic(topic)
    odd_headers = [
        ("t", b"\xff\xfe"),
        ("t", None),
        ("content-type", b"\xff"),
        ("content-type", None),
        ("correlation_id", b"\xff"),
        ("message_id", None),
        ("reply_to", b"\xff"),
    ]
    odd_values = [b"\xff not json", b"", None, b"0", b"[]", b'"x"', b"null", b'{"order_id": "x"}']
    records = [{"value": value(n), "partition": 0} for n in range(30)]
    for place, header in enumerate(odd_headers):
        records[3 + 2 * place]["headers"] = [header]
    for place, odd in enumerate(odd_values):
        records.insert(5 + 3 * place, {"key": b"k", "value": odd, "partition": 0})
    async with subscribed(cluster_of(apache_kafka, topic)) as running:
        await publish(apache_kafka.bootstrap_servers, topic, records)
        await until(lambda: len(running.flow.taken) == len(records))
        await publish(apache_kafka.bootstrap_servers, topic, [{"value": value("last"), "partition": 0}])
        await until(lambda: "last" in running.flow.orders)
    assert running.flow.orders == [*map(str, range(30)), "last"]
    assert len(running.flow.dead) == len(odd_values) - 1
    assert [item.reason for item in running.flow.skipped] == [Reason.TOMBSTONE]
    assert await committed(apache_kafka.bootstrap_servers, f"g.{topic}", topic) == len(records) + 1


@pytest.mark.parametrize("codec", [None, "gzip", "zstd"])
async def test_a_header_name_that_is_not_utf8_blocks_no_record(apache_kafka: ApacheKafka, codec: str | None) -> None:
    topic = a_topic()
    await apache_kafka.create_topic(topic)
    before, after = [{"value": value("before")}], [{"value": value("after")}]
    async with subscribed(cluster_of(apache_kafka, topic)) as running:
        await publish(apache_kafka.bootstrap_servers, topic, before)
        await publish_header_name(apache_kafka.bootstrap_servers, topic, b"\xff\xfe", codec)
        await publish(apache_kafka.bootstrap_servers, topic, after)
        await until(lambda: "after" in running.flow.orders)
    assert running.flow.orders == ["before", "0", "1", "2", "after"]


async def test_a_failing_flow_gets_the_batch_again_and_nothing_is_committed_early(
    apache_kafka: ApacheKafka,
) -> None:
    topic, group = a_topic(), ""
    await apache_kafka.create_topic(topic, 2)
    group = f"g.{topic}"
    failures = 0

    async def away(_taken: Sequence[Taken]) -> None:
        nonlocal failures
        failures += 1
        if failures <= 4:
            for partition in (0, 1):
                assert not await committed(apache_kafka.bootstrap_servers, group, topic, partition)
            raise ConnectionError("the database is away")

    await publish(apache_kafka.bootstrap_servers, topic, [{"value": value(n), "partition": n % 2} for n in range(40)])
    async with subscribed(cluster_of(apache_kafka, topic), Flow(trouble=away)) as running:
        await until(lambda: len(running.flow.taken) == 40)
    assert sorted(map(int, running.flow.orders)) == list(range(40))
    offsets = [await committed(apache_kafka.bootstrap_servers, group, topic, partition) for partition in (0, 1)]
    assert offsets == [20, 20]


async def test_lost_durability_ends_the_subscription_and_commits_nothing(apache_kafka: ApacheKafka) -> None:
    topic = a_topic()
    await apache_kafka.create_topic(topic)
    cluster = cluster_of(apache_kafka, topic)

    async def lose(_taken: Sequence[Taken]) -> None:
        raise DurabilityLost("the disk did not keep what it took")

    await publish(apache_kafka.bootstrap_servers, topic, [{"value": value(1)}])
    with pytest.raises(DurabilityLost):
        async with subscribed(cluster, Flow(trouble=lose)) as running:
            await until(lambda: running.subscription.detail == "stopped")
    assert await committed(apache_kafka.bootstrap_servers, cluster.group_id, topic) is None


async def test_no_timer_that_a_flow_begins_keeps_its_batch(apache_kafka: ApacheKafka) -> None:
    """A timer keeps all context variables of where it was begun, for as long as it runs."""
    topic = a_topic()
    await apache_kafka.create_topic(topic)
    kept: list[object] = []

    async def look(_taken: Sequence[Taken]) -> None:
        kept.extend(copy_context().values())

    await publish(apache_kafka.bootstrap_servers, topic, [{"value": value(1)}])
    async with subscribed(cluster_of(apache_kafka, topic), Flow(trouble=look)) as running:
        await until(lambda: running.flow.taken)
    assert kept == []


async def test_a_batch_holds_at_most_500_records(apache_kafka: ApacheKafka) -> None:
    topic = a_topic()
    await apache_kafka.create_topic(topic)
    await publish(apache_kafka.bootstrap_servers, topic, [{"value": value(n)} for n in range(1700)])
    async with subscribed(cluster_of(apache_kafka, topic)) as running:
        await until(lambda: len(running.flow.taken) == 1700)
    assert max(running.flow.batches) <= 500


async def test_offsets_of_several_batches_are_committed_together(
    apache_kafka: ApacheKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And at once when somebody waits for it, as when we stop."""
    commits: list[int] = []
    really = offsets.commit

    async def counted(consumer: AIOKafkaConsumer, committing: Mapping[TopicPartition, int]) -> str | None:
        commits.extend(committing.values())
        return await really(consumer, committing)

    monkeypatch.setattr(offsets, "commit", counted)
    monkeypatch.setattr(offsets, "GATHER", 600.0)
    topic = a_topic()
    await apache_kafka.create_topic(topic)
    cluster = cluster_of(apache_kafka, topic)
    async with subscribed(cluster) as running:
        for n in range(3):
            await publish(apache_kafka.bootstrap_servers, topic, [{"value": value(n)}])
            await until(lambda: sum(running.flow.batches) > n)  # noqa: B023 -- awaited before the next turn
        assert running.flow.batches == [1, 1, 1]
        assert commits == []
    assert commits == [3]
    assert await committed(apache_kafka.bootstrap_servers, cluster.group_id, topic) == 3


async def test_a_header_reply_to_makes_faststream_publish_nothing(apache_kafka: ApacheKafka) -> None:
    topic, target = a_topic(), a_topic()
    await apache_kafka.create_topic(topic)
    await publish(
        apache_kafka.bootstrap_servers,
        topic,
        [{"value": value(1), "headers": [("reply_to", target.encode())]}, {"value": value(2)}],
    )
    async with subscribed(cluster_of(apache_kafka, topic)) as running:
        await until(lambda: len(running.flow.taken) == 2)
    assert target not in await apache_kafka.topics()


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_each_compression_codec_is_read(apache_kafka: ApacheKafka, codec: str) -> None:
    topic = a_topic()
    await apache_kafka.create_topic(topic)
    await publish(
        apache_kafka.bootstrap_servers, topic, [{"value": value(n)} for n in range(50)], compression_type=codec
    )
    async with subscribed(cluster_of(apache_kafka, topic)) as running:
        await until(lambda: len(running.flow.taken) == 50)
    assert running.flow.orders == [str(n) for n in range(50)]


async def test_a_topic_that_is_not_there_yet_is_waited_for(apache_kafka: ApacheKafka) -> None:
    there, late = a_topic(), a_topic()
    await apache_kafka.create_topic(there)
    await publish(apache_kafka.bootstrap_servers, there, [{"value": value("early")}])
    async with subscribed(cluster_of(apache_kafka, there, late)) as running:
        await until(lambda: running.flow.orders == ["early"])
        assert late not in await apache_kafka.topics()
        await apache_kafka.create_topic(late)
        await publish(apache_kafka.bootstrap_servers, late, [{"value": value("late")}])
        await until(lambda: running.flow.orders == ["early", "late"])


async def test_a_missing_topic_is_reported_and_not_created(apache_kafka: ApacheKafka) -> None:
    topic = a_topic()
    async with subscribed(cluster_of(apache_kafka, topic)) as running:
        await until(lambda: f"waiting for topic {topic}" in running.subscription.detail)
        assert running.lag.answered
        assert topic not in await apache_kafka.topics()


async def test_two_members_share_and_lose_nothing(apache_kafka: ApacheKafka) -> None:
    topic = a_topic()
    await apache_kafka.create_topic(topic, 4)
    cluster = cluster_of(apache_kafka, topic)

    async def slow(_taken: Sequence[Taken]) -> None:
        await asyncio.sleep(0.05)

    first, second = Flow(trouble=slow), Flow(trouble=slow)
    async with subscribed(cluster, first) as one:
        for wave in range(4):
            numbers = range(wave * 100, wave * 100 + 100)
            await publish(
                apache_kafka.bootstrap_servers, topic, [{"value": value(n), "partition": n % 4} for n in numbers]
            )
            if wave == 1:
                async with subscribed(cluster, second) as two:
                    await until(lambda: len(two.lag.feeds) == len(one.lag.feeds) == 2)
                    assert not one.lag.feeds & two.lag.feeds
                    assert not one.lag.buckets & two.lag.buckets
                    assert one.lag.buckets | two.lag.buckets == bucket.ALL
        await until(lambda: set(first.orders) | set(second.orders) == {str(n) for n in range(400)})
        await until(lambda: len(one.lag.feeds) == 4)
        assert one.lag.buckets == bucket.ALL
    offsets = [
        await committed(apache_kafka.bootstrap_servers, cluster.group_id, topic, partition) for partition in range(4)
    ]
    assert offsets == [100] * 4


async def test_lag_follows_a_live_partition(apache_kafka: ApacheKafka) -> None:
    topic = a_topic()
    await apache_kafka.create_topic(topic, 2)
    await publish(apache_kafka.bootstrap_servers, topic, [{"value": value(n), "partition": 0} for n in range(10)])
    gate = asyncio.Event()

    async def held(_taken: Sequence[Taken]) -> None:
        await gate.wait()

    async with subscribed(cluster_of(apache_kafka, topic), Flow(trouble=held)) as running:
        lag = running.lag
        await until(lambda: lag.watermark(f"{topic}/1"))
        now = running.subscription._clock.real()
        assert lag.fresh_feeds(now) == {f"{topic}/1"}
        assert lag.blind(now)
        assert not lag.caught_up(now)
        await until(lambda: lag.lag_records() == 10)
        gate.set()
        await until(lambda: lag.caught_up(running.subscription._clock.real()))
        assert lag.fresh_feeds(running.subscription._clock.real()) == {f"{topic}/0", f"{topic}/1"}
        assert lag.lag_records() == 0
