"""E-mail through one SMTP relay."""

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
        """`jitter` answers a number in [0, 1), anew at each call; it spreads reconnections."""
        self._pool = Pool(relay, jitter=jitter)

    @property
    def open(self) -> bool:
        """False while the relay can not be reached or refuses us."""
        return self._pool.open

    @property
    def refusal(self) -> Receipt | None:
        """What the relay said when it refused us (credentials, sender, blocklist), until it takes a mail again."""
        return self._pool.refusal

    @property
    def connections(self) -> int:
        """Sessions that are open now."""
        return self._pool.connections

    async def start(self) -> None:
        """Begin to look for the relay; does not wait for it."""
        self._pool.start()

    def deliver(self, mail: Mail, ours: Callable[[], bool] = lambda: True) -> asyncio.Future[Receipt]:
        """Queue one mail; the future holds its receipt and never an exception.

        When `ours` answers false before the body has begun to leave, it never does, and the receipt is temporary.

        Cancelling the future withdraws a mail whose body has not begun to leave, and gives up on the answer of
        one whose body has: that one is in doubt.
        """
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        prepared = prepare(mail, answer, ours)
        if isinstance(prepared, Receipt):
            answer.set_result(prepared)
        else:
            self._pool.submit(prepared)
        return answer

    async def stop(self, grace: float) -> None:
        """Take nothing more, wait up to `grace` seconds for the answers to what is under way, and end.

        Afterwards every future has its receipt: what waited was given back (temporary), an unanswered final dot
        is in doubt.
        """
        await self._pool.stop(grace)
