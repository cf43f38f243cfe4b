"""A short version of `make crash`: every kind of step and a few random instants, and the wrong builds are caught."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.crash.campaign import Blow, instants
from tests.crash.steps import EXPECTED, wrong_builds
from tests.crash.sweep import Sweep
from tests.oracle import Kind
from tests.tools.kafka import ApacheKafka
from tests.tools.postgres import Postgres
from tests.tools.proxy import Step
from tests.tools.sink import Fault

pytestmark = pytest.mark.long

RANDOM = 5
SMTP = [
    Fault(stage="data", do="kill", nth=2),
    Fault(stage="dot", when="before", do="kill", nth=2),
    Fault(stage="dot", when="after", do="kill", nth=2),
    Fault(stage="dot", when="after", do="cut", nth=2),
]


@pytest.fixture
def sweep(tmp_path: Path, apache_kafka: ApacheKafka, postgres: Postgres) -> Sweep:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    return Sweep(tmp_path, apache_kafka, postgres, seed)


def steps(*names: str) -> list[Blow]:
    return [Step(name, "before" if when == "before" else "after") for name, when in sorted(EXPECTED) if name in names]


@pytest.mark.parametrize(
    ("store", "blows"),
    [
        ("sqlite", steps("commit-of-intake", "offset-commit", "begin", "deliver", "settle")),
        ("postgres", [*steps("commit-of-intake", "commit-of-others", "claim", "due", "settle"), *SMTP]),
    ],
)
async def test_nothing_is_lost_wherever_it_dies(sweep: Sweep, store: str, blows: Sequence[Blow]) -> None:
    outcome = await sweep.campaign([*blows, *instants(RANDOM, sweep.rng)], store=store)
    assert outcome.verdict.clean, str(outcome.verdict)
    assert not outcome.missed
    assert outcome.reached >= EXPECTED
    assert outcome.verdict.answers > 0


@pytest.mark.parametrize("build", wrong_builds())
async def test_a_wrong_build_is_caught(sweep: Sweep, build: str) -> None:
    outcome = await sweep.campaign(wrong_builds()[build], store="sqlite", build=build)
    assert outcome.verdict.count(Kind.LOST) > 0, str(outcome.verdict)
