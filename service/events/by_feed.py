"""A record of a topic that has a feed: parsed, mapped, and then read with the same care as one of our own."""

from __future__ import annotations

from dataclasses import replace

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from avisa.core.model import Json, OrderEvent, Reason
from avisa.core.plan import Events
from avisa.core.topic_feed import TopicFeed, Unmapped
from avisa.events import foreign, mend, wire
from avisa.events.decode import parsed
from avisa.events.flatten import to_event
from avisa.events.schema import DecodeError, PlainData
from avisa.ports import KnownSchemas, Record, Skipped, Taken, Unreadable


def read(record: Record, feed: TopicFeed, rules: Events, schemas: KnownSchemas) -> Taken:
    """Return the event that the feed makes of a record; see `events.read`. Never raises."""
    if record.value is None:
        return Skipped(position=record.position, reason=Reason.TOMBSTONE)
    try:
        return _read(record, record.value, feed, rules, schemas)
    except DecodeError as error:
        message = error.message + _origin(error.message, feed)
        is_odd = error.reason is Reason.NOT_JSON and not feed.by_registry
        shape = foreign.shape(record.value, error.reason) if is_odd else None
        message = f"{message}; it looks like {shape}" if shape else message
        return Unreadable(record=record, stage=error.stage, reason=error.reason, message=message)


def _read(
    record: Record, value: bytes, feed: TopicFeed, rules: Events, schemas: KnownSchemas
) -> OrderEvent | Skipped:
    mapped = feed.read(wire.opened(value, schemas) if feed.by_registry else parsed(value))
    if isinstance(mapped, Unmapped):
        if not mapped.message:
            return Skipped(position=record.position, reason=mapped.reason)
        raise DecodeError("feed", mapped.reason, mapped.message)
    if feed.nulls is not None:
        rules = replace(rules, nulls=feed.nulls)
    plain, left_out = _checked(mapped.fields, value, rules)
    return to_event(
        record,
        value,
        {"id": plain.id, "source": plain.source},
        plain.written(),
        pointer="",
        rules=rules,
        left_out=(*mapped.left_out, *left_out),
        size=mapped.size,
    )


def _checked(fields: dict[str, Json], value: bytes, rules: Events) -> tuple[PlainData, tuple[str, ...]]:
    """The fields as our own shape, as far as they can be used, and the names of those that were left out."""
    if not (mend.may_hold_placeholders(value) and mend.may_hold_placeholders(to_json(fields))):
        try:
            return PlainData.model_validate(fields), ()
        except ValidationError:
            pass
    copy = from_json(to_json(fields))  # two fields may share a part of the record, and mending changes it
    return mend.mended(copy, PlainData, "", rules)


def _origin(message: str, feed: TopicFeed) -> str:
    """Where the field that a message begins with comes from, in brackets."""
    name = message[1:].partition(":")[0].replace("/", ".") if message.startswith("/") else ""
    origin = feed.origin(name)
    return f" (`{origin}`)" if origin and f"`{origin}`" not in message else ""
