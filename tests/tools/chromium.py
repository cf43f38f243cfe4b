"""Chromium without a window: what a page says after its scripts, and what it looks like."""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from tests.tools.contrast import Rgb

_QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
]  # fmt: skip
_PATIENCE = 300.0  # seconds, for a machine that is busy


def document(page: Path, *, width: int = 800, dark: bool = False, budget: int = 0) -> str:
    """The page's HTML after its scripts ran, timers included for `budget` milliseconds of its own time."""
    options = ["--dump-dom", f"--window-size={width},800", *([f"--virtual-time-budget={budget}"] if budget else [])]
    return _browser(page, dark, options).decode()


def photograph(page: Path, picture: Path, *, width: int, height: int, dark: bool = False, scale: float = 1) -> None:
    """Write a PNG of the page in a window of that size, in CSS pixels."""
    options = [f"--window-size={width},{height}", f"--force-device-scale-factor={scale}", f"--screenshot={picture}"]
    _browser(page, dark, options)


def _browser(page: Path, dark: bool, options: list[str]) -> bytes:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or "chromium"
    with tempfile.TemporaryDirectory() as profile:
        look = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
        command = [chromium, *_QUIET, f"--user-data-dir={profile}", look, *options, page.as_uri()]
        return subprocess.run(command, capture_output=True, check=True, timeout=_PATIENCE).stdout


@dataclass(frozen=True, slots=True)
class Pixels:
    """A picture, read."""

    width: int
    height: int
    rows: tuple[bytes, ...]  # RGB, three octets each

    def at(self, x: int, y: int) -> Rgb:
        red, green, blue = self.rows[y][x * 3 : x * 3 + 3]
        return red, green, blue

    def column(self, x: int) -> set[Rgb]:
        """All colours from top to bottom."""
        return {self.at(x, y) for y in range(self.height)}


def pixels(picture: Path) -> Pixels:
    """Read a PNG of 8 bits a channel, not interlaced, as Chromium writes it (PNG, third edition, 9 and 10)."""
    octets = picture.read_bytes()
    width, height, depth, kind = struct.unpack(">IIBB", octets[16:26])
    assert (depth, kind) in ((8, 2), (8, 6)), "not 8 bits of RGB or RGBA"
    channels = 3 if kind == 2 else 4
    packed, place = b"", 8
    while place < len(octets):
        length, name = struct.unpack(">I4s", octets[place : place + 8])
        packed += octets[place + 8 : place + 8 + length] if name == b"IDAT" else b""
        place += length + 12
    raw, stride = zlib.decompress(packed), width * channels
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
