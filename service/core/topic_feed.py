"""A topic whose records have another shape than ours: `feeds.TOPIC` of the plan.

Here is only what the other rooms know of it; `feeds` has the mapping itself, compiled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from avisa.core.model import Json, Reason


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a feed made of a record: an event's own fields, nested as publishers write them, not yet checked."""

    fields: dict[str, Json]
    left_out: tuple[str, ...] = ()  # names of fields that could not be made
    size: int = 0  # bytes of all details as JSON, or more


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A record that is no event for us: skipped, or a dead letter if there is a `message`, which names no values."""

    reason: Reason
    message: str = ""


class TopicFeed(Protocol):
    """How the records of one topic are read."""

    @property
    def nulls(self) -> Literal["clear", "unknown"] | None:
        """What null clears in this topic; None: what `events.nulls` says."""

    @property
    def by_registry(self) -> bool:
        """True if a schema registry says how the bytes of a record are read."""

    def read(self, content: Json) -> Mapped | Unmapped:
        """Return the event's fields in a parsed value of at most 1 MiB and 32 levels. Never raises, and ends in
        bounded time."""

    def missing(self, content: Json) -> Mapping[str, str | None]:
        """The fields for which there is nothing in a value, each with the path that was probably meant."""

    def origin(self, field: str) -> str | None:
        """Where the feed takes a field from, for people: the expression; None if it does not map that field."""
