"""No batch inflates without a bound: what is beyond becomes dead letters, and the records behind it are read."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import cramjam
import pytest
from aiokafka import TopicPartition
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.legacy_records import _LegacyRecordBatchBuilderPy

from avisa.core.model import Reason
from avisa.kafka import inflate as inflate_module
from avisa.kafka import raw_record, record_reader
from avisa.kafka.inflate import STEPS, InflateError, inflate
from avisa.kafka.raw_record import HEAD_SIZE, CutValue, Head
from avisa.kafka.record_reader import RecordReader, _PartitionRecords, allowance

KIB = 1 << 10
MIB = 1 << 20
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
HERE = TopicPartition("t", 0)
_BLANKS = b" " * KIB

Header = tuple[str, bytes | None]


@pytest.fixture
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousandth of all bounds, and 32 KiB where 32 MiB would be, so that a bomb is built in a moment."""
    monkeypatch.setattr(inflate_module, "STEPS", (KIB, 8 * KIB, 32 * KIB))
    monkeypatch.setattr(inflate_module, "_ROOM", bytearray(KIB))
    monkeypatch.setattr(raw_record, "LONGEST_VALUE", KIB)
    monkeypatch.setattr(record_reader, "_LARGE", KIB + 64)
    monkeypatch.setattr(record_reader, "AT_ONCE", 8 * KIB)
    monkeypatch.setattr(record_reader, "CHUNK", 256)
    monkeypatch.setattr(record_reader, "_SMALL_RECORDS", 100)
    monkeypatch.setattr(record_reader, "_LEGACY_AT_MOST", 8 * KIB)


def a_batch(
    values: list[bytes | None], codec: str = "none", *, at: int = 0, headers: tuple[Header, ...] = ()
) -> bytes:
    """A batch as aiokafka's producer builds it, placed at an offset as the broker does."""
    builder = _DefaultRecordBatchBuilderPy(2, CODECS[codec], 0, -1, -1, 0, 1 << 31)
    for n, value in enumerate(values):
        builder.append(n, 1000 + n, b"k", value, list(headers))
    built = builder.build()
    built[:8] = at.to_bytes(8, "big")
    return bytes(built)


def with_body(batch: bytes, body: bytes, codec: str) -> bytes:
    """The same batch, with another content of its records."""
    head = Head.of(batch)
    return head._replace(attributes=CODECS[codec], length=HEAD_SIZE + len(body) - 12).packed() + body


def poll(content: bytes, fetch_offset: int = 0, *, most: int = 10**9) -> tuple[list[Any], int]:
    """What one poll reads of an answer of the broker, and the offset at which the next goes on."""
    allowance.renew()
    records = _PartitionRecords(HERE, RecordReader(content), None, fetch_offset, None, None, False, 1)
    read = [record for _, record in zip(range(most), records, strict=False)]
    return read, records.next_fetch_offset


def polls(content: bytes, end: int) -> Iterator[list[Any]]:
    """Poll until `end`, each time from the batch that holds the position, as a broker answers."""
    at = 0
    while at < end:
        while (head := Head.of(content)).base_offset + head.last_offset_delta < at:
            content = content[12 + head.length :]
        read, following = poll(content, at)
        assert following > at
        at = following
        yield read


@dataclass(frozen=True, kw_only=True)
class Bomb:
    """In a thousandth of its true size: the values of a batch, and which of its records are too large to be read."""

    values: list[bytes | None] = field(default_factory=list)
    cut: set[int] = field(default_factory=set)
    codecs: tuple[str, ...] = ("gzip", "snappy", "lz4", "zstd")


BOMBS = {
    "256 KiB of blanks in one value": Bomb(values=[b"a", _BLANKS * 256, b"b"], cut={1, 2}),
    "256 values of 1 KiB": Bomb(values=[_BLANKS] * 256, cut=set(range(31, 256))),
    "a value of 2 KiB between two events": Bomb(values=[b"a", _BLANKS * 2, b"b"], cut={1}),
    "a value of 1 KiB, which is allowed": Bomb(values=[b"a", _BLANKS, b"b"]),
    "no value at all": Bomb(values=[b"a", None, b"b"]),
    "300 small values": Bomb(values=[b"%d" % n for n in range(300)], codecs=("none", "gzip", "zstd")),
}


@pytest.mark.usefixtures("small_bounds")
@pytest.mark.parametrize(
    ("bomb", "codec"),
    [pytest.param(bomb, codec, id=f"{name}, {codec}") for name, bomb in BOMBS.items() for codec in bomb.codecs],
)
def test_what_is_beyond_the_bound_is_left_out_and_the_rest_is_read(bomb: Bomb, codec: str) -> None:
    end = len(bomb.values)
    content = a_batch(bomb.values, codec) + a_batch([b"behind"], at=end)
    read: dict[int, Any] = {}
    for records in polls(content, end + 1):
        assert sum(len(record.value or b"") for record in records) <= 10 * KIB
        read |= {record.offset: record for record in records}
    assert sorted(read) == list(range(end + 1))
    cut = {offset: record.value.reason for offset, record in read.items() if isinstance(record.value, CutValue)}
    assert cut.keys() - {30, 31} == bomb.cut - {30, 31}  # the bound lies within one of them
    assert set(cut.values()) <= {Reason.TOO_LARGE}
    assert read[end].value == b"behind"
    for offset in set(range(end)) - cut.keys():
        assert (read[offset].value, read[offset].key, read[offset].timestamp) == (
            bomb.values[offset],
            b"k",
            1000 + offset,
        )


