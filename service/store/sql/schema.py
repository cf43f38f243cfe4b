"""Compares the tables with those that this version needs, and migrates them.

Alembic is loaded only to migrate. It takes a tenth of the memory of an idle service, and a service that starts needs
only to compare two revisions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, inspect, select, text

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext

_STEPS = Path(__file__).parent / "migrations"
# In order; a step's file is named `rev_0001_first.py`.
REVISIONS = tuple(sorted(file.name.split("_")[1] for file in (_STEPS / "versions").glob("rev_*.py")))
# An upgrade of PostgreSQL expands first: processes of the version before go on beside the new ones. With a contract
# they could not, be it for the tables or for what is written from then on. So it waits until none of them is left and
# `avisa migrate --contract` is asked for, or for the next version that expands.
CONTRACTS = frozenset({"0012", "0013"})
_SHORT = "0012"  # from then on rows are written shorter
_VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
_ONE_AT_A_TIME = 0x61766973  # "avis": the advisory lock of a process that migrates


@dataclass(frozen=True, slots=True)
class Status:
    """The revision of the schema (None: there is none), the newest, and those in between, in order."""

    current: str | None
    head: str
    missing: tuple[str, ...]

    @property
    def later(self) -> bool:
        """Whether a later version of Avisa made the schema."""
        return self.current is not None and self.current not in REVISIONS

    @property
    def needed(self) -> tuple[str, ...]:
        """Those of `missing` that this version cannot do without: all but the contracts that come last."""
        newest = max(set(REVISIONS) - CONTRACTS)
        return tuple(revision for revision in self.missing if self.current is None or revision <= newest)

    @property
    def short(self) -> bool:
        """Whether rows may be written shorter than versions before 0012 can read them."""
        return _SHORT not in self.missing

    @property
    def contracts(self) -> tuple[str, ...]:
        """The rest of `missing`."""
        return self.missing[len(self.needed) :]


@dataclass(frozen=True, slots=True)
class Upgraded:
    """From which revision to which, what was applied for it, in order, and the contracts that are left."""

    before: str | None
    after: str
    applied: tuple[str, ...]
    contracts: tuple[str, ...]


def status(conn: Connection) -> Status:
    there = inspect(conn).has_table(_VERSION.name)
    return ahead_of(conn.execute(select(_VERSION.c.version_num)).scalar() if there else None)


def ahead_of(current: str | None) -> Status:
    """What a schema at revision `current` lacks: nothing, if a later version of Avisa made it."""
    missing = REVISIONS if current is None else ()
    if current in REVISIONS:
        missing = REVISIONS[REVISIONS.index(current) + 1 :]
    return Status(current, REVISIONS[-1], missing)


def wrong(found: Status) -> str | None:
    """What is wrong with the schema, in a sentence for people; None if it is as needed."""
    if found.current is None:
        return "the store has no tables yet: run `avisa migrate`"
    if found.needed:
        return f"the schema is at {found.current}, this version needs {found.needed[-1]}: run `avisa migrate`"
    if found.later:
        known = f"this one knows {found.head}"
        return f"the schema is at {found.current}, which a later version made: run that one, {known}"
    return None


def make(conn: Connection) -> None:
    """Bring a SQLite file up to date. An empty one needs no migrations: its tables are created as they are now."""
    found = status(conn)
    if found.current is None:
        from avisa.store.sql.tables import metadata  # here, for it loads the dialects of both databases

        metadata.create_all(conn)
        _VERSION.create(conn)
        conn.execute(insert(_VERSION).values(version_num=found.head))
    elif found.missing:
        upgrade(conn, contract=True)


def upgrade(conn: Connection, *, contract: bool) -> Upgraded:
    """Apply the missing migrations within the caller's transaction; contracts only if asked for, or where no other
    process can have the tables in use."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ONE_AT_A_TIME})
        conn.execute(text("SET LOCAL statement_timeout = 0"))
        conn.execute(text("SET LOCAL lock_timeout = 0"))
    found = status(conn)
    chosen = found.missing if contract or conn.dialect.name == "sqlite" else found.needed
    left = found.missing[len(chosen) :]
    if not chosen:
        return Upgraded(found.current, found.current or found.head, (), left)
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(_STEPS))

    def steps(current: Any, _: MigrationContext) -> Sequence[Any]:
        return script._upgrade_revs(chosen[-1], current)

    with EnvironmentContext(Config(), script, fn=steps) as environment:
        environment.configure(connection=conn, transactional_ddl=True)
        environment.run_migrations()
    return Upgraded(found.current, chosen[-1], chosen, left)
