"""The sender processes of this process, each of them started again when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from os import getpid

import structlog

from avisa.core.retry import Receipt, Verdict
from avisa.ports import MailRenderer, OnReceipt, Outgoing
from avisa.senders.frames import Logging, Setup
from avisa.senders.process import SenderProcess
from avisa.smtp.relay import Relay

log = structlog.get_logger()

LONGEST_WAIT = 30.0  # seconds before the next start; reminders still go out within a minute

_NOBODY = Receipt(verdict=Verdict.TEMPORARY, stage="connect", text="no sender process runs")


class SenderPool:
    """Has mails written and delivered by other processes. Satisfies `ports.Mailer`.

    While none of them runs, it is not open: what is decided waits in the outbox.
    """

    def __init__(self, relay: Relay, *, size: int, logging: Logging, jitter: Callable[[], float]) -> None:
        """Begin with `size` processes, which share the connections that the relay may have to bear.

        `jitter` returns another random number in [0, 1) at each call; it spreads the starts after a failure.
        """
        share = replace(relay, connections=max(1, relay.connections // size))
        self._setup = Setup(share, logging, getpid())
        self._size = size
        self._jitter = jitter
        self._processes: list[SenderProcess] = []
        self._keepers: list[asyncio.Task[None]] = []
        self._ahead: tuple[str, MailRenderer, Sequence[str]] | None = None  # what a new process compiles first

    async def start(self) -> None:
        """Begin to start the processes; does not wait until they are up."""
        self._keepers = [asyncio.create_task(self._keep(), name=f"sender {number}") for number in range(self._size)]

    async def stop(self, grace: float) -> None:
        """Let the processes answer what they can within `grace` seconds, and end them.

        What is not answered by then is in doubt.
        """
        for keeper in self._keepers:
            keeper.cancel()
        if self._keepers:
            await asyncio.wait(self._keepers)
        await asyncio.gather(*(process.stop(grace) for process in self._processes))

    # ------------------------------------------------------------ ports.Mailer

    @property
    def open(self) -> bool:
        return any(process.open for process in self._processes)

    @property
    def detail(self) -> str:
        if not any(process.report for process in self._processes):
            return "no sender process runs; see the log"
        return "open" if self.open else "the relay is not reached"

    @property
    def refusal(self) -> Receipt | None:
        reports = (process.report for process in self._processes)
        return next((report.refusal for report in reports if report is not None and report.refusal), None)

    @property
    def connections(self) -> int:
        return sum(process.report.connections for process in self._processes if process.report is not None)

    def send(self, mail: Outgoing, on_receipt: OnReceipt) -> None:
        """Hand a mail to the process that has the fewest."""
        up = [process for process in self._processes if process.report is not None]
        if not up:
            on_receipt(_NOBODY, ())
            return
        # A process that does not reach the relay answers at once, and its receipt says why.
        chosen = min(up, key=lambda process: (not process.open, len(process)))
        chosen.send(mail, on_receipt)

    def compile_ahead(self, catalog: str, renderer: MailRenderer, messages: Sequence[str]) -> None:
        self._ahead = catalog, renderer, messages
        for process in self._processes:
            process.compile_ahead(catalog, renderer, messages)

    def renew(self, leased_until: Mapping[str, datetime]) -> None:
        for process in self._processes:
            process.renew(leased_until)

    # ------------------------------------------------------------ keeping processes running

    async def _keep(self) -> None:
        """Keep one process running: start another whenever it ends."""
        failures = count()
        while True:
            process = await self._started()
            if process is not None:
                self._processes.append(process)
                if self._ahead is not None:
                    process.compile_ahead(*self._ahead)
                log.info("senders.started", pid=process.pid)
                code = await process.watch()
                self._processes.remove(process)
                log.error("senders.ended", pid=process.pid, code=code, in_doubt=process.in_doubt)
                if process.served:
                    failures = count()
            wait = min(LONGEST_WAIT, 2.0 ** min(next(failures), 10))
            await asyncio.sleep(wait * (0.5 + self._jitter() / 2))

    async def _started(self) -> SenderProcess | None:
        try:
            return await SenderProcess.start(self._setup)
        except OSError as problem:
            log.error("senders.not_started", error=type(problem).__name__)
            return None
