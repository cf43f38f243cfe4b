"""A site with nothing behind it but an unsubscribing list and the real embedded inbox."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import httpx
import pytest

from avisa import events, telemetry
from avisa.core.model import Position, State
from avisa.core.plan import Events
from avisa.core.unsubscribe_token import read_unsubscribe_token, unsubscribe_token
from avisa.embedded.inbox import Inbox
from avisa.ports import NewRecord, Record, Taken, Unwritten, Written
from avisa.web import Site, build
from avisa.web.health import Check
from avisa.web.publish import Publishing
from avisa.web.server import CannotListen, Server, listen
from tests.fakes import HandClock
from tests.feeds.plans import mapped, plan
from tests.tools.waiting import PATIENCE

SECRET = b"a key for these tests: 32 bytes."
ADDRESS = "ana.canary@example.pt"
API_KEY = "kLp9-Xw2.Qv7~Zt4+Rm8/Bn5"
TOPICS = ("orders.status", "shop.orders", "shop.mapped", "shop.avro")


class NoQuestions:
    """Nobody was asked anything."""

    async def look(self, token: str) -> None:
        return None

    async def take(self, token: str, written: object) -> None:
        return None


@dataclass
class Topics:
    """What was published. `trouble` says what becomes of a record, by its value, instead of being written."""

    written: list[tuple[str, NewRecord]] = field(default_factory=list)
    trouble: Callable[[bytes], Unwritten | None] = lambda _value: None
    turn: asyncio.Event = field(default_factory=asyncio.Event)  # nothing is written while it is not set

    async def write(self, topic: str, records: Sequence[NewRecord]) -> Sequence[Written | Unwritten]:
        await self.turn.wait()
        return [self._written(topic, record) for record in records]

    def _written(self, topic: str, record: NewRecord) -> Written | Unwritten:
        if (trouble := self.trouble(record.value)) is not None:
            return trouble
        self.written.append((topic, record))
        return Written(topic=topic, partition=0, offset=len(self.written) - 1)


def read(topic: str, record: NewRecord) -> Taken:
    """As the service reads it."""
    position = Position(topic=topic, partition=0, offset=0)
    at = datetime(2026, 3, 2, tzinfo=UTC)
    would_be = Record(position=position, timestamp=at, key=None, headers=record.headers, value=record.value)
    return events.read(would_be, rules=Events(feeds=FEEDS))


FEEDS = plan(mapped(), "shop.mapped").events.feeds | plan("envelope: registry", "shop.avro").events.feeds


@dataclass
class RunningSite:
    """The site, running, and what it changed."""

    inbox: Inbox
    client: httpx.AsyncClient
    server: Server
    site: Site
    checks: dict[str, Check]
    topics: Topics
    unsubscribed: set[bytes] = field(default_factory=set)

    @property
    def token(self) -> str:
        return unsubscribe_token(SECRET, ADDRESS)


def a_mail(*, subject: str = "O seu pedido 1042 está em produção", html: str | None = None) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Loja Azul <avisos@example.com>"
    mail["To"] = ADDRESS
    mail["Subject"] = subject
    mail["Date"] = datetime(2026, 3, 2, 10, 15, tzinfo=UTC) - timedelta(0)
    mail.set_content("Olá Ana,\n\no seu pedido 1042 entrou em produção.\n")
    if html is not None:
        mail.add_alternative(html, subtype="html")
    return mail


def client_of(server: Server) -> httpx.AsyncClient:
    """It keeps no connection: a busy machine may be silent for longer than a server waits. Nor does it read the
    authorities of the machine, which takes 30 ms: it speaks no TLS."""
    once = httpx.Limits(max_keepalive_connections=0)
    url = f"http://127.0.0.1:{server.port}"
    return httpx.AsyncClient(base_url=url, timeout=PATIENCE, limits=once, verify=False)


def post(port: int, mail: EmailMessage) -> None:
    """Hand `mail` to the inbox as any client would; to be run in a thread."""
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as smtp:
        smtp.send_message(mail)


async def opened(listener: Any, site: Site) -> Server:
    assert not isinstance(listener, CannotListen)
    server = Server(build(site), listener)
    await server.start()
    return server


@pytest.fixture
async def running() -> AsyncIterator[RunningSite]:
    inbox = Inbox(HandClock())
    await inbox.start()
    checks = {
        "store": Check(ok=True, detail="sqlite"),
        "kafka": Check(ok=True),
        "assignment": Check(ok=True, detail="3 of 3", required=False),
    }
    unsubscribed: set[bytes] = set()
    topics = Topics()
    topics.turn.set()

    async def alive() -> dict[str, Check]:
        return {"loop": Check(ok=True)}

    async def ready() -> dict[str, Check]:
        return checks

    async def readings() -> telemetry.Readings:
        return telemetry.Readings(outbox={State.HELD: 2}, paused=True, in_doubt=1, orders={"open": 5})

    async def unsubscribe(address_hash: bytes) -> None:
        unsubscribed.add(address_hash)

    site = Site(
        alive=alive,
        ready=ready,
        readings=readings,
        read_token=lambda token: read_unsubscribe_token(SECRET, token),
        unsubscribe=unsubscribe,
        answers=NoQuestions(),
        asyncapi=lambda: {
            "asyncapi": "3.0.0",
            "info": {"title": "Avisa", "version": "1"},
            "channels": {"orders": {"address": "orders.status"}},
            "operations": {"take": {"action": "receive"}},
            "components": {"schemas": {"OrderEvent": {"type": "object"}}},
        },
        mailbox=inbox,
        publishing=Publishing(topics=TOPICS, api_key=API_KEY, read=read, write=topics.write, feed=FEEDS.get),
        public_url="https://avisa.example.com",
    )
    server = await opened(listen("127.0.0.1", 0), site)
    async with client_of(server) as client:
        yield RunningSite(
            inbox=inbox,
            client=client,
            server=server,
            site=site,
            checks=checks,
            topics=topics,
            unsubscribed=unsubscribed,
        )
    await server.stop()
    await inbox.stop()
