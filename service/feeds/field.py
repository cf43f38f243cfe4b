"""One field of an event, and where a feed takes it from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Literal

from avisa.core.model import Json
from avisa.feeds.conversions import Convert, amount, text
from avisa.feeds.expression import ABSENT, Expression, ExpressionError, Path
from avisa.feeds.interpreter import Interpreter

Kind = Literal["text", "whole", "flag", "any"]

_TEXTS_OF_CUSTOMER = ("id", "name", "first_name", "given_name", "email", "phone", "locale", "time_zone")

# The fields of an event, those that decide first. Of `details` any key is a field, too.
KINDS: Mapping[str, Kind] = {
    "order_id": "text",
    "status": "text",
    "part": "any",
    "part.id": "text",
    "part.of": "whole",
    "occurred_at": "text",
    "notify": "flag",
    "sequence": "whole",
    "id": "text",
    "source": "text",
    "customer": "any",
    **dict.fromkeys((f"customer.{key}" for key in _TEXTS_OF_CUSTOMER), "text"),
    "customer.channels": "any",
    "promised_at": "any",
    "promised_at.from": "text",
    "promised_at.until": "text",
    "reason": "text",
    "next_step": "text",
    "brand": "text",
    "owner": "text",
    "details": "any",
}
_OF_DETAILS = re.compile(r"details\.[^\s.]{1,64}")
DECIDE = frozenset({"order_id", "status", "part", "part.id", "occurred_at", "notify"})

_DIGITS = re.compile(r"\d{1,19}", re.ASCII)
_FLAGS = {"true": True, "false": False}
_BETWEEN = re.compile(r"[\s_-]+")


class FieldError(Exception):
    """A value that the field cannot be made of. The message names no values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field by its full name, `customer.email`, and the expression that it comes from."""

    name: str
    expression: Path | Expression | None  # None: it is always `default`
    convert: Convert | None = None
    minor: bool = False  # an amount in the smallest unit of the currency in `currency`
    currency: Field | None = None
    values: Mapping[str, str] = field(default_factory=dict)  # as they are written, and as `spelling` has them
    default: Json = None  # where there is nothing
    null_counts: bool = False  # an expression that finds nothing is a null
    kind: Kind = "any"
    decides: bool = False  # the event is none without it

    def read(self, content: Json, interpreter: Interpreter) -> Json:
        """Return the field's value; ABSENT if nothing is said of it. Raises FieldError, and TooManyStepsError."""
        try:
            value = self._found(content, interpreter)
            if value is None or value is ABSENT or (value.__class__ is str and (not value or value.isspace())):
                return value if self.default is None else self.default
            if self.minor:
                value = amount(value, self._currency(content, interpreter))
            elif self.convert is not None:
                value = self.convert(value)
            return as_kind(self.kind, self._looked_up(value) if self.values else value)
        except (ExpressionError, ValueError) as error:
            raise FieldError(str(error)) from None

    @property
    def origin(self) -> str:
        """What the operator wrote, for messages."""
        return self.expression.text if self.expression is not None else "default"

    def _found(self, content: Json, interpreter: Interpreter) -> Json:
        if self.expression is None:
            return ABSENT
        value = self.expression.find(content, interpreter)
        if value is None and self.expression.__class__ is Expression and not self.null_counts:
            return ABSENT  # whether it was null or not there at all, an expression does not tell
        return value

    def _currency(self, content: Json, interpreter: Interpreter) -> str | None:
        code = self.currency.read(content, interpreter) if self.currency else None
        return code if isinstance(code, str) else None

    def _looked_up(self, value: Json) -> Json:
        """The entry of the table; without one, the value itself."""
        try:
            written = text(value)
        except ValueError:
            return value
        found = self.values.get(written)
        return found if found is not None else self.values.get(spelling(written), value)


def as_kind(kind: Kind, value: Json) -> Json:
    """Take what is easily taken for what the field asks for; the rest is for the reader to judge. Raises ValueError
    for what is no number, and for a list or a map where a single value is asked for."""
    type_ = value.__class__
    if type_ is float and not isfinite(value):
        raise ValueError("is beyond all numbers")
    if kind == "any":
        return value
    if type_ is list or type_ is dict:
        raise ValueError("is a list or a map")
    if kind == "text":
        return text(value) if type_ is int or type_ is float else value
    if kind == "whole":
        return int(value) if type_ is str and _DIGITS.fullmatch(value) else value
    return _FLAGS.get(value, value) if type_ is str else value


def is_field(name: str) -> bool:
    """True for the name of a field that a feed may set."""
    return name in KINDS or _OF_DETAILS.fullmatch(name) is not None


def spelling(written: str) -> str:
    """A word without regard to case, blanks, - and _: `In  Production` and `IN_PRODUCTION` are one."""
    return _BETWEEN.sub("_", written.strip().casefold())
