"""Mails and relays for the tests of the e-mail channel."""

from __future__ import annotations

from typing import Any

from avisa.ports import Mail
from avisa.smtp.relay import Patience, Relay
from tests.smtp.scripted import ScriptedRelay

BRIEF = Patience(connect=2, opening=0.4, mail=0.3, rcpt=0.3, data=0.3, stall=0.4, dot=0.5, quit=0.2, idle=30)
CALM = Patience(connect=5, opening=5, mail=5, rcpt=5, data=5, stall=5, dot=5, quit=1, idle=30)


def relay_to(server: ScriptedRelay, **changes: Any) -> Relay:
    settings: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": server.port,
        "tls": "none",
        "helo": "avisa.example",
        "patience": BRIEF,
    }
    return Relay(**(settings | changes))


def mail(number: int, *, to: str | None = None, body: bytes = b"Hello.\r\n") -> Mail:
    return Mail(
        key=f"A-{number}/1/update/1/customer",
        sender="shop@shop.example",
        recipient=to or f"customer{number}@mail.example",
        data=b"Subject: %d\r\n\r\n%b" % (number, body),
    )
