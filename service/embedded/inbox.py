"""The embedded inbox: a mail server on loopback that keeps mails for you to look at, and delivers none.

It takes the place of a relay that is not configured, so that Avisa can be tried without a mail to anybody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from weakref import WeakSet

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from avisa import private_file
from avisa.ports import Clock
from avisa.web.stored_mail import StoredMail

MAILS_MOST = 1000
BYTES_MOST = 64 * 1024 * 1024  # of all mails kept, so that memory does not grow with uptime
MAIL_MOST = 16 * 1024 * 1024

log = structlog.get_logger()


class Inbox:
    """Keeps the newest mails in memory, and with a folder all of them there, as `.eml` files."""

    def __init__(self, clock: Clock, *, folder: Path | None = None) -> None:
        self._clock = clock
        self._folder = folder
        self._mails: deque[StoredMail] = deque()
        self._bytes = 0
        self.taken = 0  # mails received since the start, kept or not
        self._file = 0
        self._sessions: WeakSet[SMTP] = WeakSet()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        assert self._server is not None, "it was not started"
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self, *, port: int = 0) -> None:
        """Listen on loopback; port 0 is any free port. Raises OSError, also if the folder cannot be made."""
        if self._folder is not None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._server = await asyncio.get_running_loop().create_server(self._session, "127.0.0.1", port)
        log.warning(
            "embedded.inbox_started",
            meaning="no AVISA_SMTP__HOST is set: mails are kept here and delivered to nobody",
            port=self.port,
        )

    async def stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for session in list(self._sessions):
            if session.transport is not None:
                session.transport.close()
        await self._server.wait_closed()

    def newest(self, limit: int, *, before: int | None = None) -> Sequence[StoredMail]:
        """Return up to `limit` mails, newest first; with `before`, only mails older than that id."""
        older = (mail for mail in reversed(self._mails) if before is None or mail.id < before)
        return list(islice(older, limit))

    def mail(self, id: int) -> StoredMail | None:
        """Return the mail; None if it is unknown or newer ones have displaced it."""
        return next((mail for mail in self._mails if mail.id == id), None)

    # aiosmtpd calls this by its name.
    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        if self._folder is not None:
            try:
                await asyncio.to_thread(self._write, self._folder, content)
            except OSError as error:
                log.error("embedded.mail_not_written", exc_info=error)
                return "452 4.3.1 Cannot write to AVISA_INBOX__DIR"
        self._keep(tuple(envelope.rcpt_tos), content)
        return f"250 2.0.0 Kept as {self.taken}"

    def _keep(self, recipients: tuple[str, ...], content: bytes) -> None:
        self.taken += 1
        self._mails.append(StoredMail(id=self.taken, at=self._clock.now(), recipients=recipients, content=content))
        self._bytes += len(content)
        while len(self._mails) > MAILS_MOST or self._bytes > BYTES_MOST:
            self._bytes -= len(self._mails.popleft().content)

    def _write(self, folder: Path, content: bytes) -> None:
        """Write one file. It appears whole, under a number that no file has yet, also none of an earlier run."""
        while True:
            self._file += 1
            path = folder / f"{self._file:06d}.eml"
            if private_file.create(path):
                private_file.write(path, content)
                return

    def _session(self) -> SMTP:
        session = SMTP(
            self,
            hostname="localhost",  # else the library asks the DNS for ours, and waits
            ident="Avisa embedded inbox",
            data_size_limit=MAIL_MOST,
            enable_SMTPUTF8=True,
            loop=asyncio.get_running_loop(),
        )
        self._sessions.add(session)
        return session
