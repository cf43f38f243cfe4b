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
from tests.flows.harness import Flows, running


def break_the_disk(flows: Flows) -> None:
    """As after an fsync that failed; how it fails is the store's own test."""
    database = flows.store.database
    assert isinstance(database, SQLite)
    database._writer._failed = StoreFailed("SQLITE_IOERR_FSYNC")


async def test_no_loop_waits_out_a_broken_store(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db") as flows:
        flows.channel.open = False
        await flows.happens("confirmed")
        break_the_disk(flows)
        flows.channel.open = True
        with pytest.raises(StoreFailed):
            await flows.dispatch.run()
        with pytest.raises(StoreFailed):
            await flows.happens("confirmed", "B-1")
        await flows.pass_time(timedelta(hours=60))
        with pytest.raises(StoreFailed):
            await flows.wake.run()


async def test_a_command_reads_the_clock_of_the_service(tmp_path: Path) -> None:
    """Without an origin in the settings the service's clock began when it did, a command's would begin now."""
    virtual = Clock(start=START, speed=1000)
    async with running(tmp_path / "avisa.db") as flows:
        service = clock_of(virtual)
        await keep_origin(service, flows.store.operations)
        assert await kept_clock(virtual, flows.store.operations) == service
        fixed = Clock(start=START, origin=START + timedelta(days=1), speed=1000)
        assert (await kept_clock(fixed, flows.store.operations)).origin == START + timedelta(days=1), (
            "what is set wins"
        )
