"""The flood budget: how many mails may go out within a span of time, about one order and to one address.

The first attempt at a mail spends the budget; later attempts at the same mail are free. If the budget is spent, the
mail waits until there is room again. For example, with `6/1h` and six mails about an order at 10:00, the seventh
waits until 11:00. Each mail that waits takes a place, so of thirteen mails the last one waits until 12:00.

The owner is alerted when mails have to wait. Alerts have a budget of their own: one alert of a kind to an owner in an
hour. Those that find it spent wait together for one mail (`alert_list`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from avisa.core import alert_list
from avisa.core.model import Notification
from avisa.core.plan import Allowance


class Scope(NamedTuple):  # a tuple is looked up several times as fast as a dataclass
    """Whose budget it is: that of an order, of an address, or of one owner's alerts of one kind."""

    kind: str
    name: str

    @classmethod
    def of_order(cls, order_id: str) -> Scope:
        return cls("order", order_id)

    @classmethod
    def of_address(cls, address_hash: bytes) -> Scope:
        return cls("address", address_hash.hex())

    @classmethod
    def of_alert(cls, kind_and_owner: str) -> Scope:
        return cls("alert", kind_and_owner)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """The allowances in force, whose `per` is in real time, not on the virtual clock; None: no limit."""

    per_order: Allowance | None = None
    per_address: Allowance | None = None
    alerts_every: timedelta | None = None

    @property
    def longest(self) -> timedelta:
        """The longest span of a budget: attempts longer ago than this count in none."""
        limits = (self.per_order, self.per_address)
        return max([self.alerts_every or timedelta(0), *(limit.per for limit in limits if limit is not None)])

    def scopes(self, notification: Notification, address_hash: bytes) -> dict[Scope, Allowance]:
        """The budgets that a first attempt at this notification spends.

        The budget of an order is left out while the order has had no more notifications than the budget allows, since
        it cannot be spent then.
        """
        if (alert := alert_list.kind_and_owner(notification)) is not None:
            every = self.alerts_every
            return {} if every is None else {Scope.of_alert(alert): Allowance(count=1, per=every)}
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
    """The moments of first attempts, by budget and in order: of those that were made, and of those that wait for
    their place."""

    made: defaultdict[Scope, list[datetime]] = field(default_factory=lambda: defaultdict(list))

    def enter(self, scope: Scope, moments: Iterable[datetime]) -> None:
        """Add attempts that were made at these moments, in any order."""
        self.made[scope] = sorted([*self.made[scope], *moments])

    def place(self, scopes: Mapping[Scope, Allowance], now: datetime) -> datetime:
        """Take a place for one more attempt in all these budgets; return its moment, which is `now` or later."""
        at = now
        for scope, allowance in scopes.items():
            made = self.made[scope]
            if len(made) >= allowance.count:
                at = max(at, made[-allowance.count] + allowance.per)
        for scope in scopes:
            self.made[scope].append(at)
        return at

    def gather(self, scope: Scope, every: timedelta, now: datetime, *, others_wait: bool) -> datetime:
        """Return the moment at which one more alert may leave, which is `now` or later. An alert that has to wait
        takes no place, because all that wait leave together.

        `others_wait` says that alerts of the same kind to the same owner wait already; then this one joins them.
        """
        last = self.made[scope][-1] if self.made[scope] else None
        if last is not None and last + every > now:
            return last + every
        if others_wait:
            return now + every
        self.made[scope].append(now)
        return now
