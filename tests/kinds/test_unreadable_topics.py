"""When nothing of a topic can be read, `/readyz`, the log and `avisa check --live` say so, and when it is over."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from avisa.core.model import Reason
from avisa.events import read
from avisa.ports import Taken
from tests.cli.test_run import PROJECT, Running, free_port, started, until
from tests.events.records import plain, record
from tests.flows.harness import running
from tests.kafka.harness import a_topic, publish
from tests.tools.kafka import ApacheKafka
from tests.tools.parts import needs
from tests.tools.waiting import PATIENCE

GOOD: dict[str, Any] = plain(customer={"email": "ana@example.com"})
BEGAN, ENDED = "intake.topic_unreadable", "intake.topic_readable"
# What is read, a letter a record: `j` is no JSON, `o` has no order, `g` is an event, `t` a tombstone. The size of a
# batch, and what is told: `o!` begins with no_order_id as the commonest reason, `.` ends.
STORIES = {
    "too few": ("o" * 99, 500, ""),
    "enough": ("o" * 100, 500, "o!"),
    "across batches": ("o" * 100, 7, "o!"),
    "one by one": ("o" * 130, 1, "o!"),
    "long": ("o" * 1_000, 33, "o!"),
    "an event among them": ("o" * 60 + "g" + "o" * 99, 10, ""),
    "tombstones say neither": ("o" * 50 + "t" * 80 + "o" * 50, 10, "o!"),
    "the commonest reason": ("j" * 55 + "o" * 45, 10, "j!"),
    "the commonest of the last hundred": ("j" * 300 + "o" * 51, 100, "j!"),
    "it ends": ("o" * 150 + "g", 10, "o!."),
    "it ends once": ("o" * 150 + "g" * 50, 10, "o!."),
    "it begins again": ("o" * 150 + "g" + "j" * 100, 10, "o!.j!"),
    "it ends with the batch": ("o" * 150 + "g", 500, ""),
    "one in a hundred and one": (("o" * 100 + "g") * 20, 101, ""),
    "to and fro in one batch": ("o" * 100 + ("g" + "o" * 100) * 4, 500, "o!"),
    "well, but for a few": (("g" * 20 + "j") * 30, 10, ""),
}
WRITTEN: dict[str, Any] = {"j": b"{", "o": {"n": 1}, "g": GOOD, "t": None}


def taken(letters: str) -> list[Taken]:
    return [read(record(WRITTEN[letter], offset=offset)) for offset, letter in enumerate(letters)]


def told(logs: Sequence[Any]) -> str:
    signs = {Reason.NO_ORDER_ID: "o!", Reason.NOT_JSON: "j!", None: "."}
    return "".join(signs[line.get("reason")] for line in logs if line["event"] in (BEGAN, ENDED))


@pytest.mark.parametrize(("letters", "size", "says"), STORIES.values(), ids=STORIES.keys())
async def test_it_is_told_once_that_it_begins_and_once_that_it_ends(
    tmp_path: Path, letters: str, size: int, says: str
) -> None:
    async with running(tmp_path / "avisa.db") as flows:
        with capture_logs() as logs:
            items = taken(letters)
            for begin in range(0, len(items), size):
                await flows.intake.take(items[begin : begin + size])
        assert told(logs) == says
        ahead = letters.replace("t", "").rpartition("g")[2][-100:]
        assert bool(flows.intake.unreadable) == (len(ahead) == 100)


@pytest.fixture
def topics() -> tuple[str, str]:
    return a_topic(), a_topic()


@pytest.fixture
@needs("process")
def service(tmp_path: Path, apache_kafka: ApacheKafka, topics: tuple[str, str]) -> Iterator[Running]:
    """A service on two topics of a real broker."""
    for topic in topics:
        asyncio.run(apache_kafka.create_topic(topic, 2))
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AVISA_")} | {
        "PYTHONPATH": str(PROJECT),
        "AVISA_TEMPLATES": str(PROJECT / "templates"),
        "AVISA_HTTP__PORT": free_port(),
        "AVISA_LOG__FORMAT": "json",
        "AVISA_KAFKA__BOOTSTRAP_SERVERS": apache_kafka.bootstrap_servers,
        "AVISA_KAFKA__TOPICS": ",".join(topics),
        "AVISA_KAFKA__GROUP_ID": f"g.{topics[0]}",
    }
    with started(tmp_path, environ) as run:
        yield run


def sent(kafka: ApacheKafka, topic: str, *values: bytes) -> None:
    records = [{"value": value, "partition": number % 2} for number, value in enumerate(values)]
    asyncio.run(publish(kafka.bootstrap_servers, topic, records))


def events_detail(service: Running) -> str:
    answer = httpx.get(f"{service.url}/readyz", timeout=PATIENCE)
    assert answer.status_code == 200  # a restart would not help, nor another replica
    detail: str = answer.json()["checks"]["events"]["detail"]
    return detail


def checked(service: Running, *words: str) -> list[str]:
    done = json.loads(service.avisa("check", "--json", *words).stdout)
    return [problem["message"] for problem in done["problems"] if problem["code"] == "unreadable_topic"]


def lines(service: Running) -> list[tuple[str, str, str | None]]:
    logged = [json.loads(line) for line in service.log.splitlines()]
    return [(it["event"], it["topic"], it.get("reason")) for it in logged if it["event"] in (BEGAN, ENDED)]


def test_a_real_topic_of_foreign_records_is_named_until_one_can_be_read(
    service: Running, apache_kafka: ApacheKafka, topics: tuple[str, str]
) -> None:
    foreign, usual = topics
    confirmed = json.dumps(GOOD).encode()
    sent(apache_kafka, usual, *[confirmed] * 3)
    sent(apache_kafka, foreign, *[b"\0\0\0\0\x11\x02abc"] * 60, *[b'{"schema": {}, "payload": {"id": 1}}'] * 39)
    counts = "counts", "--json"

    def dead() -> int:
        number: int = json.loads(service.avisa(*counts).stdout)["events"]["dead_letters"]
        return number

    until(lambda: dead() == 99, "99 dead letters")
    assert events_detail(service) == "readable"
    assert checked(service, "--live") == []

    sent(apache_kafka, foreign, *[b"<order/>"] * 30)
    text = f"none of the last 100 records of {foreign} could be read, most often not_json"
    until(lambda: events_detail(service) == text, "/readyz to say so")
    until(lambda: dead() == 129, "129 dead letters")
    assert checked(service, "--live") == [f"{text}; `avisa dead-letters` shows them"]
    assert checked(service) == []
    sent(apache_kafka, foreign, *[b"<order/>"] * 250)
    sent(apache_kafka, usual, confirmed)
    until(lambda: dead() == 379, "379 dead letters")
    assert lines(service) == [(BEGAN, foreign, "not_json")]

    sent(apache_kafka, foreign, confirmed)
    until(lambda: events_detail(service) == "readable", "/readyz to say that it is over")
    assert checked(service, "--live") == []
    assert lines(service) == [(BEGAN, foreign, "not_json"), (ENDED, foreign, None)]
