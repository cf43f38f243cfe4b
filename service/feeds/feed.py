"""A feed, compiled: how the records of one topic become events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from avisa.core.facts import MAX_DETAILS_BYTES
from avisa.core.model import Json, Reason
from avisa.core.topic_feed import Mapped, Unmapped
from avisa.feeds import envelopes
from avisa.feeds.conversions import text
from avisa.feeds.expression import ABSENT, Expression, ExpressionError, Path
from avisa.feeds.field import Field, FieldError
from avisa.feeds.interpreter import Interpreter, TooManyStepsError
from avisa.feeds.weight import TooHeavyError, weight

Envelope = Literal["connect", "debezium", "registry"]

_HEAVIEST = 6 * MAX_DETAILS_BYTES  # the weight beyond which no value has room among the details
_TOO_MANY = "its expressions take too many steps on this record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """An entry of `only`: an expression, and the values it must have one of."""

    expression: Path | Expression
    values: frozenset[str]

    def holds(self, content: Json, interpreter: Interpreter) -> bool:
        """Raises ExpressionError, and TooManyStepsError."""
        value = self.expression.find(content, interpreter)
        try:
            return text(value) in self.values
        except ValueError:  # nothing, or no single value
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What the plan says of a topic. Without `fields` the records have our own names already."""

    topic: str
    envelope: Envelope | None = None
    fields: tuple[Field, ...] = ()  # those that decide first
    only: tuple[Condition, ...] = ()
    only_if_changed: tuple[Path, ...] = ()
    nulls: Literal["clear", "unknown"] | None = None
    notify: bool = True

    @property
    def by_registry(self) -> bool:
        """See `TopicFeed.by_registry`."""
        return self.envelope == "registry"

    def read(self, content: Json) -> Mapped | Unmapped:
        """See `TopicFeed.read`."""
        content = self._opened(content)
        if isinstance(content, Unmapped):
            return content
        silent = not self.notify or (self.envelope == "debezium" and envelopes.is_snapshot(content))
        interpreter = Interpreter()
        try:
            for condition in self.only:
                if not condition.holds(content, interpreter):
                    return Unmapped(Reason.FILTERED)
        except ExpressionError as error:
            return Unmapped(Reason.WRONG_TYPE, f"only: {error} (`{condition.expression.text}`)")
        except TooManyStepsError:
            return Unmapped(Reason.TOO_LARGE, f"only: {_TOO_MANY}")
        mapped = self._mapped(content, interpreter) if self.fields else _own(content)
        if silent and isinstance(mapped, Mapped):
            mapped.fields["notify"] = False
        return mapped

    def missing(self, content: Json) -> Mapping[str, str | None]:
        """See `TopicFeed.missing`."""
        content = self._opened(content)
        if isinstance(content, Unmapped):
            return {}
        interpreter, found = Interpreter(), {}
        for field in self.fields:
            try:
                value = field.read(content, interpreter)
            except (FieldError, TooManyStepsError):
                continue  # there is something, though nothing to be used
            if value is ABSENT or value is None or value == "":
                path = field.expression
                found[field.name] = path.nearest(content) if isinstance(path, Path) else None
        return found

    def origin(self, field: str) -> str | None:
        """See `TopicFeed.origin`."""
        return next((each.origin for each in self.fields if each.name == field), None)

    def _opened(self, content: Json) -> Json | Unmapped:
        """What is in the envelope."""
        if self.envelope in ("connect", "debezium"):
            content = envelopes.unwrapped(content)
        if self.envelope == "debezium":
            content = envelopes.change(content, self.only_if_changed)
        if isinstance(content, Unmapped | dict | list):
            return content
        return Unmapped(Reason.WRONG_TYPE, "the value: must be an object")

    def _mapped(self, content: Json, interpreter: Interpreter) -> Mapped | Unmapped:
        fields: dict[str, Json] = {}
        left_out: list[str] = []
        size = 0
        for field in self.fields:
            name = field.name
            try:
                value = field.read(content, interpreter)
                if value is ABSENT:
                    continue
                if field.kind == "any":
                    size += len(name) + weight(value, _HEAVIEST)
            except (FieldError, TooHeavyError, TooManyStepsError) as error:
                if field.decides:
                    return _unusable(field, error)
                left_out.append(name)
                continue
            if not _put(fields, name, value):
                left_out.append(name)
        return Mapped(fields, tuple(left_out), size)


def _put(fields: dict[str, Json], name: str, value: Json) -> bool:
    """Put a value at its place. False if what is there, such as `customer` as a whole, takes no single field."""
    group, _, key = name.partition(".")
    if not key:
        # What is changed later on is ours, not a part of the record.
        fields[name] = dict(value) if value.__class__ is dict else value
        return True
    holder = fields.setdefault(group, {})
    if holder is None:
        holder = fields[group] = {}
    if holder.__class__ is not dict:
        return False
    holder[key] = value
    return True


def _own(content: Json) -> Mapped | Unmapped:
    """A record that has our own names."""
    if not isinstance(content, dict):
        return Unmapped(Reason.WRONG_TYPE, "the value: must be an object")
    return Mapped(dict(content), size=MAX_DETAILS_BYTES + 1)


def _unusable(field: Field, error: Exception) -> Unmapped:
    """Why a field that decides cannot be made."""
    if isinstance(error, TooManyStepsError | TooHeavyError):
        return Unmapped(Reason.TOO_LARGE, f"/{field.name}: {_TOO_MANY} (`{field.origin}`)")
    reason = Reason.BAD_TIME if field.name == "occurred_at" else Reason.WRONG_TYPE
    return Unmapped(reason, f"/{field.name}: {error} (`{field.origin}`)")
