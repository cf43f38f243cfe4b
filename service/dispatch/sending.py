"""From a draft to the channel: the mail is written, handed over, and answered for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from functools import partial

import structlog

from avisa.core.model import Notification, evolve
from avisa.core.retry import Receipt, Verdict
from avisa.dispatch.in_flight import InFlight
from avisa.dispatch.settlements import WRITING
from avisa.ports import CannotRender, CatalogCache, Channel, Claimed, Draft, DurabilityLost, Mail

log = structlog.get_logger()

# The channel was torn down with the answer outstanding.
_ABANDONED = Receipt(verdict=Verdict.IN_DOUBT, stage="dot", text="stopped before the answer came")


class Posting:
    """Writes mails of notifications that were begun, and posts them."""

    def __init__(self, shelf: CatalogCache, channel: Channel, in_hand: InFlight) -> None:
        self._shelf = shelf
        self._channel = channel
        self._in_hand = in_hand

    async def deliver(self, claimed: Claimed, draft: Draft, *, begun: datetime) -> None:
        """Write the mail and hand it to the channel, whose answer goes to those who see to it. `begun` is when it was
        stored as begun."""
        claimed = _begun(claimed, begun)
        mail = await self._composed(claimed.notification, draft)
        if isinstance(mail, CannotRender):
            log.error("cannot_render", key=claimed.notification.key, problem=mail.problem)
            self._in_hand.answer(claimed, Receipt(verdict=Verdict.TEMPORARY, stage=WRITING, text=mail.problem))
            return
        ours = partial(self._in_hand.ours, claimed.notification.key)
        answer = asyncio.ensure_future(self._channel.deliver(mail, ours))
        answer.add_done_callback(lambda done: self._in_hand.answer(claimed, _word_of(done)))

    async def _composed(self, notification: Notification, draft: Draft) -> Mail | CannotRender:
        """The mail. Whatever goes wrong is this mail's trouble alone, for others of its batch wait behind it."""
        try:
            in_force = self._shelf.in_force
            catalog = in_force if draft.catalog == in_force.version else await self._shelf.version(draft.catalog)
            if catalog is None:
                return CannotRender("the catalog that wrote it is gone")
            return catalog.compose(notification, draft)
        except DurabilityLost:
            raise
        except Exception as trouble:
            return CannotRender(f"the catalog that wrote it cannot be read now ({type(trouble).__name__})")


def _begun(claimed: Claimed, at_real: datetime) -> Claimed:
    notification = claimed.notification
    begun = evolve(
        notification,
        attempts=notification.attempts + 1,
        first_attempt_real=notification.first_attempt_real or at_real,
    )
    return replace(claimed, notification=begun)


def _word_of(done: asyncio.Future[Receipt]) -> Receipt:
    """The channel's answer; one that it failed to give may have been a yes."""
    if done.cancelled():
        return _ABANDONED
    if (bug := done.exception()) is not None:
        log.error("channel_failed", error=type(bug).__name__, exc_info=bug)
        return _ABANDONED
    return done.result()
