"""The plan and all messages as one frozen, checked value; and the shelf that keeps every one put in force.

A push either puts a whole catalog in force or changes nothing: the last good one stays. A catalog is known by
a hash of all that decides the octets of its mails, and what it was made of is kept, so that a mail in doubt
can be written again from the draft that was frozen, in this process or in any other.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any, Protocol

import orjson

from service.core import context, facts, links
from service.core.model import Json, Notification, Order, Purpose
from service.core.plan import Brand, Plan
from service.ports import CannotRender, CatalogStore, Draft, Mail, NoAddress, Problem, Words

PLAN = "plan.yaml"
_LAST_LOCALE = "en"
_CAN_UNSUBSCRIBE = frozenset({Purpose.REMINDER, Purpose.FEEDBACK})
_URLS = uuid.NAMESPACE_URL.bytes
_REMEMBERED = 4  # catalogs made again from what was kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
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


class Press(Protocol):
    """Compiled messages: what rendering makes of a template folder."""

    def locales(self, message: str) -> tuple[str, ...]:
        """In which languages there is such a message."""

    def address(self, given: object, brand: Brand) -> str | None:
        """The address if mail can be sent to it: checked, its domain in ASCII."""

    def domain(self, brand: Brand) -> str:
        """The domain that the brand's mail comes from, in ASCII."""

    def words(self, letter: Letter) -> Words | CannotRender:
        """What the letter says."""

    def mail(self, letter: Letter, key: str) -> Mail | CannotRender:
        """The letter in its envelope."""


