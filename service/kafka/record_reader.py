"""Our reader of record batches, which stands before aiokafka's.

aiokafka inflates a batch whole, whatever that takes, and raises for a whole answer of the broker if one record cannot
be read; at the next try it does so again. Here a batch is inflated up to a bound (`inflate`), its records are parsed
some at a time, by aiokafka's fast parser, and what cannot be read takes its place among the others as a record with a
`CutValue`, which becomes a dead letter. However much a poll would bring, it ends after `AT_ONCE`, and the next one
goes on there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.memory_records import MemoryRecords

from avisa.core.model import Reason
from avisa.kafka.inflate import STEPS, InflateError, inflate
from avisa.kafka.raw_record import (
    BEYOND,
    HEAD_SIZE,
    LONGEST_VALUE,
    CutValue,
    Head,
    RawRecord,
    read_record,
    spans,
)

AT_ONCE = 8 << 20  # bytes of records in a poll, of all partitions; of each partition at least some
CHUNK = 256 << 10  # bytes of records that are parsed together, where a batch is large
CHUNK_RECORDS = 1000
_SMALL_RECORDS = 10_000  # a batch with more of them counts as large
_LARGE = LONGEST_VALUE + (64 << 10)  # bytes; a larger record is not parsed whole
_HEADER_COST = 100  # bytes of memory that a header takes beside its own
_EACH = 1000  # records that were not read and become a dead letter each; the rest of a batch is one
_LENGTH_AT, _OVERHEAD = 8, 12  # a batch begins with its offset (8 bytes) and its length (4 bytes)
_LEGACY_KEY_AT = {0: 18, 1: 26}  # by the version of the format
_LEGACY_AT_MOST = STEPS[1]  # aiokafka inflates those once more

_CORRUPT = "its batch cannot be unpacked here"


class Allowance:
    """How much a poll may still bring."""

    def __init__(self) -> None:
        self.left = AT_ONCE

    def renew(self) -> None:
        self.left = AT_ONCE


allowance = Allowance()  # aiokafka gives its readers no way to know whose they are


def install() -> None:
    """Have aiokafka's consumers read by us."""
    fetcher.MemoryRecords = RecordReader  # type: ignore[attr-defined]  # imported there, not exported
    fetcher.PartitionRecords = _PartitionRecords  # type: ignore[misc]  # a class, in place of theirs


class RecordReader:
    """What a broker sent of one partition, batch by batch."""

    def __init__(self, content: bytes) -> None:
        self._records = MemoryRecords(content)
        self._content = content
        self._at = 0
        self.begun = False  # some of it was handed out
        self.ended = False  # by the allowance: the rest is for another poll
        self.fetch_offset = 0  # what lies before is skipped by whoever reads

    def size_in_bytes(self) -> int:
        return self._records.size_in_bytes()

    def has_next(self) -> bool:
        if self.begun and allowance.left <= 0:
            self.ended = True
        return not self.ended and self._records.has_next()

    def next_batch(self) -> Any:
        batch: Any = self._records.next_batch()
        length = int.from_bytes(self._content[self._at + _LENGTH_AT : self._at + _OVERHEAD], "big")
        content = self._content[self._at : self._at + _OVERHEAD + length]
        self._at += len(content)
        if batch.is_control_batch:
            return batch
        if content[16] < 2:
            return _LegacyBatch(batch, content) if content[17] & 0x07 else batch
        return _Batch(batch, content, self)


class _PartitionRecords(fetcher.PartitionRecords):
    """Tells our reader where to begin."""

    def __init__(self, tp: Any, records: RecordReader, aborted: Any, fetch_offset: int, *more: Any) -> None:
        records.fetch_offset = fetch_offset
        super().__init__(tp, records, aborted, fetch_offset, *more)  # type: ignore[no-untyped-call]  # theirs


class _LegacyBatch:
    """A compressed message of before Kafka 0.11, others in it. aiokafka reads it if it inflates to 8 MiB at most."""

    def __init__(self, batch: Any, content: bytes) -> None:
        self._batch = batch
        self._content = content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        at = _LEGACY_KEY_AT[self._content[16]]
        at += 4 + max(int.from_bytes(self._content[at : at + 4], "big", signed=True), 0)
        reason, message = Reason.TOO_LARGE, "it and the records beside it are over 8 MiB in all"
        try:
            if inflate(self._content[17] & 0x07, self._content[at + 4 :], at_most=_LEGACY_AT_MOST).whole:
                yield from self._batch
                return
        except InflateError:
            reason, message = Reason.BAD_BATCH, _CORRUPT
        yield RawRecord(self._batch.next_offset - 1, 0, 0, None, CutValue(b"", reason=reason, message=message), [])


