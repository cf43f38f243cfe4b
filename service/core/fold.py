"""One order while decisions are folded into it, one upon the other, until all of them are stored at once.

For example, a batch holds "shipped" and "delivered" of one order. Each is decided on what the one before left behind,
and one commit stores the result: the update about "shipped" is born DROPPED, the one about "delivered" QUEUED.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from avisa.core.decision import Decision
from avisa.core.evolve import evolve
from avisa.core.model import Notification, Order, State


@dataclass(slots=True)
class Fold:
    """An order and the decisions made on it since it was loaded; `order` is None until one creates it."""

    order: Order | None
    notifications: list[Notification] = field(default_factory=list)  # decided here
    superseded: set[str] = field(default_factory=set)  # keys of these and of older ones
    absorbed_by: str | None = None  # the key of an older, unsent message that tells what was decided here
    loaded: Order | None = field(init=False)  # the order before any of them

    def __post_init__(self) -> None:
        self.loaded = self.order

    def add(self, decision: Decision) -> None:
        """Apply the next decision, which was made on `order`."""
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

    def latest(self) -> Order:
        """The order as the last decision left it, still with the version that was loaded."""
        assert self.order is not None
        return self.order

    def after_commit(self) -> Order:
        """The order with the version that it has once it is stored."""
        order = self.latest()
        return evolve(order, version=order.version + 1)

    def heads(self) -> list[Notification]:
        """The notifications decided here that wait behind no earlier one for the same recipient and channel."""
        if not self.notifications:
            return []
        earliest: dict[tuple[str, str], str] = {}
        for waiting in self.latest().pending:  # by seq
            if not waiting.gathered:
                earliest.setdefault((waiting.recipient, waiting.channel), waiting.key)
        heads = set(earliest.values())
        return [item for item in self.notifications if item.key in heads]
