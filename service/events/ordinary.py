"""The ordinary event, read by a parser that checks types as it goes.

It takes a part of what the careful reading (`schema`) takes as it stands, and declines all else: a field of another
type, a promise that is a slot, a value of several KiB. What it declines is read carefully, and mended if need be.
What it takes comes out as if it had been read carefully; `tests.events.differential` holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NotRequired

import msgspec
from typing_extensions import TypedDict  # as in `schema`

from avisa.events import mend
from avisa.events.details import MAX_KEYS
from avisa.events.schema import LARGEST, MAX_CHANNELS, MAX_DEPTH

# Bytes of a value. pydantic reads no number of more than 4,300 digits; msgspec does not count those that it skips.
_LONGEST = 4096


class Customer(TypedDict, total=False):
    """The keys of `schema.Customer` that were written."""

    id: str | None
    name: str | None
    first_name: str | None
    given_name: str | None
    email: str | None
    phone: str | None
    locale: str | None
    time_zone: str | None
    channels: Annotated[list[str], msgspec.Meta(max_length=MAX_CHANNELS)] | None


class Item(TypedDict, total=False):
    """What templates know of an item."""

    name: str | None
    quantity: str | int | float | None


class Details(TypedDict, total=False):
    """What templates know of an order."""

    number: str | int | None
    url: str | None
    items: list[Item] | None
    total: str | int | float | None
    currency: str | None


class Data(TypedDict, total=False):
    """The keys of `schema.PlainData` that were written."""

    id: str | None
    source: str | None
    order_id: str | int | None
    status: str | None
    part: str | int | None
    occurred_at: str | None
    sequence: Annotated[int, msgspec.Meta(ge=0, le=LARGEST)] | None
    customer: Customer | None
    promised_at: str | None
    reason: str | None
    next_step: str | None
    brand: str | None
    owner: str | None
    notify: bool | None
    details: msgspec.Raw  # parsed twice: other keys are kept as they are


class Envelope(TypedDict):
    """A CloudEvent with its data, and all the attributes that it must have."""

    specversion: str
    id: str
    source: str
    type: str
    time: NotRequired[str | None]
    data: Data
    data_base64: NotRequired[None]


_data = msgspec.json.Decoder(Data).decode
_envelope = msgspec.json.Decoder(Envelope).decode
_known_details = msgspec.json.Decoder(Details | None).decode
_all_details = msgspec.json.Decoder(Annotated[dict[str, Any], msgspec.Meta(max_length=MAX_KEYS)] | None).decode


def data(value: bytes) -> Mapping[str, Any] | None:
    """Return the data of an event as `schema.Data.written` does; None if it is not an ordinary one."""
    if not _may_be_ordinary(value):
        return None
    try:
        return _with_details(_data(value))
    except msgspec.MsgspecError:
        return None


def envelope(value: bytes) -> Mapping[str, Any] | None:
    """Return a CloudEvent with its data; None if it is not an ordinary one."""
    if not _may_be_ordinary(value):
        return None
    try:
        read = _envelope(value)
        return {**read, "data": _with_details(read["data"])}
    except msgspec.MsgspecError:
        return None


def _may_be_ordinary(value: bytes) -> bool:
    """False for what the parser would let pass where it skips a key that is not ours: too deep, an escaped surrogate
    that stands alone, what is not UTF-8; and for what only a machine can have written."""
    if len(value) > _LONGEST or value.count(b"[") + value.count(b"{") > MAX_DEPTH:
        return False
    if b"\\" in value and (rb"\ud" in value or rb"\uD" in value):
        return False
    if mend.may_hold_placeholders(value):
        return False
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _with_details(data: Data) -> Mapping[str, Any]:
    """Raises MsgspecError if the details do not have their types, or some have to be left out."""
    if "details" not in data:
        return data
    _known_details(data["details"])
    return {**data, "details": _all_details(data["details"])}