@pytest.mark.usefixtures("small_bounds")
def test_a_value_that_is_too_long_leaves_its_head_its_size_and_its_hash() -> None:
    value = b"x" * (8 * KIB)
    read, _ = poll(a_batch([b"a", value], "zstd"))
    kept = read[1].value
    assert isinstance(kept, CutValue)
    assert (len(kept), kept.size, kept.sha256) == (4096, 8 * KIB, hashlib.sha256(value).digest())
    assert read[1].key == b"k"


@pytest.mark.usefixtures("small_bounds")
def test_a_poll_ends_and_the_next_one_goes_on_within_the_batch() -> None:
    values: list[bytes | None] = [_BLANKS] * 20
    sizes = [len(records) for records in polls(a_batch(values, "zstd"), 20)]
    assert sum(sizes) == 20
    assert max(sizes) <= 9


@pytest.mark.usefixtures("small_bounds")
def test_small_batches_that_inflate_are_bounded_together() -> None:
    content = b"".join(a_batch([_BLANKS] * 4, "zstd", at=4 * n) for n in range(50))
    assert [len(records) for records in polls(content, 200)] == [8] * 25


@pytest.mark.usefixtures("small_bounds")
def test_headers_are_bounded_by_the_memory_they_take() -> None:
    content = b"".join(a_batch([b"v"] * 2, "zstd", at=2 * n, headers=(("", None),) * 90) for n in range(10))
    assert all(len(records) == 2 for records in polls(content, 20))


def test_a_window_of_128_mib_takes_no_more_memory_than_it_fills() -> None:
    """A zstd frame by hand: its window as large as decoders allow, 256 MiB of one letter in blocks of 128 KiB."""
    block = (128 * 1024 << 3 | 1 << 1).to_bytes(3, "little") + b" "
    last = (1 << 1 | 1).to_bytes(3, "little") + b" "
    frame = b"\x28\xb5\x2f\xfd\x00" + bytes([17 << 3]) + block * 2048 + last
    tracemalloc.start()
    inflated = inflate(CODECS["zstd"], frame)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(inflated.content), inflated.whole) == (STEPS[-1], False)
    assert peak < STEPS[-1] + MIB  # no smaller room beside the largest


ODD_BODIES = {
    "none of its codec": (b"not compressed at all", "zstd"),
    "cut in the middle": (bytes(cramjam.zstd.compress(b"x" * 10_000))[:-4], "zstd"),
    "snappy that says too much": (b"\xff\xff\xff\xff\x0f" + b"\x00" * 30, "snappy"),
    "snappy blocks that never end": (b"\x82SNAPPY\0\0\0\0\1\0\0\0\1\x7f\xff\xff\xff", "snappy"),
    "another number of records": (b"\x02", "none"),
    "lengths that are none": (b"\xff" * 40, "none"),
    "nothing behind the head": (b"\0", "none"),
}


@pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES)
def test_a_batch_that_cannot_be_unpacked_blocks_nothing(body: tuple[bytes, str]) -> None:
    odd = with_body(a_batch([b"a", b"b", b"c"]), *body)
    read, following = poll(odd + a_batch([b"behind"], at=3))
    assert [record.offset for record in read] == [0, 1, 2, 3]
    assert all(isinstance(record.value, CutValue) for record in read[:3])
    assert (read[3].value, following) == (b"behind", 4)


@pytest.mark.parametrize("codec", CODECS)
def test_a_header_name_that_is_not_utf8_is_read_all_the_same(codec: str) -> None:
    plain = a_batch([b"a", b"b"], headers=(("name", b"v"),))
    body = plain[HEAD_SIZE:].replace(b"name", b"n\xff\xfee", 1)
    packed = {
        "none": body,
        "gzip": bytes(cramjam.gzip.compress(body)),
        "snappy": bytes(cramjam.snappy.compress_raw(body)),
        "lz4": bytes(cramjam.lz4.compress(body)),
        "zstd": bytes(cramjam.zstd.compress(body)),
    }[codec]
    read, _ = poll(with_body(plain, packed, codec))
    assert [record.value for record in read] == [b"a", b"b"]
    assert [record.headers for record in read] == [(("n\ufffd\ufffde", b"v"),), (("name", b"v"),)]


def test_more_records_than_can_be_listed_end_in_one_dead_letter() -> None:
    odd = with_body(a_batch([b"v"] * 5000), b"junk", "zstd")
    read, following = poll(odd)
    assert (len(read), following) == (1000, 5000)
    assert read[-1].value.message.endswith("so do the 4000 records after it")


@pytest.mark.usefixtures("small_bounds")
def test_a_legacy_message_is_bounded_too() -> None:
    content = b""
    for n, size in enumerate((10, 20 * KIB)):
        builder = _LegacyRecordBatchBuilderPy(1, CODECS["gzip"], 1 << 31)
        builder.append(0, timestamp=1, key=None, value=b"x" * size)
        built = builder.build()
        built[:8] = n.to_bytes(8, "big")
        content += bytes(built)
    read, following = poll(content)
    assert [record.value for record in read] == [b"x" * 10, b""]
    assert (read[1].value.reason, following) == (Reason.TOO_LARGE, 2)


def test_unknown_codecs_are_refused() -> None:
    with pytest.raises(InflateError):
        inflate(7, b"x")
