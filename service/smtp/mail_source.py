"""Where a conversation gets its mails, and to whom it reports what became of them. The channel is a mail source."""

from __future__ import annotations

from typing import Protocol, TypeVar

from avisa.core.retry import Receipt
from avisa.smtp.delivery import Delivery
from avisa.smtp.outcome import Stage
from avisa.smtp.reply import Reply

Caller = TypeVar("Caller", contravariant=True)  # the kind of conversation


class MailSource(Protocol[Caller]):
    """A protocol and no class, because the channel imports the conversation."""

    def next_for(self, conversation: Caller) -> Delivery | None:
        """Return a mail for a conversation that is free. If None, it is idle until `begin` is called."""

    def following(self, conversation: Caller) -> Delivery | None:
        """Return a mail whose envelope may travel with the body of the current one, if there is one."""

    def answered(self, delivery: Delivery, stage: Stage, reply: Reply) -> None:
        """The relay accepted or refused `delivery`."""

    def settle(self, delivery: Delivery, receipt: Receipt) -> None:
        """No reply says what became of `delivery`: its receipt is `receipt`."""

    def unsent(self, delivery: Delivery, receipt: Receipt, *, again: bool) -> None:
        """Nothing of `delivery` was sent. It gets `receipt`, or, if `again`, goes to another connection at once."""
