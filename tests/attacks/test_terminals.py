"""What is printed steers no terminal, and no value in a log line passes for another field."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from avisa.cli.answer import json_text
from avisa.cli.views import problems
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.telemetry import logs

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


@pytest.mark.parametrize("order_id", FAKES)
def test_an_order_id_fakes_no_field_of_a_log_line(order_id: str) -> None:
    quoted = logs._quoted(logs._clean(order_id))
    assert isinstance(quoted, str)
    assert quoted[0] == quoted[-1]
    assert quoted[0] in "'\""
    assert logs._quoted("A-1042") == "A-1042"
    assert logs._quoted(7) == 7
