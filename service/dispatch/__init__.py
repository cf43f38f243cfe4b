"""From the outbox to the channel: claim, prepare, begin, send, settle."""

from avisa.dispatch.loop import Dispatch

__all__ = ["Dispatch"]
