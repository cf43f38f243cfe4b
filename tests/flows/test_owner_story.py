"""The owner is asked and answers: Apache Kafka, a real mail server and the page, on a clock of an hour a second."""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer

from tests.faults.harness import until
from tests.replay.harness import SHIPPED, Stage, templates
from tests.replay.play import clock_at
from tests.tools.kafka import ApacheKafka
from tests.tools.sink import Sink
from tests.tools.waiting import PATIENCE

SPEED = 3600.0
TOPIC = "owner.story"
CUSTOMER, OWNER = "ana@customers.example", "production@example.com"
LINK = re.compile(r"http://127\.0\.0\.1:\d+/o/[\w=-]+")


def plan(folder: Path) -> Path:
    """The shipped one; the window of `in_production` is ten hours, by day and by night."""
    text = (SHIPPED / "plan.yaml").read_text("utf-8")
    text = re.sub(r"  quiet_hours:.*\n", "", text)
    text = text.replace("    calendar: workshop\n    window: 3bd", "    window: 10h")
    text = re.sub(r"    remind: {after: \[4bd\].*\n", "    remind: {then_every: 10h}\n", text)
    changed = folder / "changed.yaml"
    changed.write_text(text, "utf-8")
    return changed


def texts(sink: Sink, to: str) -> list[str]:
    """The plain texts of the mails to an address, in order."""
    found = []
    for mail in sink.mails():
        if mail.to == to:
            read = email.message_from_bytes(mail.data, policy=email.policy.default)
            body = read.get_body(("plain",))
            assert body is not None
            found.append(" ".join(body.get_content().split()))
    return found


def test_an_owner_who_is_asked_answers_and_the_customer_reads_it(tmp_path: Path, apache_kafka: ApacheKafka) -> None:
    asyncio.run(apache_kafka.create_topic(TOPIC))
    with Sink(tmp_path / "sink") as sink:
        stage = Stage(
            folder=tmp_path,
            servers=apache_kafka.bootstrap_servers,
            topic=TOPIC,
            store_url=f"sqlite:///{tmp_path / 'avisa.db'}",
            templates=templates(tmp_path / "templates", plan(tmp_path)),
            sink=sink,
            clock=clock_at(SPEED),
        )
        stage.avisa("migrate")
        stage.start()
        try:
            assert stage.wait_ready(), stage.log_tail()
            play(stage, sink)
            assert stage.stop() == 0
        finally:
            if not stage.dead:
                stage.kill()


def play(stage: Stage, sink: Sink) -> None:
    asyncio.run(publish(stage, {"reason": "The glaze dries."}))
    until(lambda: len(texts(sink, OWNER)) == 1, "the question")
    assert len(texts(sink, CUSTOMER)) == 1, "the owner is asked first"
    asked = texts(sink, OWNER)[0]
    assert "See on the board where the batch is." in asked
    link = LINK.search(asked)
    assert link is not None

    with httpx.Client(timeout=PATIENCE) as browser:
        for _ in range(3):  # as scanners of mail do
            page = browser.get(link[0])
            assert page.status_code == 200
            browser.head(link[0])
        assert len(texts(sink, CUSTOMER)) == 1
        seen = re.search(r'name="seen" value="([^"]+)"', page.text)
        assert seen is not None
        form = {"reply": "tell", "reason": "The kiln broke & is being mended.", "seen": seen[1]}
        answers = [browser.post(link[0], data=form).text for _ in range(2)]  # a double click
        assert "The customer is told now." in answers[0]
        assert "This was answered" in answers[1]
        until(lambda: len(texts(sink, CUSTOMER)) == 2, "the reason")
        assert "The kiln broke & is being mended." in texts(sink, CUSTOMER)[1]

        until(lambda: len(texts(sink, OWNER)) == 2, "the question of the next window")
        again = LINK.search(texts(sink, OWNER)[1])
        assert again is not None
        assert again[0] != link[0]
        assert "says that somebody looked" in browser.post(again[0], data={"reply": "on_track"}).text
        until(lambda: len(texts(sink, CUSTOMER)) == 3, "the reminder")
        assert "all is on track" in texts(sink, CUSTOMER)[2]
        metrics = browser.get(f"{link[0].partition('/o/')[0]}/metrics").text
        assert 'avisa_questions{state="answered"} 2.0' in metrics

    timeline: dict[str, Any] = stage.avisa("timeline", "A-1042")
    answered = [entry for entry in timeline["entries"] if entry["kind"] == "answer"]
    assert [(entry["reason"], entry["author"]) for entry in answered] == [
        ("facts_changed", OWNER),
        ("on_track", OWNER),
    ]


async def publish(stage: Stage, known: dict[str, Any]) -> None:
    happened = {
        "order_id": "A-1042",
        "status": "in_production",
        "occurred_at": stage.clock.virtual(datetime.now(UTC)).isoformat(),
        "customer": {"name": "Ana Sousa", "email": CUSTOMER, "locale": "en"},
        **known,
    }
    async with AIOKafkaProducer(bootstrap_servers=stage.servers, acks="all") as producer:
        await producer.send_and_wait(TOPIC, json.dumps(happened).encode(), key=b"A-1042")
