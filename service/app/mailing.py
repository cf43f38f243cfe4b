"""What writes and delivers mails."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from functools import partial

from avisa.clock import real_now
from avisa.mailer import DirectMailer
from avisa.ports import Mailer
from avisa.smtp.channel import EmailChannel
from avisa.smtp.relay import Relay

GRACE = 5.0  # seconds, at the end, for answers of the relay


async def start_mailer(relay: Relay) -> tuple[Mailer, Callable[[], Awaitable[None]]]:
    """A mailer that has begun to connect to the relay, and what stops it. Does not wait for the relay."""
    channel = EmailChannel(relay, jitter=random.random)
    await channel.start()
    return DirectMailer(channel, real=real_now), partial(channel.stop, GRACE)
