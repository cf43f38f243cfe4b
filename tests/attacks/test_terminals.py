"""What is printed steers no terminal, and no value in a log line passes for another field."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from avisa.cli.answer import json_text
from avisa.cli.views import problems
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.telemetry import logs
from tests.tools.waiting import PATIENCE

STEERING = [
    "\x1b[2J",
    "\x9b2J",
    "\x07",
    "\x7f",
    "\u202e",
    "\u2066",
    "\u200b",
    "\u00ad",
    "\u2028",
    "\ud800",
    "\U000e0041",
]


@pytest.mark.parametrize("text", STEERING, ids=ascii)
def test_json_has_what_steers_a_terminal_as_escapes(text: str) -> None:
    document = {f"a{text}b": [f"ç{text}日本", 1, None]}
    printed = json_text(document)
    assert printed.replace("\n", "").isprintable()
    assert json.loads(printed) == document
    assert "ç" in printed


@pytest.mark.parametrize("text", STEERING, ids=ascii)
def test_annotations_have_no_raw_control_character(tmp_path: Path, text: str) -> None:
    odd = Diagnostic(code="syntax", file=f"a{text}.md", line=1, message=f"wrong{text}word")
    for printed in (problems.github([odd], tmp_path), problems.gitlab([odd], tmp_path)):
        assert printed.replace("\n", "").isprintable()


FAKES = [
    "A-1 reason=accepted",
    "A-1=2",
    "A-1\treason=x",
    'A-1" reason="x',
    "A-1' reason='x",
    "A-1\u00a0state=sent",
    "",
]


_PROGRAM = """
import sys
from datetime import UTC, datetime
import structlog
from avisa import telemetry

telemetry.configure("console", "info")
for fake in {fakes!r}:
    structlog.get_logger().info("room.happened", order=fake, detail="kept")
    telemetry.log_entries("entry.written", [{{"order": fake, "status": fake}}], at=datetime(2026, 3, 2, tzinfo=UTC))
"""
_FIELD = re.compile(r"""\s(\w+)=('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s=]*)(?=\s|$)""")


def test_whoever_reads_a_log_line_by_its_quotes_finds_our_fields_alone() -> None:
    fakes = [
        *FAKES,
        "A-1\n2026-03-02 room.faked order=A-2",
        "A\\\\' x='1",
        "'",
        '"',
        "'\"",
        "A-1 \x1b[31mreason=x",
        "=",
        " ",
    ]
    program = _PROGRAM.format(fakes=fakes)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 2 * len(fakes)
    for line in lines:
        assert {name for name, _ in _FIELD.findall(line)} <= {"order", "detail", "status"}, line


@pytest.mark.parametrize("order_id", FAKES)
def test_an_order_id_fakes_no_field_of_a_log_line(order_id: str) -> None:
    quoted = logs._quoted(logs._clean(order_id))
    assert isinstance(quoted, str)
    assert quoted[0] == quoted[-1]
    assert quoted[0] in "'\""
    assert logs._quoted("A-1042") == "A-1042"
    assert logs._quoted(7) == 7
