"""How long a customer hears nothing, by the status in which each silence began."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from avisa.core.model import Order


@dataclass(slots=True)
class Silence:
    """The silences of one order: from its first event to its first message, between two messages, and from the last
    message until the order ends. A message counts when it is sent: an update that is decided at night and held until
    the morning ends the silence in the morning."""

    longest: dict[str, timedelta] = field(default_factory=dict)  # by status
    _since: datetime | None = None
    _status: str = ""

    def open(self, now: datetime, order: Order) -> None:
        """Note an event. A silence begins with the first one, and with one that opens an ended order again."""
        if self._since is None and not (order.final and not order.pending):
            self._since, self._status = now, order.status

    def interrupt(self, now: datetime, order: Order) -> None:
        """Note a message to the customer: a silence ends, and the next one begins unless the order has ended."""
        self.end(now)
        if not order.final:
            self._since, self._status = now, order.status

    def end(self, now: datetime) -> None:
        """End the silence, if there is one; the next one begins with `open`."""
        if self._since is not None:
            lasted = now - self._since
            if lasted > self.longest.get(self._status, timedelta(-1)):
                self.longest[self._status] = lasted
            self._since = None
