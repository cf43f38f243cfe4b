"""Whether anything may be claimed: no operator has stopped all sending, and no outage has left answers untold."""

from __future__ import annotations

from datetime import timedelta

import structlog

from avisa.ports import Clock, Outbox

log = structlog.get_logger()

SAFE = 0.75  # of a lease, in which a mail may leave; the rest is for clocks and for what is on the wire
AFTER_OUTAGE = timedelta(seconds=5)


class Permission:
    """To claim, as the store gave it last."""

    def __init__(self, outbox: Outbox, clock: Clock, lease: timedelta) -> None:
        self._outbox = outbox
        self._clock = clock
        self._lease = lease
        self.paused = False  # by an operator
        self._asked = self._claim_from = clock.real()
        self._missed = False  # the store did not answer when it was asked last

    async def asked(self) -> bool:
        """Ask again. Raises what the store raises when it is away.

        When it was away for so long that leases may be over, then those who sent under them, we and others, are
        left the time to store what came of it: else it would be sent again.
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
            log.warning("paused", reason=pause.reason) if pause else log.info("resumed")
        return not self.paused and real >= self._claim_from
