"""Records whose header names are not UTF-8, which aiokafka cannot read.

It raises UnicodeDecodeError instead of returning them, and again at every new try, so one such record would block
its partition for ever. Once we meet one, this process reads every such name with replacement characters; until then
aiokafka is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

_LENGTH_AT, _OVERHEAD = 8, 12  # a record batch begins with its offset (8 bytes) and its length (4 bytes)


def install() -> None:
    """Read header names leniently from now on."""
    fetcher.MemoryRecords = _LenientRecords  # type: ignore[attr-defined]  # imported there, not exported


class _LenientRecords:
    """What a broker sent of one partition, batch by batch."""

    def __init__(self, content: bytes) -> None:
        self._records = MemoryRecords(content)
        self._content = content
        self._at = 0

    def size_in_bytes(self) -> int:
        return self._records.size_in_bytes()

    def has_next(self) -> bool:
        return self._records.has_next()

    def next_batch(self) -> Any:
        batch: Any = self._records.next_batch()
        length = int.from_bytes(self._content[self._at + _LENGTH_AT : self._at + _OVERHEAD], "big")
        content = self._content[self._at : self._at + _OVERHEAD + length]
        self._at += len(content)
        return batch if batch.is_control_batch or batch.magic < 2 else _LenientBatch(batch, content)


class _LenientBatch:
    """A batch that is read with aiokafka's fast parser, or, if that fails, with its slow one and lenient bytes."""

    def __init__(self, batch: Any, content: bytes) -> None:
        self._batch = batch
        self._content = content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        try:
            return iter(list(self._batch))
        except UnicodeDecodeError:
            slow = _DefaultRecordBatchPy(self._content)
            slow._maybe_uncompress()
            slow._buffer = _LenientBytes(slow._buffer)
            return iter(list(slow))


class _LenientBytes(bytearray):
    """Bytes of which every slice can be decoded."""

    def __getitem__(self, place: Any) -> Any:
        part = super().__getitem__(place)
        return _LenientBytes(part) if isinstance(part, bytearray) else part

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)
