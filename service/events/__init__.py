"""From a record's bytes and headers to an `OrderEvent`, or to the reason why it is none."""

from avisa.events.reading import read
from avisa.events.wire import schema_id

__all__ = ["read", "schema_id"]
