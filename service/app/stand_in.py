"""What stands in for a broker and a relay that nobody named; each is loaded only then."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from avisa.clock import VirtualClock
from avisa.kafka import Cluster
from avisa.settings import Settings

if TYPE_CHECKING:
    from avisa.embedded.inbox import Inbox


def inbox(settings: Settings, clock: VirtualClock) -> Inbox | None:
    """The embedded inbox, not started yet; None where there is a relay."""
    if settings.smtp.host is not None:
        return None
    from avisa.embedded.inbox import Inbox

    return Inbox(clock, folder=settings.inbox.dir)


def cluster(settings: Settings, stack: AsyncExitStack) -> Cluster:
    """The embedded broker, which lives as long as `stack`."""
    from avisa.embedded.broker import EmbeddedBroker

    broker = EmbeddedBroker(settings.kafka.topics, beside=_folder(settings))
    stack.callback(broker.stop)
    broker.start()
    return broker.cluster(settings.kafka.group_id)


def _folder(settings: Settings) -> Path:
    """Where the running process tells a second shell how to reach what is embedded: beside the store."""
    url = settings.store.url.get_secret_value()
    return Path(url.removeprefix("sqlite:///")).parent if url.startswith("sqlite:") else Path()
