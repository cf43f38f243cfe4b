"""What comes out of the store inflates up to what we write, and no further: an order's state, a draft, a catalog."""

from __future__ import annotations

import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from avisa.store import compression
from avisa.store.sql import packing
from avisa.store.sql.zstandard import zstd
from tests.builders import NOW
from tests.store.conftest import FreshDatabase, Store, database, divided, migrated, store

__all__ = ["database", "divided", "migrated", "store"]

MIB = 1 << 20


def _bomb(compress: Callable[[bytes], bytes], flush: Callable[[], bytes]) -> bytes:
    """40 MiB of blanks."""
    return b"".join([compress(b'{"a":"'), *(compress(b" " * MIB) for _ in range(40)), compress(b'"}'), flush()])


_frame, _stream = zstd.ZstdCompressor(zstd_dict=packing._SHARED), zlib.compressobj()
WIDE = {zstd.CompressionParameter.window_log: 27, zstd.CompressionParameter.content_size_flag: 0}
STATES = {
    "40 MiB of blanks": _bomb(_frame.compress, _frame.flush),
    "a window of 128 MiB": zstd.ZstdCompressor(options=WIDE, zstd_dict=packing._SHARED).compress(
        b"{}" * MIB, zstd.ZstdCompressor.FLUSH_FRAME
    ),
    "a frame that is cut off": packing.pack('{"status":"shipped"}')[:-3],
    "no frame": b"\x00\x01",
    "nothing": b"",  # written as hexadecimal digits it is no frame
}


def _peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return peak


@pytest.mark.parametrize("name", STATES)
def test_a_state_that_is_none_of_ours_is_refused(name: str) -> None:
    def unpack() -> None:
        with pytest.raises(ValueError, match="this"):
            packing.unpack(STATES[name].hex())

    assert _peak(unpack) < 16 * MIB


@pytest.mark.parametrize("name", STATES)
def test_a_draft_that_is_none_of_ours_is_the_trouble_of_its_own_mail(name: str) -> None:
    def decompress() -> None:
        assert compression.decompress(STATES[name], packing._DICTIONARY, message_id="", address_hash="") == b""

    assert _peak(decompress) < 16 * MIB


CATALOGS = {
    "40 MiB of blanks": _bomb(_stream.compress, _stream.flush),
    "one that is cut off": zlib.compress(b'{"files":{}}')[:-2],
    "no such thing": b"\x01\x02",
}


@pytest.mark.parametrize("name", CATALOGS)
async def test_a_catalog_that_is_none_of_ours_is_refused(name: str, store: Store, database: FreshDatabase) -> None:
    digits = CATALOGS[name].hex()
    literal = rf"'\x{digits}'" if database.shared else f"X'{digits}'"
    database.sql(f"INSERT INTO catalogs (version, content, at) VALUES ('v', {literal}, 0)")
    with pytest.raises(ValueError, match="catalog"):
        await store.versions.kept_catalog("v")


async def test_the_largest_catalog_there_may_be_is_read(store: Store) -> None:
    content = b'{"files":"' + b'"' * (12 * MIB)
    await store.versions.keep_catalog("v", content, at=NOW)
    assert await store.versions.kept_catalog("v") == content
