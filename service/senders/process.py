"""A sender process as this process sees it."""

from __future__ import annotations

import asyncio
import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from avisa import telemetry
from avisa.core.retry import Receipt, Verdict
from avisa.ports import MailRenderer, OnReceipt, Outgoing
from avisa.senders.frames import (
    BegunMail,
    CompileAhead,
    Frames,
    Leases,
    Mails,
    NewRenderer,
    Report,
    Setup,
    Stop,
    ToSender,
    framed,
    keep,
)

GATHER = 0.004  # seconds in which mails gather for one frame
PATIENCE = 30  # seconds without a report, after which a process counts as hung

_DIED = Receipt(verdict=Verdict.IN_DOUBT, stage="dot", text="its sender process ended before the answer came")
_COMMAND = (sys.executable, "-P", "-m", "avisa.senders")  # -P: no module of the working directory


class SenderProcess(asyncio.Protocol):
    """One process, from its start to its end: the mails it has not answered yet, and its newest report."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.report: Report | None = None  # the newest; None: the process is not up yet
        self.served = False  # it has answered a mail
        self.in_doubt = 0  # mails that it had in hand when it ended
        self._in_hand: dict[str, OnReceipt] = {}
        self._frames: Frames[Report] = Frames(Report)
        self._gathered: list[BegunMail] = []
        self._renderers: dict[str, None] = {}  # catalogs whose renderers it has, kept as it keeps them (`keep`)
        self._silent = 0  # seconds since the last report, as far as this process was awake

    def __len__(self) -> int:
        """How many mails it has in hand."""
        return len(self._in_hand)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def open(self) -> bool:
        """Whether there is use in handing over mails."""
        return self.report is not None and self.report.open and not self.ended.done()

    # ------------------------------------------------------------ start and end

    @classmethod
    async def start(cls, setup: Setup) -> SenderProcess:
        """Start a process. It is not up yet. Raises OSError."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            process = _popen(theirs)
        try:
            loop = asyncio.get_running_loop()
            _, started = await loop.create_unix_connection(lambda: cls(process), sock=ours)
        except BaseException:
            ours.close()
            process.kill()
            process.wait()
            raise
        started._write(setup)
        return started

    async def watch(self) -> int:
        """Wait until it ends, and end it if it hangs. Return its exit code, or minus the signal that ended it."""
        while not self.ended.done():
            await asyncio.wait({self.ended}, timeout=1.0)
            self._silent += 1
            if self._silent > PATIENCE:
                self._process.kill()
        return await self.reap()

    async def stop(self, grace: float) -> None:
        """Let it answer what it can within `grace` seconds, and end it."""
        if not self.ended.done():
            self._flush()
            self._write(Stop(grace))
            await asyncio.wait({self.ended}, timeout=grace + 1.0)
        await self.reap()

    async def reap(self) -> int:
        """End it, if it lives, and return its exit code, or minus the signal."""
        self._transport.close()
        while (code := self._process.poll()) is None:
            self._process.kill()
            await asyncio.sleep(0.01)
        return code

    # ------------------------------------------------------------ mails

    def send(self, mail: Outgoing, on_receipt: OnReceipt) -> None:
        """Hand over a mail; as `ports.Mailer.send`."""
        catalog = mail.draft.catalog
        self._show(catalog, mail.renderer)
        if not self._gathered:
            asyncio.get_running_loop().call_later(GATHER, self._flush)
        self._in_hand[mail.key] = on_receipt
        self._gathered.append(BegunMail(mail.key, catalog, mail.draft.json, mail.leased_until))

    def compile_ahead(self, catalog: str, renderer: MailRenderer, messages: Sequence[str]) -> None:
        """As `ports.Mailer.compile_ahead`."""
        self._show(catalog, renderer)
        self._write(CompileAhead(catalog, list(messages)))

    def renew(self, leased_until: Mapping[str, datetime]) -> None:
        """As `ports.Mailer.renew`."""
        if until := {key: until for key, until in leased_until.items() if key in self._in_hand}:
            self._flush()
            self._write(Leases(until))

    def _show(self, catalog: str, renderer: MailRenderer) -> None:
        """Hand over the renderer of a catalog, if the process does not have it."""
        if catalog not in self._renderers:
            self._flush()  # what was handed over before may need a renderer that is forgotten for this one
            keep(self._renderers, catalog, None)
            self._write(NewRenderer(catalog, pickle.dumps(renderer)))

    def _flush(self) -> None:
        if self._gathered:
            self._write(Mails(self._gathered))
            self._gathered = []

    def _write(self, frame: ToSender) -> None:
        self._transport.write(framed(frame))

    # ------------------------------------------------------------ reports

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, received: bytes) -> None:
        self._silent = 0
        for report in self._frames.feed(received):
            self.report = report
            if report.log:
                telemetry.write_lines(report.log)
            for answer in report.answers:
                self.served = True
                self._in_hand.pop(answer.key)(answer.receipt, answer.notes)

    def connection_lost(self, _: Exception | None) -> None:
        """The process has ended: nobody knows what became of the mails it had in hand."""
        self.ended.set_result(None)
        in_hand, self._in_hand = self._in_hand, {}
        self.in_doubt = len(in_hand)
        for on_receipt in in_hand.values():
            on_receipt(_DIED, ())


def _popen(parent: socket.socket) -> subprocess.Popen[bytes]:
    """Start the program with this socket as its standard input. Raises OSError.

    It is in a group of its own, so that the signals of a terminal do not reach it. None of our settings is in its
    environment, for some are secret; it gets those that it needs by the socket.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AVISA_")}
    return subprocess.Popen(_COMMAND, stdin=parent.fileno(), env=environ, process_group=0)  # noqa: S603 -- our program
