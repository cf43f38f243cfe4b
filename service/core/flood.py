"""The flood budget: how many mails an order and an address may get within a while.

A budget is spent by the first attempt at a mail. What finds it spent waits until the oldest attempt that counts is no
longer within the while. For example, with `6/1h` and six mails about an order at 10:00, the seventh waits until
11:00. Each mail that waits takes a place, so of thirteen the last one waits until 12:00.

That mails wait is told to the owner, as an alert. Alerts have a budget too, one of a kind to an owner in an hour, and
those that find it spent wait together for one mail (`alert_list`).
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
    """The allowances as they hold now, with `per` in real time; None: no limit."""

    per_order: Allowance | None = None
    per_address: Allowance | None = None
    alerts_every: timedelta | None = None

    @property
    def longest(self) -> timedelta:
        """No attempt longer ago than this counts."""
        limits = (self.per_order, self.per_address)
        return max([self.alerts_every or timedelta(0), *(limit.per for limit in limits if limit is not None)])

    def scopes(self, notification: Notification, address_hash: bytes) -> dict[Scope, Allowance]:
        """What a first attempt at this notification spends. An order has no more mails than notifications: where
        these are few, its budget need not be looked at."""
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
    """The attempts that count, by scope: those that were made, and those that were given a place after them."""

    made: defaultdict[Scope, list[datetime]] = field(default_factory=lambda: defaultdict(list))

    def enter(self, scope: Scope, moments: Iterable[datetime]) -> None:
        """Attempts that were made, in any order."""
        self.made[scope] = sorted([*self.made[scope], *moments])

    def place(self, scopes: Mapping[Scope, Allowance], now: datetime) -> datetime:
        """The moment at which one more attempt fits into all these budgets, not before `now`; its place is taken."""
        at = max((self._first(scope, allowance, now) for scope, allowance in scopes.items()), default=now)
        for scope in scopes:
            self.made[scope].append(at)
        return at

    def gather(self, scope: Scope, every: timedelta, now: datetime, *, others_wait: bool) -> datetime:
        """The moment at which one more alert may leave. One that has to wait takes no place: all leave together.

        `others_wait` says that some of its kind wait already; then it joins them.
        """
        last = self.made[scope][-1] if self.made[scope] else None
        if last is not None and last + every > now:
            return last + every
        if others_wait:
            return now + every
        self.made[scope].append(now)
        return now

    def _first(self, scope: Scope, allowance: Allowance, now: datetime) -> datetime:
        made = self.made[scope]
        return max(now, made[-allowance.count] + allowance.per) if len(made) >= allowance.count else now
