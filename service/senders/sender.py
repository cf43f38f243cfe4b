"""A sender process from within: `python -m avisa.senders`, with a socket of its parent as standard input.

It ignores the signals that end Avisa, for what a service manager or a terminal sends goes to every process: its
parent ends it, by a frame or by being gone.
"""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import random
import signal
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

from avisa import telemetry
from avisa.clock import real_now
from avisa.core.retry import Receipt
from avisa.mailer import DirectMailer
from avisa.ports import Draft, MailRenderer, Outgoing
from avisa.senders.frames import (
    Answer,
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
from avisa.smtp.channel import EmailChannel

# Seconds.
REPORT_EVERY = 1.0
PAUSE = 0.01  # between two messages that are compiled ahead: about as long as one takes
GATHER = 0.01  # in which receipts gather for one report: twenty in a frame cost little more than one


def main() -> None:
    """Write and send mails until the parent process ends."""
    import uvloop

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    uvloop.run(_serve(socket.socket(fileno=os.dup(0))))


async def _serve(parent: socket.socket) -> None:
    parent.setblocking(False)
    loop = asyncio.get_running_loop()
    _, sender = await loop.create_unix_connection(Sender, sock=parent)
    gc.freeze()  # what is here now stays: half of what a collection costs is looking at it again
    gc.set_threshold(50_000, 20, 100)
    await sender.ended
    await sender.stop(0.0)
    os._exit(0)  # at once: a host name that is being looked up would keep the process waiting


class Sender(asyncio.Protocol):
    """Takes the frames of the parent process, and returns reports."""

    def __init__(self) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._frames: Frames[ToSender] = Frames(ToSender)
        self._renderers: dict[str, MailRenderer] = {}
        self._answers: list[Answer] = []
        self._log: list[bytes] = []
        self._channel: EmailChannel | None = None  # until the first frame
        self._tasks: set[asyncio.Future[None]] = set()
        self._ahead: asyncio.Future[None] | None = None

    # ------------------------------------------------------------ the parent process

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, received: bytes) -> None:
        for frame in self._frames.feed(received):
            self._on_frame(frame)

    def connection_lost(self, _: Exception | None) -> None:
        """The parent process is gone, or has no more use for us."""
        self.ended.set_result(None)

    def _on_frame(self, frame: ToSender) -> None:
        match frame:
            case Mails(mails=mails):
                for mail in mails:
                    self._send(mail)
            case Leases(until=until):
                self._mailer.renew(until)
            case NewRenderer(catalog=catalog, pickled=pickled):
                renderer = pickle.loads(pickled)  # noqa: S301 -- of our parent process, which is this program
                keep(self._renderers, catalog, renderer)
            case CompileAhead(catalog=catalog, messages=messages):
                self._compile_ahead(self._renderers[catalog].compilations(messages))
            case Setup():
                self._set_up(frame)
            case Stop(grace=grace):
                self._tasks.add(asyncio.ensure_future(self._stop(grace)))

    def _set_up(self, setup: Setup) -> None:
        telemetry.forward(self._log.append, setup.logging.format, setup.logging.level)
        self._channel = channel = EmailChannel(setup.relay, jitter=random.random)
        # Once our parent is gone, the next one may claim at once what we have in hand, whatever the lease.
        self._mailer = DirectMailer(channel, real=real_now, may_send=lambda: os.getppid() == setup.parent)
        self._tasks.add(asyncio.ensure_future(channel.start()))
        self._keep_reporting()

    def _compile_ahead(self, compilations: Sequence[Callable[[], object]]) -> None:
        if self._ahead is not None:
            self._ahead.cancel()
        self._ahead = asyncio.ensure_future(_one_by_one(compilations))

    # ------------------------------------------------------------ mails

    def _send(self, mail: BegunMail) -> None:
        outgoing = Outgoing(
            key=mail.key,
            draft=Draft(catalog=mail.catalog, locale="", json=mail.draft),
            renderer=self._renderers[mail.catalog],
            leased_until=mail.leased_until,
        )
        self._mailer.send(outgoing, partial(self._answered, mail.key))

    def _answered(self, key: str, receipt: Receipt, notes: Sequence[str]) -> None:
        self._answers.append(Answer(key, receipt, list(notes)))
        if len(self._answers) == 1:
            asyncio.get_running_loop().call_later(GATHER, self._send_report)

    def _keep_reporting(self) -> None:
        """Report now, and from now on. Reports that the parent process does not read do not pile up."""
        if self._transport.get_write_buffer_size() == 0:
            self._send_report()
        asyncio.get_running_loop().call_later(REPORT_EVERY, self._keep_reporting)

    def _send_report(self) -> None:
        mailer = self._mailer
        report = Report(
            open=mailer.open,
            connections=mailer.connections,
            refusal=mailer.refusal,
            answers=self._answers,
            log=b"".join(self._log),
        )
        self._transport.write(framed(report))
        self._answers = []
        self._log.clear()

    # ------------------------------------------------------------ the end

    async def _stop(self, grace: float) -> None:
        await self.stop(grace)
        self._send_report()
        self._transport.close()

    async def stop(self, grace: float) -> None:
        """End all connections, after at most `grace` seconds. What has not left by then does not leave."""
        if self._channel is not None:
            await self._channel.stop(grace)


async def _one_by_one(compilations: Sequence[Callable[[], object]]) -> None:
    for compilation in compilations:
        await asyncio.to_thread(compilation)
        await asyncio.sleep(PAUSE)
