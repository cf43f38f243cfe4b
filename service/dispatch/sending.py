"""From a begun attempt to the mailer, and its receipt back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import structlog

from avisa.core.evolve import evolve
from avisa.core.retry import Receipt, Verdict
from avisa.dispatch.in_flight import InFlight
from avisa.ports import (
    RENDERING,
    Attempt,
    CannotRender,
    Catalog,
    CatalogCache,
    Claimed,
    DurabilityLost,
    Mailer,
    Outgoing,
)

log = structlog.get_logger()


class Sending:
    """Hands attempts that were begun to the mailer, with the catalogs that write their mails."""

    def __init__(self, catalogs: CatalogCache, mailer: Mailer, in_flight: InFlight) -> None:
        self._catalogs = catalogs
        self._mailer = mailer
        self._in_flight = in_flight

    async def send(self, attempt: Attempt) -> None:
        """Hand over one attempt; its receipt goes to `InFlight`."""
        claimed = _begun(attempt)
        in_force, version = self._catalogs.in_force, attempt.draft.catalog
        catalog = in_force if version == in_force.version else await self._catalog(version)
        if isinstance(catalog, CannotRender):
            receipt = Receipt(verdict=Verdict.TEMPORARY, stage=RENDERING, text=catalog.problem)
            self._received(claimed, receipt, ())
            return
        outgoing = Outgoing(
            key=attempt.key,
            draft=attempt.draft,
            renderer=catalog.renderer,
            leased_until=self._in_flight.leased_until(attempt.key),
        )
        self._mailer.send(outgoing, partial(self._received, claimed))

    async def _catalog(self, version: str) -> Catalog | CannotRender:
        """The catalog of this name. Whatever goes wrong is one mail's trouble, for others of its batch wait behind
        it."""
        try:
            catalog = await self._catalogs.version(version)
        except DurabilityLost:
            raise
        except Exception as trouble:
            return CannotRender(f"the catalog that wrote it cannot be read now ({type(trouble).__name__})")
        return catalog or CannotRender("the catalog that wrote it is gone")

    def _received(self, claimed: Claimed, receipt: Receipt, notes: Sequence[str]) -> None:
        if receipt.stage == RENDERING:
            log.error("dispatch.message_not_rendered", key=claimed.notification.key, problem=receipt.text)
        self._in_flight.receive(claimed, receipt, notes)


def _begun(attempt: Attempt) -> Claimed:
    """The notification as the store has it since the attempt began."""
    notification = attempt.claimed.notification
    begun = evolve(
        notification,
        attempts=notification.attempts + 1,
        first_attempt_real=notification.first_attempt_real or attempt.at_real,
    )
    return Claimed(notification=begun, order=attempt.claimed.order, draft=attempt.claimed.draft)
