"""Mails written and delivered in this process."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

import structlog

from avisa.core.retry import Receipt, Verdict
from avisa.core.timestamps import BEGINNING
from avisa.ports import RENDERING, CannotRender, Channel, Mail, MailRenderer, OnReceipt, Outgoing, render_input_of

log = structlog.get_logger()

MAILS_A_ROUND = 4  # about a millisecond of writing, for which every other task waits

# The channel was torn down before the receipt came.
_ABANDONED = Receipt(verdict=Verdict.IN_DOUBT, stage="dot", text="stopped before the answer came")


class DirectMailer:
    """Writes mails a few at a time, so that nothing else waits for long. Satisfies `ports.Mailer`."""

    def __init__(
        self, channel: Channel, *, real: Callable[[], datetime], may_send: Callable[[], bool] = lambda: True
    ) -> None:
        """`real` returns the real moment. `may_send` is asked, like the lease, at the last moment before a mail
        leaves."""
        self._channel = channel
        self._real = real
        self._may_send = may_send
        self._unwritten: deque[tuple[Outgoing, OnReceipt]] = deque()
        self._leased_until: dict[str, datetime] = {}  # of what has no receipt yet; real

    @property
    def open(self) -> bool:
        return self._channel.open

    @property
    def detail(self) -> str:
        return "open" if self._channel.open else "the relay is not reached"

    @property
    def refusal(self) -> Receipt | None:
        return self._channel.refusal

    @property
    def connections(self) -> int:
        return self._channel.connections

    def send(self, mail: Outgoing, on_receipt: OnReceipt) -> None:
        """Queue one mail; it is written soon, and handed to the channel."""
        if not self._unwritten:
            asyncio.get_running_loop().call_soon(self._write_some)
        self._unwritten.append((mail, on_receipt))
        self._leased_until[mail.key] = mail.leased_until

    def compile_ahead(self, catalog: str, renderer: MailRenderer, messages: Sequence[str]) -> None:
        """Do nothing: where no sender process runs, memory is short, and what compiles takes ten MB of it."""

    def renew(self, leased_until: Mapping[str, datetime]) -> None:
        """Set the ends of leases (real), of mails that have no receipt yet."""
        self._leased_until.update((key, until) for key, until in leased_until.items() if key in self._leased_until)

    def _write_some(self) -> None:
        for _ in range(min(MAILS_A_ROUND, len(self._unwritten))):
            self._write(*self._unwritten[0])
            self._unwritten.popleft()
        if self._unwritten:
            asyncio.get_running_loop().call_soon(self._write_some)

    def _write(self, outgoing: Outgoing, on_receipt: OnReceipt) -> None:
        """Whatever goes wrong is this mail's trouble alone, for others wait behind it."""
        mail = _rendered(outgoing)
        answered = partial(self._answered, outgoing.key, on_receipt, mail)
        if isinstance(mail, CannotRender):
            answered(Receipt(verdict=Verdict.TEMPORARY, stage=RENDERING, text=mail.problem))
            return
        try:
            delivery = asyncio.ensure_future(self._channel.deliver(mail, partial(self._may_leave, outgoing.key)))
        except Exception as bug:
            answered(_abandoned(bug))
        else:
            delivery.add_done_callback(lambda done: answered(_receipt_of(done)))

    def _may_leave(self, key: str) -> bool:
        """True while nobody else can have claimed it.

        A process that was frozen, or could not reach the store, knows by the clock alone that its lease is over.
        """
        return self._real() < self._leased_until.get(key, BEGINNING) and self._may_send()

    def _answered(self, key: str, on_receipt: OnReceipt, mail: Mail | CannotRender, receipt: Receipt) -> None:
        self._leased_until.pop(key, None)
        on_receipt(receipt, () if isinstance(mail, CannotRender) else mail.notes)


def _rendered(outgoing: Outgoing) -> Mail | CannotRender:
    try:
        return outgoing.renderer.mail(render_input_of(outgoing.draft), outgoing.key)
    except Exception as trouble:
        return CannotRender(f"its draft cannot be written ({type(trouble).__name__})")


def _receipt_of(done: asyncio.Future[Receipt]) -> Receipt:
    """The channel's receipt. Where the channel failed to give one, the server may have accepted the mail."""
    if done.cancelled():
        return _ABANDONED
    if (bug := done.exception()) is not None:
        return _abandoned(bug)
    return done.result()


def _abandoned(bug: BaseException) -> Receipt:
    log.error("mailer.channel_failed", error=type(bug).__name__, exc_info=bug)
    return _ABANDONED
