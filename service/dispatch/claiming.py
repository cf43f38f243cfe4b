"""Claiming what was left over in the outbox: by a hold, a retry, another process or a crash."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from avisa.ports import Claimed, Clock, Lag, Outbox

log = structlog.get_logger()

SAFE = 0.75  # the share of a lease in which a mail may leave; the rest is for clocks and for what is on the wire
AFTER_OUTAGE = timedelta(seconds=5)


class Claiming:
    """Claims for this process, and knows whether it may."""

    def __init__(self, outbox: Outbox, lag: Lag, clock: Clock, lease: timedelta) -> None:
        self._outbox = outbox
        self._lag = lag
        self._clock = clock
        self._lease = lease
        self.paused = False  # by an operator, as last seen
        self._asked = self._claim_from = clock.real()
        self._missed = False  # the store could not be reached when it was asked last

    async def allowed(self) -> bool:
        """Ask the store whether this process may claim now. Raises what the store raises if it cannot be reached.

        If the store was away for so long that leases may have ended, nothing is claimed for another moment. In that
        time whoever sent under those leases, this process or another, can store the receipts; otherwise the same
        mails would be claimed and sent again.
        """
        try:
            pause = await self._outbox.paused()
        except Exception:
            self._missed = True
            raise
        real = self._clock.real()
        if self._missed and real - self._asked > self._lease * (1 - SAFE):
            self._claim_from = real + min(AFTER_OUTAGE, self._lease)
        self._missed, self._asked = False, real
        if (pause is not None) is not self.paused:
            self.paused = pause is not None
            log.warning("dispatch.paused", reason=pause.reason) if pause else log.info("dispatch.resumed")
        return not self.paused and real >= self._claim_from

    async def claim(self, limit: int, *, real: datetime, overdue: datetime) -> list[Claimed]:
        """Lease up to `limit` notifications that are due; `overdue` as `Outbox.claim` means it."""
        return await self._outbox.claim(
            now_real=real,
            lease=self._lease,
            limit=limit,
            feeds=self._lag.feeds,
            overdue=overdue,
            buckets=self._lag.buckets,
        )
