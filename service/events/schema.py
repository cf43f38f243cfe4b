"""The shapes of an event, as pydantic models, and the error of a record that has another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from avisa.core.model import Json, Reason

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_ID = 200  # characters of an order_id or status
MAX_TEXT = 500  # characters of any other identifier
MAX_KEYS = 200  # details an event may set
PROSE = {"name": 200, "reason": 2_000, "next_step": 2_000}  # characters after which it is cut

_LARGEST = 2**63 - 1
_MESSAGES = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "greater_than_equal": "is too small",
    "less_than_equal": "is too large",
    "too_long": "has too many entries",
}


class DecodeError(Exception):
    """A record that is no event for us. `stage` is headers, envelope or data; `message` names no values."""

    def __init__(self, stage: str, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.stage = stage
        self.reason = reason
        self.message = message


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)


class Customer(_Model):
    """Who ordered."""

    id: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    channels: Annotated[list[str], Field(max_length=20)] | None = None


class Item(TypedDict, total=False):
    """One of the things ordered. Other keys are kept as they are."""

    __pydantic_config__ = ConfigDict(strict=True, extra="allow")  # type: ignore[misc]  # how pydantic configures one

    name: str | None
    quantity: str | int | float | None


class Details(TypedDict, total=False):
    """What templates see as `order.…`. Other keys are kept as they are."""

    __pydantic_config__ = ConfigDict(strict=True, extra="allow")  # type: ignore[misc]  # how pydantic configures one

    number: str | int | None
    url: str | None
    items: list[Item] | None
    total: str | int | float | None
    currency: str | None


class Data(_Model):
    """What happened to an order. Only `order_id` and `status` are required; null clears."""

    order_id: str | int | None = None
    status: str | None = None
    occurred_at: str | None = None
    sequence: Annotated[int, Field(ge=0, le=_LARGEST)] | None = None
    customer: Customer | None = None
    promised_at: str | None = None
    reason: str | None = None
    next_step: str | None = None
    brand: str | None = None
    owner: str | None = None
    notify: bool | None = None
    details: Details | None = None


class PlainData(Data):
    """An event without an envelope, which may carry its own identity."""

    id: str | None = None
    source: str | None = None


class Envelope(_Model):
    """A CloudEvent in its JSON format (CloudEvents 1.0, JSON Event Format, section 3)."""

    specversion: str | None = None
    id: str | None = None
    source: str | None = None
    type: str | None = None
    time: str | None = None
    data: Data | None = None
    data_base64: str | None = None


def decode_error(error: ValidationError, stage: str, pointer: str = "") -> DecodeError:
    """Return pydantic's first error in our words, with its JSON pointer (RFC 6901), and without a value.

    `pointer` leads to the data that pydantic looked at.
    """
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        problem = first["ctx"]["error"]
        if "recursion limit" in problem:
            return DecodeError(stage, Reason.TOO_DEEP, f"nested more than {MAX_DEPTH} deep")
        return DecodeError(stage, Reason.NOT_JSON, f"not JSON: {problem}")
    path, message = first["loc"], _MESSAGES.get(first["type"], "has the wrong type")
    if path and path[-1] in ("str", "int", "float"):  # pydantic appends the type that it tried
        path, message = path[:-1], "must be text or a number"
    where = pointer + "".join(f"/{step}" for step in path)
    return DecodeError(stage, Reason.WRONG_TYPE, f"{where or 'the value'}: {message}")


def depth(content: Json) -> int:
    """Return how deep objects and lists are nested; 0 for a plain value."""
    deepest, level = 0, [content]
    while level := [value for value in level if isinstance(value, dict | list)]:
        deepest += 1
        level = [inner for value in level for inner in (value.values() if isinstance(value, dict) else value)]
    return deepest


def storable(details: Mapping[str, Json], where: str) -> dict[str, Json]:
    """Return the details as a database can hold them: numbers beyond 64 bits and U+0000 are replaced.

    Such a number becomes text with the same digits. Raises `DecodeError` for an infinite number, and for too many or
    too long names.
    """
    if len(details) > MAX_KEYS or max(map(len, details), default=0) > MAX_ID:
        raise DecodeError("data", Reason.TOO_LARGE, f"{where}: too many or too long names")
    if not _may_need_replacing(details):
        return dict(details)
    return {_text(key): _storable(value, where) for key, value in details.items()}


def _may_need_replacing(details: Mapping[str, Json]) -> bool:
    """Ask the JSON encoder, which is ten times as fast as our own walk. It refuses numbers beyond 64 bits, writes
    infinity as null, and U+0000 as an escape."""
    try:
        written = orjson.dumps(details)
    except TypeError:
        return True
    return b"null" in written or b"\\u0000" in written


def _storable(value: Json, where: str) -> Json:
    kind = type(value)
    if kind is str:
        return _text(value)
    if kind is dict:
        return {_text(key): _storable(inner, where) for key, inner in value.items()}
    if kind is list:
        return [_storable(inner, where) for inner in value]
    if kind is int and not -_LARGEST <= value <= _LARGEST:
        return str(value)
    if kind is float and not math.isfinite(value):
        raise DecodeError("data", Reason.WRONG_TYPE, f"{where}: holds a number beyond all measure")
    return value


def _text(value: str) -> str:
    return value.replace("\0", "\ufffd") if "\0" in value else value
