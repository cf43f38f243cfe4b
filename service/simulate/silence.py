"""How long a customer hears nothing, by the touchpoint in which each silence began."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from avisa.core.model import Order


@dataclass(slots=True)
class Silence:
    """The silences of one order: before its first message, between two messages, and after the last one until the
    order ends. An update that waits for the morning ends the silence in the morning."""

    longest: dict[str, timedelta] = field(default_factory=dict)  # by status
    _since: datetime | None = None
    _status: str = ""

    def open(self, now: datetime, order: Order) -> None:
        """An event came. A silence begins with the first one, and when an order that had ended is opened again."""
        if self._since is None and not (order.final and not order.pending):
            self._since, self._status = now, order.status

    def interrupt(self, now: datetime, order: Order) -> None:
        """The customer hears of the order."""
        self.end(now)
        if not order.final:
            self._since, self._status = now, order.status

    def end(self, now: datetime) -> None:
        """The silence ends, and none follows for now."""
        if self._since is not None:
            lasted = now - self._since
            if lasted > self.longest.get(self._status, timedelta(-1)):
                self.longest[self._status] = lasted
            self._since = None