ReadPlan = Callable[[str], Plan | list[Problem]]
MakePress = Callable[[Mapping[str, str], Plan], tuple[Press | None, list[Problem]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What of the settings goes into mails."""

    secret: bytes
    public_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """The plan and all messages as one frozen, checked value."""

    version: str
    plan: Plan
    press: Press
    installation: Installation

    def speaks(self, locale: object, status: str) -> bool:
        """Whether the message of that status is written in the language of `locale`, of whatever country."""
        return isinstance(locale, str) and _spoken(self.press.locales(self.plan.touchpoint(status).message), locale)

    def draft(self, notification: Notification, order: Order, now: datetime) -> Draft | NoAddress | CannotRender:
        """Choose message, locale and address and freeze every value the message may show."""
        touchpoint = self.plan.touchpoint(notification.status)
        try:
            message = touchpoint.message_for(notification.purpose, notification.ordinal)
        except (KeyError, ValueError):
            return CannotRender(f"plan.yaml names no message for {notification.purpose}")
        known = facts.view(order)
        brand = self.plan.brand(known.get("brand"))
        address = self.press.address(self._given_address(notification, known), brand)
        if address is None:
            return NoAddress()
        locale = self._locale(message, notification, order, brand)
        if locale is None:
            return CannotRender(f"there is no message {message}")
        letter = self._letter(notification, order, known, message, locale, brand, address, now)
        return Draft(
            catalog=self.version,
            locale=locale,
            json=orjson.dumps(letter),
            message=message,
            message_id=letter.message_id,
            address_hash=bytes.fromhex(letter.address_hash),
        )

    def compose(self, notification: Notification, draft: Draft) -> Mail | CannotRender:
        """Write the mail. The same draft gives the same octets, in this process and in any other."""
        return self.press.mail(Letter(**orjson.loads(draft.json)), notification.key)

    def words(self, draft: Draft) -> Words | CannotRender:
        """What the mail of a draft says."""
        return self.press.words(Letter(**orjson.loads(draft.json)))

    def _given_address(self, notification: Notification, known: Mapping[str, Json]) -> object:
        if notification.to_customer:
            return known.get("customer.email")
        owner = self.plan.owners.get(notification.recipient.removeprefix("owner:"))
        return owner.email if owner else None

    def _locale(self, message: str, notification: Notification, order: Order, brand: Brand) -> str | None:
        wanted = facts.locale(order, self.plan) if notification.to_customer else brand.locale
        return choose_locale(self.press.locales(message), wanted, brand.locale)

    def _letter(
        self,
        notification: Notification,
        order: Order,
        known: Mapping[str, Json],
        message: str,
        locale: str,
        brand: Brand,
        address: str,
        now: datetime,
    ) -> Letter:
        values = context.build(order, notification, self.plan, now, known)
        customers = notification.to_customer
        values["_zone"] = facts.zone(order, self.plan).key if customers else brand.time_zone
        unsubscribe = None
        if customers and self.installation.public_url and notification.purpose in _CAN_UNSUBSCRIBE:
            token = links.unsubscribe_token(self.installation.secret, address)
            unsubscribe = f"{self.installation.public_url.rstrip('/')}/u/{token}"
            values["unsubscribe"] = unsubscribe
        domain = self.press.domain(brand)
        return Letter(
            message=message,
            message_id=f"<{_uuid(notification.key)}@{domain}>",
            references=f"<{_uuid(f'{order.order_id} {notification.recipient}')}@{domain}>",
            date=_date(now.replace(microsecond=0)),
            locale=locale,
            brand=brand.key,
            purpose=notification.purpose,
            to=address,
            name=values["customer"]["name"] if customers else values["owner"]["name"],
            unsubscribe=unsubscribe,
            address_hash=links.address_hash(self.installation.secret, address).hex(),
            values=values,
        )


@lru_cache(4096)
def choose_locale(there: tuple[str, ...], wanted: str, brands: str) -> str | None:
    """`pt-BR`, else `pt`, else another Portuguese (the brand's before others), else the brand's language,
    else English, else whatever there is."""
    by_name = {name.casefold(): name for name in there}
    ours = canonical(brands)
    chain = [canonical(wanted), canonical(wanted).partition("-")[0]]
    siblings = sorted(name for name in by_name if name.startswith(chain[1] + "-"))
    chain += [ours] if ours in siblings else siblings[:1]
    chain += [ours, ours.partition("-")[0], _LAST_LOCALE, *sorted(by_name)]
    return next((by_name[name] for name in chain if name in by_name), None)


@lru_cache(4096)
def _spoken(there: tuple[str, ...], wanted: str) -> bool:
    language = canonical(wanted).partition("-")[0]
    return any(canonical(name).partition("-")[0] == language for name in there)


def canonical(locale: str) -> str:
    """A language tag in lower case with hyphens; `pt_BR.UTF-8` is `pt-br`."""
    return locale.partition(".")[0].strip().replace("_", "-").casefold()


@lru_cache(64)
def _date(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC))


def _uuid(text: str) -> str:
    """The version 5 UUID (RFC 9562 section 5.5) of `text` in the namespace of URLs; `uuid.uuid5` takes thrice as
    long."""
    octets = bytearray(hashlib.sha1(_URLS + text.encode(), usedforsecurity=False).digest()[:16])
    octets[6] = octets[6] & 0x0F | 0x50
    octets[8] = octets[8] & 0x3F | 0x80
    digits = octets.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class Shelf:
    """Keeps the catalog in force, and makes earlier ones again from what was kept of them."""

    def __init__(
        self,
        *,
        read_plan: ReadPlan,
        make_press: MakePress,
        engine: str,
        installation: Installation,
        store: CatalogStore,
    ) -> None:
        """`engine` names everything but the files that decides octets: the versions of what renders them."""
        self._read_plan = read_plan
        self._make_press = make_press
        self._engine = engine
        self._installation = installation
        self._store = store
        self._in_force: Catalog | None = None
        self._earlier: OrderedDict[str, Catalog] = OrderedDict()
        self._turn = asyncio.Lock()
        self.problems: tuple[Problem, ...] = ()

    @property
    def in_force(self) -> Catalog:
        if self._in_force is None:
            raise LookupError("no catalog was ever pushed")
        return self._in_force

    @property
    def ok(self) -> bool:
        """Whether the newest push was put in force."""
        return self._in_force is not None and not any(it.severity == "error" for it in self.problems)

    async def push(
        self, files: Mapping[str, str], *, at: datetime, unread: Sequence[Problem] = ()
    ) -> tuple[Problem, ...]:
        """Check the files and put them in force, or leave the last good catalog and say what is wrong. With
        `unread`, something of the folder could not be read, and nothing is put in force."""
        async with self._turn:
            if unread:
                self.problems = tuple(unread)
                return self.problems
            content = orjson.dumps({"engine": self._engine, "files": dict(files)}, option=orjson.OPT_SORT_KEYS)
            version = hashlib.sha256(content).hexdigest()[:16]
            if self._in_force is not None and self._in_force.version == version:
                self.problems = tuple(it for it in self.problems if it.severity == "warning")
                return self.problems
            catalog, problems = await asyncio.to_thread(self._make, version, files)
            if catalog is not None:
                await self._store.keep_catalog(version, content, at=at)
                self._in_force = catalog
            self.problems = tuple(problems)
            return self.problems

    async def version(self, version: str) -> Catalog | None:
        """An earlier catalog, if it is still kept."""
        if self._in_force is not None and self._in_force.version == version:
            return self._in_force
        if version in self._earlier:
            self._earlier.move_to_end(version)
            return self._earlier[version]
        content = await self._store.kept_catalog(version)
        if content is None:
            return None
        kept: dict[str, Any] = orjson.loads(content)
        catalog, _ = await asyncio.to_thread(self._make, version, kept["files"])
        if catalog is not None:
            self._earlier[version] = catalog
            if len(self._earlier) > _REMEMBERED:
                self._earlier.popitem(last=False)
        return catalog

    def _make(self, version: str, files: Mapping[str, str]) -> tuple[Catalog | None, list[Problem]]:
        plan, press, problems = examine(files, self._read_plan, self._make_press)
        if plan is None or press is None:
            return None, problems
        return Catalog(version=version, plan=plan, press=press, installation=self._installation), problems


def examine(
    files: Mapping[str, str], read_plan: ReadPlan, make_press: MakePress
) -> tuple[Plan | None, Press | None, list[Problem]]:
    """Plan and press of a template folder, as far as they can be made, and all that is wrong."""
    if PLAN not in files:
        return None, None, [Problem(code="missing_file", file=PLAN, message="there is no plan")]
    plan = read_plan(files[PLAN])
    if isinstance(plan, list):
        return None, None, plan
    press, problems = make_press(files, plan)
    return plan, press, problems