class _Batch:
    """A record batch. What aiokafka asks of it beside its records it answers as aiokafka's own does."""

    def __init__(self, batch: Any, content: bytes, reader: RecordReader) -> None:
        self._batch = batch
        self._content = content
        self._reader = reader
        self._ended_at: int | None = None
        self.base_offset = batch.base_offset
        self.producer_id = batch.producer_id
        self.is_control_batch = False
        self.is_transactional = batch.is_transactional

    @property
    def next_offset(self) -> int:
        """The offset behind the batch; where the allowance ended it, the offset to go on at."""
        offset: int = self._batch.next_offset if self._ended_at is None else self._ended_at
        return offset

    def validate_crc(self) -> bool:
        valid: bool = self._batch.validate_crc()
        return valid

    def __iter__(self) -> Iterator[RawRecord]:
        head = Head.of(self._content)
        content: bytes | bytearray = self._content[HEAD_SIZE:]
        whole = True
        if head.codec:
            try:
                inflated = inflate(head.codec, bytes(content))
            except InflateError:
                return self._unread(head, head.base_offset, Reason.BAD_BATCH, _CORRUPT)
            content, whole = inflated.content, inflated.whole
        if whole and len(content) <= _LARGE and head.records <= _SMALL_RECORDS:
            with suppress(CorruptRecordException, ValueError, IndexError):
                records = head.parsed(content, head.records) if head.codec else list(self._batch)
                self._spend(len(content), records)
                return iter(records)
        return self._large(head, bytearray(content) if isinstance(content, bytes) else content, whole)

    def _large(self, head: Head, content: bytearray, whole: bool) -> Iterator[RawRecord]:
        """Yield the records some at a time; in place of those that cannot be read, what is left of them."""
        offset = head.base_offset
        records: list[RawRecord] | None = []
        for records in _chunks(head, content):
            if records is None:
                break
            if records:
                self._spend(sum(len(record.value or b"") for record in records), records)
                yield from records
                offset = records[-1].offset + 1
                if allowance.left <= 0 and offset > self._reader.fetch_offset and offset < self._batch.next_offset:
                    self._ended_at = offset
                    self._reader.ended = True
                    return
        reason, message = (Reason.BAD_BATCH, _CORRUPT) if whole else (Reason.TOO_LARGE, BEYOND)
        if records is None or not whole:
            yield from self._unread(head, offset, reason, message)

    def _unread(self, head: Head, offset: int, reason: Reason, message: str) -> Iterator[RawRecord]:
        """Yield what is left of the records from `offset` on: their places."""
        self._reader.begun = True
        end = self._batch.next_offset
        for at in range(offset, min(end, offset + _EACH)):
            rest = end - at - 1 if at == offset + _EACH - 1 else 0
            text = f"{message}; so do the {rest} records after it" if rest else message
            yield head.cut(at, CutValue(b"", reason=reason, message=text))

    def _spend(self, size: int, records: list[RawRecord]) -> None:
        self._reader.begun = True
        if records and records[-1].offset >= self._reader.fetch_offset:
            allowance.left -= size + _HEADER_COST * sum(len(record.headers) for record in records)


def _chunks(head: Head, content: bytearray) -> Iterator[list[RawRecord] | None]:
    """Yield the records, as many at a time as fit a chunk; last None if the content ends before the last record."""
    begin = end = count = read = 0
    records: list[RawRecord] = []
    try:
        for start, stop in spans(content):
            large = stop - start > _LARGE or stop > len(content)
            if count and (large or count == CHUNK_RECORDS or stop - begin > CHUNK):
                records = _parsed(head, content[begin:end], count, after=records)
                yield records
                begin, count = end, 0
            if large:
                records = [read_record(content, start, head)]
                yield records
                begin, count = stop, 0
            else:
                count += 1
            end = stop
            read += 1
    except (ValueError, IndexError):
        yield None
        return
    if count:
        yield _parsed(head, content[begin:end], count, after=records)
    if read < head.records:
        yield None


def _parsed(head: Head, content: bytearray, count: int, *, after: list[RawRecord]) -> list[RawRecord]:
    """Parse `count` records by aiokafka's fast parser; if it cannot, one by one. `after` are those before them."""
    with suppress(CorruptRecordException, ValueError, IndexError):
        return head.parsed(content, count)
    records: list[RawRecord] = []
    for start, _ in spans(content):
        try:
            records.append(read_record(content, start, head))
        except (ValueError, IndexError):
            before = records or after
            offset = before[-1].offset + 1 if before else head.base_offset
            records.append(head.cut(offset, CutValue(b"", reason=Reason.BAD_BATCH, message=_CORRUPT)))
    return records
