"""The mappings that are shipped in `templates/feeds/`, each with its samples and a plan in which it is used."""

from __future__ import annotations

from functools import cache

from avisa.core.plan import Plan
from avisa.plan_file import read
from tests.templates.harness import SHIPPED

FOLDER = SHIPPED / "feeds"
NAMES = sorted(file.stem for file in FOLDER.glob("*.yaml"))


def plan_text(name: str) -> str:
    """The shipped plan with the mapping at its end, as its first lines say."""
    return (SHIPPED / "plan.yaml").read_text("utf-8") + (FOLDER / f"{name}.yaml").read_text("utf-8")


@cache
def plan(name: str) -> Plan:
    found = read(plan_text(name), file="plan.yaml")
    assert isinstance(found, Plan), found
    return found


def topic(name: str) -> str:
    (found,) = plan(name).events.feeds
    return found


def samples(name: str) -> list[bytes]:
    return (FOLDER / f"{name}.jsonl").read_bytes().splitlines()
