"""From the outbox to the channel: claim, prepare, begin, send, settle."""

from avisa.dispatch.loop import Dispatch
from avisa.dispatch.preparation import Preparation

__all__ = ["Dispatch", "Preparation"]
