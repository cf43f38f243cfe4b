"""Plan and messages, as the flows need them, and where they are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from avisa.core.model import Notification, Order
from avisa.core.plan import Plan
from avisa.core.template_versions import Version
from avisa.ports.drafts import Draft
from avisa.ports.mail import CannotRender, NoAddress
from avisa.ports.mailer import MailRenderer


class Catalog(Protocol):
    """The plan and all messages as one frozen, checked value."""

    @property
    def version(self) -> str: ...

    @property
    def plan(self) -> Plan: ...

    @property
    def renderer(self) -> MailRenderer:
        """What writes its mails."""

    def speaks(self, locale: object, status: str) -> bool:
        """True if the message of that status is written in the language of `locale`, of whatever country."""

    def address_hash(self, notification: Notification, order: Order) -> bytes | None:
        """The hash by which an address is known among those that unsubscribed; None without an address."""

    def draft(self, notification: Notification, order: Order, now: datetime) -> Draft | NoAddress | CannotRender:
        """Choose message, locale and address, and freeze every value that the message may show."""


class CatalogCache(Protocol):
    """The catalog in force, and earlier ones."""

    @property
    def in_force(self) -> Catalog: ...

    async def version(self, version: str) -> Catalog | None:
        """The catalog of this name; None if it is not kept any more."""


class CatalogStore(Protocol):
    """Every catalog ever put in force, by its name, so that a mail in doubt can be written again to the byte."""

    async def keep_catalog(self, version: str, content: bytes, *, at: datetime) -> None: ...

    async def kept_catalog(self, version: str) -> bytes | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The version that a living replica has in force."""

    replica: str  # host:port
    version: int


class VersionStore(CatalogStore, Protocol):
    """The versions of plan and messages, and the version that each folder is based on."""

    async def head(self) -> int:
        """The number of the newest version; 0: there is none. Cheap enough to be asked every few seconds."""

    async def versions(self) -> list[Version]:
        """All versions, the newest first."""

    async def add_version(self, version: Version, content: bytes) -> bool:
        """Keep a version and its catalog in one transaction. Returns False if somebody added that number before."""

    async def based_on(self, place: str) -> int | None:
        """The number of the version that the folder at this place (host and path) is based on; None: unknown."""

    async def set_base(self, place: str, version: int) -> None:
        """Remember that the folder at this place equals the version of this number, or is about to; 0: none."""

    async def has_in_force(self, replica: str, version: int) -> None:
        """Remember what a replica has in force. It tells this at least once a minute, and 0 when it ends."""

    async def who_has_in_force(self) -> list[InForce]:
        """The versions that the living replicas have in force."""
