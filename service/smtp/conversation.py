"""The dialogue on an open session: one mail after another, with an exact receipt for each.

With PIPELINING (RFC 2920) the envelope goes out in one write, and the body of one mail together with the
envelope of the next: the transfer of a message may be the first "command" of a group, and DATA is the last.
So a mail costs one round trip. Without it each command waits for its reply.

The rules that keep receipts exact:

- A reply that nobody asked for ends the conversation, and no body is written after it.
- Until the body is written the relay cannot have the mail; after that only its answer to the final dot tells.
- Every end that is not a QUIT is a reset: an orderly close would go on delivering what is still buffered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from avisa.core.retry import Receipt, Verdict
from avisa.smtp.command_pipeline import CommandPipeline, OutOfStepError
from avisa.smtp.deadline import Deadline
from avisa.smtp.delivery import Delivery
from avisa.smtp.mail_source import MailSource
from avisa.smtp.outcome import SERVICE_CLOSES, Stage
from avisa.smtp.relay import Relay
from avisa.smtp.reply import Reply
from avisa.smtp.session import Session
from avisa.smtp.stall import StallDetector


class Conversation(asyncio.Protocol):
    """One session, once it is open. All work is done in callbacks: a task for each mail would cost more."""

    def __init__(self, session: Session, relay: Relay, source: MailSource[Conversation]) -> None:
        self.session = session
        self._pipeline = CommandPipeline(session.transport)
        self._send = self._pipeline.send
        self._stall = StallDetector(session.transport, relay.patience)
        self._source = source
        self._mails_at_most = relay.mails_per_connection
        self._patience = relay.patience

        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.trouble: Receipt | None = None  # why it ended, if it was the relay's doing
        self.served = 0  # mails that the relay answered
        self.domain: str | None = None  # for the source: the domain that it holds and sends mails to

        self._current: Delivery | None = None
        self._next: Delivery | None = None  # its envelope is on the way
        self._stage = "idle"
        self._expect: Callable[[Reply], None] = self._on_nothing
        self._refused = False  # the current mail has its answer; the rest of its envelope is only read
        self._recipient_taken = False
        self._transaction_open = False  # RSET before the next MAIL
        self._closing = self._over = False
        self._deadline = Deadline(self._too_late)

        session.transport.set_protocol(self)
        self._await("idle", self._on_nothing, self._patience.idle)

    # ------------------------------------------------------------ from the source

    @property
    def usable(self) -> bool:
        """Whether it can take another mail."""
        return not (self._over or self._closing or self.session.transport.is_closing())

    def begin(self, delivery: Delivery) -> None:
        """Send `delivery`; only while idle."""
        self._current = delivery
        reset = b"RSET\r\n" if self._transaction_open else b""
        if self.session.pipelining:
            self._send(reset + self.session.envelope(delivery), 4 if reset else 3)
        else:
            self._send(reset or self.session.mail(delivery), 1)
        self._await("mail", self._on_rset if reset else self._on_mail, self._patience.mail)

    def finish(self) -> None:
        """Take no more mails; say goodbye as soon as none is under way."""
        self._closing = True
        if self._stage == "idle" and not self._over:
            self._quit()

    def abort(self, text: str) -> None:
        """End at once. Each mail under way gets the receipt that is true of it."""
        self._fail(text, blame=False)

    # ------------------------------------------------------------ from the transport

    def data_received(self, data: bytes) -> None:
        if self._over:
            return
        try:
            for reply in self._pipeline.receive(data):
                if self._current is not None and self._current.answer.cancelled():
                    self._fail("given up by its sender", blame=False)
                else:
                    self._expect(reply)
                if self._over:
                    return
            if self._pipeline.out_of_step:
                raise OutOfStepError
        except OutOfStepError:
            self._fail("not understood")

    def eof_received(self) -> None:
        self._lost()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost()
        if not self.ended.done():
            self.ended.set_result(None)

    def _lost(self) -> None:
        if self._stage == "idle" or self._stage == "quit":
            self._end()
        else:
            self._fail("connection lost", again=True)

    # ------------------------------------------------------------ replies, stage by stage

    def _on_nothing(self, reply: Reply) -> None:
        raise OutOfStepError

    def _on_rset(self, reply: Reply) -> None:
        assert self._current is not None
        if reply.code >= 300:
            self._fail("RSET refused", reply.code, again=True)
            return
        self._transaction_open = False
        if not self.session.pipelining:
            self._send(self.session.mail(self._current), 1)
        self._await("mail", self._on_mail, self._patience.mail)

    def _on_mail(self, reply: Reply) -> None:
        assert self._current is not None
        if reply.code < 300:
            self._transaction_open = True
            if not self.session.pipelining:
                self._send(b"RCPT TO:<%b>\r\n" % self._current.recipient.encoded, 1)
        elif not self._refuse("mail", reply):
            return
        self._await("rcpt", self._on_rcpt, self._patience.rcpt)

    def _on_rcpt(self, reply: Reply) -> None:
        current = self._current
        assert current is not None
        self._recipient_taken = reply.code < 300
        if self._refused:
            if reply.code == SERVICE_CLOSES:
                self._fail("service closes", reply.code)
                return
        elif reply.code == 252 and not current.unverified:
            # "Cannot verify": another connection may meet a host that can. Once.
            current.unverified, current.moved = True, False
            self._fail("recipient not verified", reply.code, blame=False, again=True)
            return
        elif not self._recipient_taken and not self._refuse("rcpt", reply):
            return
        elif not self.session.pipelining:
            self._send(b"DATA\r\n", 1)
        self._await("data", self._on_data, self._patience.data)

    def _on_data(self, reply: Reply) -> None:
        if reply.code != 354:
            refused_before = self._refused and reply.code >= 400 and reply.code != SERVICE_CLOSES
            if refused_before or self._refuse("data", reply):
                self._done()
        elif not self._refused:
            self._send_body()
        elif self._recipient_taken:
            # MAIL was refused, RCPT was not: a dot now might send somebody an empty mail.
            raise OutOfStepError
        else:
            # RFC 2920 section 3.1: DATA without a valid recipient is ended by a lone dot.
            self._send(b".\r\n", 1)
            self._await("data", self._on_lone_dot, self._patience.dot)

    def _on_lone_dot(self, reply: Reply) -> None:
        self._transaction_open = False
        self._done()

    def _on_dot(self, reply: Reply) -> None:
        assert self._current is not None
        if 300 <= reply.code < 400:
            raise OutOfStepError
        self._source.answered(self._current, "dot", reply)
        self._refused = True
        self._transaction_open = False
        if reply.code == SERVICE_CLOSES:
            self._fail("service closes", reply.code)
        else:
            self._done()

    # ------------------------------------------------------------ steps

    def _refuse(self, stage: Stage, reply: Reply) -> bool:
        """Report a refusal. Returns False if this has ended the conversation or made it turn to another mail."""
        assert self._current is not None
        if reply.code < 400:
            raise OutOfStepError
        if reply.code == SERVICE_CLOSES:
            self._fail("service closes", reply.code, again=True)
            return False
        self._refused = True
        self._source.answered(self._current, stage, reply)
        if self.session.pipelining:
            return True
        self._done()
        return False

    def _send_body(self) -> None:
        current = self._current
        assert current is not None
        if not current.holds_lease():
            self._fail("no longer ours to send", blame=False)
            return
        following = None
        if self.session.pipelining and self._may_go_on(more=2) and not self._pipeline.out_of_step:
            following = self._source.following(self)
        envelope = self.session.envelope(following) if following is not None else b""
        self._next = following
        self._send((current.data, b".\r\n" + envelope), 4 if envelope else 1)
        self._stall.start()
        self._await("dot", self._on_dot, self._stall.patience)

    def _done(self) -> None:
        """The relay has answered the current mail, and owes no more replies about it."""
        self.served += 1
        self._refused = False
        self._current, self._next = self._next, None
        if self._current is not None:
            self._await("mail", self._on_mail, self._patience.mail)
            return
        self._await("idle", self._on_nothing, self._patience.idle)
        if self._pipeline.out_of_step:
            return
        if not self._may_go_on(more=1):
            self._quit()
        elif (following := self._source.next_for(self)) is not None:
            self.begin(following)

    def _may_go_on(self, *, more: int) -> bool:
        """True if the relay may get `more` mails on this connection after those that it has answered."""
        return not self._closing and self.served + more <= self._mails_at_most

    def _quit(self) -> None:
        self._closing = True
        self._send(b"QUIT\r\n", 1)
        self._await("quit", self._on_quit, self._patience.quit)

    def _on_quit(self, reply: Reply) -> None:
        self._over = True
        self._deadline.cancel()
        self.session.transport.close()  # nothing is buffered any more

    # ------------------------------------------------------------ time

    def _await(self, stage: str, expect: Callable[[Reply], None], patience: float) -> None:
        self._stage = stage
        self._expect = expect
        self._deadline.set(patience)

    def _too_late(self) -> None:
        if self._stage == "idle":
            self._quit()
        elif self._stage == "quit":
            self._end()
        elif self._stage != "dot" or not self._stall.unsent:
            # If RSET hangs, the mail before it is to blame.
            self._fail("no reply in time", again=self._expect == self._on_rset)
        elif self._stall.stalled():
            self._fail("the relay stopped reading")
        else:
            self._await("dot", self._on_dot, self._stall.patience)

    # ------------------------------------------------------------ ends

    def _fail(self, text: str, code: int | None = None, *, blame: bool = True, again: bool = False) -> None:
        """End at once, and report what is true of each mail under way."""
        if self._over:
            return
        stage, current, following = self._stage, self._current, self._next
        self._end()
        receipt = Receipt(verdict=Verdict.TEMPORARY, stage=stage, code=code, text=text)
        if current is not None:
            self.trouble = receipt if blame else None
            if stage == "dot" and not self._refused:
                doubt = Receipt(verdict=Verdict.IN_DOUBT, stage="dot", code=code, text=text)
                self._source.settle(current, doubt)
            elif not self._refused:
                self._source.unsent(current, receipt, again=again)
        if following is not None:
            self._source.unsent(following, receipt, again=True)

    def _end(self) -> None:
        self._over = True
        self._current = self._next = None
        self._deadline.cancel()
        self.session.reset()
