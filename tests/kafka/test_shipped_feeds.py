"""Each shipped mapping from raw records in real Kafka to the mails that a relay takes."""

from __future__ import annotations

import asyncio
import email
import email.policy
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from avisa import events
from avisa.core.model import OrderEvent, State
from avisa.kafka import Cluster, LagTracker, Subscription
from avisa.smtp.channel import EmailChannel
from avisa.smtp.relay import Relay
from avisa.templates import template_folder
from tests.fakes import HandClock
from tests.feeds import shipped
from tests.feeds.plans import record
from tests.flows.harness import Flows, running
from tests.kafka.harness import publish
from tests.templates.harness import SHIPPED
from tests.tools.kafka import ApacheKafka
from tests.tools.sink import Sink
from tests.tools.waiting import until

CONFIRMED, SENT = "We have your order {}", "Your order {} is on its way"
OUT, DELIVERED = "Your order {} is out for delivery", "Your order {} has been delivered"
MAILS = {  # the order's number, and the subjects
    "aftership": ("1042", [SENT, OUT, DELIVERED]),
    "debezium": ("1042", [CONFIRMED, SENT, DELIVERED]),
    "medusa": ("1042", [CONFIRMED, SENT, DELIVERED]),
    "shopify": ("#1042", [CONFIRMED, SENT, OUT, DELIVERED]),
    "woocommerce": ("4711", [CONFIRMED, SENT]),
}
MOMENT = timedelta(minutes=1)


@asynccontextmanager
async def service(kafka: ApacheKafka, name: str, sink: Sink, folder: Path) -> AsyncIterator[Flows]:
    """The flows with the shipped folder and the mapping, from a topic of real Kafka to the sink."""
    topic, clock = shipped.topic(name), HandClock()
    await kafka.create_topic(topic)
    relay = Relay(host="127.0.0.1", port=sink.port, tls="none", username=None, password=None)
    channel = EmailChannel(relay, jitter=random.random)
    await channel.start()
    texts, _ = template_folder.read(SHIPPED)
    async with running(folder / "avisa.db", clock=clock, channel=channel) as flows, flows.sending():
        await flows.push({**texts, "plan.yaml": shipped.plan_text(name)})
        subscription = Subscription(
            Cluster(bootstrap_servers=kafka.bootstrap_servers, topics=(topic,), group_id=topic),
            take=flows.intake.take,
            rules=lambda: flows.catalogs.in_force.plan.events,
            lag=LagTracker(since=clock.real(), blind_after=lambda: timedelta(minutes=5)),
            clock=clock,
        )
        reading = asyncio.create_task(subscription.run())
        try:
            await until(lambda: channel.open)
            yield flows
        finally:
            await subscription.stop()
            await reading
            await channel.stop(1.0)
            await kafka.delete_topic(topic)


async def all_is_told(flows: Flows, read: int) -> bool:
    """Whether so many records were taken in, and nothing waits to be sent."""
    counts = await flows.store.queries.counts()
    assert counts.dead_letters == 0
    return counts.read == read and counts.decided == counts.by_state.get(State.SENT, 0)


@pytest.mark.parametrize("name", MAILS)
async def test_raw_records_of_a_topic_become_mails(name: str, apache_kafka: ApacheKafka, tmp_path: Path) -> None:
    """Each record is written when what it says occurred."""
    number, subjects = MAILS[name]
    rules, topic = shipped.plan(name).events, shipped.topic(name)
    with Sink(tmp_path / "sink") as sink:
        async with service(apache_kafka, name, sink, tmp_path) as flows:
            for read, value in enumerate(shipped.samples(name), start=1):
                found = events.read(record(value, topic), rules=rules)
                if isinstance(found, OrderEvent):
                    await flows.pass_time(found.occurred_at - flows.clock.real() + MOMENT)
                await publish(apache_kafka.bootstrap_servers, topic, [{"key": b"1042", "value": value}])
                await until(lambda read=read: all_is_told(flows, read))
        mails = [email.message_from_bytes(each.data, policy=email.policy.default) for each in sink.mails()]
        assert {each.to for each in sink.mails()} == {"emma@example.com"}
    assert [str(mail["subject"]) for mail in mails] == [subject.format(number) for subject in subjects]
