"""A topic that was there already, through real Kafka: the feed in force is used, and a better one heals the past."""

from __future__ import annotations

import json
from typing import Any

from avisa import events
from avisa.core.model import OrderEvent, Reason
from avisa.core.plan import Events
from avisa.kafka import Cluster
from tests.feeds.plans import DEBEZIUM, mapped, plan
from tests.kafka.harness import Flow, a_topic, publish, subscribed
from tests.tools.kafka import ApacheKafka
from tests.tools.waiting import until


def _sent(*contents: Any) -> list[dict[str, Any]]:
    values = [None if each is None else json.dumps(each).encode() for each in contents]
    return [{"key": b"1", "value": value, "partition": 0} for value in values]


async def test_a_topic_is_read_by_the_feed_in_force_at_the_moment_of_the_batch(apache_kafka: ApacheKafka) -> None:
    topic = a_topic()
    await apache_kafka.create_topic(topic)
    wrong, right = plan(mapped(order_id="number"), topic), plan(mapped(order_id="{from: id, as: text}"), topic)
    in_force = [wrong.events]
    cluster = Cluster(bootstrap_servers=apache_kafka.bootstrap_servers, topics=(topic,), group_id=f"g.{topic}")
    flow = Flow()
    async with subscribed(cluster, flow, rules=lambda: in_force[0]):
        await publish(apache_kafka.bootstrap_servers, topic, _sent({"id": 820982911946154508, "state": "paid"}))
        await until(lambda: len(flow.taken) == 1)
        in_force[0] = right.events
        await publish(apache_kafka.bootstrap_servers, topic, _sent({"id": 820982911946154509, "state": "paid"}))
        await until(lambda: len(flow.taken) == 2)
    (dead,) = flow.dead
    assert (dead.reason, flow.orders) == (Reason.NO_ORDER_ID, ["820982911946154509"])
    healed = events.read(dead.record, rules=right.events)  # as `avisa dead-letters replay` does
    assert isinstance(healed, OrderEvent)
    assert (healed.order_id, healed.position) == ("820982911946154508", dead.record.position)


async def test_changes_of_a_table_are_events_skipped_or_set_aside_each_once(apache_kafka: ApacheKafka) -> None:
    topic = a_topic()
    await apache_kafka.create_topic(topic)
    row, new = {"id": 1, "status": "NEW"}, {"id": 1, "status": "SHIPPED"}
    changes = [
        {"op": "r", "before": None, "after": row},
        {"op": "u", "before": row, "after": row},
        {"schema": {}, "payload": {"op": "u", "before": row, "after": new}},
        {"op": "d", "before": new, "after": None},
        None,  # the tombstone after it
        {"op": "?"},
    ]
    rules: Events = plan(DEBEZIUM, topic).events
    cluster = Cluster(bootstrap_servers=apache_kafka.bootstrap_servers, topics=(topic,), group_id=f"g.{topic}")
    flow = Flow()
    async with subscribed(cluster, flow, rules=lambda: rules):
        await publish(apache_kafka.bootstrap_servers, topic, _sent(*changes))
        await until(lambda: len(flow.taken) == len(changes))
    assert [(event.status, event.notify) for event in flow.events] == [("NEW", False), ("SHIPPED", True)]
    assert [item.reason for item in flow.skipped] == [Reason.UNCHANGED, Reason.DELETED, Reason.TOMBSTONE]
    assert [item.reason for item in flow.dead] == [Reason.WRONG_TYPE]
