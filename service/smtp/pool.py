"""Connections to one relay: who waits, who sends, how many there are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from avisa.core.retry import Receipt, Verdict
from avisa.smtp.conversation import Conversation
from avisa.smtp.delivery import Delivery
from avisa.smtp.fair_queue import FairQueue
from avisa.smtp.outcome import SERVICE_CLOSES, Stage, about_reputation, outcome
from avisa.smtp.relay import Relay
from avisa.smtp.relay_state import RelayState, Standing
from avisa.smtp.reply import Reply
from avisa.smtp.reputation import Reputation
from avisa.smtp.session import Session, open_session, trust

log = structlog.get_logger()

_NOT_OURS = Receipt(verdict=Verdict.TEMPORARY, stage="mail", text="no longer ours to send")
_RUN = 50  # mails to one domain in a row on a connection while others wait


class Pool:
    """Hands mails to conversations. Each connection is opened, watched and ended by one task, its lane.

    It is the `MailSource` of its conversations.
    """

    def __init__(self, relay: Relay, *, jitter: Callable[[], float]) -> None:
        self._relay = relay
        self._route = RelayState(relay.connections, probe_every=relay.probe_every, jitter=jitter)
        self._reputation = Reputation()
        self._waiting = FairQueue()
        self._idle: list[Conversation] = []  # the one used last is used next, so that the others can go
        self._live: set[Conversation] = set()
        self._lanes: set[asyncio.Task[None]] = set()
        self._opening = 0
        self._runs: dict[Conversation, int] = {}
        self._context = None if relay.tls == "none" else trust(relay)
        self._retry: asyncio.TimerHandle | None = None
        self._stopped = False

    @property
    def open(self) -> bool:
        return self._route.usable and not self._stopped

    @property
    def refusal(self) -> Receipt | None:
        """Why the relay will not have us, while that is so."""
        refused = self._route.standing in (Standing.REFUSED, Standing.PROBATION)
        return self._route.because if refused else None

    @property
    def connections(self) -> int:
        return len(self._live)

    def start(self) -> None:
        """Find out whether the relay is there."""
        self._open_lane()

    def submit(self, delivery: Delivery) -> None:
        if not self.open:
            self.settle(delivery, self._closed_receipt())
            return
        self._waiting.put(delivery)
        self._balance()

    async def stop(self, grace: float) -> None:
        """Give back what waits, let what is under way finish for `grace` seconds, then end it."""
        self._stopped = True
        self._stop_trying()
        self._turn_away()
        for conversation in tuple(self._live):
            conversation.finish()
        if self._live:
            await asyncio.wait([c.ended for c in self._live], timeout=grace)
        while self._lanes:  # again, because wait_for (Python 3.11) can swallow a cancellation
            for lane in self._lanes:
                lane.cancel()
            await asyncio.wait(self._lanes, timeout=0.1)

    # ------------------------------------------------------------ the source

    def next_for(self, conversation: Conversation) -> Delivery | None:
        self._release(conversation)
        delivery = self._take(conversation)
        if delivery is None:
            self._idle.append(conversation)
        elif self._idle and self._waiting:
            self._balance_soon()  # the domain that was let go may have more for a connection that is idle
        return delivery

    def following(self, conversation: Conversation) -> Delivery | None:
        # Only a mail to the same domain travels behind another: its envelope is answered after that one's dot,
        # and no domain shall wait for another.
        domain = conversation.domain
        if domain is None or self._route.standing is not Standing.OPEN or self._stopped:
            return None
        run = self._runs[conversation] + 1
        if run >= _RUN and self._waiting.others(domain):
            return None
        while (delivery := self._waiting.take_of(domain)) is not None:
            if self._acceptable(conversation, delivery):
                self._runs[conversation] = run
                return delivery
        return None

    def answered(self, delivery: Delivery, stage: Stage, reply: Reply) -> None:
        receipt = outcome(stage, reply, self._relay.greylisted_for)
        if receipt.verdict is Verdict.PERMANENT and about_reputation(reply):
            receipt = self._reputation.weigh(
                receipt,
                delivery.recipient.octets,
                now=asyncio.get_running_loop().time(),
                on_probation=self._route.standing is Standing.PROBATION,
            )
        if receipt.verdict is Verdict.REFUSED_US:
            self._close(receipt)
        else:
            self._route.served()
            if self._route.standing is Standing.PROBATION and receipt.verdict is not Verdict.TEMPORARY:
                self._stands(self._route.taken)
                self._balance_soon()
        self.settle(delivery, receipt)

    def settle(self, delivery: Delivery, receipt: Receipt) -> None:
        if not delivery.answer.done():
            delivery.answer.set_result(receipt)

    def unsent(self, delivery: Delivery, receipt: Receipt, *, again: bool) -> None:
        if again and not delivery.moved and self.open:
            delivery.moved = True
            self._waiting.put_first(delivery)
        else:
            self.settle(delivery, receipt)

    # ------------------------------------------------------------ who gets what

    def _take(self, conversation: Conversation) -> Delivery | None:
        """The next mail for `conversation`, which then holds its domain."""
        if not self.open or (self._route.standing is Standing.PROBATION and self._busy):
            return None
        share = max(1, self._route.width(asyncio.get_running_loop().time()) // 2)
        while (delivery := self._waiting.take(share)) is not None:
            if self._acceptable(conversation, delivery):
                conversation.domain = delivery.domain
                self._runs[conversation] = 1
                return delivery
            self._waiting.release(delivery.domain)
        return None

    def _acceptable(self, conversation: Conversation, delivery: Delivery) -> bool:
        objection = conversation.session.objection(delivery) if delivery.ours() else _NOT_OURS
        if objection is not None:
            self.settle(delivery, objection)
        return objection is None

    def _release(self, conversation: Conversation) -> None:
        if conversation.domain is not None:
            self._waiting.release(conversation.domain)
            conversation.domain = None

    @property
    def _busy(self) -> bool:
        return any(conversation.domain is not None for conversation in self._live)

    def _balance_soon(self) -> None:
        asyncio.get_running_loop().call_soon(self._balance)

    def _balance(self) -> None:
        """Give idle connections something to do, and open another one where that would help."""
        while self._idle:
            conversation = self._idle[-1]
            if not conversation.usable:
                self._idle.pop()
                continue
            delivery = self._take(conversation)
            if delivery is None:
                return
            self._idle.pop()
            conversation.begin(delivery)
        if not self.open:
            return
        width = self._route.width(asyncio.get_running_loop().time())
        # The first connection shows whether the relay is there at all; then the others may come at once.
        room = (width if self._live else 1) - len(self._live) - self._opening
        if room > 0 and self._waiting:
            wanted = self._waiting.startable(max(1, width // 2), self._opening + room) - self._opening
            for _ in range(wanted):
                self._open_lane()

    # ------------------------------------------------------------ lanes

    def _open_lane(self) -> None:
        self._retry = None
        self._opening += 1
        lane = asyncio.create_task(self._lane(), name="smtp connection")
        self._lanes.add(lane)
        lane.add_done_callback(self._lanes.discard)

    async def _lane(self) -> None:
        """One connection, from dialling to its end."""
        try:
            opened = await open_session(self._relay, self._context)
        finally:
            self._opening -= 1
        if isinstance(opened, Receipt):
            self._not_opened(opened)
        else:
            await self._talk(opened)

    async def _talk(self, session: Session) -> None:
        conversation = Conversation(session, self._relay, self)
        self._live.add(conversation)
        self._idle.append(conversation)
        if not self._route.usable:
            self._stop_trying()
        self._stands(self._route.reached)
        self._balance()
        try:
            await conversation.ended
        finally:
            conversation.abort("stopped")
            self._live.discard(conversation)
            if conversation in self._idle:
                self._idle.remove(conversation)
            self._runs.pop(conversation, None)
            self._release(conversation)
        trouble = conversation.trouble
        if trouble is not None and conversation.served == 0:
            self._route.strike()
            if self._route.struck or (self._live and trouble.code == SERVICE_CLOSES):
                self._not_opened(trouble)
        self._balance()

    def _stands(self, step: Callable[[], None]) -> None:
        """Take a step towards being open, and tell when it changes how things stand."""
        was = self._route.standing
        step()
        if was is not self._route.standing:
            log.info("channel_open", channel="email", standing=str(self._route.standing))

    def _not_opened(self, receipt: Receipt) -> None:
        """No connection came of it: make do with those we have, or the route is down."""
        if receipt.verdict is Verdict.REFUSED_US or not self._live:
            self._close(receipt)
        else:
            self._route.narrow(len(self._live), asyncio.get_running_loop().time())

    def _close(self, because: Receipt) -> None:
        """The route is of no use for now: turn away what waits and look again later."""
        was = self._route.standing
        wait = self._route.lost(because)
        if was is not self._route.standing:
            log.warning(
                "channel_closed",
                channel="email",
                standing=str(self._route.standing),
                stage=because.stage,
                code=because.code,
                text=because.text,
                again_in_s=round(wait, 1),
            )
        self._turn_away()
        self._try_again_in(wait)

    def _turn_away(self) -> None:
        for delivery in self._waiting.drain():
            self.settle(delivery, self._closed_receipt())

    def _closed_receipt(self) -> Receipt:
        if self._stopped or self._route.because is None:
            return Receipt(verdict=Verdict.TEMPORARY, stage="connect", text="stopped")
        return self._route.because

    def _try_again_in(self, seconds: float) -> None:
        self._stop_trying()
        if not self._stopped:
            self._retry = asyncio.get_running_loop().call_later(seconds, self._open_lane)

    def _stop_trying(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
