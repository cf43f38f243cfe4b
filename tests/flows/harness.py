"""One running Avisa without Kafka and SMTP: the real flows, store and catalog, a clock set by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from avisa.answers import Answers
from avisa.catalog import CatalogCache, Found, Installation, Renderer, Versions
from avisa.core.model import OrderEvent, State
from avisa.core.plan import Brand
from avisa.core.retry import Receipt, RetryPolicy, Verdict
from avisa.dispatch import Dispatch
from avisa.intake import Intake
from avisa.kafka import LagTracker
from avisa.mailer import DirectMailer
from avisa.ports import Channel, History, Mailer, OutboxRow
from avisa.store.store import Store, open_store
from avisa.templates.open_folder import open_folder
from avisa.wake import Alarm, Wake
from avisa.write_path import WritePath
from tests import builders
from tests.fakes import HandClock, RealClock, ScriptedChannel
from tests.templates import harness as templates
from tests.tools import made_store
from tests.tools.waiting import until

FEED = "orders/0"
LEASE = timedelta(minutes=5)
POLICY = RetryPolicy(steps=(timedelta(minutes=1), timedelta(minutes=5)), give_up=timedelta(hours=72))

GREYLISTED = Receipt(verdict=Verdict.TEMPORARY, stage="rcpt", code=450)
BUSY_AT_DOT = Receipt(verdict=Verdict.TEMPORARY, stage="dot", code=451)
LOST_ANSWER = Receipt(verdict=Verdict.IN_DOUBT, stage="dot")


class _Faulty:
    """A renderer that trips over one address."""

    def __init__(self, renderer: Renderer, trips_over: str) -> None:
        self._renderer, self._trips_over = renderer, trips_over

    def __getattr__(self, name: str) -> Any:
        return getattr(self._renderer, name)

    def address(self, raw: object, brand: Brand) -> str | None:
        if raw == self._trips_over:
            raise ArithmeticError("a fault of ours")
        return self._renderer.address(raw, brand)


class Flows:
    """The flows, wired as the service wires them."""

    def __init__(
        self,
        store: Store,
        catalogs: CatalogCache,
        clock: HandClock | RealClock,
        channel: Channel | None = None,
        mailer: Mailer | None = None,
    ) -> None:
        self.store, self.catalogs, self.clock = store, catalogs, clock
        self.versions = Versions(catalogs, store.versions)
        self.channel = ScriptedChannel()
        self.lag = LagTracker(since=clock.real(), blind_after=lambda: timedelta(minutes=5))
        self.dispatch = Dispatch(
            store.orders,
            store.outbox,
            catalogs,
            mailer or DirectMailer(channel or self.channel, real=clock.real),
            clock,
            self.lag,
            policy=POLICY,
            lease=LEASE,
            jitter=lambda: 0.5,
        )
        alarm = Alarm()
        self.write_path = WritePath(
            store.orders, self.dispatch.preparation.prepare, self.dispatch, lease=LEASE, on_wake_at=alarm.expect
        )
        self.wake = Wake(store.orders, catalogs, clock, self.lag, self.write_path, alarm)
        self.intake = Intake(store.orders, catalogs, clock, self.write_path)
        self.answers = Answers(store.orders, store.queries, catalogs, clock, self.write_path, secret=templates.SECRET)
        self._number = 0
        self.see()

    def see(self) -> None:
        """All that was published is taken in."""
        if FEED not in self.lag.feeds:
            self.lag.assigned([FEED])
        self.lag.probed(FEED, at=self.clock.real(), end=0)

    async def pass_time(self, span: timedelta) -> None:
        """Let real time pass; the feed stays read to its end."""
        self.clock.pass_real(span)
        self.see()
        self.dispatch.nudge()

    def event(self, status: str, order_id: str = "A-1", **facts: object) -> OrderEvent:
        """Something that happens to an order now. The facts are as for `builders.event`."""
        self._number += 1
        facts = {"customer__email": "ana@example.com", "customer__name": "Ana Sousa", **facts}
        return builders.event(status, self.clock.now(), self._number, order_id, **facts)

    async def happens(self, status: str, order_id: str = "A-1", **facts: object) -> None:
        await self.intake.take([self.event(status, order_id, **facts)])

    async def push(self, files: Mapping[str, str]) -> None:
        """Save a folder with these files."""
        await self.versions.look(Found(place="tests:/templates", files=files), at=self.clock.now())
        assert self.catalogs.ok, self.catalogs.problems

    def trip_over(self, address: str) -> None:
        """From now on our own code has a fault that this address brings out, standing for what nobody thought of."""
        catalog = self.catalogs.in_force
        self.catalogs.put_in_force(replace(catalog, renderer=cast(Renderer, _Faulty(catalog.renderer, address))))

    async def history(self, order_id: str = "A-1") -> History:
        known = await self.store.queries.history(order_id)
        assert known is not None
        return known

    async def row(self, key: str) -> OutboxRow:
        order_id = key.partition("/")[0]
        return next(row for row in (await self.history(order_id)).outbox if row.notification.key == key)

    async def became(self, key: str, *words: str) -> None:
        """Wait until the notification is in one of these states."""
        await until(lambda: self._is(key, words))

    async def tried(self, key: str, attempts: int) -> None:
        """Wait until so many attempts were made and the last was settled."""

        async def so() -> bool:
            notification = (await self.row(key)).notification
            return notification.attempts == attempts and notification.state != State.SENDING

        await until(so)

    async def _is(self, key: str, words: tuple[str, ...]) -> bool:
        return (await self.row(key)).notification.state in words

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        """Dispatch runs meanwhile."""
        task = asyncio.ensure_future(self.dispatch.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def running(
    file: Path,
    *,
    plan: str = templates.PLAN,
    clock: HandClock | RealClock | None = None,
    store: Store | None = None,
    channel: Channel | None = None,
    mailer: Mailer | None = None,
) -> AsyncIterator[Flows]:
    """A flows on a fresh store in `file`, with the small folder of the rendering tests and this plan."""
    clock = clock or HandClock()
    if store is None:
        await made_store.make(file)
    opened = store or open_store(f"sqlite:///{file}", clock=clock, exclusive=True)
    await opened.start()
    try:
        flows = Flows(opened, empty_catalogs(opened), clock, channel, mailer)
        await flows.push(files(plan))
        yield flows
    finally:
        await opened.close()


def empty_catalogs(store: Store) -> CatalogCache:
    """An empty catalogs, as each process has one."""
    return CatalogCache(
        read_plan=templates.read_plan,
        compile_folder=templates.compile_once,
        open_folder=open_folder,
        engine="tests",
        installation=Installation(secret=templates.SECRET, public_url="https://avisa.example.com"),
        store=store.versions,
    )


def files(plan: str = templates.PLAN, **messages: str) -> dict[str, str]:
    """The small folder with this plan; the messages are those of `harness`."""
    return {**templates.files(**messages), "plan.yaml": plan}
