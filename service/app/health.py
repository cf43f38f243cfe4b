"""Whether the house is well: what `/livez`, `/readyz` and `/metrics` ask."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from service import telemetry
from service.catalog import Shelf
from service.channels.email import EmailChannel
from service.core.model import Reason
from service.dispatch import Dispatch
from service.kafka import FeedSight, Subscription
from service.ports import Clock, Reads
from service.web.health import Check, Health


@dataclass(frozen=True, slots=True, kw_only=True)
class Doctor:
    """Looks at the parts of a running house. It changes nothing."""

    clock: Clock
    reads: Reads
    shelf: Shelf
    channel: EmailChannel
    sight: FeedSight
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
        blind = self.sight.blind(real)
        paused = self.dispatch.paused
        return {
            "store": store,
            "catalog": self._catalog(),
            "kafka": Check(ok=self.sight.answered, detail=self.subscription.detail),
            "assignment": Check(
                ok=bool(self.sight.feeds), required=False, detail=f"{len(self.sight.feeds)} partition(s)"
            ),
            "sight": Check(ok=not blind, required=False, detail="reminders are held" if blind else "clear"),
            "email": Check(ok=self.channel.open, required=False, detail=self._relay()),
            "sending": Check(ok=not paused, required=False, detail="paused" if paused else "on"),
        }

    async def readings(self) -> telemetry.Readings:
        """What the metrics show; what the store cannot say now is left out."""
        real, now = self.clock.real(), self.clock.now()
        own = telemetry.Readings(
            kafka_lag_records=self.sight.lag_records(),
            kafka_lag_seconds=self.sight.lag_seconds(real),
            blind=self.sight.blind(real),
            paused=self.dispatch.paused,
            channel_paused={"email": self.channel.refusal is not None},
            catalog_ok=self.shelf.ok,
            smtp_connections=self.channel.connections,
        )
        try:
            gauges = await self.reads.gauges()
        except Exception:
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
        try:
            await self.reads.gauges()
        except Exception as trouble:
            return Check(ok=False, detail=type(trouble).__name__)
        return Check(ok=True, detail="answers")

    def _catalog(self) -> Check:
        version = self.shelf.in_force.version
        if self.shelf.ok:
            return Check(ok=True, required=False, detail=f"version {version}")
        errors = sum(problem.severity == "error" for problem in self.shelf.problems)
        return Check(
            ok=False, required=False, detail=f"{errors} error(s) in the folder; version {version} stays in force"
        )

    def _relay(self) -> str:
        if self.channel.refusal is not None:
            return f"{Reason.REFUSED}: the relay refuses us; see the log"
        return "open" if self.channel.open else "the relay is not reached"
