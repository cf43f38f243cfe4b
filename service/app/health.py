"""What `/livez`, `/readyz` and `/metrics` show of a running Avisa."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from avisa import telemetry
from avisa.catalog import STALE, CatalogCache, Versions
from avisa.core.model import Reason
from avisa.dispatch import Dispatch
from avisa.intake import Intake, unreadable_text
from avisa.kafka import LagTracker, Subscription
from avisa.ports import Clock, Gauges, Mailer, Queries
from avisa.registry import Registry
from avisa.templates.folder_watch import LOOK, FolderWatch
from avisa.web.health import Check, Health

STORE_PATIENCE = 1.5  # seconds, within those that a probe is worth


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthChecks:
    """Looks at the parts of a running Avisa, and changes none."""

    clock: Clock
    queries: Queries
    catalogs: CatalogCache
    versions: Versions
    watch: FolderWatch
    mailer: Mailer
    lag: LagTracker
    subscription: Subscription
    dispatch: Dispatch
    intake: Intake
    registry: Registry | None  # None: the settings name none
    tasks: list[asyncio.Task[None]]

    async def alive(self) -> Health:
        """Fails only if a restart would help: a loop has ended that never should."""
        ended = [task.get_name() for task in self.tasks if task.done()]
        return {"loops": Check(ok=not ended, detail=f"ended: {', '.join(ended)}" if ended else "running")}

    async def ready(self) -> Health:
        """Ready needs the store and a first answer of Kafka. The other checks only inform."""
        real = self.clock.real()
        store = await self._store()
        blind = self.lag.blind(real)
        paused = self.dispatch.paused
        return {
            "store": store,
            "catalog": self._catalog(),
            "kafka": Check(ok=self.lag.answered, detail=self.subscription.detail),
            "assignment": Check(
                ok=bool(self.lag.feeds), required=False, detail=f"{len(self.lag.feeds)} partition(s)"
            ),
            "events": self._events(),
            **self._registry(),
            "sight": Check(ok=not blind, required=False, detail="reminders are held" if blind else "clear"),
            "email": Check(ok=self.mailer.open, required=False, detail=self._relay()),
            "sending": Check(ok=not paused, required=False, detail="paused" if paused else "on"),
        }

    async def readings(self) -> telemetry.Readings:
        """The values of the gauges; those of the store are left out while it does not answer."""
        real, now = self.clock.real(), self.clock.now()
        own = telemetry.Readings(
            kafka_lag_records=self.lag.lag_records(),
            kafka_lag_seconds=self.lag.lag_seconds(real),
            kafka_open_transaction_records=sum(self.lag.behind_transaction(real).values()),
            blind=self.lag.blind(real),
            paused=self.dispatch.paused,
            channel_paused={"email": self.mailer.refusal is not None},
            catalog_ok=self.catalogs.ok,
            smtp_connections=self.mailer.connections,
        )
        gauges = await self._gauges()
        if isinstance(gauges, str):
            return own
        oldest = gauges.oldest_decided_at
        waited = 0.0 if oldest is None else (real - self.clock.to_real(min(oldest, now))).total_seconds()
        return replace(
            own,
            outbox=gauges.outbox,
            outbox_oldest_seconds=waited,
            orders={"open": gauges.orders_open, "final": gauges.orders_final, "stuck": gauges.orders_stuck},
            questions={str(state): n for state, n in gauges.questions.items()},
            promises={str(state): n for state, n in gauges.promises.items()},
            in_doubt=gauges.in_doubt,
        )

    async def _store(self) -> Check:
        gauges = await self._gauges()
        if isinstance(gauges, str):
            return Check(ok=False, detail=gauges)
        return Check(ok=True, detail="answers")

    async def _gauges(self) -> Gauges | str:
        """The store's gauges, or why there are none. A frozen store does not even end a query that is cancelled, so
        nothing here waits for that."""
        asking = asyncio.ensure_future(self.queries.gauges())
        asking.add_done_callback(lambda asked: asked.cancelled() or asked.exception())
        await asyncio.wait({asking}, timeout=STORE_PATIENCE)
        if not asking.done():
            asking.cancel()
            return "does not answer"
        trouble = asking.exception()
        return asking.result() if trouble is None else type(trouble).__name__

    def _catalog(self) -> Check:
        version = self.versions.in_force
        assert version is not None, "a start puts a version in force"
        current = f"version {version.number} ({version.content})"
        if self.catalogs.ok:
            aside = [it.message for it in self.catalogs.problems if it.code == STALE]
            if self.watch.unwatched is not None:
                aside.append(f"{self.watch.unwatched}, so the folder is looked at every {LOOK:g} s")
            return Check(ok=True, required=False, detail="; ".join([current, *aside]))
        errors = sum(problem.severity == "error" for problem in self.catalogs.problems)
        return Check(ok=False, required=False, detail=f"{errors} error(s); {current} stays in force")

    def _events(self) -> Check:
        unreadable = "; ".join(
            unreadable_text(topic, reason) for topic, reason in sorted(self.intake.unreadable.items())
        )
        return Check(ok=not unreadable, required=False, detail=unreadable or "readable")

    def _registry(self) -> Health:
        if self.registry is None:
            feeds = self.catalogs.in_force.plan.events.feeds
            topics = ", ".join(topic for topic, feed in feeds.items() if feed.by_registry)
            detail = f"AVISA_REGISTRY__URL is not set; the records of {topics} wait"
            return {"registry": Check(ok=False, required=False, detail=detail)} if topics else {}
        return {"registry": Check(ok=self.registry.trouble is None, required=False, detail=self.registry.detail)}

    def _relay(self) -> str:
        if self.mailer.refusal is not None:
            return f"{Reason.REFUSED}: the relay refuses us; see the log"
        return self.mailer.detail
