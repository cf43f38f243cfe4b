"""From a record's bytes and headers to an `OrderEvent`, or to the reason why it is none."""

from avisa.events.reading import read
from avisa.events.wire import as_described, schema_id

__all__ = ["as_described", "read", "schema_id"]
