"""The relay's replies, read from bytes that arrive in pieces of any size."""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST_REPLY = 32 * 1024  # bytes; a longer one comes from something that is no mail server

# RFC 5321 section 4.2: three digits, the first 2 to 5, the second 0 to 5.
_CODES = {b"%d" % code: code for code in range(200, 560) if code % 100 < 60}
_ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?!\S)")  # RFC 2034 section 4


class Reply(NamedTuple):  # four a mail: a frozen dataclass takes three times as long to make
    """A whole reply. Its text may repeat addresses and must not be logged."""

    code: int
    text: bytes

    @property
    def enhanced(self) -> str:
        """The enhanced status code (RFC 3463), such as `5.1.1`; empty if there is none."""
        found = _ENHANCED.match(self.text)
        return found[0].decode("ascii") if found else ""


class ReplyReader:
    """Puts replies together. It holds one unfinished reply at most, of bounded length."""

    __slots__ = ("_lines", "_partial", "_size", "garbled")

    def __init__(self) -> None:
        self.garbled = False  # what follows the last whole reply is no reply, so nothing can be read any more
        self._partial = b""
        self._lines: list[bytes] = []  # earlier lines of an unfinished reply
        self._size = 0

    @property
    def unfinished(self) -> bool:
        """Whether a reply has begun and not ended."""
        return bool(self._partial or self._lines)

    def feed(self, received: bytes) -> list[Reply]:
        """Return the replies that `received` completes."""
        *lines, self._partial = (self._partial + received).split(b"\n")
        replies: list[Reply] = []
        for line in lines:
            code = _CODES.get(line[:3])
            mark = line[3:4]
            if code is None or mark not in b" -\r" or self._size + len(line) > LONGEST_REPLY:
                self.garbled = True
                return replies
            text = line[4:].rstrip(b"\r")
            if mark == b"-" or self._lines:
                self._lines.append(text)
                self._size += len(line)
                if mark == b"-":
                    continue
                text = b"\n".join(self._lines)
                self._lines, self._size = [], 0
            replies.append(Reply(code, text))
        self.garbled = len(self._partial) + self._size > LONGEST_REPLY
        return replies
