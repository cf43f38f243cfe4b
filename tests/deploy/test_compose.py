"""docker-compose.yml holds what it promises, as far as that can be seen without an engine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from avisa import plan_file
from avisa.settings import Settings, load
from tests.tools import engine

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
OURS = [name for name, each in SERVICES.items() if each["image"] == "avisa:local"]


def test_the_compose_file_follows_the_schema_of_compose() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_settings_in_the_compose_file_are_valid() -> None:
    for name in OURS:
        given = {key: _filled(value) for key, value in SERVICES[name]["environment"].items()}
        given["AVISA_TEMPLATES"] = str(ROOT / "templates")  # where it is mounted from
        assert isinstance(load(given, dotenv=None), Settings), name


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_of_compose_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service.get("read_only") is True or service["image"].startswith("apache/kafka:")


@pytest.mark.parametrize("name", OURS)
def test_avisa_has_the_memory_that_is_proven_to_do(name: str) -> None:
    assert SERVICES[name]["mem_limit"] == f"{engine.MEMORY >> 20}m"


@pytest.mark.parametrize("name", SERVICES)
def test_ports_of_compose_are_open_to_this_machine_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


def test_a_service_waits_for_one_that_is_healthy_or_completed() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            lasting = "restart" in SERVICES[other]
            wanted = "service_healthy" if lasting else "service_completed_successfully"
            assert how["condition"] == wanted, (name, other)
            # The image of avisa brings its own health check.
            assert not lasting or "healthcheck" in SERVICES[other] or other == "avisa"


def test_every_mounted_file_of_compose_exists() -> None:
    named = yaml.safe_load(COMPOSE.read_text("utf-8"))["volumes"]
    for mount in (mount for service in SERVICES.values() for mount in service.get("volumes", ())):
        source = mount.split(":")[0]
        assert source in named or (ROOT / source).exists(), mount


def test_sample_orders_are_of_the_shipped_plan() -> None:
    plan = plan_file.read((ROOT / "templates" / "plan.yaml").read_text("utf-8"), file="plan.yaml")
    assert not isinstance(plan, list), plan
    orders = list(_samples())
    assert {order["status"] for order in orders} <= set(plan.touchpoints)
    assert {order["customer"]["locale"] for order in orders} == {"en", "pt-BR", "pt-PT", "es", "ca"}
    assert len({order["order_id"] for order in orders}) == len(orders)
    assert all(order["customer"]["email"].endswith("@example.com") for order in orders)


def _samples() -> Iterator[dict[str, Any]]:
    for line in (ROOT / "deploy" / "sample-orders.jsonl").read_text("utf-8").splitlines():
        yield json.loads(line)


def _filled(value: str) -> str:
    """As compose fills it in when nothing is set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
