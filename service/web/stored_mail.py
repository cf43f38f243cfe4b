"""A mail of the embedded inbox, parsed for reading. Whatever its bytes are, that does not fail."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.parser import BytesHeaderParser
from email.utils import parseaddr
from functools import cached_property
from typing import Protocol

LIST_MOST = 50  # on one page

_headers = BytesHeaderParser(policy=policy.default)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMail:
    """A mail as the inbox received it."""

    id: int  # counts from 1 since the start
    at: datetime  # on the virtual clock
    recipients: tuple[str, ...]
    content: bytes


class Mailbox(Protocol):
    """The embedded inbox."""

    def newest(self, limit: int, *, before: int | None = None) -> Sequence[StoredMail]: ...

    def mail(self, id: int) -> StoredMail | None: ...


class ParsedMail:
    """What the pages show of a mail. Its body is parsed once it is asked for: the list shows only headers."""

    def __init__(self, mail: StoredMail) -> None:
        headers = _headers.parsebytes(mail.content)
        name, self.sender_address = parseaddr(str(headers.get("From", "")))
        self.sender = name or self.sender_address
        self.subject = str(headers.get("Subject", ""))
        self.recipient = ", ".join(mail.recipients)
        self.id = mail.id
        self.at = mail.at
        self._content = mail.content

    @cached_property
    def text(self) -> str | None:
        return self._part("plain")

    @cached_property
    def html(self) -> str | None:
        return self._part("html")

    @property
    def source(self) -> str:
        return self._content.decode("utf-8", "replace").replace("\r\n", "\n")

    def _part(self, subtype: str) -> str | None:
        try:
            part = message_from_bytes(self._content, policy=policy.default).get_body((subtype,))
            return None if part is None else str(part.get_content())
        except (LookupError, ValueError, AttributeError):  # an unknown charset, a broken structure
            return None


_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)


def for_frame(html: str) -> str:
    """Return `html` with links that open in a new window, because the frame that shows it may not navigate."""
    base = '<base target="_blank">'
    head = _HEAD.search(html)
    return base + html if head is None else html[: head.end()] + base + html[head.end() :]
