"""The mail server that sends our mail on, and how patient we are with it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

Tls = Literal["tls", "starttls", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the relay may take, in seconds of real time.

    RFC 5321 section 4.5.3.2 gives the least a client should wait. Only the answer to the final dot is
    worth a long wait: a mail whose answer we give up on may arrive twice.
    """

    connect: float = 10
    opening: float = 30  # each of greeting, EHLO, TLS and AUTH
    mail: float = 60
    rcpt: float = 60
    data: float = 120
    stall: float = 60  # without the relay reading a byte of the body
    dot: float = 600
    quit: float = 5
    idle: float = 30  # an unused connection is kept open for as long


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Where the relay is, how we log in, and how many connections and mails it may have to bear.

    Raises ValueError for credentials that would cross a network in the clear.
    """

    host: str
    port: int
    tls: Tls
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    helo: str | None = None  # our name; without one the address literal of RFC 5321 section 4.1.3 is used
    ca_file: str | None = None  # authorities to trust instead of the system's
    clear_text: bool = False  # credentials may cross a network without TLS

    connections: int = 8
    mails_per_connection: int = 500
    greylisted_for: timedelta = timedelta(minutes=5)
    probe_every: float = 300  # seconds between two tries after the relay refused us
    patience: Patience = field(default_factory=Patience)

    def __post_init__(self) -> None:
        in_clear = self.username is not None and self.tls == "none" and not self.is_loopback
        if in_clear and not self.clear_text:
            raise ValueError("credentials are sent only over TLS, or to a relay on this machine")

    @property
    def is_loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False
