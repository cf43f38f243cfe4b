"""Records grouped by order, wherever they stand in their source, without holding all of them in memory.

The records are spilled to 256 temporary files, all records of an order to the same file. Each file is then read
whole.
"""

from __future__ import annotations

import pickle
import zlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import orjson

from avisa import events
from avisa.core.model import OrderEvent, Position, Reason
from avisa.core.plan import Events
from avisa.core.timestamps import BEGINNING
from avisa.ports import Record, Skipped, Unreadable

GROUPS = 256
_AT_ONCE = 32  # records that are written together, because one by one takes three times as long
# order, number, topic, partition, offset, timestamp, dated, headers, value
_Row = tuple[str, int, str, int, int, datetime, bool, tuple[tuple[str, bytes | None], ...], bytes | None]


class TakenIn(StrEnum):
    """The moment at which the simulation takes an event in: when it occurred, or the timestamp of its record."""

    OCCURRED_AT = "occurred_at"
    TIMESTAMP = "timestamp"


@dataclass(slots=True)
class Spilled:
    """The files with the records, and the count of those that could not be used."""

    files: list[Path]
    records: int = 0  # all that were read
    end: datetime = BEGINNING  # the latest moment at which an event is taken in
    unread: Counter[Reason] = field(default_factory=Counter)  # dead letters and skipped records


def spill(
    records: Iterable[Record | Unreadable], folder: Path, taken_in: TakenIn, types: Collection[str] = ()
) -> Spilled:
    """Write the records to files in `folder`, grouped by order. `types` are the CloudEvent types to take; if empty,
    all are taken. Raises OSError, and what the iterator of the records raises."""
    spilled = Spilled([folder / str(number) for number in range(GROUPS)])
    groups: list[list[_Row]] = [[] for _ in range(GROUPS)]
    with ExitStack() as stack:
        files = [stack.enter_context(file.open("wb")) for file in spilled.files]
        for number, record in enumerate(records):
            spilled.records += 1
            if isinstance(record, Unreadable):
                spilled.unread[record.reason] += 1
                continue
            found = _skimmed(record) or _read(record, types)
            if isinstance(found, Reason):
                spilled.unread[found] += 1
                continue
            order_id, occurred_at = found
            spilled.end = max(spilled.end, occurred_at if taken_in is TakenIn.OCCURRED_AT else record.timestamp)
            at = record.position
            place = zlib.crc32(order_id.encode("utf-8", "surrogatepass")) % GROUPS
            group = groups[place]
            group.append(
                (
                    *(order_id, number, at.topic, at.partition, at.offset, record.timestamp, record.dated),
                    *(record.headers, record.value),
                )
            )
            if len(group) == _AT_ONCE:
                pickle.dump(group, files[place], pickle.HIGHEST_PROTOCOL)
                group.clear()
        for group, file in zip(groups, files, strict=True):
            pickle.dump(group, file, pickle.HIGHEST_PROTOCOL)
    return spilled


def by_order(file: Path) -> Iterator[list[tuple[int, Record]]]:
    """The records of one order after the other in one of the files, each with its number in the source."""
    orders: defaultdict[str, list[tuple[int, Record]]] = defaultdict(list)
    for order_id, number, topic, partition, offset, timestamp, dated, headers, value in _rows(file):
        position = Position(topic=topic, partition=partition, offset=offset)
        record = Record(position=position, timestamp=timestamp, dated=dated, key=None, headers=headers, value=value)
        orders[order_id].append((number, record))
    yield from orders.values()


def arrivals(
    records: Iterable[tuple[int, Record]], rules: Events, taken_in: TakenIn, end: datetime
) -> tuple[list[tuple[datetime, OrderEvent]], Counter[Reason]]:
    """The events of one order, each with the moment at which it is taken in, the earliest first; and how many of the
    records could not be read, by the reason.

    By OCCURRED_AT no event comes late. By TIMESTAMP events come in the order of the topic: one whose timestamp is
    earlier than that of a record before it is taken in at the moment of that record. Nothing is taken in after `end`,
    whatever an event claims.
    """
    taken: list[tuple[datetime, int, int, OrderEvent]] = []
    unread: Counter[Reason] = Counter()
    latest = BEGINNING
    for number, record in records:
        event = events.read(record, rules=rules)
        if not isinstance(event, OrderEvent):
            unread[event.reason] += 1
        elif taken_in is TakenIn.TIMESTAMP:
            latest = max(latest, min(record.timestamp, end))
            taken.append((latest, 0, number, event))
        elif "timestamp" in event.left_out:  # nothing says when it occurred
            unread[Reason.BAD_TIME] += 1
        else:
            sequence = -1 if event.sequence is None else event.sequence
            taken.append((min(event.occurred_at, end), sequence, number, event))
    taken.sort(key=lambda it: it[:3])
    return [(at, event) for at, _, _, event in taken], unread


def _rows(file: Path) -> Iterator[_Row]:
    with file.open("rb") as rows:
        while True:
            try:
                yield from pickle.load(rows)  # noqa: S301 -- this very command wrote it, where nobody else can
            except EOFError:
                return


def _skimmed(record: Record) -> tuple[str, datetime] | None:
    """The order and the moment of a record that is one of our plain events, in a fifth of the time that `events.read`
    takes; None for any other record."""
    if record.value is None or record.headers:
        return None
    try:
        content = orjson.loads(record.value)
        order_id, occurred_at = content["order_id"], datetime.fromisoformat(content["occurred_at"])
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(order_id, str) or not order_id or occurred_at.tzinfo is None or "specversion" in content:
        return None
    return order_id, occurred_at


def _read(record: Record, types: Collection[str]) -> tuple[str, datetime] | Reason:
    """The order and the moment of a record, or the reason why it is no event."""
    match events.read(record, types=types):
        case OrderEvent() as event:
            return event.order_id, event.occurred_at
        case Unreadable(reason=reason) | Skipped(reason=reason):
            return reason
