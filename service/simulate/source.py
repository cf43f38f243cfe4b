"""Past events from a file, as the records that Kafka would have held."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from avisa.core.model import Position
from avisa.ports import Record
from avisa.simulate.columns import Columns

# The timestamp of records from a file. No line says when it was written, so each event must say when it occurred.
UNDATED = datetime(1970, 1, 1, tzinfo=UTC)

Progress = Callable[[int], None]  # called with the bytes read since its last call; of a CSV file, characters


def json_lines(lines: Iterable[bytes], name: str, progress: Progress) -> Iterator[Record]:
    """The records of a file with one event as JSON on each line, as `avisa publish` takes them."""
    for number, line in enumerate(lines):
        progress(len(line))
        if value := line.strip():
            yield record(name, number, value)


def csv_rows(lines: Iterable[str], columns: Columns | None, name: str, progress: Progress) -> Iterator[Record]:
    """The records of a CSV file, by a mapping of its columns. None: the columns are named as the fields of events.

    Raises ValueError if the mapping names columns that the file does not have.
    """

    def counted() -> Iterator[str]:
        for line in lines:
            progress(len(line))
            yield line

    rows = csv.DictReader(counted())
    header = rows.fieldnames or ()
    mapping = Columns.of_header(header) if columns is None else columns
    mapping.check(header)
    number = 0
    for row in rows:
        for value in mapping.events(row):
            yield record(name, number, value)
            number += 1


def record(name: str, number: int, value: bytes) -> Record:
    """A record from a file. The name of the file stands for the topic, the number of the event for the offset."""
    position = Position(topic=name, partition=0, offset=number)
    return Record(position=position, timestamp=UNDATED, dated=False, key=None, headers=(), value=value)


def open_text(path: Path) -> IO[str]:
    """Open a CSV file in UTF-8, with or without a byte order mark. Raises OSError."""
    return path.open(encoding="utf-8-sig", newline="")
