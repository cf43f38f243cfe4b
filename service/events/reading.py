"""What a record is: read by the feed that the plan has for its topic, else as one of our own."""

from __future__ import annotations

from collections.abc import Collection
from types import MappingProxyType

from avisa.core.plan import USUAL_EVENTS, Events
from avisa.events import by_feed, decode
from avisa.ports import KnownSchemas, Record, Taken

_NO_SCHEMAS: KnownSchemas = MappingProxyType({})


def read(
    record: Record,
    *,
    rules: Events = USUAL_EVENTS,
    types: Collection[str] = (),
    schemas: KnownSchemas = _NO_SCHEMAS,
) -> Taken:
    """Return the event in a record; `Unreadable` if it cannot be read, `Skipped` if it is not for us. Never raises.

    `rules` are the plan's. `types` are the CloudEvent types to take; if empty, all. A topic with a feed has no types:
    there `only` says what is taken. `schemas` must have what the registry says of the record's `schema_id`.
    """
    feed = rules.feeds.get(record.position.topic)
    if feed is not None:
        return by_feed.read(record, feed, rules, schemas)
    return decode.read(record, rules=rules, types=types)
