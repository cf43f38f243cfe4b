"""Records of a schema registry through real Kafka: they wait for it, and nobody waits for them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiokafka import TopicPartition

from avisa.core.model import Reason
from avisa.kafka import Cluster, subscription
from avisa.kafka.consumer import Consumer
from avisa.registry import Endpoint, Registry, registry
from tests.avro.test_avro import written
from tests.feeds.plans import mapped, plan
from tests.feeds.test_registry import CONTENT, FEED, ORDER, wire
from tests.kafka.harness import Flow, a_topic, committed, publish, subscribed, value
from tests.registry.harness import SmallRegistry, small_registry
from tests.tools.kafka import ApacheKafka
from tests.tools.waiting import until


@pytest.fixture
async def small() -> AsyncIterator[SmallRegistry]:
    async with small_registry() as it:
        yield it


def order(number: int) -> bytes:
    return wire(7, written(ORDER, CONTENT | {"number": number}))


async def test_a_partition_waits_for_its_schema_and_the_others_are_read_on(
    apache_kafka: ApacheKafka, small: SmallRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "LONGEST_BACK_OFF", 1.0)
    monkeypatch.setattr(subscription, "STUCK_AFTER", 1.0)
    servers, topic, native = apache_kafka.bootstrap_servers, a_topic(), a_topic()
    await apache_kafka.create_topic(topic, 2)
    await apache_kafka.create_topic(native)
    cluster = Cluster(bootstrap_servers=servers, topics=(topic, native), group_id=f"g.{topic}")
    asking, rules, flow = Registry(Endpoint(url=small.url)), plan(FEED, topic).events, Flow()
    small.has(8, {"type": "object"}, schemaType="JSON")
    await small.stop()
    await asking.find([8])  # nobody listens
    await small.start()
    await until(lambda: _known(asking, 8))
    await small.stop()
    known = wire(8, json.dumps({"number": 1, "state": "NEW", "changed": "2026-03-02T10:15:00Z"}).encode())
    async with subscribed(
        cluster, flow, rules=lambda: rules, schemas=asking.find, blind_after=timedelta(seconds=2)
    ) as running:
        await publish(
            servers,
            topic,
            [
                {"value": known, "partition": 0},
                {"value": order(2), "partition": 0},
                {"value": known, "partition": 0},
                {"value": known, "partition": 1},
            ],
        )
        await until(lambda: flow.orders == ["1", "1"])
        for n in range(30):  # one batch after another
            await publish(servers, native, [{"value": value(f"N-{n}")}])
            await until(lambda n=n: len(flow.orders) == 3 + n)
        await until(lambda: "wait for their schemas" in running.subscription.detail)
        await until(lambda: running.lag.blind(running.clock.real()))
        assert f"{topic}/0" in running.subscription.detail
        assert running.lag.lag_records() == 2
        assert asking.trouble == "nobody listens there"
        reader = running.subscription._reader
        assert await committed(servers, cluster.group_id, topic, 0) == 1  # and not one more
        small.has(7, ORDER)
        await small.start()
        await until(lambda: flow.orders[32:] == ["2", "1"])
        await until(lambda: not running.lag.blind(running.clock.real()))
        await until(lambda: "wait" not in running.subscription.detail)
        assert running.subscription._reader is reader, "the consumer was never replaced"
    assert flow.dead == []
    assert len(flow.taken) == 34, "nothing was taken twice"
    assert await committed(servers, cluster.group_id, topic, 0) == 3


async def _known(asking: Registry, id_: int) -> bool:
    return id_ in (await asking.find([id_])).found


async def test_an_id_that_the_registry_has_not_is_a_dead_letter(
    apache_kafka: ApacheKafka, small: SmallRegistry
) -> None:
    servers, topic = apache_kafka.bootstrap_servers, a_topic()
    await apache_kafka.create_topic(topic)
    small.has(7, ORDER)
    asking, rules, flow = Registry(Endpoint(url=small.url)), plan(FEED, topic).events, Flow()
    cluster = Cluster(bootstrap_servers=servers, topics=(topic,), group_id=f"g.{topic}")
    async with subscribed(cluster, flow, rules=lambda: rules, schemas=asking.find):
        values = [order(1), wire(404, b""), b"{}", None, order(2)]
        await publish(servers, topic, [{"key": b"1", "value": each} for each in values])
        await until(lambda: len(flow.taken) == 5)
    assert flow.orders == ["1", "2"]
    assert [item.reason for item in flow.dead] == [Reason.NO_SCHEMA, Reason.WRONG_TYPE]


async def test_without_a_registry_the_records_wait_until_the_plan_is_another(apache_kafka: ApacheKafka) -> None:
    servers, topic = apache_kafka.bootstrap_servers, a_topic()
    await apache_kafka.create_topic(topic)
    flow = Flow()
    cluster = Cluster(bootstrap_servers=servers, topics=(topic,), group_id=f"g.{topic}")
    rules = plan("envelope: registry\n" + mapped(), topic).events
    async with subscribed(cluster, flow, rules=lambda: rules) as running:
        await publish(servers, topic, [{"value": order(1)}])
        await until(lambda: "wait for their schemas" in running.subscription.detail)
    assert flow.taken == []
    assert await committed(servers, cluster.group_id, topic) in (0, None)


async def test_of_a_partition_that_was_taken_away_nothing_is_committed_that_waited() -> None:
    taken_away = TopicPartition("orders", 0)
    consumer = Consumer(bootstrap_servers="127.0.0.1:1")
    consumer.read_to = {taken_away: 9}  # it was ours when the batch was read
    consumer.hold(taken_away, 5, 1.0)
    assert (consumer.read_to, consumer.held) == ({taken_away: 5}, {})
    await consumer.stop()
