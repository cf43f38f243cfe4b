"""Messages as they are written, and the channels they leave by."""

from __future__ import annotations

import binascii
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from avisa.core.quick_dataclass import dataclass
from avisa.core.retry import Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A finished e-mail: its envelope and its bytes, with CRLF line ends and not yet dot-stuffed.

    `wire_ready` is the renderer's word that no CR or LF stands alone, that the last line has its end, and that no
    line begins with a dot. Then the channel need not look at every line of every mail.

    `notes` are for the timeline: what the reader does not see, and why, such as a text that was cut or a button that
    was dropped. They name variables (`order.url`), never a value.
    """

    key: str
    sender: str
    recipient: str
    data: bytes
    wire_ready: bool = False
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedMessage:
    """The texts of one mail; `notes` as in `Mail`."""

    subject: str
    short: str
    text: str
    quoted_html: bytes  # UTF-8 in quoted-printable (RFC 2045 section 6.7), as it is sent
    notes: Sequence[str] = ()

    @property
    def html(self) -> str:
        return binascii.a2b_qp(self.quoted_html).decode().replace("\r\n", "\n")


@dataclass(frozen=True, slots=True)
class CannotRender:
    """The message cannot be rendered; `problem` names template, line and variable, never a value."""

    problem: str


@dataclass(frozen=True, slots=True)
class NoAddress:
    """The recipient has no usable address."""


class Channel(Protocol):
    """One way out of Avisa, such as SMTP."""

    @property
    def open(self) -> bool:
        """False while there is no use in handing over mails: the relay cannot be reached, or refuses us."""

    @property
    def refusal(self) -> Receipt | None:
        """Why the relay refuses us (credentials, sender, blocklist), until it accepts a mail again."""

    @property
    def connections(self) -> int:
        """How many are open."""

    def deliver(self, mail: Mail, holds_lease: Callable[[], bool]) -> Awaitable[Receipt]:
        """Deliver one mail. Awaiting the receipt never raises, except when it is cancelled.

        `holds_lease` is asked at the last moment before the mail leaves. It returns False if this process was frozen
        or cut off for so long that another process may be sending the same mail; then the mail does not leave.
        """
