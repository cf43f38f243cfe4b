"""What these tests share: a seed that is printed, and a PostgreSQL to stop."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.tools.parts import needs
from tests.tools.postgres import Postgres, running


@pytest.fixture
def seed() -> int:
    chosen = random.randrange(1_000_000)
    print(f"seed {chosen}")
    return chosen


@pytest.fixture(scope="module")
@needs("postgres")
def own_postgres() -> Iterator[Postgres]:
    """For those who stop it: others may be using the session's."""
    yield from running()
