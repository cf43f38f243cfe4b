"""A PNG, read as far as a test needs it."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path


def size(file: Path) -> tuple[int, int]:
    """Width and height in pixels."""
    width, height = struct.unpack(">II", _checked(file)[16:24])
    return width, height


def brightness(file: Path) -> float:
    """Of the pixel in the upper left corner, from 0 to 1."""
    octets = _checked(file)
    data, place = b"", 8
    while place < len(octets):
        length, kind = struct.unpack(">I4s", octets[place : place + 8])
        if kind == b"IDAT":
            data += octets[place + 8 : place + 8 + length]
        place += length + 12
    row = zlib.decompress(data)  # the first octet says how the row is filtered; a first pixel is as it is
    return sum(row[1:4]) / 3 / 255


def _checked(file: Path) -> bytes:
    octets = file.read_bytes()
    assert octets.startswith(b"\x89PNG\r\n\x1a\n")
    return octets
