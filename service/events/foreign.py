"""Shapes of other programs that are no event for us, so that a dead letter can say what to change at the source."""

from __future__ import annotations

from pydantic_core import from_json

from avisa.core.model import Json, Reason
from avisa.events.schema import MAX_BYTES

_MAY_BE_FOREIGN = frozenset({Reason.NOT_JSON, Reason.WRONG_TYPE, Reason.NO_ORDER_ID, Reason.NO_STATUS})
_REGISTRY_HEADER = 5  # bytes: a zero, and the number of the schema
_BLANKS = b" \t\r\n"
_UTF_16 = "UTF-16: publish UTF-8"
_BY_FIRST_BYTES = {
    b"\xc3\x01": "Avro, and only JSON is read",
    b"Obj\x01": "a file of Avro, and only JSON is read",
    b"\xac\xed\x00\x05": "a serialized Java object: publish JSON",
    b"\x1f\x8b": "a value compressed with gzip: let Kafka compress instead (compression.type)",
    b"\x28\xb5\x2f\xfd": "a value compressed with zstd: let Kafka compress instead (compression.type)",
    b"\xff\xfe": _UTF_16,
    b"\xfe\xff": _UTF_16,
    b"<": "XML, and only JSON is read",
}
_CONNECT = "Kafka Connect's {schema, payload}: `feeds` in the plan reads it, with `envelope: connect`"
_REGISTRY = "`feeds` in the plan reads it, with `envelope: registry`"
_DEBEZIUM = "a change of Debezium {before, after, op}: `feeds` in the plan reads it, with `envelope: debezium`"
_TWICE = "JSON inside a JSON text: it was encoded twice"


def shape(value: bytes, reason: Reason) -> str | None:
    """What a value that is no event for `reason` seems to be, and what to do; None if that is not known."""
    if reason not in _MAY_BE_FOREIGN or len(value) > MAX_BYTES:
        return None
    even, odd = value[:4:2], value[1:4:2]
    if (even == b"\0\0" and all(odd)) or (odd == b"\0\0" and all(even)):
        return _UTF_16
    if value.startswith(b"\0") and len(value) > _REGISTRY_HEADER:
        number = int.from_bytes(value[1:_REGISTRY_HEADER], "big")
        return f"a schema registry's wire format, with schema {number}: {_REGISTRY}"
    for first, known in _BY_FIRST_BYTES.items():
        if value.lstrip(_BLANKS).startswith(first):
            return known
    try:
        content = from_json(value)
    except ValueError:
        return None
    if isinstance(content, dict) and "specversion" in content and "data" in content:
        content = content["data"]
    return _named(content)


def _named(content: Json) -> str | None:
    if isinstance(content, str):
        try:
            return _TWICE if isinstance(from_json(content), dict | list | str) else None
        except ValueError:
            return None
    if not isinstance(content, dict):
        return None
    if {"schema", "payload"} <= content.keys():
        inside = _named(content["payload"])
        return f"{_CONNECT}; inside it {inside}" if inside else _CONNECT
    if "op" in content and ("before" in content or "after" in content):
        return _DEBEZIUM
    return None
