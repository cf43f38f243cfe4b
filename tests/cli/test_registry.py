"""A service on a topic that needs a schema registry: from Avro to mails, with the registry away at first."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.avro.test_avro import written
from tests.cli.test_run import PROJECT, Running, free_port, started
from tests.feeds.test_registry import CONTENT, FEED, ORDER, wire
from tests.kafka.harness import a_topic, publish
from tests.registry.harness import SmallRegistry
from tests.tools.kafka import ApacheKafka
from tests.tools.parts import needs
from tests.tools.waiting import PATIENCE, until

AT = datetime(2026, 3, 2, 9, 59, tzinfo=UTC)


def templates(folder: Path, topic: str) -> Path:
    """The shipped ones, whose plan has a feed for the topic."""
    shutil.copytree(PROJECT / "templates", folder)
    feed = "".join(f"    {line}\n" for line in FEED.splitlines())
    with (folder / "plan.yaml").open("a", encoding="utf-8") as plan:
        plan.write(f"\nfeeds:\n  {topic}:\n{feed}")
    return folder


def order(number: int, **more: Any) -> bytes:
    content = CONTENT | {"number": number, "changed": AT, "eta": None} | more
    return wire(7, written(ORDER, content))


async def avisa(run: Running, *words: str) -> Any:
    done = await asyncio.to_thread(run.avisa, *words, "--json")
    return json.loads(done.stdout)


async def checks(run: Running) -> Any:
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        return (await client.get(f"{run.url}/readyz")).json()["checks"]


@needs("process")
async def test_orders_in_avro_become_mails_once_the_registry_is_there(
    tmp_path: Path, apache_kafka: ApacheKafka
) -> None:
    topic, native = a_topic(), a_topic()
    await apache_kafka.create_topic(topic)
    await apache_kafka.create_topic(native)
    small = SmallRegistry()
    await small.start()  # to have a port
    await small.stop()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AVISA_")} | {
        "PYTHONPATH": str(PROJECT),
        "AVISA_TEMPLATES": str(templates(tmp_path / "templates", topic)),
        "AVISA_HTTP__PORT": free_port(),
        "AVISA_INBOX__DIR": str(tmp_path / "mails"),
        "AVISA_KAFKA__BOOTSTRAP_SERVERS": apache_kafka.bootstrap_servers,
        "AVISA_KAFKA__TOPICS": f"{topic},{native}",
        "AVISA_KAFKA__GROUP_ID": f"g.{topic}",
        "AVISA_CLOCK__START": "2026-03-02T10:00:00Z",  # out of the quiet hours
        "AVISA_REGISTRY__URL": small.url,
    }

    def mails() -> int:
        return len(list((tmp_path / "mails").glob("*.eml")))

    with started(tmp_path, environ) as run:
        try:
            servers = apache_kafka.bootstrap_servers
            await until(lambda: _is_reading(run, 2))
            as_json = {"number": 3, "state": "SENT", "email": "rui@example.pt", "changed": AT.isoformat()}
            values = [order(1), order(2), wire(404, b""), wire(8, json.dumps(as_json).encode())]
            await publish(servers, topic, [{"value": each} for each in values])
            await publish(
                servers, native, [{"value": b'{"order_id": "N-1", "status": "confirmed", "notify": false}'}]
            )
            await until(lambda: _order_is_known(run, "N-1"))
            await until(lambda: _detail(run, "registry", "nobody listens there; its records wait"))
            await until(lambda: _detail(run, "kafka", "wait for their schemas"))
            assert (await avisa(run, "counts"))["events"]["read"] == 1
            assert await avisa(run, "dead-letters") == []
            assert mails() == 0

            small.has(7, ORDER)
            small.has(8, {"type": "object"}, schemaType="JSON")
            await small.start()
            await until(lambda: mails() == 3)
            assert (await checks(run))["registry"] == {"ok": True, "detail": "answers", "required": False}
            (dead,) = await avisa(run, "dead-letters")
            assert dead["reason"] == "no_schema"

            (tmp_path / "event.avro").write_bytes(order(9))
            assert (await avisa(run, "explain", "event.avro"))["order_id"] == "9"

            small.documents["/schemas/ids/404"] = small.documents["/schemas/ids/7"]
            assert await avisa(run, "dead-letters", "replay", "--all") == {"replayed": 0, "failed": 1}  # it is empty
            await small.stop()
            failed = await asyncio.to_thread(run.avisa, "dead-letters", "replay", "--all")
            assert failed.returncode == 1
            assert "the schema registry: nobody listens there" in failed.stderr
        finally:
            await small.stop()


async def _is_reading(run: Running, partitions: int) -> bool:
    return f"reading {partitions}" in (await checks(run))["kafka"]["detail"]


async def _detail(run: Running, check: str, words: str) -> bool:
    return words in (await checks(run))[check]["detail"]


async def _order_is_known(run: Running, order_id: str) -> bool:
    return (await asyncio.to_thread(run.avisa, "timeline", order_id, "--json")).returncode == 0
