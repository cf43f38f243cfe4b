"""Whether the relay goes on reading a mail that is larger than the buffers between us."""

from __future__ import annotations

import asyncio

from avisa.smtp.relay import Patience

_LOOKS_PER_STALL = 4


class Progress:
    """Of one body after another."""

    __slots__ = ("_patience", "_quiet_looks", "_transport", "unsent")

    def __init__(self, transport: asyncio.Transport, patience: Patience) -> None:
        self._transport = transport
        self._patience = patience
        self.unsent = 0  # octets that waited in our buffer when it was looked at last
        self._quiet_looks = 0

    def start(self) -> None:
        """A body was written just now."""
        self.unsent = self._transport.get_write_buffer_size()
        self._quiet_looks = 0

    def stalled(self) -> bool:
        """Look again: has nothing been read for too long?"""
        unsent = self._transport.get_write_buffer_size()
        self._quiet_looks = 0 if unsent < self.unsent else self._quiet_looks + 1
        self.unsent = unsent
        return self._quiet_looks >= _LOOKS_PER_STALL

    @property
    def patience(self) -> float:
        """Seconds until the next look; once all of it has left, until there must be an answer."""
        return self._patience.stall / _LOOKS_PER_STALL if self.unsent else self._patience.dot
