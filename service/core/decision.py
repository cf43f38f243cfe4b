"""What was decided about one order."""

from __future__ import annotations

from avisa.core.model import Notification, Order, Reason
from avisa.core.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """All that an event, a wake or a settlement means for one order; to store it is to carry it out.

    For example, "delivered" arrives while the update about "shipped" still waits: `order` is in its new episode,
    `notifications` holds the update about "delivered", and `superseded` names the one about "shipped".
    """

    order: Order  # the whole new order; `pending` holds what waits once the decision is stored
    notifications: tuple[Notification, ...] = ()  # to queue
    superseded: tuple[str, ...] = ()  # keys of pending notifications that are untrue or needless from now on
    reason: Reason | None  # None: there was nothing to tell
    # The key of an unsent message that will tell the changed facts, or that is needless now and superseded, too. The
    # decision is void if an attempt at that message was begun meanwhile.
    absorbed_by: str | None = None
