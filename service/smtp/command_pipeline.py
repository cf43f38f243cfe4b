"""Commands out and replies in, counted against each other."""

from __future__ import annotations

import asyncio

from avisa.smtp.reply import Reply, ReplyReader


class OutOfStepError(Exception):
    """The relay sent what is not SMTP, or replies to no command of ours."""


class CommandPipeline:
    """Both directions of a connection, and how many replies the relay owes us."""

    __slots__ = ("_owed", "_reader", "_transport", "out_of_step")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._reader = ReplyReader()
        self._owed = 0
        self.out_of_step = False  # more has come than was owed

    def send(self, commands: bytes | tuple[bytes, ...], replies: int) -> None:
        """Write a group of commands that the relay answers with `replies` replies. Raises OutOfStepError."""
        if self.out_of_step:
            raise OutOfStepError
        self._owed += replies
        if isinstance(commands, bytes):
            self._transport.write(commands)
        else:
            self._transport.writelines(commands)

    def receive(self, received: bytes) -> list[Reply]:
        """Return the replies that `received` completes, but no more than are owed."""
        reader, owed = self._reader, self._owed
        replies = reader.feed(received)
        self.out_of_step = reader.garbled or len(replies) + reader.unfinished > owed
        answers = replies[:owed]
        self._owed = owed - len(answers)
        return answers
