"""docs/reference.md names the keys of each JSON document, and no others."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.readme import documents
from tests.tools.waiting import PATIENCE

ORDER = {
    "order_id": "A-1",
    "status": "confirmed",
    "occurred_at": "2030-03-04T10:00:00Z",  # as the clock of `environ`
    "promised_at": "2030-03-11",
    "part": "RR-1",
    "customer": {"email": "emma@example.com"},
}
EVENTS = "".join(f"{json.dumps(event)}\n" for event in (ORDER, ORDER | {"status": ""}))
SIMULATED = "".join(
    f"{json.dumps(ORDER | {'status': status, 'occurred_at': f'2029-03-0{day}T10:00:00Z'})}\n"
    for day, status in enumerate(("confirmed", "shipped", "delivered"), start=1)
)
FEED = """
feeds:
  shop.orders:
    only: {kind: order}
    fields: {order_id: id, status: state, part: parcel, promised_at: eta, reason: why}
"""
RECORDS = "".join(
    f"{json.dumps({'kind': 'order', 'id': 'A-1', 'parcel': 'RR-1', 'eta': '2030-03-11'} | more)}\n"
    for more in ({"state": "shipped"}, {"stat": "shipped"}, {"kind": "draft"})
)
KEY = "A-1/1/update/1/customer"
LOOKING = {  # command -> how it is typed
    "timeline": "timeline A-1",
    "timeline --mail": f"timeline A-1 --mail {KEY}",
    "outbox": "outbox",
    "outbox retry": f"outbox retry {KEY}",
    "outbox drop": f"outbox drop {KEY}",
    "counts": "counts",
    "dead-letters": "dead-letters",
    "dead-letters replay": "dead-letters replay --all",
    "pause": "pause",
    "init": "init mine",
    "check --live": "check --live",
    "check --explain": "check --explain unknown_name",
    "preview": "preview shipped --out out",
    "why": "why A-1",
    "explain": "explain event.json --live",
    "feed try": "feed try records.jsonl --plan fed.yaml",
    "simulate": "simulate events.jsonl --against other.yaml --max-silence 1h",
    "migrate": "migrate",
    "config": "config",
    "--version": "--version",
}
EDITED = {
    "templates push": "templates push mine --parent 1",
    "templates": "templates",
    "templates diff": "templates diff 1 2",
    "templates pull": "templates pull 1 pulled",
}
SPOILT = {"check": "check mine"}
# Types commands into one process, for most of the time of one is its start.
PROGRAM = """\
import sys
from avisa.cli import main
for line in sys.argv[1:]:
    main([*line.split(), "--json"])
    print("\\0")
"""
# What is in them are reasons, states, settings, purposes, fields of events.
NAMED_BY_OTHERS = {"by_reason", "by_state", "settings", "unread", "dropped", "messages", "facts"}


@pytest.mark.usefixtures("running")
def test_each_document_has_the_keys_that_the_reference_names(tmp_path: Path, environ: dict[str, str]) -> None:
    def avisa(commands: Mapping[str, str], stdin: str = "") -> dict[str, Any]:
        python = [sys.executable, "-c", PROGRAM, *commands.values()]
        done = subprocess.run(python, input=stdin, cwd=tmp_path, env=environ, capture_output=True, text=True)
        return dict(zip(commands, map(json.loads, done.stdout.split("\0\n")[:-1]), strict=True))

    found = avisa({"publish": "publish -"}, stdin=EVENTS)
    end = time.monotonic() + PATIENCE
    while avisa({"": "counts"})[""]["notifications"]["by_state"]["sent"] == 0:
        assert time.monotonic() < end
    (tmp_path / "event.json").write_text(json.dumps(ORDER | {"status": "shipped"}))
    (tmp_path / "events.jsonl").write_text(SIMULATED)
    (tmp_path / "records.jsonl").write_text(RECORDS)
    shipped = (documents.ROOT / "templates/plan.yaml").read_text()
    (tmp_path / "fed.yaml").write_text(shipped + FEED)
    (tmp_path / "other.yaml").write_text(shipped.replace("24h", "5h"))
    plan = tmp_path / "mine" / "plan.yaml"
    found |= avisa(LOOKING)
    plan.write_text(plan.read_text("utf-8") + "# edited\n", "utf-8")
    found |= avisa(EDITED)
    plan.write_text("nonsense: 1\n")
    found |= avisa(SPOILT)
    named = {
        documents.words(row[0])[0]: set(re.findall(r"[a-z][a-z_0-9]*", documents.words(row[1])[0]))
        for row in documents.table("JSON")
    }
    assert {name: named[name] - keys(found[name]) for name in found} == {name: set() for name in found}
    del found["check --live"]  # of it only what `check` does not have is named
    assert {name: keys(found[name]) - named[name] for name in found} == {name: set() for name in found}


def keys(document: Any) -> set[str]:
    """All keys of a document, at whatever depth."""
    if isinstance(document, list):
        return set().union(*map(keys, document))
    if not isinstance(document, dict):
        return set()
    inner = [
        # Touchpoints are called by their status.
        set().union(*map(keys, value.values())) if key == "touchpoints" else keys(value)
        for key, value in document.items()
        if key not in NAMED_BY_OTHERS
    ]
    return set(document).union(*inner)
