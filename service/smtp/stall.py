"""Whether the relay goes on reading a mail that is larger than the buffers between us."""

from __future__ import annotations

import asyncio

from avisa.smtp.relay import Patience

_LOOKS_PER_STALL = 4


class StallDetector:
    """Watches our write buffer shrink, for one body after another."""

    __slots__ = ("_looks_without_progress", "_patience", "_transport", "unsent")

    def __init__(self, transport: asyncio.Transport, patience: Patience) -> None:
        self._transport = transport
        self._patience = patience
        self.unsent = 0  # bytes in our buffer at the last look
        self._looks_without_progress = 0

    def start(self) -> None:
        """A body was just written."""
        self.unsent = self._transport.get_write_buffer_size()
        self._looks_without_progress = 0

    def stalled(self) -> bool:
        """Look again. Returns whether the relay has read nothing for `Patience.stall` seconds."""
        unsent = self._transport.get_write_buffer_size()
        self._looks_without_progress = 0 if unsent < self.unsent else self._looks_without_progress + 1
        self.unsent = unsent
        return self._looks_without_progress >= _LOOKS_PER_STALL

    @property
    def patience(self) -> float:
        """Seconds until the next look; once the whole body has left, seconds until the answer must be there."""
        return self._patience.stall / _LOOKS_PER_STALL if self.unsent else self._patience.dot
