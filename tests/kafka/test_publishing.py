"""Lines out of a file into a topic, through the real broker and the embedded one."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from avisa.embedded.broker import ADDRESSES, EmbeddedBroker, remove_addresses, running_cluster, write_addresses
from avisa.kafka import Cluster, UnreachableError, asyncapi, publish
from avisa.ports import Taken
from tests.kafka.harness import Flow, a_topic, subscribed, value
from tests.tools.kafka import ApacheKafka
from tests.tools.parts import needs
from tests.tools.waiting import until

TOPICS = ("orders.status",)


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker(TOPICS, beside=tmp_path)
    broker.start()
    yield broker
    broker.stop()


async def test_published_events_of_one_order_stay_in_order(apache_kafka: ApacheKafka) -> None:
    topic = a_topic()
    await apache_kafka.create_topic(topic, 5)
    cluster = Cluster(bootstrap_servers=apache_kafka.bootstrap_servers, topics=(topic,), group_id=topic)
    lines = [json.dumps({"order_id": n % 40, "status": str(n // 40)}).encode() + b"\r\n" for n in range(40 * 60)]
    lines[7:7] = [b"\n", b"  \n", b"not json\n"]
    assert await publish(cluster, lines) == 40 * 60 + 1
    async with subscribed(cluster) as running:
        await until(lambda: len(running.flow.taken) == 40 * 60 + 1)
    by_order: dict[str, list[int]] = {}
    for event in running.flow.events:
        by_order.setdefault(event.order_id, []).append(int(event.status))
    assert by_order == {str(order): list(range(60)) for order in range(40)}
    assert len(running.flow.dead) == 1
    assert len({event.position.partition for event in running.flow.events}) > 1


async def test_publishing_without_a_broker_fails_with_the_cause() -> None:
    with pytest.raises(UnreachableError, match="nobody listens there"):
        await publish(Cluster(bootstrap_servers="127.0.0.1:1"), [value(1)])


@needs("process")
async def test_the_embedded_broker_is_found_by_a_second_process(embedded: EmbeddedBroker, tmp_path: Path) -> None:
    script = (
        "import asyncio, sys; from pathlib import Path;"
        "from avisa.embedded.broker import running_cluster; from avisa.kafka import publish;"
        f"cluster = running_cluster(Path(sys.argv[1]), {TOPICS}, 'avisa');"
        "print(asyncio.run(publish(cluster, sys.stdin.buffer, wait_for_reader=True)))"
    )
    async with subscribed(embedded.cluster("avisa")) as running:
        await until(lambda: running.lag.caught_up(running.subscription._clock.real()))
        published = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", script, str(tmp_path)],
            input=b"\n".join(value(n) for n in range(50)),
            capture_output=True,
            check=True,
        )
        assert published.stdout.split() == [b"50"]
        await until(lambda: len(running.flow.taken) == 50)
    assert set(running.flow.orders) == {str(n) for n in range(50)}


@needs("process")
async def test_publishing_to_the_embedded_broker_waits_for_the_reader(embedded: EmbeddedBroker) -> None:
    """More than it can keep: nothing is lost, because publishing holds back."""
    cluster = embedded.cluster("avisa")
    lines = [json.dumps({"order_id": "one", "status": str(n), "reason": "x" * 40_000}).encode() for n in range(300)]

    async def slow(_taken: Sequence[Taken]) -> None:
        await asyncio.sleep(0.01)

    async with subscribed(cluster, Flow(trouble=slow)) as running:
        await until(lambda: running.lag.caught_up(running.subscription._clock.real()))
        assert await publish(cluster, lines, wait_for_reader=True) == 300
        await until(lambda: len(running.flow.taken) >= 300)
    assert [event.status for event in running.flow.events] == [str(n) for n in range(300)]


def test_addresses_are_believed_only_of_a_process_that_runs(tmp_path: Path) -> None:
    assert running_cluster(tmp_path, TOPICS, "avisa") is None
    write_addresses(tmp_path, {"kafka": "127.0.0.1:5"})
    write_addresses(tmp_path, {"http": "127.0.0.1:6"})
    found = running_cluster(tmp_path, TOPICS, "avisa")
    assert found is not None
    assert found.bootstrap_servers == "127.0.0.1:5"
    assert (tmp_path / ADDRESSES).stat().st_mode & 0o777 == 0o600
    remove_addresses(tmp_path)
    assert not (tmp_path / ADDRESSES).exists()

    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for left in (json.dumps({"kafka": "127.0.0.1:5", "pid": gone.pid}), "{", "[]", json.dumps({"kafka": "x"})):
        (tmp_path / ADDRESSES).write_text(left)
        assert running_cluster(tmp_path, TOPICS, "avisa") is None
    (tmp_path / ADDRESSES).write_text(json.dumps({"pid": os.getpid()}))
    assert running_cluster(tmp_path, TOPICS, "avisa") is None


def test_the_asyncapi_document_shows_topics_and_fields() -> None:
    document = asyncapi(Cluster(bootstrap_servers="kafka:9092", topics=("a", "b")), version="1.2.3")
    assert document["info"]["version"] == "1.2.3"
    assert {channel["address"] for channel in document["channels"].values()} == {"a", "b"}
    assert {"order_id", "status", "customer"} <= document["components"]["schemas"]["PlainData"]["properties"].keys()
