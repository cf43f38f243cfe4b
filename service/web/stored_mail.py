"""A mail of the embedded inbox, parsed for reading. Whatever its bytes are, that does not fail."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.utils import parseaddr
from typing import Protocol

LIST_MOST = 50  # on one page


class StoredMail(Protocol):
    """A mail as the inbox stores it."""

    @property
    def id(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def recipients(self) -> tuple[str, ...]: ...
    @property
    def content(self) -> bytes: ...


class Mailbox(Protocol):
    """The embedded inbox."""

    def newest(self, limit: int, *, before: int | None = None) -> Sequence[StoredMail]: ...

    def mail(self, id: int) -> StoredMail | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the list shows of a mail."""

    id: int
    at: datetime
    sender: str
    sender_address: str
    recipient: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedMail:
    summary: Summary
    headers: tuple[tuple[str, str], ...]
    text: str | None
    html: str | None
    source: str


_headers = BytesHeaderParser(policy=policy.default)


def summary(mail: StoredMail) -> Summary:
    return _summary(mail, _headers.parsebytes(mail.content))


def parse(mail: StoredMail) -> ParsedMail:
    parsed = message_from_bytes(mail.content, policy=policy.default)
    return ParsedMail(
        summary=_summary(mail, parsed),
        headers=tuple((name, str(value)) for name, value in parsed.items()),
        text=_part(parsed, "plain"),
        html=_part(parsed, "html"),
        source=mail.content.decode("utf-8", "replace").replace("\r\n", "\n"),
    )


def _summary(mail: StoredMail, parsed: EmailMessage) -> Summary:
    name, address = parseaddr(str(parsed.get("From", "")))
    return Summary(
        id=mail.id,
        at=mail.at,
        sender=name or address,
        sender_address=address,
        recipient=", ".join(mail.recipients),
        subject=str(parsed.get("Subject", "")),
    )


def _part(parsed: EmailMessage, subtype: str) -> str | None:
    try:
        part = parsed.get_body((subtype,))
        return None if part is None else str(part.get_content())
    except (LookupError, ValueError, AttributeError):  # an unknown charset, a broken structure
        return None


_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)


def for_frame(html: str) -> str:
    """Return `html` with links that open in a new window, because the frame that shows it may not navigate."""
    base = '<base target="_blank">'
    head = _HEAD.search(html)
    return base + html if head is None else html[: head.end()] + base + html[head.end() :]
