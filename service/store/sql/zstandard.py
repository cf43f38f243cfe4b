"""Zstandard (RFC 8878): in the standard library from Python 3.14 on, and before that by its backport."""

import sys

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["inflated", "zstd"]

_WIDEST: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 20}


def inflated(content: bytes, dictionary: zstd.ZstdDict, *, most: int) -> bytes:
    """What was compressed to one frame with this dictionary. Raises ValueError if it cannot be read, or has more than
    `most` bytes: what comes out of the store is input."""
    frame = zstd.ZstdDecompressor(dictionary, options=_WIDEST)
    try:
        found = frame.decompress(content, most)
    except zstd.ZstdError as error:
        raise ValueError("this cannot be read") from error
    if not frame.eof:
        raise ValueError("this is cut off, or longer than anything we write")
    return found
