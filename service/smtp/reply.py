"""What the relay says, read from octets that arrive in any pieces."""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST_REPLY = 32 * 1024  # octets; a longer one comes from something that is no mail server

# RFC 5321 section 4.2: three digits, the first 2 to 5, the second 0 to 5.
_CODES = {b"%d" % code: code for code in range(200, 560) if code % 100 < 60}
_ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?!\S)")  # RFC 2034 section 4


class Reply(NamedTuple):  # four a mail: a frozen dataclass takes three times as long to make
    """A whole reply. Its text may repeat addresses and must not be logged."""

    code: int
    text: bytes

    @property
    def enhanced(self) -> str:
        """The enhanced status code (RFC 3463), such as `5.1.1`, or nothing."""
        found = _ENHANCED.match(self.text)
        return found[0].decode("ascii") if found else ""


class ReplyReader:
    """Puts replies together; holds at most one unfinished reply of bounded length."""

    __slots__ = ("_lines", "_partial", "_size", "garbled")

    def __init__(self) -> None:
        self.garbled = False  # what came after the last whole reply is no reply; nothing can be read any more
        self._partial = b""
        self._lines: list[bytes] = []  # earlier lines of an unfinished reply
        self._size = 0

    @property
    def unfinished(self) -> bool:
        """A reply has begun and not ended."""
        return bool(self._partial or self._lines)

    def feed(self, octets: bytes) -> list[Reply]:
        """The replies that `octets` complete."""
        *lines, self._partial = (self._partial + octets).split(b"\n")
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
