"""Log lines hold nothing personal or secret, and nobody waits for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from avisa.core.characters import printable
from avisa.telemetry.logs import MAX_LINE, MAX_UNWRITTEN, LineWriter
from tests.tools.waiting import PATIENCE

CANARIES = ("ana.canary@example.pt", "hunter2-canary", "Ana Canária")
PROJECT = Path(__file__).parents[2]

PROGRAM = """
import logging
from datetime import datetime
import structlog
from avisa import telemetry

NOW = datetime.fromisoformat("2026-03-02T10:15:00+00:00")
telemetry.configure({format!r}, "info")
log = structlog.get_logger()
log.info("decided", order="A-1", reason="entered", to="ana.canary@example.pt")
log.info("odd", order="A\\x1b[31m\\r\\n\\u2028\\u202eB\\ud800")
log.debug("too_quiet")
try:
    try:
        raise KeyError("ana.canary@example.pt hunter2-canary")
    except KeyError as inner:
        raise ValueError("Ana Canária hunter2-canary") from inner
except ValueError:
    log.exception("failed", order="A-2")
    logging.getLogger("some.library").exception("it failed for <ana.canary@example.pt>")
logging.getLogger("mail.log").warning("RCPT TO:<ana.canary@example.pt> hunter2-canary")
logging.getLogger("sqlalchemy.engine").warning("[parameters: ('Ana Canária',)]")
log.info("long", value="v" * 100_000)
telemetry.log_entries("event", [{{"order": "A-3", "note": None, "status": "ana.canary@example.pt\\ud800"}}], at=NOW)
log.info("wide", **{{f"k{{n}}": "v" * 1000 for n in range(20)}})
"""


def logged(format: str) -> list[str]:
    program = textwrap.dedent(PROGRAM.format(format=format))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, cwd=PROJECT, check=True, timeout=PATIENCE
    )
    assert done.stderr == b""
    return done.stdout.decode().splitlines()


@pytest.mark.parametrize("format", ["json", "console"])
def test_a_log_line_never_holds_an_address_a_name_or_a_secret(format: str) -> None:
    lines = logged(format)
    assert len(lines) == 7  # one for each event
    for line in lines:
        assert not any(canary in line for canary in CANARIES)
        assert line.isprintable()
        assert len(line.encode()) < MAX_LINE


def test_json_lines_hold_event_fields_and_the_type_of_an_exception() -> None:
    lines = [json.loads(line) for line in logged("json")]
    assert lines[0] | {"timestamp": ""} == {
        "timestamp": "",
        "level": "info",
        "event": "decided",
        "order": "A-1",
        "reason": "entered",
        "to": "<address>",
    }
    assert lines[1]["order"] == r"A\x1b[31m\r\n\u2028\u202eB\ud800"
    assert lines[2]["error"] == "ValueError"
    assert lines[2]["where"].endswith("<module>")
    assert lines[3]["logger"] == "some.library"
    assert lines[5] == {
        "timestamp": "2026-03-02T10:15:00Z",
        "level": "info",
        "event": "event",
        "order": "A-3",
        "status": "<address>",
    }
    assert lines[6]["cut"] > MAX_LINE


def test_printable_escapes_control_characters_only() -> None:
    assert printable("Encomenda nº 7 – até já 👋") == "Encomenda nº 7 – até já 👋"
    assert printable("a\tb\x9bc") == r"a\tb\x9bc"


def test_a_stuck_log_reader_costs_lines_and_blocks_nobody() -> None:
    read, write = os.pipe()
    writer = LineWriter(write)
    line = b"x" * 1023 + b"\n"
    lines = MAX_UNWRITTEN // len(line) + 1000
    for _ in range(lines):
        writer.write(line)  # would hang here, were it to wait
    assert writer.dropped > 0
    assert not writer.flush(0.01)
    got = 0
    while got < (lines - writer.dropped) * len(line):
        got += len(os.read(read, 1 << 20))
    assert writer.flush()
    writer.write(b"alive\n")
    assert os.read(read, 100) == b"alive\n"


def test_a_closed_log_reader_costs_lines_and_breaks_nothing() -> None:
    read, write = os.pipe()
    os.close(read)
    writer = LineWriter(write)
    writer.write(b"nobody hears this\n")
    assert writer.flush()
    assert writer.dropped == 1
    os.close(write)
