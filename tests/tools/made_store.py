"""A SQLite file with all tables: the first one is made as the service makes one, and the others are copies of that
one, which is quicker."""

from __future__ import annotations

from pathlib import Path

from avisa import private_file
from avisa.store import open_store
from tests.fakes import RealClock

_first: list[bytes] = []


async def make(file: Path) -> None:
    """Make `file`, unless there is one."""
    if _is_there(file):
        return
    store = open_store(f"sqlite:///{file}", clock=RealClock(), exclusive=True)
    await store.start()
    await store.close()
    _keep(file)


def _is_there(file: Path) -> bool:
    """Whether there is such a file, be it because there is a copy now."""
    if _first and private_file.create(file):
        file.write_bytes(_first[0])
    return file.exists()


def _keep(file: Path) -> None:
    _first.append(file.read_bytes())
