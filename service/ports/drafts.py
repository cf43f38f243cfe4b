"""What a message is going to say, frozen before its first byte leaves, and the attempt to deliver it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from datetime import datetime

import orjson

from avisa.core.model import Json, Notification, Order
from avisa.core.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderInput:
    """What a draft freezes: everything in which a mail can differ from another mail of the same catalog."""

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
    notes: Sequence[str] = ()  # what of the order's facts is not among the values, as in `Mail.notes`


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What freezes at the first attempt. The same draft gives the same bytes, from the catalog that it names."""

    catalog: str  # the version of the catalog
    locale: str
    json: bytes  # holds `message` and `message_id` too, so a draft read back needs no more than these three

    message: str = ""  # its name, for the timeline
    message_id: str = ""  # with its angle brackets
    address_hash: bytes = b""
    render_input: RenderInput | None = field(default=None, compare=False, repr=False)  # what `json` says, if at hand


def render_input_of(draft: Draft) -> RenderInput:
    """What the draft froze. It is read from JSON only if another process froze it."""
    return draft.render_input or RenderInput(**orjson.loads(draft.json))


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A notification that is this process's to deliver, with its order as it is now.

    `draft` is the frozen one of an earlier attempt, None before the first.
    """

    notification: Notification
    order: Order
    draft: Draft | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Alerts that wait to be told with another one: their keys; some of them with their orders, each order once, to
    be shown; and how many orders all of these alerts are about, the other one included."""

    keys: tuple[str, ...] = ()
    shown: tuple[Claimed, ...] = ()
    orders: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt to deliver a notification: stored as begun before the first byte leaves."""

    claimed: Claimed
    draft: Draft
    at_real: datetime
    lists: tuple[str, ...] = ()  # keys of the alerts that its mail tells besides its own

    @property
    def key(self) -> str:
        """The key of the notification."""
        return self.claimed.notification.key
