"""A snooze: an operator holds back reminders, notices about promises and questions until a moment. It is for one
order, or for all orders of a status, a brand or an owner.

News is never held back. A notification that is still true when the snooze ends goes out then; the others are dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from avisa.core import facts
from avisa.core.model import Notification, Order, Purpose
from avisa.core.plan import Plan

SNOOZABLE = frozenset({Purpose.REMINDER, Purpose.ASK_OWNER, Purpose.PROMISE_AT_RISK, Purpose.PROMISE_BROKEN})


class Of(StrEnum):
    """What kind of thing a snooze names."""

    ORDER = "order"
    STATUS = "status"
    BRAND = "brand"
    OWNER = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snooze:
    """One snooze, from `at` until `until`, both in UTC. `name` is the id of the order, the status, or the key of the
    brand or owner in the plan."""

    id: int = 0  # 0: not stored yet
    of: Of
    name: str
    until: datetime
    author: str
    reason: str = ""
    at: datetime


def snoozed_until(
    snoozes: Iterable[Snooze], notification: Notification, order: Order, plan: Plan, now: datetime
) -> datetime | None:
    """The moment until which these snoozes hold the notification back; None if none of them does."""
    if notification.purpose not in SNOOZABLE:
        return None
    names = {
        Of.ORDER: order.order_id,
        Of.STATUS: notification.status,
        Of.BRAND: plan.brand(facts.visible(order, "brand")).key,
        Of.OWNER: facts.owner(order, plan) if notification.to_customer else notification.recipient[len("owner:") :],
    }
    return max((it.until for it in snoozes if it.until > now and names[it.of] == it.name), default=None)
