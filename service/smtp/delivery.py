"""A mail on its way to the relay."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from avisa.core.retry import Receipt, Verdict
from avisa.ports import Mail
from avisa.smtp.address import Path, path

_LINE_END = re.compile(rb"\r\n|\r|\n")
_LEADING_DOT = re.compile(rb"(?m)^\.")
_NOT_READY = re.compile(rb"(?m)\r(?!\n)|(?<!\r)\n|^\.")


@dataclass(slots=True, eq=False)
class Delivery:
    """A mail, the future of its receipt, and the second chances it has used up."""

    sender: Path
    recipient: Path
    data: bytes  # as DATA carries it, but for the final dot
    eight_bit: bool
    answer: asyncio.Future[Receipt]
    holds_lease: Callable[[], bool]  # asked before the body leaves: is it still ours to send?
    moved: bool = False  # its connection was lost before anything of it was sent
    unverified: bool = False  # the relay would not vouch for the recipient (252)

    @property
    def domain(self) -> str:
        return self.recipient.domain

    @property
    def utf8(self) -> bool:
        """Whether its envelope needs SMTPUTF8."""
        return self.sender.utf8 or self.recipient.utf8


_sender = lru_cache(maxsize=100)(path)  # a few brands send everything


def prepare(mail: Mail, answer: asyncio.Future[Receipt], holds_lease: Callable[[], bool]) -> Delivery | Receipt:
    """Return `mail` as SMTP carries it, or the receipt of a mail that cannot be sent at all."""
    sender = _sender(mail.sender)
    if sender is None:
        return Receipt(verdict=Verdict.REFUSED_US, stage="mail", text="the sender is not an address")
    recipient = path(mail.recipient)
    if recipient is None:
        return Receipt(verdict=Verdict.PERMANENT, stage="rcpt", text="not an address", address_unknown=True)
    data = mail.data if mail.wire_ready else wire(mail.data)
    return Delivery(sender, recipient, data, not data.isascii(), answer, holds_lease)


def wire(data: bytes) -> bytes:
    """Return `data` with CRLF at every line end and leading dots doubled (RFC 5321 section 4.5.2).

    A lone CR or LF becomes a line end too. Some relays read it as one and some do not, and a second mail can be
    smuggled between the two readings.
    """
    if data.endswith(b"\r\n") and not _NOT_READY.search(data):
        return data
    data = _LINE_END.sub(b"\r\n", data)
    if not data.endswith(b"\r\n"):
        data += b"\r\n"
    return _LEADING_DOT.sub(b"..", data)
