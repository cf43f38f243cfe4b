"""A catalog, and how it chooses what a notification says, in which language and to whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

import orjson

from avisa.catalog.lightened import lightened
from avisa.catalog.locale import choose_locale, format_locale, spoken
from avisa.catalog.render_input import Renderer, date_of, uuid_of
from avisa.core import context, facts, gate, question_token, unsubscribe_token
from avisa.core.model import Alert, Json, Notification, Order, Purpose
from avisa.core.plan import Brand, Plan
from avisa.ports import CannotRender, Draft, Mail, NoAddress, RenderedMessage, RenderInput, render_input_of

LARGEST_DRAFT = 64 * 1024  # bytes kept of a mail, and about what it costs to fill one


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
    renderer: Renderer
    installation: Installation

    def speaks(self, locale: object, status: str) -> bool:
        """True if the message of that status is written in the language of `locale`, of whatever country."""
        return isinstance(locale, str) and spoken(self.renderer.locales(self.plan.touchpoint(status).message), locale)

    def open_messages(self) -> tuple[str, ...]:
        """What may be told while an order is open, in the order of the plan."""
        plan = self.plan
        touchpoints = [each for each in (*plan.touchpoints.values(), plan.unknown) if not each.final]
        told = [(each.message, *(message for *_, message in plan.besides(each))) for each in touchpoints]
        return tuple(dict.fromkeys(chain.from_iterable(told)))

    def address_hash(self, notification: Notification, order: Order) -> bytes | None:
        """What stands for the address of the notification among those that unsubscribed; None without an address."""
        known = facts.view(order)
        address = self.renderer.address(self._raw_address(notification, known), self.plan.brand(known.get("brand")))
        return None if address is None else unsubscribe_token.address_hash(self.installation.secret, address)

    def draft(self, notification: Notification, order: Order, now: datetime) -> Draft | NoAddress | CannotRender:
        """Choose message, locale and address, and freeze every value that the message may show."""
        touchpoint = self.plan.touchpoint(notification.status)
        try:
            kind = notification.ordinal if notification.alerts is None else Alert.SEVERAL
            message = touchpoint.message_for(notification.purpose, kind)
        except (KeyError, ValueError):
            return CannotRender(f"plan.yaml names no message for {notification.purpose}")
        known = facts.view(order)
        brand = self.plan.brand(known.get("brand"))
        address = self.renderer.address(self._raw_address(notification, known), brand)
        if address is None:
            return NoAddress()
        wanted = known.get("customer.locale") if notification.to_customer else self._owners_locale(notification)
        locale = choose_locale(self.renderer.locales(message), wanted or brand.locale, brand.locale)
        if locale is None:
            return CannotRender(f"there is no message {message}")
        render_input = self._render_input(notification, order, known, message, locale, brand, address, now)
        _set_formats(render_input.values, locale, wanted, brand)
        frozen = orjson.dumps(render_input)
        if len(frozen) > LARGEST_DRAFT:
            render_input = lightened(render_input, len(frozen), LARGEST_DRAFT)
            frozen = orjson.dumps(render_input)
        return Draft(
            catalog=self.version,
            locale=locale,
            json=frozen,
            message=message,
            message_id=render_input.message_id,
            address_hash=bytes.fromhex(render_input.address_hash),
            render_input=render_input,
        )

    def in_locale(self, render_input: RenderInput, wanted: str) -> RenderInput | None:
        """The same mail as it would be for a customer who wants that locale; None if it is not written in the
        language."""
        there, brand = self.renderer.locales(render_input.message), self.plan.brand(render_input.brand)
        locale = choose_locale(there, wanted, brand.locale) if spoken(there, wanted) else None
        if locale is None:
            return None
        values = dict(render_input.values)
        _set_formats(values, locale, wanted, brand)
        return replace(render_input, locale=locale, values=values)

    def compose(self, notification: Notification, draft: Draft) -> Mail | CannotRender:
        """Write the mail. The same draft gives the same bytes, in this process and in any other."""
        return self.renderer.mail(render_input_of(draft), notification.key)

    def render(self, draft: Draft) -> RenderedMessage | CannotRender:
        """The texts of a draft's mail."""
        return self.renderer.render(render_input_of(draft))

    def _owners_locale(self, notification: Notification) -> str | None:
        owner = self.plan.owners.get(notification.recipient.removeprefix("owner:"))
        return owner.locale if owner else None

    def _raw_address(self, notification: Notification, known: Mapping[str, Json]) -> object:
        if notification.to_customer:
            return known.get("customer.email")
        owner = self.plan.owners.get(notification.recipient.removeprefix("owner:"))
        return owner.email if owner else None

    def _render_input(
        self,
        notification: Notification,
        order: Order,
        known: Mapping[str, Json],
        message: str,
        locale: str,
        brand: Brand,
        address: str,
        now: datetime,
    ) -> RenderInput:
        values = context.build(order, notification, self.plan, now, known)
        notes: list[str] = values.pop("_left_out", [])
        customers = notification.to_customer
        values["_zone"] = str(facts.zone(order, self.plan)) if customers else brand.time_zone
        unsubscribe = None
        if customers and self.installation.public_url and notification.purpose in gate.CAN_BE_UNSUBSCRIBED:
            token = unsubscribe_token.unsubscribe_token(self.installation.secret, address)
            unsubscribe = f"{self.installation.public_url.rstrip('/')}/u/{token}"
            values["unsubscribe"] = unsubscribe
        if self.installation.public_url and notification.purpose is Purpose.ASK_OWNER:
            token = question_token.question_token(self.installation.secret, notification.key)
            values["answer"] = {"url": f"{self.installation.public_url.rstrip('/')}/o/{token}"}
        domain = self.renderer.domain(brand)
        return RenderInput(
            message=message,
            message_id=f"<{uuid_of(notification.key)}@{domain}>",
            references=f"<{uuid_of(f'{order.order_id} {notification.recipient}')}@{domain}>",
            date=date_of(now),
            locale=locale,
            brand=brand.key,
            purpose=notification.purpose,
            to=address,
            name=values["customer"]["name"] if customers else values["owner"]["name"],
            unsubscribe=unsubscribe,
            address_hash=unsubscribe_token.address_hash(self.installation.secret, address).hex(),
            values=values,
            notes=notes,
        )


def _set_formats(values: dict[str, Json], locale: str, wanted: str | None, brand: Brand) -> None:
    """Say in whose way dates and amounts are written, where it is not that of the words."""
    formats = format_locale(locale, wanted, brand.locale)
    if formats != locale:
        values["_locale"] = formats
    else:
        values.pop("_locale", None)
