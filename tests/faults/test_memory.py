"""The image, as docker-compose.yml runs it, in its 256 MiB beside real parts, while somebody tries to fill them.

Promise 12: it is not killed, the mail behind the attack arrives, and
the counts add up. The peak of each attack is printed, and is among the last lines of CI.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from confluent_kafka import Producer

from tests.faults.harness import PARTITIONS, Scene, event, until
from tests.replay.harness import Stage, templates
from tests.replay.play import clock_at
from tests.tools import engine
from tests.tools.kafka import ApacheKafka
from tests.tools.parts import needs
from tests.tools.postgres import Postgres
from tests.tools.sink import Sink

pytestmark = pytest.mark.long

KIB, MIB = 1 << 10, 1 << 20
INFLATED = {"zstd": 256, "gzip": 256, "lz4": 200, "snappy": 20}  # MiB that a broker takes as one batch of 1 MiB
MIDDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
_topics = count()


@pytest.fixture(scope="module")
@needs("engine")
def image() -> None:
    engine.build()


@dataclass(kw_only=True)
class Confined(Scene):
    """Avisa in its container."""

    container: str
    published: int = 0

    def publish(self, partition: int, values: Sequence[bytes], **options: object) -> None:
        """Send the values, in batches as large as `batch_size` says before they are compressed."""
        producer = Producer(
            {
                "bootstrap.servers": self.first.servers,
                "linger.ms": 100,
                "message.max.bytes": 1_000_000_000,
                **{name.replace("_", "."): value for name, value in options.items()},
            }
        )
        refused: list[object] = []
        for value in values:
            producer.produce(
                self.first.topic,
                value,
                partition=partition,
                on_delivery=lambda error, _: refused.append(error) if error else None,
            )
            producer.poll(0)
        assert producer.flush(60) == 0
        assert not refused, refused[0]
        self.published += len(values)

    def event(self, order_id: str, sequence: int = 0, **more: object) -> bytes:
        return json.dumps(event(self, order_id, "confirmed", sequence, **more)).encode()

    def mails(self) -> Counter[str]:
        return Counter(mail.to for mail in self.sink.mails())

    def lives(self) -> bool:
        """True; raises if it was killed or restarted, or says of itself that it should be."""
        engine.state(self.container)
        return self.first.health("/livez")["code"] == 200


@contextmanager
def confined(folder: Path, kafka: ApacheKafka, store: str) -> Iterator[Confined]:
    topic = f"memory.{next(_topics)}"
    for name in (topic, f"{topic}.dlq"):
        asyncio.run(kafka.create_topic(name, PARTITIONS))
    with Sink(folder / "sink") as sink:
        stage = Stage(
            folder=folder,
            servers=kafka.bootstrap_servers,
            topic=topic,
            store_url=store,
            templates=templates(folder / "templates"),
            sink=sink,
            clock=clock_at(1.0, MIDDAY),
            settings={"AVISA_HTTP__HOST": "127.0.0.1", "AVISA_HTTP__ADMIN_HOST": "127.0.0.1"},
        )
        stage.avisa("migrate")
        given = [f"--env={name}={value}" for name, value in stage.environment.items() if name.startswith("AVISA_")]
        mounted = f"--volume={stage.templates}:{stage.templates}:ro"
        with engine.container("--network=host", mounted, *given) as name:
            until(stage.ready, "the start")
            yield Confined(replicas=[stage], sink=sink, seed=0, container=name)
            engine.stops_with_zero(name)


def batches_that_inflate(played: Confined) -> None:
    """As a broker takes them, compressed: one value of up to 256 MiB, many of 1 MiB, and very many that are small."""
    for place, (codec, size) in enumerate(INFLATED.items()):
        played.publish(place % PARTITIONS, [b" " * (size * MIB)], compression_type=codec)
        large = [b" " * (MIB - 100)] * size
        played.publish((place + 1) % PARTITIONS, large, compression_type=codec, batch_size=2_000_000_000)
    for partition in range(1, PARTITIONS):
        played.publish(partition, [b" " * 16_000] * 2_000, compression_type="zstd", batch_size=2_000_000_000)


def mail_bombs(played: Confined) -> None:
    """300 orders of one address, and 60 reasons of one order: 12 and 6 mails within the hour, and the rest waits."""
    one = {"name": "Ana", "email": "one@customers.example", "time_zone": "Europe/Lisbon"}
    played.publish(0, [played.event(f"A-{number}", customer=one) for number in range(300)])
    for number in range(60):
        played.publish(1, [played.event("B-1", number, reason=f"Reason {number}.")], linger_ms=0)
        time.sleep(0.1)

    def told() -> bool:
        mails = played.mails()
        return (mails["one@customers.example"], mails["b-1@customers.example"]) == (12, 6)

    until(lambda: played.lives() and played.first.avisa("counts")["events"]["read"] == 360 and told(), "the budget")
    held = played.first.avisa("outbox", "--state", "held")
    waiting = Counter(row["order_id"] for row in held if row["recipient"] == "customer")
    assert waiting["B-1"] == 1  # the other reasons are folded into it
    assert sum(waiting.values()) - 1 == 300 - 12


def a_large_folder(played: Confined) -> None:
    """1,900 messages of 6 KiB are refused, and what is in force stays; the largest folder that is taken is taken."""

    def in_force() -> bool:
        return bool(played.first.health()["checks"]["catalog"]["ok"])

    messages = played.first.templates / "messages"
    head = "---\nsubject: s\nshort: s\n---\n"
    for number in range(1_900):
        (messages / f"m{number}").mkdir()
        (messages / f"m{number}" / "en.md").write_text(f"{head}{number} ".ljust(6 * KIB, "x"))
    until(lambda: played.lives() and not in_force(), "the refusal")
    for number in range(300, 1_900):
        shutil.rmtree(messages / f"m{number}")
    until(lambda: played.lives() and in_force(), "the smaller folder")
    assert len(played.first.avisa("templates")) == 2


def unreadable_records(played: Confined) -> None:
    for partition in range(PARTITIONS):
        played.publish(partition, [b"{none %d" % number for number in range(10_000)])
        played.publish(partition, [os.urandom(1_000) * 1_000 for _ in range(60)])


ATTACKS: dict[str, tuple[Callable[[Confined], None], int]] = {  # with how many dead letters
    "batches that inflate": (batches_that_inflate, sum(1 + size for size in INFLATED.values()) + 2 * 2_000),
    "mail bombs": (mail_bombs, 0),
    "a large folder": (a_large_folder, 0),
    "unreadable records": (unreadable_records, 3 * 10_060),
}


@pytest.mark.usefixtures("image")
@pytest.mark.parametrize("attack", ATTACKS)
def test_the_image_needs_no_more_than_its_memory(
    attack: str, tmp_path: Path, apache_kafka: ApacheKafka, postgres: Postgres, capsys: pytest.CaptureFixture[str]
) -> None:
    act, dead = ATTACKS[attack]
    with confined(tmp_path, apache_kafka, postgres.database()) as played:
        act(played)
        good = {f"good-{partition}@customers.example" for partition in range(PARTITIONS)}
        for partition in range(PARTITIONS):
            played.publish(partition, [played.event(f"GOOD-{partition}")])
        until(lambda: played.lives() and good <= set(played.mails()), "the good mail behind it", within=300)

        counts = played.first.avisa("counts")
        events, notifications = counts["events"], counts["notifications"]
        assert events["read"] == sum(events["by_reason"].values()) + events["dead_letters"] == played.published
        assert events["dead_letters"] == dead
        assert notifications["decided"] == sum(notifications["by_state"].values())
        letters = played.first.avisa("dead-letters", "list")
        assert len({(letter["topic"], letter["partition"], letter["offset"]) for letter in letters}) == dead
        assert played.first.health()["status"] == "ok"

        peak = engine.peak(played.container)
        with capsys.disabled():
            print(f"\nPeak of {attack}: {peak / MIB:.0f} of {engine.MEMORY / MIB:.0f} MiB")
        assert peak < engine.MEMORY
