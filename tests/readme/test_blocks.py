"""What the README and docs/ say to type is typed, and does what they say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from asyncio import create_subprocess_exec
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer

from avisa import events
from avisa.core.model import OrderEvent
from tests.events.records import record
from tests.feeds import shipped
from tests.readme import documents
from tests.tools.kafka import ApacheKafka
from tests.tools.waiting import PATIENCE


def typed(block: str, folder: Path, environ: dict[str, str]) -> str:
    """Run a block in a shell, which stops at the first command that fails; return what it printed."""
    done = subprocess.run(
        ["sh", "-eu"], input=block, cwd=folder, env=environ, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.usefixtures("running")
def test_the_block_for_a_second_shell_publishes_an_event_and_shows_it(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    (block,) = [block for block in documents.blocks("tried") if "publish" in block]
    printed = typed(block.replace("sleep 2", "sleep 5"), tmp_path, environ)
    assert "1 published." in printed
    assert "Order A-1042  confirmed" in printed
    assert "1 records read" in printed


@pytest.fixture
def with_key(tmp_path: Path, environ: dict[str, str]) -> None:
    """The key that the README says to make, in the settings of the service to come."""
    make, start = documents.blocks("tried: key")[0].splitlines()
    typed(make, tmp_path, environ)
    assert (tmp_path / "api-key").stat().st_mode & 0o777 == 0o600
    setting, command = start.split(" ", 1)
    assert command == "avisa run"
    environ |= [setting.split("=")]


@pytest.mark.usefixtures("with_key", "running")
def test_the_block_of_http_publishes_an_event(tmp_path: Path, environ: dict[str, str]) -> None:
    (block,) = documents.blocks("tried: http")
    block = block.replace(":8080/", f":{environ['AVISA_HTTP__PORT']}/")
    (place,) = json.loads(typed(block, tmp_path, environ))["accepted"]
    assert (place["topic"], place["offset"]) == ("orders.status", 0)
    end = time.monotonic() + PATIENCE
    while "Order A-1044  confirmed" not in (printed := typed("avisa timeline A-1044 || :", tmp_path, environ)):
        assert time.monotonic() < end, printed
        time.sleep(0.5)


def test_the_block_of_the_first_template_checks_and_previews_it(tmp_path: Path, environ: dict[str, str]) -> None:
    (block,) = [block for block in documents.blocks("tried") if "avisa init" in block]
    assert "All is well." in typed(block, tmp_path, environ)
    assert "has left the building" in (tmp_path / "preview" / "mail.html").read_text()


def test_the_blocks_of_back_up_and_restore_bring_the_store_back(tmp_path: Path, environ: dict[str, str]) -> None:
    typed("avisa migrate", tmp_path, environ)
    for mark in ("tried: backup", "tried: restore"):
        typed(documents.blocks(mark)[0], tmp_path, environ)
    assert (tmp_path / "aside" / "avisa.db").exists()
    assert "0 records read" in typed("avisa counts", tmp_path, environ)


@pytest.mark.parametrize("name", shipped.NAMES)
def test_the_block_of_a_shipped_mapping_shows_its_events(name: str, tmp_path: Path, environ: dict[str, str]) -> None:
    (block,) = [block for block in documents.blocks("tried: feed") if f"feeds/{name}.yaml" in block]
    printed = typed(block, tmp_path, environ)
    assert re.search(r"records: [3-5] events, \d skipped, 0 dead letters", printed)
    assert "error" not in printed


def test_the_line_for_kcat_can_be_read_as_an_event() -> None:
    (block,) = documents.blocks("event")
    line = re.search(r"echo '([^']+)'", block)
    assert line is not None
    event = _read(line[1].encode())
    assert event.order_id == "A-1042"
    assert f"-k {event.order_id}" in block


async def test_the_program_publishes_an_event_that_can_be_read(apache_kafka: ApacheKafka, tmp_path: Path) -> None:
    await apache_kafka.create_topic("orders.status")
    (program,) = documents.blocks("program")
    (tmp_path / "first_event.py").write_text(program)
    servers = {**os.environ, "KAFKA": apache_kafka.bootstrap_servers}
    program_running = await create_subprocess_exec(sys.executable, "first_event.py", cwd=tmp_path, env=servers)
    assert await program_running.wait() == 0
    consumer = AIOKafkaConsumer(
        "orders.status", bootstrap_servers=apache_kafka.bootstrap_servers, auto_offset_reset="earliest"
    )
    async with consumer:
        published = await consumer.getone()
    assert published.value is not None
    event = _read(published.value)
    assert published.key == event.order_id.encode() == b"A-1043"
    await apache_kafka.delete_topic("orders.status")


def _read(value: bytes) -> OrderEvent:
    read = events.read(record(value))
    assert isinstance(read, OrderEvent), read
    return read
