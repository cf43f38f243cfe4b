"""The way from attempts that were begun to their receipts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from avisa.core.quick_dataclass import dataclass
from avisa.core.retry import Receipt
from avisa.ports.drafts import Draft, RenderInput
from avisa.ports.mail import CannotRender, Mail

# The stage of an attempt that ended before there was a mail, because the message could not be rendered.
RENDERING = "render"

# Takes the receipt of an attempt, and the notes of its mail (`Mail.notes`).
OnReceipt = Callable[[Receipt, Sequence[str]], None]


class MailRenderer(Protocol):
    """Writes the mails of one catalog. It can be pickled, for another process of this program."""

    def compilations(self, messages: Iterable[str]) -> Sequence[Callable[[], object]]:
        """What compiles these messages in every language, one by one, in any thread. Of very many only the first."""

    def mail(self, render_input: RenderInput, key: str) -> Mail | CannotRender:
        """The whole mail. The same input gives the same bytes, in this process and in any other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A mail that is still to be written, of an attempt that was begun."""

    key: str  # of the notification
    draft: Draft
    renderer: MailRenderer  # of the catalog that the draft names
    leased_until: datetime  # real; it may not leave later


class Mailer(Protocol):
    """Writes mails and delivers them: in this process, or by others."""

    @property
    def open(self) -> bool:
        """False while there is no use in handing over mails."""

    @property
    def detail(self) -> str:
        """Why it is not open, or that it is, for people."""

    @property
    def refusal(self) -> Receipt | None:
        """Why the relay refuses us (credentials, sender, blocklist), until it accepts a mail again."""

    @property
    def connections(self) -> int:
        """How many connections to the relay are open."""

    def send(self, mail: Outgoing, on_receipt: OnReceipt) -> None:
        """Write and deliver one mail. `on_receipt` is called once, now or later; if no receipt came, with one that
        leaves it in doubt. A message that cannot be rendered has a receipt of the stage RENDERING, with the problem
        as its text."""

    def compile_ahead(self, catalog: str, renderer: MailRenderer, messages: Sequence[str]) -> None:
        """Begin to compile these messages of a catalog, beside everything else, so that no mail waits for that."""

    def renew(self, leased_until: Mapping[str, datetime]) -> None:
        """Of these mails, by key, the leases end then (real), as far as their receipts have not come."""
