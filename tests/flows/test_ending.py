"""A store whose disk broke its word ends the process; a clock is the same for a command beside the service."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from avisa.clock import clock_of, keep_origin, kept_clock
from avisa.settings import Clock
from avisa.store.database.sqlite import SQLite
from avisa.store.errors import StoreFailed
from tests.fakes import START
from tests.flows.rig import Rig, running


def break_the_disk(rig: Rig) -> None:
    """As after an fsync that failed; how it fails is the store's own test."""
    database = rig.store.database
    assert isinstance(database, SQLite)
    database._writer._failed = StoreFailed("SQLITE_IOERR_FSYNC")


async def test_no_loop_waits_out_a_broken_store(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db") as rig:
        rig.channel.open = False
        await rig.happens("confirmed")
        break_the_disk(rig)
        rig.channel.open = True
        with pytest.raises(StoreFailed):
            await rig.dispatch.run()
        with pytest.raises(StoreFailed):
            await rig.happens("confirmed", "B-1")
        await rig.pass_time(timedelta(hours=60))
        with pytest.raises(StoreFailed):
            await rig.wake.run()


async def test_a_command_reads_the_clock_of_the_service(tmp_path: Path) -> None:
    """Without an origin in the settings the service's clock began when it did, a command's would begin now."""
    virtual = Clock(start=START, speed=1000)
    async with running(tmp_path / "avisa.db") as rig:
        service = clock_of(virtual)
        await keep_origin(service, rig.store.operations)
        assert await kept_clock(virtual, rig.store.operations) == service
        fixed = Clock(start=START, origin=START + timedelta(days=1), speed=1000)
        assert (await kept_clock(fixed, rig.store.operations)).origin == START + timedelta(days=1), "what is set wins"
