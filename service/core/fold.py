"""One order while decisions are folded into it, one upon the other, until all of them are stored at once.

For example, a batch holds "shipped" and "delivered" of one order. Each is decided on what the one before left behind,
and one commit stores the result: the update about "shipped" is born DROPPED, the one about "delivered" QUEUED.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from avisa.core.model import Decision, Notification, Order, State, evolve


@dataclass(slots=True)
class Fold:
    """An order and the decisions made on it since it was loaded; a new order is None until its first."""

    order: Order | None
    version: int = field(init=False)  # as loaded; 0 for a new order
    notifications: list[Notification] = field(default_factory=list)  # decided here
    superseded: set[str] = field(default_factory=set)  # keys
    absorbed_by: str | None = None  # as in `Decision`

    def __post_init__(self) -> None:
        self.version = 0 if self.order is None else self.order.version

    def add(self, decision: Decision) -> None:
        """Go on from what was decided on `order`."""
        self.order = decision.order
        self.notifications.extend(decision.notifications)
        if decision.superseded:
            self.superseded.update(decision.superseded)
            self.notifications = [
                evolve(item, state=State.DROPPED) if item.key in self.superseded else item
                for item in self.notifications
            ]
        absorbing = decision.absorbed_by
        # A message of this very fold cannot have been sent meanwhile; an older one can, so its key guards the commit.
        if absorbing is not None and all(item.key != absorbing for item in self.notifications):
            self.absorbed_by = absorbing

    def decided(self) -> Order:
        """The order as it was decided, with the version that it was loaded with."""
        assert self.order is not None
        return self.order

    def stored(self) -> Order:
        """The order as it will be stored, if nobody else stores it first."""
        return evolve(self.decided(), version=self.version + 1)

    def heads(self) -> list[Notification]:
        """The notifications decided here that wait behind no earlier one for the same recipient and channel."""
        if not self.notifications:
            return []
        earliest: dict[tuple[str, str], str] = {}
        for waiting in self.decided().pending:  # by seq
            earliest.setdefault((waiting.recipient, waiting.channel), waiting.key)
        heads = set(earliest.values())
        return [item for item in self.notifications if item.key in heads]
