"""Sender processes before a scripted relay."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from avisa.clock import real_now
from avisa.ports import CannotRender, Mail, Outgoing, RenderInput
from avisa.senders.frames import Logging
from avisa.senders.pool import SenderPool
from avisa.senders.process import SenderProcess
from tests.flows.harness import Flows
from tests.smtp.harness import CALM, relay_to
from tests.smtp.scripted import ScriptedRelay
from tests.templates.harness import drafted, usual
from tests.tools.waiting import until


@asynccontextmanager
async def pool_to(server: ScriptedRelay, *, size: int = 1, **changes: Any) -> AsyncIterator[SenderPool]:
    """A pool whose processes are up."""
    async with starting(server, size=size, **changes) as pool:
        await up(pool, size)
        yield pool


@asynccontextmanager
async def starting(server: ScriptedRelay, *, size: int = 1, **changes: Any) -> AsyncIterator[SenderPool]:
    """A pool whose processes are just being started."""
    relay = relay_to(server, **({"patience": CALM} | changes))
    pool = SenderPool(relay, size=size, logging=Logging("json", "info"), jitter=lambda: 0.0)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.stop(1.0)


async def up(pool: SenderPool, size: int = 1) -> None:
    """Wait until so many processes of the pool take mails."""
    await until(lambda: sum(process.open for process in pool._processes) == size)


def only(pool: SenderPool) -> SenderProcess:
    (process,) = pool._processes
    return process


def strike(process: SenderProcess, number: signal.Signals) -> None:
    os.kill(process.pid, number)


def outgoing(key: str = "A-1", *, leased_until: datetime | None = None, message: str = "shown") -> Outgoing:
    """A mail of the small folder. It may leave for some minutes, if nothing else is said."""
    catalog = usual()
    return Outgoing(
        key=key,
        draft=drafted(catalog, message),
        renderer=catalog.renderer,
        leased_until=leased_until or real_now() + timedelta(minutes=5),
    )


@dataclass(frozen=True)
class Witness:
    """A renderer that leaves a file for each message that is compiled, in whatever process."""

    folder: Path

    def compilations(self, messages: Iterable[str]) -> Sequence[Callable[[], object]]:
        return [(self.folder / message).touch for message in messages]

    def mail(self, render_input: RenderInput, key: str) -> Mail | CannotRender:
        raise NotImplementedError


async def written_here(flows: Flows, order_id: str) -> bytes:
    """The only mail of an order, written by this process from its kept draft."""
    (sent,) = await flows.store.queries.sent(order_id)
    assert sent.draft is not None
    catalog = await flows.catalogs.version(sent.draft.catalog)
    assert catalog is not None
    mail = catalog.compose(sent.row.notification, sent.draft)
    assert isinstance(mail, Mail)
    return mail.data
