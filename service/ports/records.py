"""What came from Kafka: an event, a dead letter, or nothing for us."""

from __future__ import annotations

from datetime import datetime

from avisa.core.model import OrderEvent, Position, Reason
from avisa.core.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as it came from Kafka."""

    position: Position
    timestamp: datetime  # the record's own, real
    dated: bool = True  # False: it has no timestamp, or an impossible one, and `timestamp` is when it was read
    key: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    value: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A record that could not be read: it becomes a dead letter."""

    record: Record
    stage: str  # batch, headers, envelope, data
    reason: Reason
    message: str  # what is wrong and where, without personal data
    cut: bool = False  # the record's value is not all of it
    size: int = 0  # bytes of the whole value, where that was cut
    sha256: bytes | None = None  # of the whole value, where that was cut; None if nobody read it


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A record that is none of our business: it is only counted."""

    position: Position
    reason: Reason


Taken = OrderEvent | Unreadable | Skipped
