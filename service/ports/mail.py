"""Messages as they are written, and the channels they leave by."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from avisa.core.model import Notification, Order
from avisa.core.plan import Plan
from avisa.core.retry import Receipt
from avisa.core.template_versions import Version
from avisa.ports.drafts import Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A finished e-mail: envelope and octets (CRLF line ends, not yet dot-stuffed).

    With `wire_ready` its maker vouches that no CR or LF stands alone, that the last line is ended and that no line
    begins with a dot; then the channel need not look at every line of every mail.
    """

    key: str
    sender: str
    recipient: str
    data: bytes
    wire_ready: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedMessage:
    """What a draft says, for people: the preview and the timeline's own copy of a mail."""

    subject: str
    short: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class CannotRender:
    """The message can not be written; `problem` names template, line and variable, never a value."""

    problem: str


@dataclass(frozen=True, slots=True)
class NoAddress:
    """There is nowhere to send it."""


class Catalog(Protocol):
    """The plan and all messages as one frozen, checked value."""

    @property
    def version(self) -> str: ...

    @property
    def plan(self) -> Plan: ...

    def speaks(self, locale: object, status: str) -> bool:
        """Whether the message of that status is written in the language of `locale`, of whatever country."""

    def address_hash(self, notification: Notification, order: Order) -> bytes | None:
        """What stands for the address of the notification among those that unsubscribed; None without an address."""

    def draft(self, notification: Notification, order: Order, now: datetime) -> Draft | NoAddress | CannotRender:
        """Choose message, locale and address and freeze every value the message may show."""

    def compose(self, notification: Notification, draft: Draft) -> Mail | CannotRender:
        """Write the mail. The same draft gives the same octets, in this process and in any other."""


class CatalogCache(Protocol):
    """Where catalogs are kept."""

    @property
    def in_force(self) -> Catalog: ...

    async def version(self, version: str) -> Catalog | None:
        """An earlier catalog, if it is still kept."""


class CatalogStore(Protocol):
    """Every catalog ever put in force, by version, so that a mail in doubt can be written again to the octet."""

    async def keep_catalog(self, version: str, content: bytes, *, at: datetime) -> None: ...

    async def kept_catalog(self, version: str) -> bytes | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """What a living replica has in force."""

    replica: str  # host:port
    version: int


class VersionStore(CatalogStore, Protocol):
    """The versions of the words, and of which one each folder was made."""

    async def head(self) -> int:
        """The number of the newest version; 0: there is none. Cheap enough to be asked every few seconds."""

    async def versions(self) -> list[Version]:
        """All, the newest first."""

    async def add_version(self, version: Version, content: bytes) -> bool:
        """Keep a version and its catalog in one transaction, if nobody added one of that number before; answers
        whether it did."""

    async def based_on(self, place: str) -> int | None:
        """The number of the version that the folder at that place (host and path) was last known to equal."""

    async def set_base(self, place: str, version: int) -> None:
        """The folder at that place equals the version of this number, or is about to; 0: it equals none."""

    async def has_in_force(self, replica: str, version: int) -> None:
        """A replica says what it has in force, at least once a minute; 0: it ends, and has nothing any more."""

    async def who_has_in_force(self) -> list[InForce]:
        """What the living replicas have in force."""


class Channel(Protocol):
    """A way out."""

    @property
    def open(self) -> bool:
        """False while it is of no use to hand it anything: the route is down, or we are refused."""

    def deliver(self, mail: Mail, ours: Callable[[], bool]) -> Awaitable[Receipt]:
        """Deliver one mail. The awaitable never raises, but for cancellation.

        `ours` is asked at the last moment before the mail leaves: when it is no longer ours to send, because we
        were frozen or cut off for so long that another process may be sending it, then it does not leave.
        """
