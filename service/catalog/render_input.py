"""One mail of a catalog before it is written, and the press that writes it."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Protocol

import orjson

from avisa.core.model import Json
from avisa.core.plan import Brand
from avisa.ports import CannotRender, Draft, Mail, RenderedMessage

_URLS = uuid.NAMESPACE_URL.bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderInput:
    """Everything about one mail that can differ from another of the same catalog: what a draft freezes."""

    message: str
    message_id: str
    references: str
    date: str  # RFC 5322 section 3.3
    locale: str
    brand: str
    purpose: str
    to: str
    name: str
    unsubscribe: str | None
    address_hash: str  # hexadecimal, so that a draft read back can still say it
    values: dict[str, Json]


class Renderer(Protocol):
    """Compiled messages: what rendering makes of a template folder."""

    def names(self) -> tuple[str, ...]:
        """The messages there are."""

    def locales(self, message: str) -> tuple[str, ...]:
        """In which languages there is such a message."""

    def address(self, given: object, brand: Brand) -> str | None:
        """The address if mail can be sent to it: checked, its domain in ASCII."""

    def domain(self, brand: Brand) -> str:
        """The domain that the brand's mail comes from, in ASCII."""

    def words(self, letter: RenderInput) -> RenderedMessage | CannotRender:
        """What the letter says."""

    def mail(self, letter: RenderInput, key: str) -> Mail | CannotRender:
        """The letter in its envelope."""

    def enclosed(self, letter: RenderInput, words: RenderedMessage, key: str) -> Mail:
        """The envelope of the letter around these words."""


def letter_of(draft: Draft) -> RenderInput:
    """The letter that was frozen; while its maker has it at hand, it need not be read."""
    return draft.letter if isinstance(draft.letter, RenderInput) else RenderInput(**orjson.loads(draft.json))


@lru_cache(64)
def date_of(at: datetime) -> str:
    """As a letter tells it, in UTC."""
    return format_datetime(at.astimezone(UTC))


def uuid_of(text: str) -> str:
    """The version 5 UUID (RFC 9562 section 5.5) of `text` in the namespace of URLs; `uuid.uuid5` takes thrice as
    long."""
    octets = bytearray(hashlib.sha1(_URLS + text.encode(), usedforsecurity=False).digest()[:16])
    octets[6] = octets[6] & 0x0F | 0x50
    octets[8] = octets[8] & 0x3F | 0x80
    digits = octets.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
