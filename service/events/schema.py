"""The shapes of an event, as pydantic models, and the error of a record that has another."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from avisa.core.model import Json, Reason

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_ID = 200  # characters of an order_id, a status or the id of a part
MOST_PARTS = 9_999  # that an event may say an order has
MAX_TEXT = 500  # characters of any other identifier
# Characters after which a text is cut.
PROSE = {"name": 200, "first_name": 200, "given_name": 200, "reason": 2_000, "next_step": 2_000}

MAX_CHANNELS = 20
LARGEST = 2**63 - 1


class DecodeError(Exception):
    """A record that is no event for us. `stage` is headers, envelope or data; `message` names no values."""

    def __init__(self, stage: str, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.stage = stage
        self.reason = reason
        self.message = message


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)

    def written(self) -> dict[str, Any]:
        """Return what the publisher wrote, by its name. What is null was written, too."""
        return {name: self.__dict__[name] for name in self.model_fields_set}


class Customer(_Model):
    """Who ordered."""

    id: str | None = None
    name: str | None = None
    first_name: str | None = None
    given_name: str | None = None
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    channels: Annotated[list[str], Field(max_length=MAX_CHANNELS)] | None = None


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


class Slot(_Model):
    """A promise between two moments of a day."""

    from_: Annotated[str, Field(alias="from")]
    until: str


# What a part may be. It is read by hand, so that an `of` that cannot be used is left out, and nothing else.
_OF_PART = WithJsonSchema(
    {
        "anyOf": [
            {"type": "string", "maxLength": MAX_ID},
            {"type": "integer"},
            {
                "type": "object",
                "properties": {
                    "id": {"anyOf": [{"type": "string", "maxLength": MAX_ID}, {"type": "integer"}]},
                    "of": {"type": "integer", "minimum": 1, "maximum": MOST_PARTS},
                },
                "required": ["id"],
            },
            {"type": "null"},
        ],
        "default": None,
        "title": "Part",
    }
)


class Data(_Model):
    """What happened to an order. Only `order_id` and `status` are required; null clears."""

    order_id: str | int | None = None
    status: str | None = None
    part: Annotated[Any, _OF_PART] = None
    occurred_at: str | None = None
    sequence: Annotated[int, Field(ge=0, le=LARGEST)] | None = None
    customer: Customer | None = None
    promised_at: str | Slot | None = None
    reason: str | None = None
    next_step: str | None = None
    brand: str | None = None
    owner: str | None = None
    notify: bool | None = None
    details: Details | None = None

    def written(self) -> dict[str, Any]:
        return super().written() | ({"customer": self.customer.written()} if self.customer else {})


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


def depth(content: Json) -> int:
    """Return how deep objects and lists are nested; 0 for a plain value."""
    deepest, level = 0, [content]
    while level := [value for value in level if value.__class__ is list or value.__class__ is dict]:
        deepest += 1
        level = [inner for value in level for inner in (value.values() if isinstance(value, dict) else value)]
    return deepest
