"""Records whose header names are not UTF-8, which aiokafka cannot read.

It raises UnicodeDecodeError instead of handing them out, and again at every new try, so that one such record
would bar its partition for ever. Once one is met, the records of this process are read so that a name that is
not UTF-8 gets replacement characters; until then nothing is different.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

_LENGTH_AT, _OVERHEAD = 8, 12  # of a record batch: its offset (8 octets) and length (4) precede the rest


def install() -> None:
    """From now on, read records leniently."""
    fetcher.MemoryRecords = _Records  # type: ignore[attr-defined]  # imported there, not exported


class _Records:
    """What a broker sent of one partition, batch by batch."""

    def __init__(self, octets: bytes) -> None:
        self._records = MemoryRecords(octets)
        self._octets = octets
        self._at = 0

    def size_in_bytes(self) -> int:
        return self._records.size_in_bytes()

    def has_next(self) -> bool:
        return self._records.has_next()

    def next_batch(self) -> Any:
        batch: Any = self._records.next_batch()
        length = int.from_bytes(self._octets[self._at + _LENGTH_AT : self._at + _OVERHEAD], "big")
        octets = self._octets[self._at : self._at + _OVERHEAD + length]
        self._at += len(octets)
        return batch if batch.is_control_batch or batch.magic < 2 else _Batch(batch, octets)


class _Batch:
    """A batch that is read with aiokafka's fast parser, or, if that stumbles, with its slow one and patience."""

    def __init__(self, batch: Any, octets: bytes) -> None:
        self._batch = batch
        self._octets = octets

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        try:
            return iter(list(self._batch))
        except UnicodeDecodeError:
            slow = _DefaultRecordBatchPy(self._octets)
            slow._maybe_uncompress()
            slow._buffer = _Patient(slow._buffer)
            return iter(list(slow))


class _Patient(bytearray):
    """Octets whose parts can always be decoded."""

    def __getitem__(self, place: Any) -> Any:
        part = super().__getitem__(place)
        return _Patient(part) if isinstance(part, bytearray) else part

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)
