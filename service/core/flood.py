"""The flood budget: how many mails an order and an address may get within a while.

A budget is spent by the first attempt at a mail. What finds it spent waits until the oldest attempt that counts is no
longer within the while. For example, with `6/1h` and six mails about an order at 10:00, the seventh waits until
11:00. Each mail that waits takes a place, so of thirteen the last one waits until 12:00.

That mails wait is told to the owner, and this has a budget too: once an hour, however many orders it is about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from avisa.core.model import Alert, Notification, Purpose
from avisa.core.plan import Allowance

# To one owner.
ALERTS = Allowance(count=1, per=timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose budget it is: that of an order, of an address, or of one owner's alerts to floods."""

    kind: str
    name: str

    @classmethod
    def of_order(cls, order_id: str) -> Scope:
        return cls("order", order_id)

    @classmethod
    def of_address(cls, address_hash: bytes) -> Scope:
        return cls("address", address_hash.hex())

    @classmethod
    def of_alert(cls, key: str) -> Scope:
        """The scope of an owner's alert with this key, such as `A-1042/1/owner_alert/flood/owner:care`."""
        _, _, kind, owner = key.rsplit("/", 3)
        return cls("alert", f"{kind}/{owner}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """The allowances as they hold now, with `per` in real time; None: no limit."""

    per_order: Allowance | None = None
    per_address: Allowance | None = None
    per_alert: Allowance | None = None

    @property
    def longest(self) -> timedelta:
        """No attempt longer ago than this counts."""
        limits = (self.per_order, self.per_address, self.per_alert)
        return max((limit.per for limit in limits if limit is not None), default=timedelta(0))

    def scopes(self, notification: Notification, address_hash: bytes) -> dict[Scope, Allowance]:
        """What a first attempt at this notification spends. An order has no more mails than notifications: where
        these are few, its budget need not be looked at."""
        if notification.purpose is Purpose.OWNER_ALERT:
            if notification.ordinal != Alert.FLOOD or self.per_alert is None:
                return {}
            return {Scope.of_alert(notification.key): self.per_alert}
        if not notification.to_customer:
            return {}
        spent: dict[Scope, Allowance] = {}
        if self.per_address is not None:
            spent[Scope.of_address(address_hash)] = self.per_address
        if self.per_order is not None and notification.seq > self.per_order.count:
            spent[Scope.of_order(notification.order_id)] = self.per_order
        return spent


NO_BUDGETS = Budgets()


@dataclass(slots=True)
class Ledger:
    """The attempts that count, by scope: those that were made, and those that were given a place after them."""

    made: defaultdict[Scope, list[datetime]] = field(default_factory=lambda: defaultdict(list))

    def enter(self, scope: Scope, moments: Iterable[datetime]) -> None:
        """Attempts that were made, in any order."""
        self.made[scope] = sorted([*self.made[scope], *moments])

    def place(self, scopes: dict[Scope, Allowance], now: datetime) -> datetime:
        """The moment at which one more attempt fits into all these budgets, not before `now`; its place is taken."""
        at = max((self._first(scope, allowance, now) for scope, allowance in scopes.items()), default=now)
        for scope in scopes:
            self.made[scope].append(at)
        return at

    def _first(self, scope: Scope, allowance: Allowance, now: datetime) -> datetime:
        made = self.made[scope]
        return max(now, made[-allowance.count] + allowance.per) if len(made) >= allowance.count else now
