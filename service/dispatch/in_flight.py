"""The notifications that this process holds a lease on, and the receipts of their attempts."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

import structlog

from avisa import telemetry
from avisa.core.model import SETTLED, Notification, Purpose, State
from avisa.core.quick_dataclass import dataclass
from avisa.core.retry import Receipt, Verdict
from avisa.core.timestamps import BEGINNING
from avisa.dispatch.settlements import Now, Settlements
from avisa.ports import CatalogCache, Claimed, Clock, OrderBook, Outbox, Settlement

log = structlog.get_logger()

GATHER = 0.02  # seconds in which receipts gather: to store twenty costs little more than to store one
RACES = 5  # how often an outcome is worked out anew because its order changed meanwhile


@dataclass(frozen=True, slots=True)
class Received:
    """A notification as it was begun, its order as it was claimed, the channel's receipt, and the mail's notes."""

    claimed: Claimed
    receipt: Receipt
    notes: Sequence[str] = ()


class OnSettled(Protocol):
    def __call__(self, *, left_in_outbox: bool) -> None:
        """Called when something was settled; `left_in_outbox` says that something in the outbox became due by it."""


class InFlight:
    """The notifications that this process delivers: the lease of each, and its receipt until that is stored."""

    def __init__(
        self,
        orders: OrderBook,
        outbox: Outbox,
        catalogs: CatalogCache,
        clock: Clock,
        settlements: Settlements,
        *,
        on_settled: OnSettled,
    ) -> None:
        """`on_settled` is called when something was settled, so that what waited behind it can be claimed."""
        self._orders = orders
        self._outbox = outbox
        self._catalogs = catalogs
        self._clock = clock
        self._settlements = settlements
        self._on_settled = on_settled
        self._leased: dict[str, Notification] = {}
        self._leased_until: dict[str, datetime] = {}  # real
        self._returned: dict[str, Notification] = {}  # to be given back
        self._receipts: deque[Received] = deque()
        self._has_news = asyncio.Event()  # a receipt, or something to give back
        self._shrunk = asyncio.Event()

    def __len__(self) -> int:
        return len(self._leased)

    def __contains__(self, key: str) -> bool:
        return key in self._leased

    async def wait_below(self, limit: int) -> None:
        """Wait until fewer than `limit` notifications are in flight."""
        while len(self._leased) >= limit:
            self._shrunk.clear()
            await self._shrunk.wait()

    def keys(self) -> tuple[str, ...]:
        return tuple(self._leased)

    def take(self, claimed: Sequence[Claimed], *, until: datetime) -> None:
        """Note that these are leased to this process, at least until `until` (real)."""
        self._leased.update((item.notification.key, item.notification) for item in claimed)
        self._leased_until.update((item.notification.key, until) for item in claimed)

    def renewed(self, asked: Iterable[str], kept: Collection[str], *, until: datetime) -> None:
        """Note that of the leases `asked` for, the `kept` ones last until `until` (real), and the others are over."""
        for key in asked:
            if key in self._leased:
                self._leased_until[key] = until if key in kept else BEGINNING

    def leased_until(self, key: str) -> datetime:
        """Until when (real) nobody else can claim this notification: only until then may its mail leave."""
        return self._leased_until.get(key, BEGINNING)

    def release(self, untouched: Iterable[Notification]) -> None:
        """Free these for whoever claims next, as soon as the store can be reached. Nothing of them has left."""
        self._returned.update((item.key, item) for item in untouched)
        self._has_news.set()

    def receive(self, claimed: Claimed, receipt: Receipt, notes: Sequence[str] = ()) -> None:
        """Keep the receipt of an attempt, and the notes of its mail, until it is settled."""
        self._receipts.append(Received(claimed, receipt, notes))
        self._has_news.set()

    async def settle_receipts(self) -> None:
        """Wait for receipts and settle all that there are at once. None is forgotten while this process lives."""
        await self._has_news.wait()
        await asyncio.sleep(GATHER)
        self._has_news.clear()
        receipts = list(self._receipts)
        returned = dict(self._returned)
        try:
            await self._conclude(receipts)
            at = Now.of(self._clock)
            self.forget(await self.settle([self._settlements.released(item, at) for item in returned.values()]))
        except BaseException:
            self._has_news.set()
            raise
        for _ in receipts:
            self._receipts.popleft()
        for key in returned:
            self._returned.pop(key, None)
        self._measure(receipts)

    def _measure(self, receipts: Sequence[Received]) -> None:
        """Measure, in real time, from the publication of an event or the due moment of a reminder to now."""
        real = self._clock.real()
        for received in receipts:
            notification = received.claimed.notification
            if received.receipt.verdict is not Verdict.ACCEPTED:
                continue
            if notification.to_customer and notification.published_real is not None:
                telemetry.event_to_accepted((real - notification.published_real).total_seconds())
            if notification.purpose is Purpose.REMINDER and notification.due is not None:
                telemetry.reminder_lateness((real - self._clock.to_real(notification.due)).total_seconds())

    async def _conclude(self, receipts: Sequence[Received]) -> None:
        """Settle these. Where an order changed meanwhile, work out again what the receipt means for the order."""
        for _ in range(RACES):
            at = Now.of(self._clock)
            plan = self._catalogs.in_force.plan
            settlements = [
                self._settlements.of_receipt(
                    received.claimed.notification,
                    received.claimed.order,
                    received.receipt,
                    plan,
                    at,
                    fresh=received.claimed.draft is None,
                    notes=received.notes,
                )
                for received in receipts
            ]
            lost = await self.settle(settlements)
            raced = {item.key for item in settlements if item.key in lost and item.change is not None}
            if lost - raced:
                log.warning("dispatch.leases_lost", notifications=len(lost - raced))
                self.forget(lost - raced)
            if not raced:
                return
            receipts = [received for received in receipts if received.claimed.notification.key in raced]
            fresh = await self._orders.load({received.claimed.order.order_id for received in receipts})
            receipts = [
                replace(received, claimed=replace(received.claimed, order=fresh[received.claimed.order.order_id]))
                for received in receipts
            ]
        # These orders changed each time. Their receipts are stored without what they mean for the order, because a
        # mail without a stored receipt would go out again.
        self.forget(await self.settle([replace(item, change=None) for item in settlements if item.key in raced]))

    async def settle(self, settlements: Sequence[Settlement]) -> frozenset[str]:
        """Store settlements; return the keys of those that were lost, which this process still has in flight."""
        if not settlements:
            return frozenset()
        lost = await self._outbox.settle(settlements)
        ended: Counter[tuple[Purpose, str, State]] = Counter()
        for item in settlements:
            if item.key in lost:
                continue
            settled = self._leased.pop(item.key, None)
            self._leased_until.pop(item.key, None)
            if settled is not None and item.state in SETTLED:
                ended[settled.purpose, settled.channel, item.state] += 1
            reason = item.entry.reason if item.entry is not None else None  # a hold that is prolonged has no entry
            if item.state is State.HELD and reason is not None:
                telemetry.held(reason)
            for alert in item.change.notifications if item.change is not None else ():
                telemetry.queued(alert.purpose, alert.channel)
        for (purpose, channel, state), number in ended.items():
            telemetry.settled(purpose, channel, state, number)
        self._shrunk.set()
        self._on_settled(left_in_outbox=any(_leaves_work(item) for item in settlements))
        return lost

    def forget(self, keys: Iterable[str]) -> None:
        """Let go of these without settling them."""
        for key in keys:
            self._leased.pop(key, None)
            self._leased_until.pop(key, None)
        self._shrunk.set()


def _leaves_work(item: Settlement) -> bool:
    """True if the notification was given back, or an owner's alert was decided with its settlement."""
    return item.state is State.QUEUED or (item.change is not None and bool(item.change.notifications))
