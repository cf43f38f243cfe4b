"""From a begun attempt to the channel: the mail is written and handed over, and its receipt comes back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

import structlog

from avisa.core.evolve import evolve
from avisa.core.model import Notification
from avisa.core.retry import Receipt, Verdict
from avisa.dispatch.in_flight import InFlight
from avisa.dispatch.settlements import RENDERING
from avisa.ports import Attempt, CannotRender, CatalogCache, Channel, Claimed, Draft, DurabilityLost, Mail

log = structlog.get_logger()

# The channel was torn down before the receipt came.
_ABANDONED = Receipt(verdict=Verdict.IN_DOUBT, stage="dot", text="stopped before the answer came")


class Sending:
    """Writes the mails of attempts that were begun, and hands them to the channel."""

    def __init__(self, catalogs: CatalogCache, channel: Channel, in_flight: InFlight) -> None:
        self._catalogs = catalogs
        self._channel = channel
        self._in_flight = in_flight

    async def send(self, attempt: Attempt) -> None:
        """Write one mail and hand it to the channel; its receipt goes to `InFlight`."""
        claimed = _begun(attempt)
        notification = claimed.notification
        mail = await self._mail(notification, attempt.draft)
        if isinstance(mail, CannotRender):
            log.error("dispatch.message_not_rendered", key=notification.key, problem=mail.problem)
            self._in_flight.receive(claimed, Receipt(verdict=Verdict.TEMPORARY, stage=RENDERING, text=mail.problem))
            return
        holds_lease = partial(self._in_flight.holds_lease, notification.key)
        delivery = asyncio.ensure_future(self._channel.deliver(mail, holds_lease))
        delivery.add_done_callback(lambda done: self._in_flight.receive(claimed, _receipt_of(done), mail.notes))

    async def _mail(self, notification: Notification, draft: Draft) -> Mail | CannotRender:
        """The mail. Whatever goes wrong is this mail's trouble alone, for others of its batch wait behind it."""
        try:
            in_force = self._catalogs.in_force
            catalog = in_force if draft.catalog == in_force.version else await self._catalogs.version(draft.catalog)
            if catalog is None:
                return CannotRender("the catalog that wrote it is gone")
            return catalog.compose(notification, draft)
        except DurabilityLost:
            raise
        except Exception as trouble:
            return CannotRender(f"the catalog that wrote it cannot be read now ({type(trouble).__name__})")


def _begun(attempt: Attempt) -> Claimed:
    """The notification as the store has it since the attempt began."""
    notification = attempt.claimed.notification
    begun = evolve(
        notification,
        attempts=notification.attempts + 1,
        first_attempt_real=notification.first_attempt_real or attempt.at_real,
    )
    return replace(attempt.claimed, notification=begun)


def _receipt_of(done: asyncio.Future[Receipt]) -> Receipt:
    """The channel's receipt. Where the channel failed to give one, the server may have accepted the mail."""
    if done.cancelled():
        return _ABANDONED
    if (bug := done.exception()) is not None:
        log.error("dispatch.channel_failed", error=type(bug).__name__, exc_info=bug)
        return _ABANDONED
    return done.result()
