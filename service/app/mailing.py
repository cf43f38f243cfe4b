"""What writes and delivers mails: this process, or sender processes beside it."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from functools import partial

from avisa.clock import real_now
from avisa.mailer import DirectMailer
from avisa.ports import Mailer
from avisa.senders.frames import Logging
from avisa.senders.pool import SenderPool
from avisa.settings import Settings
from avisa.smtp.channel import EmailChannel
from avisa.smtp.relay import Relay

GRACE = 5.0  # seconds, at the end, for answers of the relay


async def start_mailer(settings: Settings, relay: Relay) -> tuple[Mailer, Callable[[], Awaitable[None]]]:
    """A mailer that has begun to connect to the relay, and what stops it. Does not wait for the relay."""
    if settings.senders:
        logging = Logging(settings.log.format, settings.log.level)
        pool = SenderPool(relay, size=settings.senders, logging=logging, jitter=random.random)
        await pool.start()
        return pool, partial(pool.stop, GRACE)
    channel = EmailChannel(relay, jitter=random.random)
    await channel.start()
    return DirectMailer(channel, real=real_now), partial(channel.stop, GRACE)
