"""Whether the house is well: what `/livez`, `/readyz` and `/metrics` ask."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from avisa import telemetry
from avisa.catalog import STALE, CatalogCache, Versions
from avisa.core.model import Reason
from avisa.dispatch import Dispatch
from avisa.kafka import LagTracker, Subscription
from avisa.ports import Clock, Gauges, Queries
from avisa.smtp.channel import EmailChannel
from avisa.web.health import Check, Health

STORE_PATIENCE = 1.5  # seconds, within those that a probe is worth


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthChecks:
    """Looks at the parts of a running house. It changes nothing."""

    clock: Clock
    reads: Queries
    shelf: CatalogCache
    versions: Versions
    channel: EmailChannel
    lag: LagTracker
    subscription: Subscription
    dispatch: Dispatch
    tasks: list[asyncio.Task[None]]

    async def alive(self) -> Health:
        """Fails only if a restart would help: a loop of ours has ended."""
        ended = [task.get_name() for task in self.tasks if task.done()]
        return {"loops": Check(ok=not ended, detail=f"ended: {', '.join(ended)}" if ended else "running")}

    async def ready(self) -> Health:
        """Store, catalog and a first word from Kafka are required; the rest is told for whoever looks."""
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
            "sight": Check(ok=not blind, required=False, detail="reminders are held" if blind else "clear"),
            "email": Check(ok=self.channel.open, required=False, detail=self._relay()),
            "sending": Check(ok=not paused, required=False, detail="paused" if paused else "on"),
        }

    async def readings(self) -> telemetry.Readings:
        """What the metrics show; what the store cannot say now is left out."""
        real, now = self.clock.real(), self.clock.now()
        own = telemetry.Readings(
            kafka_lag_records=self.lag.lag_records(),
            kafka_lag_seconds=self.lag.lag_seconds(real),
            blind=self.lag.blind(real),
            paused=self.dispatch.paused,
            channel_paused={"email": self.channel.refusal is not None},
            catalog_ok=self.shelf.ok,
            smtp_connections=self.channel.connections,
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
            in_doubt=gauges.in_doubt,
        )

    async def _store(self) -> Check:
        gauges = await self._gauges()
        if isinstance(gauges, str):
            return Check(ok=False, detail=gauges)
        return Check(ok=True, detail="answers")

    async def _gauges(self) -> Gauges | str:
        """What the store says, or why it does not. Of one that is frozen not even the end of asking is waited for."""
        asking = asyncio.ensure_future(self.reads.gauges())
        asking.add_done_callback(lambda asked: asked.cancelled() or asked.exception())
        await asyncio.wait({asking}, timeout=STORE_PATIENCE)
        if not asking.done():
            asking.cancel()
            return "does not answer"
        trouble = asking.exception()
        return asking.result() if trouble is None else type(trouble).__name__

    def _catalog(self) -> Check:
        version = self.versions.in_force
        assert version is not None, "the house does not stand before something is in force"
        said = f"version {version.number} ({version.content})"
        if self.shelf.ok:
            aside = "; ".join(it.message for it in self.shelf.problems if it.code == STALE)
            return Check(ok=True, required=False, detail=f"{said}; {aside}" if aside else said)
        errors = sum(problem.severity == "error" for problem in self.shelf.problems)
        return Check(ok=False, required=False, detail=f"{errors} error(s); {said} stays in force")

    def _relay(self) -> str:
        if self.channel.refusal is not None:
            return f"{Reason.REFUSED}: the relay refuses us; see the log"
        return "open" if self.channel.open else "the relay is not reached"
