"""The channel for e-mail through one SMTP relay: how many connections there are, and which mail each sends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from avisa.core.retry import Receipt, Verdict
from avisa.ports import Mail
from avisa.smtp.conversation import Conversation
from avisa.smtp.delivery import Delivery, prepare
from avisa.smtp.fair_queue import FairQueue
from avisa.smtp.outcome import SERVICE_CLOSES, Stage, about_reputation, outcome
from avisa.smtp.relay import Relay
from avisa.smtp.relay_state import CircuitBreaker, RelayState
from avisa.smtp.reply import Reply
from avisa.smtp.reputation import Reputation
from avisa.smtp.session import open_session, tls_context

log = structlog.get_logger()

_NOT_OURS = Receipt(verdict=Verdict.TEMPORARY, stage="mail", text="no longer ours to send")
_RUN = 50  # mails to one domain in a row on a connection while other domains wait


class EmailChannel:
    """The `ports.Channel` for e-mail, and the `MailSource` of its conversations. It lives between `start` and `stop`,
    on one event loop; each connection is opened, watched and ended by a task of its own."""

    def __init__(self, relay: Relay, *, jitter: Callable[[], float]) -> None:
        """`jitter` returns another random number in [0, 1) at each call; it spreads reconnections."""
        self._relay = relay
        self._breaker = CircuitBreaker(relay.connections, probe_every=relay.probe_every, jitter=jitter)
        self._reputation = Reputation()
        self._queue = FairQueue()
        self._idle: list[Conversation] = []  # the one used last is used next, so that the others time out and close
        self._live: set[Conversation] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._opening = 0
        self._runs: dict[Conversation, int] = {}  # mails in a row to the domain that the conversation holds
        self._context = None if relay.tls == "none" else tls_context(relay)
        self._retry: asyncio.TimerHandle | None = None
        self._stopped = False

    @property
    def open(self) -> bool:
        """False while the relay cannot be reached or refuses us."""
        return self._breaker.usable and not self._stopped

    @property
    def refusal(self) -> Receipt | None:
        """Why the relay refuses us (credentials, sender, blocklist), until it accepts a mail again."""
        refused = self._breaker.state in (RelayState.REFUSING, RelayState.PROBING)
        return self._breaker.because if refused else None

    @property
    def connections(self) -> int:
        """How many sessions are open."""
        return len(self._live)

    async def start(self) -> None:
        """Begin to open a first connection; does not wait for the relay."""
        self._open_connection()

    def deliver(self, mail: Mail, holds_lease: Callable[[], bool] = lambda: True) -> asyncio.Future[Receipt]:
        """Queue one mail. The future holds its receipt, never an exception.

        `holds_lease` is asked just before the body leaves; if it returns False, the mail is not sent and its receipt
        is temporary. Cancelling the future withdraws a mail whose body has not begun to leave; a mail whose body has
        begun to leave is in doubt.
        """
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        delivery = prepare(mail, answer, holds_lease)
        if isinstance(delivery, Receipt):
            answer.set_result(delivery)
        elif not self.open:
            answer.set_result(self._lost_receipt())
        else:
            self._queue.put(delivery)
            self._balance()
        return answer

    async def stop(self, grace: float) -> None:
        """Take no more mails, wait up to `grace` seconds for answers, and end.

        Afterwards every future has its receipt: temporary for a mail that waited, in doubt for one whose final dot
        was not answered.
        """
        self._stopped = True
        self._stop_connecting()
        self._give_back_waiting()
        for conversation in tuple(self._live):
            conversation.finish()
        if self._live:
            await asyncio.wait([c.ended for c in self._live], timeout=grace)
        while self._tasks:  # again, because wait_for (Python 3.11) can swallow a cancellation
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=0.1)

    # ------------------------------------------------------------ for conversations (MailSource)

    def next_for(self, conversation: Conversation) -> Delivery | None:
        self._release(conversation)
        delivery = self._take(conversation)
        if delivery is None:
            self._idle.append(conversation)
        elif self._idle and self._queue:
            self._balance_soon()  # the released domain may have more mail, for an idle connection
        return delivery

    def following(self, conversation: Conversation) -> Delivery | None:
        # Only a mail to the same domain travels behind another: its envelope is answered after the other's dot,
        # and no domain must wait for another.
        domain = conversation.domain
        if domain is None or self._breaker.state is not RelayState.AVAILABLE or self._stopped:
            return None
        run = self._runs[conversation] + 1
        if run >= _RUN and self._queue.others(domain):
            return None
        while (delivery := self._queue.take_of(domain)) is not None:
            if self._acceptable(conversation, delivery):
                self._runs[conversation] = run
                return delivery
        return None

    def answered(self, delivery: Delivery, stage: Stage, reply: Reply) -> None:
        receipt = outcome(stage, reply, self._relay.greylisted_for)
        if receipt.verdict is Verdict.PERMANENT and about_reputation(reply):
            receipt = self._reputation.weigh(
                receipt,
                delivery.recipient.encoded,
                now=asyncio.get_running_loop().time(),
                probing=self._breaker.state is RelayState.PROBING,
            )
        if receipt.verdict is Verdict.REFUSED_US:
            self._lose(receipt)
        else:
            self._breaker.answered()
            if self._breaker.state is RelayState.PROBING and receipt.verdict is not Verdict.TEMPORARY:
                self._recover(self._breaker.probe_succeeded)
                self._balance_soon()
        self.settle(delivery, receipt)

    def settle(self, delivery: Delivery, receipt: Receipt) -> None:
        if not delivery.answer.done():
            delivery.answer.set_result(receipt)

    def unsent(self, delivery: Delivery, receipt: Receipt, *, again: bool) -> None:
        if again and not delivery.moved and self.open:
            delivery.moved = True
            self._queue.put_first(delivery)
        else:
            self.settle(delivery, receipt)

    # ------------------------------------------------------------ which mail goes where

    def _take(self, conversation: Conversation) -> Delivery | None:
        """Return the next mail for `conversation`, which then holds the mail's domain."""
        if not self.open:
            return None
        if self._breaker.state is RelayState.PROBING and any(one.domain is not None for one in self._live):
            return None
        share = max(1, self._breaker.width(asyncio.get_running_loop().time()) // 2)
        while (delivery := self._queue.take(share)) is not None:
            if self._acceptable(conversation, delivery):
                conversation.domain = delivery.domain
                self._runs[conversation] = 1
                return delivery
            self._queue.release(delivery.domain)
        return None

    def _acceptable(self, conversation: Conversation, delivery: Delivery) -> bool:
        objection = conversation.session.objection(delivery) if delivery.holds_lease() else _NOT_OURS
        if objection is not None:
            self.settle(delivery, objection)
        return objection is None

    def _release(self, conversation: Conversation) -> None:
        if conversation.domain is not None:
            self._queue.release(conversation.domain)
            conversation.domain = None

    def _balance_soon(self) -> None:
        asyncio.get_running_loop().call_soon(self._balance)

    def _balance(self) -> None:
        """Give idle connections mails, and open more connections if there is mail for them."""
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
        width = self._breaker.width(asyncio.get_running_loop().time())
        # The first connection shows whether the relay is there at all; then the others may follow at once.
        room = (width if self._live else 1) - len(self._live) - self._opening
        if room > 0 and self._queue:
            wanted = self._queue.startable(max(1, width // 2), self._opening + room) - self._opening
            for _ in range(wanted):
                self._open_connection()

    # ------------------------------------------------------------ connections

    def _open_connection(self) -> None:
        self._retry = None
        self._opening += 1
        task = asyncio.create_task(self._connection(), name="smtp connection")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connection(self) -> None:
        """One connection, from dialling to its end."""
        try:
            session = await open_session(self._relay, self._context)
        finally:
            self._opening -= 1
        if isinstance(session, Receipt):
            self._not_opened(session)
            return
        conversation = Conversation(session, self._relay, self)
        self._live.add(conversation)
        self._idle.append(conversation)
        if not self._breaker.usable:
            self._stop_connecting()
        self._recover(self._breaker.connected)
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
            self._breaker.strike()
            if self._breaker.struck_out or (self._live and trouble.code == SERVICE_CLOSES):
                self._not_opened(trouble)
        self._balance()

    def _recover(self, step: Callable[[], None]) -> None:
        """Take a step towards being available, and log it if the state changes."""
        was = self._breaker.state
        step()
        if was is not self._breaker.state:
            log.info("smtp.relay_reached", state=str(self._breaker.state))

    def _not_opened(self, receipt: Receipt) -> None:
        """A connection could not be opened: go on with those we have; without any, the relay is lost."""
        if receipt.verdict is Verdict.REFUSED_US or not self._live:
            self._lose(receipt)
        else:
            self._breaker.narrow(len(self._live), asyncio.get_running_loop().time())

    def _lose(self, because: Receipt) -> None:
        """The relay takes no mail for now: give back the mails that wait, and connect again later."""
        was = self._breaker.state
        wait = self._breaker.lost(because)
        if was is not self._breaker.state:
            log.warning(
                "smtp.relay_lost",
                state=str(self._breaker.state),
                stage=because.stage,
                code=because.code,
                text=because.text,
                again_in_s=round(wait, 1),
            )
        self._give_back_waiting()
        self._stop_connecting()
        if not self._stopped:
            self._retry = asyncio.get_running_loop().call_later(wait, self._open_connection)

    def _give_back_waiting(self) -> None:
        for delivery in self._queue.drain():
            self.settle(delivery, self._lost_receipt())

    def _lost_receipt(self) -> Receipt:
        if self._stopped or self._breaker.because is None:
            return Receipt(verdict=Verdict.TEMPORARY, stage="connect", text="stopped")
        return self._breaker.because

    def _stop_connecting(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
