"""What a start of `avisa run` imports. What stays out is memory that an idle service does not take, and time until it
is ready."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from avisa.store import migrate
from tests.cli.test_run import PROJECT, free_port, started
from tests.tools.parts import needs
from tests.tools.postgres import Postgres
from tests.tools.waiting import PATIENCE

# Of all of them at least one module would be on the list: the package itself is there, too, if importing it failed.
WITH_SQLITE = ("sqlalchemy.dialects.sqlite",)
WITH_POSTGRES = ("asyncpg", "sqlalchemy.dialects.postgresql")
TO_CHECK = ("holidays", "jinja2", "markdown_it")  # whatever is new
NEVER = ("alembic", "avisa.lint", "avisa.preview", "avisa.simulate", "pygments", "rich")


def imported(folder: Path, **settings: str) -> set[str]:
    """Start Avisa; return what it has imported by the time that it is ready."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AVISA_")} | {
        "PYTHONPATH": str(PROJECT),
        "PYTHONPROFILEIMPORTTIME": "1",
        "AVISA_HTTP__PORT": free_port(),
        **settings,
    }
    with started(folder, environ) as run:
        found = run.log
        run.process.send_signal(signal.SIGTERM)
        assert run.process.wait(PATIENCE) == 0
    return set(re.findall(r"^import time:[ \d|]+?\| +([\w.]+)$", found, re.MULTILINE))


def of(packages: tuple[str, ...], modules: set[str]) -> set[str]:
    return {package for package in packages for module in modules if module.startswith(f"{package}.")}


@pytest.fixture
@needs("process")
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_a_restart_imports_nothing_that_it_does_not_need(folder: Path) -> None:
    first, again = imported(folder), imported(folder)
    assert of((*TO_CHECK, *NEVER), first) == {*TO_CHECK}
    assert of((*TO_CHECK, *NEVER), again) == set()
    assert of(WITH_POSTGRES, again) == set()
    assert of(WITH_SQLITE, again) == {*WITH_SQLITE}


@needs("postgres")
async def test_a_restart_on_postgresql_does_not_import_what_sqlite_needs(folder: Path, postgres: Postgres) -> None:
    url = postgres.database()
    await migrate.upgrade(url)
    imported(folder, AVISA_STORE__URL=url)
    again = imported(folder, AVISA_STORE__URL=url)
    assert of((*TO_CHECK, *NEVER, *WITH_SQLITE), again) == set()
    assert of(WITH_POSTGRES, again) == {*WITH_POSTGRES}
