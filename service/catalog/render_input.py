"""What decides one mail of a catalog before it is rendered, and the renderer that writes it."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Protocol

from avisa.core.plan import Brand
from avisa.ports import CannotRender, Mail, MailRenderer, RenderedMessage, RenderInput

_URLS = hashlib.sha1(uuid.NAMESPACE_URL.bytes, usedforsecurity=False)
_VARIANT = {f"{digit:x}": "89ab"[digit % 4] for digit in range(16)}


class Renderer(MailRenderer, Protocol):
    """The compiled messages of a template folder."""

    def as_of(self, engine: str) -> Renderer:
        """The renderer whose mails have the form that they had with that engine."""

    def names(self) -> tuple[str, ...]:
        """The messages there are."""

    def locales(self, message: str) -> tuple[str, ...]:
        """The languages that a message is written in."""

    def address(self, raw: object, brand: Brand) -> str | None:
        """The address if mail can be sent to it: checked, its domain in ASCII."""

    def domain(self, brand: Brand) -> str:
        """The domain that the brand's mail comes from, in ASCII."""

    def render(self, render_input: RenderInput) -> RenderedMessage | CannotRender:
        """The texts of the mail."""

    def to_mime(self, render_input: RenderInput, message: RenderedMessage, key: str) -> Mail:
        """The mail that carries these texts."""


@lru_cache(64)  # the mails of a batch have the same moment
def date_of(at: datetime) -> str:
    """The value of a `Date` header (RFC 5322 section 3.3), in UTC and whole seconds."""
    return format_datetime(at.astimezone(UTC))


def uuid_of(text: str) -> str:
    """The version 5 UUID (RFC 9562 section 5.5) of `text` in the namespace of URLs; `uuid.uuid5` takes thrice as
    long."""
    named = _URLS.copy()
    named.update(text.encode())
    digits = named.hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{_VARIANT[digits[16]]}{digits[17:20]}-{digits[20:32]}"
