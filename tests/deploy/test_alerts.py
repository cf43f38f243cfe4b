"""The alert rules are well formed, fire when they should, and ask for metrics that there are."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from avisa import telemetry
from avisa.core.model import Purpose, Reason, State
from tests.tools.parts import needs

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((DEPLOY / "alerts.yml").read_text("utf-8"))["groups"] for rule in group["rules"]
]


def promtool(*arguments: str) -> None:
    done = subprocess.run(["promtool", *arguments], cwd=DEPLOY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@needs("promtool")
def test_promtool_reads_the_alert_rules() -> None:
    promtool("check", "rules", "alerts.yml")


@needs("promtool")
def test_each_alert_fires_and_is_silent_where_it_should_be() -> None:
    promtool("test", "rules", "alerts_test.yml")


def test_every_alert_has_a_case_in_alerts_test() -> None:
    tried = set(re.findall(r'alertname="(\w+)"', (DEPLOY / "alerts_test.yml").read_text("utf-8")))
    assert tried == {rule["alert"] for rule in RULES}


def test_each_alert_says_what_is_wrong_and_what_to_do() -> None:
    for rule in RULES:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert set(rule["annotations"]) == {"summary", "description"}
        assert all(text.endswith((".", "}}")) for text in rule["annotations"].values()), rule["alert"]


def test_alerts_name_only_metrics_and_labels_of_ours() -> None:
    telemetry.decided(Reason.ENTERED)
    telemetry.dead_lettered(Reason.NOT_JSON)
    telemetry.queued(Purpose.UPDATE, "email")
    known = telemetry.exposition(
        telemetry.Readings(
            outbox={State.QUEUED: 0},
            outbox_oldest_seconds=0,
            orders={"open": 0, "final": 0, "stuck": 0},
            in_doubt=0,
            kafka_lag_records=0,
            kafka_lag_seconds=0,
            kafka_open_transaction_records=0,
            blind=False,
            paused=False,
            channel_paused={"email": False},
            catalog_ok=True,
            smtp_connections=0,
        )
    ).decode()
    for rule in RULES:
        for name, labels in re.findall(r"(avisa_\w+)\{([^}]*)\}", rule["expr"]):
            series = [line for line in known.splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
            assert series, (rule["alert"], name)
            # What a rule picks out by a label is there to be picked.
            for label, value in re.findall(r'(\w+)=~?"([^"]*)"', labels):
                wanted = re.compile(f'{label}="{value}"'.replace("\\\\", "\\"))
                assert label == "job" or any(wanted.search(line) for line in series), (rule["alert"], label)
