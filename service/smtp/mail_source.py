"""Where a conversation gets its mails and leaves its answers."""

from __future__ import annotations

from typing import Protocol, TypeVar

from avisa.core.retry import Receipt
from avisa.smtp.delivery import Delivery
from avisa.smtp.outcome import Stage
from avisa.smtp.reply import Reply

Caller = TypeVar("Caller", contravariant=True)  # the kind of conversation


class MailSource(Protocol[Caller]):
    """What a conversation needs of whoever has the mails."""

    def next_for(self, conversation: Caller) -> Delivery | None:
        """A mail for a conversation that is free; without one it is idle until `begin` is called."""

    def following(self, conversation: Caller) -> Delivery | None:
        """A mail whose envelope may travel with the body of the current one."""

    def answered(self, delivery: Delivery, stage: Stage, reply: Reply) -> None:
        """The relay took or refused `delivery`."""

    def settle(self, delivery: Delivery, receipt: Receipt) -> None:
        """No reply, but a receipt."""

    def unsent(self, delivery: Delivery, receipt: Receipt, *, again: bool) -> None:
        """Nothing of `delivery` was sent. It may have a second chance at once, else `receipt` stands."""
