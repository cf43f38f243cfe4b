"""Events that somebody else hands us to write to Kafka, and what became of each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecord:
    """A record to write."""

    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """All replicas have the record, at this place."""

    topic: str
    partition: int
    offset: int | None  # None: it is there, but the answer that named its place was lost


class Obstacle(StrEnum):
    """Why a record is not known to be in the topic."""

    FULL = "full"  # the embedded broker keeps little, and its reader has not caught up
    BUSY = "busy"  # others were first
    UNREACHABLE = "unreachable"
    NO_TOPIC = "no_topic"
    TOO_LARGE = "too_large"  # for the broker
    REFUSED = "refused"  # by the broker
    IN_DOUBT = "in_doubt"  # no answer came: it may be in the topic, or get there yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwritten:
    """The record is not in the topic, or nobody knows; `detail` is for a person, and holds no secret."""

    obstacle: Obstacle
    detail: str


WriteRecords = Callable[[str, Sequence[NewRecord]], Awaitable[Sequence[Written | Unwritten]]]
"""Write records to a topic; return what became of each, in their order."""
