"""One record of a batch, read field by field: for those that aiokafka's parser cannot read, or not in our memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordPy
from aiokafka.record.util import decode_varint

from avisa.core.model import Reason

LONGEST_VALUE = 1 << 20  # bytes
HEAD = 4096  # bytes kept of a longer value or key
TOO_LONG = "the value is longer than 1 MiB"
BEYOND = "lies behind the first 32 MiB of its batch, which is all that is inflated"
_MOST_HEADERS = 1000  # each takes far more memory than bytes
_BATCH = Struct(">qiibIhiqqqhii")  # the head of a record batch, in the order of `Head`
_CODEC, _LOG_APPEND_TIME = 0x07, 0x08

RawRecord = _DefaultRecordPy


class CutValue(bytes):
    """What is left of a value that was not read whole, and why not."""

    reason: Reason
    message: str
    size: int  # bytes of the whole value, as far as that is known
    sha256: bytes | None  # of the whole value; None if nobody read it

    def __new__(
        cls, kept: bytes, *, reason: Reason, message: str, size: int = 0, sha256: bytes | None = None
    ) -> CutValue:
        made = super().__new__(cls, kept)
        made.reason, made.message, made.size, made.sha256 = reason, message, size, sha256
        return made


class Head(NamedTuple):
    """The head of a record batch, as the protocol has it."""

    base_offset: int
    length: int
    leader_epoch: int
    magic: int
    crc: int
    attributes: int
    last_offset_delta: int
    first_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    records: int

    @classmethod
    def of(cls, content: bytes) -> Head:
        return cls._make(_BATCH.unpack_from(content))

    def packed(self) -> bytes:
        return _BATCH.pack(*self)

    @property
    def codec(self) -> int:
        return self.attributes & _CODEC

    def parsed(self, content: bytes | bytearray | memoryview, count: int) -> list[RawRecord]:
        """Return `count` records of the batch, inflated, by aiokafka's own fast parser. Raises what it raises."""
        head = self._replace(
            length=len(content) + _BATCH.size - 12, attributes=self.attributes & ~_CODEC, records=count
        )
        return list(DefaultRecordBatch(head.packed() + content))  # type: ignore[arg-type]  # of the same shape

    def cut(
        self, offset: int, value: CutValue, *, key: bytes | None = None, timestamp: int | None = None
    ) -> RawRecord:
        """Return what is left of a record of this batch."""
        at = self.max_timestamp if timestamp is None else timestamp
        return RawRecord(offset, at, int(bool(self.attributes & _LOG_APPEND_TIME)), key, value, [])


HEAD_SIZE = _BATCH.size


def spans(content: bytearray) -> Iterator[tuple[int, int]]:
    """Yield where each record begins and ends; an end behind the content's means that the record is cut there.

    Raises ValueError or IndexError at a length that is none.
    """
    at = 0
    while at < len(content):
        try:
            length, begin = decode_varint(content, at)
        except IndexError:
            length, begin = len(content), at  # cut within the length itself
        if length <= 0:
            raise ValueError("a record without a length")
        yield at, begin + length
        at = begin + length


def read_record(content: bytearray, begin: int, head: Head) -> RawRecord:
    """Read one record: header names that are not UTF-8 with replacement characters, a value over 1 MiB without its
    end. Raises ValueError or IndexError if it is none, or if it is cut before its value.
    """
    length, at = decode_varint(content, begin)
    end = at + length
    at += 1  # attributes, of which none is in use
    delta, at = decode_varint(content, at)
    timestamp = head.max_timestamp if head.attributes & _LOG_APPEND_TIME else head.first_timestamp + delta
    delta, at = decode_varint(content, at)
    offset = head.base_offset + delta
    size, at = decode_varint(content, at)
    key = None if size < 0 else bytes(content[at : at + min(size, HEAD if size > LONGEST_VALUE else size)])
    at += max(size, 0)
    size, at = decode_varint(content, at)
    if at > min(end, len(content)) or at + size > end:
        raise ValueError("a record whose fields are longer than itself")
    if end > len(content) or size > LONGEST_VALUE:
        value = memoryview(content)[at : at + max(size, 0)]
        whole = at + max(size, 0) <= len(content)
        kept = CutValue(
            bytes(value[:HEAD]),
            reason=Reason.TOO_LARGE,
            message=TOO_LONG if size > LONGEST_VALUE else BEYOND,
            size=max(size, 0),
            sha256=hashlib.sha256(value).digest() if whole else None,
        )
        return head.cut(offset, kept, key=key, timestamp=timestamp)
    value_read = None if size < 0 else bytes(content[at : at + size])
    headers = _headers(content, at + max(size, 0), end)
    if headers is None:
        odd = CutValue(
            value_read or b"",
            reason=Reason.BAD_HEADERS,
            message=f"it has more than {_MOST_HEADERS} headers, or they do not end with it",
            size=max(size, 0),
        )
        return head.cut(offset, odd, key=key, timestamp=timestamp)
    return RawRecord(offset, timestamp, int(bool(head.attributes & _LOG_APPEND_TIME)), key, value_read, headers)


def _headers(content: bytearray, at: int, end: int) -> list[tuple[str, bytes | None]] | None:
    """Return the headers between `at` and `end`; None if they are too many, or do not end there."""
    count, at = decode_varint(content, at)
    if not 0 <= count <= _MOST_HEADERS:
        return None
    headers: list[tuple[str, bytes | None]] = []
    for _ in range(count):
        size, at = decode_varint(content, at)
        name = content[at : at + max(size, 0)].decode("utf-8", "replace")
        at += max(size, 0)
        size, at = decode_varint(content, at)
        headers.append((name, None if size < 0 else bytes(content[at : at + size])))
        at += max(size, 0)
        if at > end:
            return None
    return headers
