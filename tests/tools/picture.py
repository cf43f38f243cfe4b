"""A PNG, read as far as a test needs it."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from tests.tools.contrast import Rgb


def size(file: Path) -> tuple[int, int]:
    """Width and height in pixels."""
    width, height = struct.unpack(">II", _checked(file)[16:24])
    return width, height


def brightness(file: Path) -> float:
    """Of the pixel in the upper left corner, from 0 to 1."""
    row = _inflated(_checked(file))  # the first byte says how the row is filtered; a first pixel is as it is
    return sum(row[1:4]) / 3 / 255


def _checked(file: Path) -> bytes:
    data = file.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    return data


def _inflated(data: bytes) -> bytes:
    """The rows of the picture, each behind the byte that says how it is filtered."""
    packed, place = b"", 8
    while place < len(data):
        length, name = struct.unpack(">I4s", data[place : place + 8])
        packed += data[place + 8 : place + 8 + length] if name == b"IDAT" else b""
        place += length + 12
    return zlib.decompress(packed)


@dataclass(frozen=True, slots=True)
class Pixels:
    """A picture, read."""

    width: int
    height: int
    rows: tuple[bytes, ...]  # RGB, three bytes each

    def at(self, x: int, y: int) -> Rgb:
        red, green, blue = self.rows[y][x * 3 : x * 3 + 3]
        return red, green, blue

    def column(self, x: int) -> set[Rgb]:
        """All colours from top to bottom."""
        return {self.at(x, y) for y in range(self.height)}


def pixels(data: bytes) -> Pixels:
    """Read a PNG of 8 bits a channel, not interlaced, as Chromium writes it (PNG, third edition, 9 and 10)."""
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert (depth, kind) in ((8, 2), (8, 6)), "not 8 bits of RGB or RGBA"
    channels = 3 if kind == 2 else 4
    raw, stride = _inflated(data), width * channels
    rows, above = [], bytearray(stride)
    for start in range(0, len(raw), stride + 1):
        above = _unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + stride]), above, channels)
        rows.append(bytes(above) if channels == 3 else b"".join(above[x : x + 3] for x in range(0, stride, 4)))
    return Pixels(width, height, tuple(rows))


def _unfiltered(how: int, row: bytearray, above: bytearray, channels: int) -> bytearray:
    for x in range(len(row)):
        left, up = (row[x - channels] if x >= channels else 0), above[x]
        corner = above[x - channels] if x >= channels else 0
        match how:
            case 0:
                break
            case 1:
                guess = left
            case 2:
                guess = up
            case 3:
                guess = (left + up) // 2
            case _:
                guess = min((left, up, corner), key=lambda near: abs(left + up - corner - near))
        row[x] = (row[x] + guess) & 255
    return row
