"""An SMTP server over a socket that does what a script says, and keeps what it took."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Self


class Act(Enum):
    """What to do instead of replying."""

    HANG = "say nothing, keep the connection"
    DROP = "reset the connection"
    EOF = "close the connection in order"


Word = bytes | Act
Line = Word | Callable[["Visit", bytes], Word | Awaitable[Word]] | list[Word]


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail as stored: envelope and bytes, dots unstuffed."""

    sender: bytes
    recipient: bytes
    data: bytes


@dataclass
class Visit:
    """One connection."""

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    said: list[bytes] = field(default_factory=list)
    sender: bytes | None = None
    recipients: list[bytes] = field(default_factory=list)

    @property
    def encrypted(self) -> bool:
        return self.writer.get_extra_info("sslcontext") is not None


class ScriptedRelay:
    """`script` maps GREETING, EHLO, HELO, STARTTLS, AUTH, MAIL, RCPT, DATA, DOT, RSET and QUIT to replies; a
    list is used up one by one, its last entry for ever. Without a line it behaves like any server."""

    def __init__(
        self,
        script: Mapping[str, Line] | None = None,
        *,
        offers: tuple[str, ...] = ("PIPELINING", "8BITMIME"),
        context: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        cuts: random.Random | None = None,
        lenient: bool = False,
    ) -> None:
        self.script = dict(script or {})
        self.offers = offers
        self.context = context
        self.implicit_tls = implicit_tls
        self.cuts = cuts  # cut replies at random places
        self.lenient = lenient  # answer DATA with 354 whatever came before
        self.taken: list[Taken] = []
        self.visits: list[Visit] = []
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, ssl=self.context if self.implicit_tls else None, limit=1 << 20
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._tasks: set[asyncio.Task[None]] = set()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)

    @property
    def said(self) -> list[bytes]:
        return [line for visit in self.visits for line in visit.said]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        visit = Visit(len(self.visits), reader, writer)
        self.visits.append(visit)
        try:
            await self._talk(visit)
        except (ConnectionError, ssl.SSLError):
            pass
        except asyncio.CancelledError:
            return  # the server is closing; the stream machinery would log a cancelled visit
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _talk(self, visit: Visit) -> None:
        if not await self._reply(visit, "GREETING", b"", b"220 relay.example ready\r\n"):
            return
        while line := await visit.reader.readline():
            visit.said.append(line)
            verb = line.split()[0].upper().decode("ascii", "replace") if line.split() else ""
            if not await self._step(visit, verb, line):
                return

    async def _step(self, visit: Visit, verb: str, line: bytes) -> bool:
        if verb == "EHLO":
            offers = [o for o in self.offers if not (o == "STARTTLS" and visit.encrypted)]
            lines = ["relay.example", *offers]
            usual = b"".join(
                b"250%c%b\r\n" % (b" -"[i + 1 < len(lines)], text.encode()) for i, text in enumerate(lines)
            )
            return await self._reply(visit, "EHLO", line, usual)
        if verb == "STARTTLS" and self.context is not None:
            if not await self._reply(visit, "STARTTLS", line, b"220 go ahead\r\n"):
                return False
            await visit.writer.start_tls(self.context)
            return True
        if verb == "MAIL":
            usual = b"503 5.5.1 nested MAIL\r\n" if visit.sender is not None else b"250 2.1.0 ok\r\n"
            word = await self._word(visit, "MAIL", line, usual)
            if _good(word) and visit.sender is None:
                visit.sender, visit.recipients = _between(line), []
            return await self._say(visit, word)
        if verb == "RCPT":
            usual = b"503 5.5.1 need MAIL\r\n" if visit.sender is None else b"250 2.1.5 ok\r\n"
            word = usual if visit.sender is None else await self._word(visit, "RCPT", line, usual)
            if _good(word):
                visit.recipients.append(_between(line))
            return await self._say(visit, word)
        if verb == "DATA":
            return await self._data(visit, line)
        if verb == "RSET":
            visit.sender, visit.recipients = None, []
        usual = {"QUIT": b"221 bye\r\n", "AUTH": b"235 2.7.0 welcome\r\n"}.get(verb, b"250 ok\r\n")
        return await self._reply(visit, verb, line, usual) and verb != "QUIT"

    async def _data(self, visit: Visit, line: bytes) -> bool:
        if not visit.recipients and not self.lenient:
            return await self._say(visit, b"554 5.5.1 no valid recipients\r\n")
        word = await self._word(visit, "DATA", line, b"354 go\r\n")
        if not await self._say(visit, word):
            return False
        if isinstance(word, Act) or not word.startswith(b"354"):
            return True
        lines = []
        while (part := await visit.reader.readline()) != b".\r\n":
            if not part:
                return False
            lines.append(part.removeprefix(b".") if part.startswith(b".") else part)
        sender, recipients = visit.sender, visit.recipients
        visit.said.append(b".\r\n")
        usual = b"250 2.0.0 taken\r\n" if recipients else b"554 5.5.1 no valid recipients\r\n"
        word = await self._word(visit, "DOT", line, usual)
        visit.sender, visit.recipients = None, []
        # Whoever drops the connection instead of answering may well have taken the mail.
        if recipients and (word is Act.DROP or word is Act.EOF or word is Act.HANG or _good(word)):
            assert sender is not None
            self.taken.extend(Taken(sender, recipient, b"".join(lines)) for recipient in recipients)
        return await self._say(visit, word)

    async def _reply(self, visit: Visit, verb: str, line: bytes, usual: bytes) -> bool:
        return await self._say(visit, await self._word(visit, verb, line, usual))

    async def _word(self, visit: Visit, verb: str, line: bytes, usual: bytes) -> Word:
        entry = self.script.get(verb)
        if entry is None:
            return usual
        if isinstance(entry, list):
            return entry.pop(0) if len(entry) > 1 else entry[0]
        if callable(entry):
            word = entry(visit, line)
            return (await word if isinstance(word, Awaitable) else word) or usual
        return entry

    async def _say(self, visit: Visit, word: Word) -> bool:
        """False when the connection is over."""
        if word is Act.HANG:
            await asyncio.Event().wait()
        if word is Act.EOF:
            visit.writer.close()
            return False
        if word is Act.DROP:
            visit.writer.transport.abort()
            return False
        assert isinstance(word, bytes)
        while self.cuts is not None and len(word) > 1 and self.cuts.random() < 0.5:
            cut = self.cuts.randrange(1, len(word))
            visit.writer.write(word[:cut])
            await visit.writer.drain()
            await asyncio.sleep(0)
            word = word[cut:]
        visit.writer.write(word)
        await visit.writer.drain()
        return True


def _good(word: Word) -> bool:
    return isinstance(word, bytes) and word.startswith(b"2")


def _between(line: bytes) -> bytes:
    return line[line.index(b"<") + 1 : line.index(b">")]
