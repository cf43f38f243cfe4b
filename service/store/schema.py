"""Whether the tables are those that this version needs, and bringing them there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from sqlalchemy import Connection, text

_ONE_AT_A_TIME = 0x61766973  # "avis": the advisory lock of whoever migrates


@dataclass(frozen=True, slots=True)
class Status:
    """The revision of the schema (None: there is none), the one needed, and those in between, in order."""

    current: str | None
    head: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Upgraded:
    """From which revision to which, and what was applied for it, in order."""

    before: str | None
    after: str
    applied: tuple[str, ...]


def status(conn: Connection) -> Status:
    return ahead_of(MigrationContext.configure(conn).get_current_revision())


def ahead_of(current: str | None) -> Status:
    """What a schema at `current` lacks."""
    script = _script()
    head = script.get_current_head()
    assert head is not None
    try:
        missing = tuple(step.revision for step in script.iterate_revisions(head, current or "base"))[::-1]
    except ResolutionError:  # a later version of Avisa made it
        missing = ()
    return Status(current, head, missing)


def wrong(conn: Connection) -> str | None:
    """What is wrong with the schema, for people; None if nothing is."""
    found = status(conn)
    if found.current == found.head:
        return None
    if found.current is None:
        return "the store has no tables yet: run `avisa migrate`"
    if found.missing:
        return f"the schema is at {found.current}, this version needs {found.head}: run `avisa migrate`"
    return f"the schema is at {found.current}, which a later version made; this one knows {found.head}"


def upgrade(conn: Connection) -> Upgraded:
    """Apply what is missing within the caller's transaction: all of it or nothing."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ONE_AT_A_TIME})
        conn.execute(text("SET LOCAL statement_timeout = 0"))
        conn.execute(text("SET LOCAL lock_timeout = 0"))
    found = status(conn)
    if not found.missing:
        return Upgraded(found.current, found.current or found.head, ())
    script = _script()

    def steps(current: Any, _: MigrationContext) -> Sequence[Any]:
        return script._upgrade_revs("head", current)

    with EnvironmentContext(Config(), script, fn=steps) as environment:
        environment.configure(connection=conn, transactional_ddl=True)
        environment.run_migrations()
    return Upgraded(found.current, found.head, found.missing)


def _script() -> ScriptDirectory:
    return ScriptDirectory(str(Path(__file__).parent / "migrations"))
