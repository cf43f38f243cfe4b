"""HTML in quoted-printable (RFC 2045 section 6.7), put together from pieces that are written one by one.

Fixed text is written when its message is compiled, and most values are short ASCII and stand as they are. So nothing
has to look at a whole mail to find where its lines break. Instead each piece begins in the first half of a line,
whatever came before it: what may end beyond that, such as every value, has a soft break behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

Value = TypeVar("Value")

SOFT_BREAK = "=\r\n"
HALF = 36  # columns: a piece begins at this one at the latest, and a value of so many can stand as it is

# RFC 2045 allows 76, with the soft break. A blank at the end of a line takes two more, and a dot at its beginning.
_LINE = 2 * HALF
_BYTES = [chr(byte) if 0x20 <= byte <= 0x7E and byte != ord("=") else f"={byte:02X}" for byte in range(256)]


def quoted(text: str, column: int = HALF) -> tuple[str, int]:
    """Return how the text is written if it begins at that column or before, and the column where it ends."""
    lines: list[str] = []
    for line in text.split("\n"):
        if lines and lines[-1].endswith(" "):  # a relay might cut it off
            lines[-1] = f"{lines[-1][:-1]}=20"
        lines.append(_line(line, 0 if lines else column))
    written = "\r\n".join(lines).replace("\n.", "\n=2E")  # SMTP would have to double the dot
    if written.startswith("."):
        written = f"=2E{written[1:]}"
    end = written.rfind("\n")
    return written, len(written) + (column if end < 0 else -end - 1)


def pieces(parts: Iterable[str | Value]) -> Iterator[str | Value]:
    """Yield fixed texts written, and the values between them as they are. Other pieces may come before and after."""
    behind, text, column = "", "", HALF
    for part in (*parts, None):
        if isinstance(part, str):
            text += part
            continue
        text, column = quoted(text, column)
        text = behind + text
        if column > HALF or text.endswith(" "):  # what comes next may begin with a line end
            text += SOFT_BREAK
        if text:
            yield text
        if part is not None:
            yield part
        behind, text, column = SOFT_BREAK, "", 0


def _line(line: str, column: int) -> str:
    usual = line.isascii() and line.isprintable() and "=" not in line
    left = line if usual else "".join(map(_BYTES.__getitem__, line.encode()))
    written, room = "", _LINE - column
    while len(left) > room:
        byte = left.rfind("=", max(room - 2, 0), room)  # the three characters that stand for one stay together
        end = room if byte < 0 else byte
        written, left, room = f"{written}{left[:end]}{SOFT_BREAK}", left[end:], _LINE
    return written + left
