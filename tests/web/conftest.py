"""A site with nothing behind it but an unsubscribing list and the real embedded inbox."""

from __future__ import annotations

import smtplib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import httpx
import pytest

from avisa import telemetry
from avisa.core.model import State
from avisa.core.unsubscribe_token import read_unsubscribe_token, unsubscribe_token
from avisa.embedded.inbox import Inbox
from avisa.web import Site, build
from avisa.web.health import Check
from avisa.web.server import CannotListen, Server, listen
from tests.fakes import HandClock
from tests.tools.waiting import PATIENCE

SECRET = b"a key for these tests: 32 bytes."
ADDRESS = "ana.canary@example.pt"


class NoQuestions:
    """Nobody was asked anything."""

    async def look(self, token: str) -> None:
        return None

    async def take(self, token: str, written: object) -> None:
        return None


@dataclass
class RunningSite:
    """The site, running, and what it changed."""

    inbox: Inbox
    client: httpx.AsyncClient
    server: Server
    site: Site
    checks: dict[str, Check]
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
    """It keeps no connection: a busy machine may be silent for longer than a server waits."""
    once = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=PATIENCE, limits=once)


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
        public_url="https://avisa.example.com",
    )
    server = await opened(listen("127.0.0.1", 0), site)
    async with client_of(server) as client:
        yield RunningSite(
            inbox=inbox, client=client, server=server, site=site, checks=checks, unsubscribed=unsubscribed
        )
    await server.stop()
    await inbox.stop()
