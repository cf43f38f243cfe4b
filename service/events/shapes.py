"""The shapes an event may have, as pydantic models, and what is said when it does not have them."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.core.model import Json, Reason

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_ID = 200  # characters of an order_id or status
MAX_TEXT = 500  # characters of any other identifier
MAX_KEYS = 200  # details an event may set
PROSE = {"name": 200, "reason": 2_000, "next_step": 2_000}  # characters after which it is cut

_LARGEST = 2**63 - 1
_DETAILS: dict[str, tuple[type, ...]] = {
    "number": (str, int),
    "url": (str,),
    "items": (list,),
    "total": (str, int, float),
    "currency": (str,),
}
_ITEM: dict[str, tuple[type, ...]] = {"name": (str,), "quantity": (str, int, float)}
_WORDS = {
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


class UnfitError(Exception):
    """A record that is no event for us: at which stage of reading it that showed, why, and where.

    `message` names fields, never what was in them.
    """

    def __init__(self, stage: str, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.stage = stage
        self.reason = reason
        self.message = message


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)


class Customer(_Shape):
    """Whom the order is for."""

    id: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    channels: Annotated[list[str], Field(max_length=20)] | None = None


class Data(_Shape):
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
    details: dict[str, Any] | None = None


class PlainData(Data):
    """The same without an envelope, so it may carry its own identity."""

    id: str | None = None
    source: str | None = None


class Envelope(_Shape):
    """A CloudEvent in its JSON format (CloudEvents 1.0, JSON Event Format, section 3)."""

    specversion: str | None = None
    id: str | None = None
    source: str | None = None
    type: str | None = None
    time: str | None = None
    data: Data | None = None
    data_base64: str | None = None


def trouble(error: ValidationError, stage: str, inside: str = "") -> UnfitError:
    """The first thing pydantic found, in our words, with a JSON pointer (RFC 6901) and no value."""
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        problem = first["ctx"]["error"]
        if "recursion limit" in problem:
            return UnfitError(stage, Reason.TOO_DEEP, f"nested more than {MAX_DEPTH} deep")
        return UnfitError(stage, Reason.NOT_JSON, f"not JSON: {problem}")
    path, words = first["loc"], _WORDS.get(first["type"], "has the wrong type")
    if "order_id" in path:
        path, words = path[:-1], "must be text or a whole number"  # pydantic adds which of the two it tried
    where = inside + "".join(f"/{step}" for step in path)
    return UnfitError(stage, Reason.WRONG_TYPE, f"{where or 'the value'}: {words}")


def depth(content: Json) -> int:
    """How deep objects and lists are nested; 0 for a plain value."""
    deepest, level = 0, [content]
    while level := [value for value in level if isinstance(value, dict | list)]:
        deepest += 1
        level = [inner for value in level for inner in (value.values() if isinstance(value, dict) else value)]
    return deepest


def storable(details: dict[str, Json], where: str) -> dict[str, Json]:
    """The details as they can be kept and shown.

    Raises `UnfitError` for a wrong type in those that templates rely on, for a number no computer means, and for
    absurdly many or long names. Numbers beyond 64 bits become text, which shows the same digits.
    """
    if len(details) > MAX_KEYS or any(len(key) > MAX_ID for key in details):
        raise UnfitError("data", Reason.TOO_LARGE, f"{where}: too many or too long names")
    _typed(details, _DETAILS, where)
    for place, item in enumerate(details.get("items") or ()):
        if not isinstance(item, dict):
            raise UnfitError("data", Reason.WRONG_TYPE, f"{where}/items/{place}: must be an object")
        _typed(item, _ITEM, f"{where}/items/{place}")
    kept = _kept(details, where)
    assert isinstance(kept, dict)
    return kept


def _typed(content: dict[str, Json], types: dict[str, tuple[type, ...]], where: str) -> None:
    for key, allowed in types.items():
        value = content.get(key)
        if value is not None and (not isinstance(value, allowed) or isinstance(value, bool)):
            raise UnfitError("data", Reason.WRONG_TYPE, f"{where}/{key}: has the wrong type")


def _kept(value: Json, where: str) -> Json:
    match value:
        case str():
            return value.replace("\0", "\ufffd")
        case dict():
            return {key.replace("\0", "\ufffd"): _kept(inner, where) for key, inner in value.items()}
        case list():
            return [_kept(inner, where) for inner in value]
        case float() if not math.isfinite(value):
            raise UnfitError("data", Reason.WRONG_TYPE, f"{where}: holds a number beyond all measure")
        case int() if not -_LARGEST <= value <= _LARGEST:
            return str(value)
        case _:
            return value
