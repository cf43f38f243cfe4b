"""A schema registry's wire format: a zero byte, the id of a schema in four bytes (the highest first), and a value as
that schema says."""

from __future__ import annotations

from dataclasses import replace
from weakref import WeakKeyDictionary

from avisa import avro
from avisa.core.model import Json, Reason
from avisa.core.plan import Events
from avisa.events.decode import parsed
from avisa.events.schema import MAX_BYTES, MAX_DEPTH, DecodeError
from avisa.ports import KnownSchemas, NoSchema, Record, WriterSchema

_HEADER = 5  # bytes
_NO_HEADER = "the value: does not begin as a schema registry has it, with a zero and the number of a schema"


def schema_id(topic: str, value: bytes | None, rules: Events) -> int | None:
    """The id of the schema that reading a record takes; None if it takes none."""
    feed = rules.feeds.get(topic)
    if feed is None or not feed.by_registry or value is None or len(value) > MAX_BYTES:
        return None
    return _id(value)


def opened(value: bytes, schemas: KnownSchemas) -> Json:
    """Return a value as JSON has it. Raises DecodeError."""
    if len(value) > MAX_BYTES:
        raise DecodeError("data", Reason.TOO_LARGE, f"the value has {len(value)} octets, {MAX_BYTES} are allowed")
    number = _id(value)
    if number is None:
        raise DecodeError("feed", Reason.WRONG_TYPE, _NO_HEADER)
    schema = schemas.get(number, _NOT_ASKED)
    if isinstance(schema, NoSchema):
        raise DecodeError("feed", Reason.NO_SCHEMA, f"schema {number}: {schema.detail}")
    if schema.kind == "JSON":
        return parsed(value[_HEADER:])
    if schema.kind != "AVRO":
        named = "Protobuf" if schema.kind == "PROTOBUF" else "this kind"
        raise DecodeError("feed", Reason.NO_SCHEMA, f"schema {number}: {named} is not supported yet")
    return _of_avro(value, number, schema)


def as_described(record: Record, rules: Events) -> tuple[Record, KnownSchemas]:
    """Return a sample that somebody wrote as JSON, where a registry would describe it, as such a record, with what
    `events.read` wants to know for it; any other record as it is."""
    feed = rules.feeds.get(record.position.topic)
    if feed is None or not feed.by_registry or record.value is None or record.value.startswith(b"\0"):
        return record, {}
    return replace(record, value=bytes(_HEADER) + record.value), {0: WriterSchema("JSON")}


_NOT_ASKED = NoSchema("the registry was not asked for it")


def _id(value: bytes) -> int | None:
    return int.from_bytes(value[1:_HEADER], "big") if len(value) >= _HEADER and value[0] == 0 else None


def _of_avro(value: bytes, number: int, schema: WriterSchema) -> Json:
    compiled = _compiled(schema)
    if isinstance(compiled, avro.BadSchema):
        raise DecodeError("feed", Reason.NO_SCHEMA, f"schema {number}: it {compiled.detail}")
    try:
        return compiled.read(value, _HEADER)
    except avro.MismatchError as error:
        problem = f"the value is not what schema {number} says: it {error}"
        raise DecodeError("feed", Reason.WRONG_TYPE, problem) from None
    except avro.ExcessError as error:
        if error.deep:
            raise DecodeError("data", Reason.TOO_DEEP, f"nested more than {MAX_DEPTH} deep") from None
        raise DecodeError("data", Reason.TOO_LARGE, f"the value {error}") from None


# Of those schemas that somebody keeps: compiled they take seven times the memory, and who keeps them has a bound.
_made: WeakKeyDictionary[WriterSchema, avro.Schema | avro.BadSchema] = WeakKeyDictionary()


def _compiled(schema: WriterSchema) -> avro.Schema | avro.BadSchema:
    made = _made.get(schema)
    if made is None:
        made = _made[schema] = avro.compiled(schema.text, schema.references)
    return made
