"""What writes and delivers mails: this process, or sender processes beside it."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from functools import partial

from avisa import machine
from avisa.clock import real_now
from avisa.mailer import DirectMailer
from avisa.ports import Mailer
from avisa.senders.frames import Logging
from avisa.senders.pool import SenderPool
from avisa.settings import Settings
from avisa.smtp.channel import EmailChannel
from avisa.smtp.relay import Relay

GRACE = 5.0  # seconds, at the end, for answers of the relay
_ROOM = 384 << 20  # bytes for two processes: what attacks make the first one take, and 60 MB for the second


async def start_mailer(settings: Settings, relay: Relay) -> tuple[Mailer, Callable[[], Awaitable[None]]]:
    """A mailer that has begun to connect to the relay, and what stops it. Does not wait for the relay."""
    senders = _usual_senders() if settings.senders is None else settings.senders
    if senders:
        logging = Logging(settings.log.format, settings.log.level)
        pool = SenderPool(relay, size=senders, logging=logging, jitter=random.random)
        await pool.start()
        return pool, partial(pool.stop, GRACE)
    channel = EmailChannel(relay, jitter=random.random)
    await channel.start()
    return DirectMailer(channel, real=real_now), partial(channel.stop, GRACE)


def _usual_senders() -> int:
    """Return how many sender processes are of use on this machine: 1 if it has a core and memory for it."""
    room = machine.memory()
    return int(machine.cores() > 1 and (room is None or room >= _ROOM))
