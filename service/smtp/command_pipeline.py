"""Commands out and replies in, counted against each other."""

from __future__ import annotations

import asyncio

from avisa.smtp.reply import Reply, ReplyReader


class OutOfStepError(Exception):
    """What came is not SMTP, or not an answer to what we said."""


class Wire:
    """The two directions of a connection."""

    __slots__ = ("_outstanding", "_reader", "_transport", "out_of_turn")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._reader = ReplyReader()
        self._outstanding = 0  # replies the relay owes us
        self.out_of_turn = False  # more has come than it owes

    def say(self, octets: bytes | tuple[bytes, ...], replies: int) -> None:
        """Write a group of commands that `replies` replies answer. Raises OutOfStepError."""
        if self.out_of_turn:
            raise OutOfStepError
        self._outstanding += replies
        if isinstance(octets, bytes):
            self._transport.write(octets)
        else:
            self._transport.writelines(octets)

    def heard(self, octets: bytes) -> list[Reply]:
        """The replies that `octets` complete, as many as were owed."""
        reader, owed = self._reader, self._outstanding
        replies = reader.feed(octets)
        self.out_of_turn = reader.garbled or len(replies) + reader.unfinished > owed
        answers = replies[:owed]
        self._outstanding = owed - len(answers)
        return answers
