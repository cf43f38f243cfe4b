"""A story: the service as a process with Apache Kafka and a real mail server, on a clock of an hour a second."""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer

from tests.faults.harness import until
from tests.replay.harness import SHIPPED, Stage, templates
from tests.replay.play import clock_at
from tests.tools.chromium import Tab
from tests.tools.kafka import ApacheKafka
from tests.tools.sink import Sink
from tests.tools.waiting import PATIENCE

SPEED = 3600.0
_LINK = re.compile(r"(http://127\.0\.0\.1:\d+)/o/[\w=-]+")


@dataclass(frozen=True, slots=True)
class Mail:
    """As its reader sees it."""

    at: datetime  # virtual
    purpose: str
    subject: str
    text: str  # in one line

    @property
    def link(self) -> str:
        """To the page on which its reader answers."""
        found = _LINK.search(self.text)
        assert found is not None, self.text
        return found[0]


@dataclass(slots=True)
class Story:
    """What happens to orders, and who reads what of it."""

    stage: Stage

    def now(self) -> datetime:
        return self.stage.clock.virtual(datetime.now(UTC))

    def happens(self, order_id: str, status: str, **known: Any) -> None:
        happened = {"order_id": order_id, "status": status, "occurred_at": self.now().isoformat(), **known}
        self.publish(self.stage.topic, order_id, happened)

    def publish(self, topic: str, key: str, record: dict[str, Any]) -> None:
        asyncio.run(self._publish(topic, key.encode(), json.dumps(record).encode()))

    async def _publish(self, topic: str, key: bytes, value: bytes) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self.stage.servers, acks="all") as producer:
            await producer.send_and_wait(topic, value, key=key)

    def mails(self, to: str) -> list[Mail]:
        """The mails to an address, in order."""
        clock = self.stage.clock
        return [_read(mail.data, clock.virtual(mail.at)) for mail in self.stage.sink.mails() if mail.to == to]

    def reads(self, to: str, number: int, what: str) -> Mail:
        """Wait for the mail of that number; it is the last one."""
        until(lambda: len(self.mails(to)) >= number, f"{what} to {to}")
        mails = self.mails(to)
        assert len(mails) == number, mails
        return mails[-1]

    def timeline(self, order_id: str) -> dict[str, Any]:
        known: dict[str, Any] = self.stage.avisa("timeline", order_id)
        return known

    def metric(self, series: str) -> float:
        """What `/metrics` says of it now."""
        with urllib.request.urlopen(f"{self.stage.address}/metrics", timeout=PATIENCE) as answer:
            lines = answer.read().decode().splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(series))


@contextmanager
def staged(folder: Path, kafka: ApacheKafka, topic: str, plan: Callable[[str], str], *others: str) -> Iterator[Story]:
    """The service with the shipped messages; `plan` changes the text of the shipped plan. It reads `topic`, and the
    `others`."""
    for name in (topic, *others):
        asyncio.run(kafka.create_topic(name))
    changed = folder / "plan.yaml"
    changed.write_text(plan((SHIPPED / "plan.yaml").read_text("utf-8")), "utf-8")
    with Sink(folder / "sink") as sink:
        stage = Stage(
            folder=folder,
            servers=kafka.bootstrap_servers,
            topic=topic,
            store_url=f"sqlite:///{folder / 'avisa.db'}",
            templates=templates(folder / "templates", changed),
            sink=sink,
            clock=clock_at(SPEED),
            settings={"AVISA_KAFKA__TOPICS": ",".join((topic, *others))},
        )
        stage.avisa("migrate")
        stage.start()
        try:
            assert stage.wait_ready(), stage.log_tail()
            yield Story(stage)
            assert stage.stop() == 0
        finally:
            if not stage.dead:
                stage.kill()


def double_click(tab: Tab, reply: str) -> None:
    """Answer twice at once. It is open which page of the two the browser shows, so the link is opened once more."""
    tab.click(f"[value={reply}]", times=2)
    tab.until("document.querySelector('[role=status]')")
    tab.open(tab.asked("location.href"))


def _read(data: bytes, at: datetime) -> Mail:
    read = email.message_from_bytes(data, policy=email.policy.default)
    body = read.get_body(("plain",))
    assert body is not None
    purpose = str(read["Feedback-ID"]).partition(":")[0]
    return Mail(at, purpose, str(read["Subject"]), " ".join(body.get_content().split()))
