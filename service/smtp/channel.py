"""The channel for e-mail, through one SMTP relay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from avisa.core.retry import Receipt
from avisa.ports import Mail
from avisa.smtp.delivery import prepare
from avisa.smtp.pool import Pool
from avisa.smtp.relay import Relay


class EmailChannel:
    """The `ports.Channel` for e-mail. It lives between `start` and `stop`, on one event loop."""

    def __init__(self, relay: Relay, *, jitter: Callable[[], float]) -> None:
        """`jitter` returns another random number in [0, 1) at each call; it spreads reconnections."""
        self._pool = Pool(relay, jitter=jitter)

    @property
    def open(self) -> bool:
        """False while the relay cannot be reached or refuses us."""
        return self._pool.open

    @property
    def refusal(self) -> Receipt | None:
        """Why the relay refuses us (credentials, sender, blocklist), until it accepts a mail again."""
        return self._pool.refusal

    @property
    def connections(self) -> int:
        """How many sessions are open."""
        return self._pool.connections

    async def start(self) -> None:
        """Begin to connect; does not wait for the relay."""
        self._pool.start()

    def deliver(self, mail: Mail, ours: Callable[[], bool] = lambda: True) -> asyncio.Future[Receipt]:
        """Queue one mail. The future holds its receipt, never an exception.

        `ours` is asked just before the body leaves; if it returns false, the mail is not sent and its receipt is
        temporary. Cancelling the future withdraws a mail whose body has not begun to leave. A mail whose body has
        is in doubt.
        """
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        prepared = prepare(mail, answer, ours)
        if isinstance(prepared, Receipt):
            answer.set_result(prepared)
        else:
            self._pool.submit(prepared)
        return answer

    async def stop(self, grace: float) -> None:
        """Take no more mails, wait up to `grace` seconds for answers, and end.

        Afterwards every future has its receipt: temporary for a mail that waited, in doubt for one whose final dot
        was not answered.
        """
        await self._pool.stop(grace)
