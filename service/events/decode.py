"""Three encodings of an event, distinguished as in the Kafka binding of CloudEvents 1.0 (section 3).

*Structured*: the content type begins with `application/cloudevents`. *Binary*: `ce_…` headers, the data in the
value. *Plain*: the data alone, in JSON. A value that holds `specversion` and `data` counts as structured without
any header, because that is what people paste into `kcat`.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Collection, Mapping
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import from_json

from avisa.core.model import Json, OrderEvent, Reason
from avisa.events.flatten import Attributes, RankBy, to_event
from avisa.events.schema import MAX_BYTES, MAX_DEPTH, Data, DecodeError, Envelope, PlainData, decode_error, depth
from avisa.ports import Record, Skipped, Taken, Unreadable

SPECVERSION = "1.0"
_REQUIRED = ("specversion", "type", "source", "id")  # CloudEvents 1.0 section 3.1
_READ = (*_REQUIRED, "time")

_Shape = TypeVar("_Shape", bound=Data)
_Parts = tuple[Attributes, Data, str]  # the envelope's attributes, the data, and the JSON pointer to the data


def read(record: Record, *, rank_by: RankBy = "occurred_at", types: Collection[str] = ()) -> Taken:
    """Return the event in a record; `Unreadable` if it cannot be read, `Skipped` if it is not for us. Never raises.

    `types` are the CloudEvent types to take; if empty, all.
    """
    if record.value is None:
        return Skipped(position=record.position, reason=Reason.TOMBSTONE)
    try:
        return _read(record, record.value, rank_by, types)
    except DecodeError as error:
        if error.reason is Reason.OTHER_TYPE:
            return Skipped(position=record.position, reason=error.reason)
        return Unreadable(record=record, stage=error.stage, reason=error.reason, message=error.message)


def _read(record: Record, value: bytes, rank_by: RankBy, types: Collection[str]) -> OrderEvent:
    headers = {name.lower(): content for name, content in record.headers}  # of one name, the last header counts
    attributes: Attributes
    data: Data
    if _is_structured(headers.get("content-type")):
        attributes, data, pointer = _structured(value, types)
    elif any(f"ce_{name}" in headers for name in _REQUIRED):
        attributes, data, pointer = _binary(headers, value, types)
    elif b'"specversion"' in value and _is_envelope(value):
        attributes, data, pointer = _structured(value, types)
    else:
        attributes, data, pointer = _plain(value)
    return to_event(record, value, attributes, data, pointer=pointer, rank_by=rank_by)


# ---------------------------------------------------------------- the envelope


def _is_structured(content_type: bytes | None) -> bool:
    """Return whether the header announces an envelope. A header that cannot be decoded announces nothing."""
    media_type = (content_type or b"").decode("utf-8", "replace").partition(";")[0].strip().lower()
    if not media_type.startswith("application/cloudevents"):
        return False
    if media_type not in ("application/cloudevents", "application/cloudevents+json"):
        problem = "content-type: of all CloudEvent formats only application/cloudevents+json is read"
        raise DecodeError("headers", Reason.BAD_HEADERS, problem)
    return True


def _is_envelope(value: bytes) -> bool:
    content = _parse(value, "envelope")
    return isinstance(content, dict) and "specversion" in content and "data" in content


def _binary(headers: Mapping[str, bytes | None], value: bytes, types: Collection[str]) -> _Parts:
    """Only the attributes that we use are decoded: a broken header that we do not use is no reason to refuse."""
    attributes: dict[str, str | None] = {}
    for name in _READ:
        content = headers.get(f"ce_{name}")
        try:
            attributes[name] = None if content is None else content.decode()
        except UnicodeDecodeError:
            raise DecodeError("headers", Reason.BAD_HEADERS, f"ce_{name}: is not UTF-8") from None
    _check_attributes(attributes, types, "headers")
    if not value:
        raise DecodeError("data", Reason.BAD_CLOUDEVENT, "there is no data")
    return attributes, _parse_data(value, "", Data), ""


def _structured(value: bytes, types: Collection[str]) -> _Parts:
    """Parse in one go; only if that fails, parse again to find out why."""
    _check_bounds(value, "envelope")
    try:
        envelope = Envelope.model_validate_json(value)
    except ValidationError as error:
        content = _parse(value, "envelope")
        if isinstance(content, dict):
            _check_attributes(content, types, "envelope")
        raise decode_error(error, "data" if _only_in_data(error) else "envelope") from None
    attributes = {name: getattr(envelope, name) for name in _READ}
    _check_attributes(attributes, types, "envelope")
    if (envelope.data is None) is (envelope.data_base64 is None):
        problem = "there must be either data or data_base64"
        raise DecodeError("envelope", Reason.BAD_CLOUDEVENT, problem)
    if envelope.data is not None:
        return attributes, envelope.data, "/data"
    try:
        content = b64decode(envelope.data_base64 or "", validate=True)
    except (binascii.Error, ValueError):
        raise DecodeError("envelope", Reason.BAD_CLOUDEVENT, "/data_base64: is not base64") from None
    return attributes, _parse_data(content, "/data_base64", Data), "/data_base64"


def _only_in_data(error: ValidationError) -> bool:
    return all(problem["loc"][:1] == ("data",) for problem in error.errors(include_input=False))


def _check_attributes(attributes: Attributes, types: Collection[str], stage: str) -> None:
    """Refuse a CloudEvent of another version or type, or without a required attribute (CloudEvents 1.0, 3.1)."""
    kind = attributes.get("type")
    if types and isinstance(kind, str) and kind and kind not in types:
        raise DecodeError(stage, Reason.OTHER_TYPE, "")
    for name in _REQUIRED:
        content = attributes.get(name)
        if content is None or content == "":
            raise DecodeError(stage, Reason.BAD_CLOUDEVENT, f"{name}: is missing or empty")
        if not isinstance(content, str):
            raise DecodeError(stage, Reason.WRONG_TYPE, f"{name}: must be text")
        if name == "specversion" and content != SPECVERSION:
            problem = f"specversion: only {SPECVERSION} is read"
            raise DecodeError(stage, Reason.UNSUPPORTED_SPECVERSION, problem)


# ---------------------------------------------------------------- the value


def _plain(value: bytes) -> _Parts:
    plain = _parse_data(value, "", PlainData)
    return {"id": plain.id, "source": plain.source}, plain, ""


def _parse_data(value: bytes, pointer: str, shape: type[_Shape]) -> _Shape:
    _check_bounds(value, "data")
    try:
        return shape.model_validate_json(value)
    except ValidationError as error:
        raise decode_error(error, "data", pointer) from None


def _check_bounds(value: bytes, stage: str) -> None:
    """Refuse a value that is too large, too deep, or that only a lenient parser takes for JSON (RFC 8259)."""
    _check_size(value, stage)
    may_be_deep = value.count(b"[") + value.count(b"{") > MAX_DEPTH
    if may_be_deep or b"NaN" in value or b"Infinity" in value:
        content = _parse(value, stage)
        if may_be_deep and depth(content) > MAX_DEPTH:
            raise DecodeError(stage, Reason.TOO_DEEP, f"nested more than {MAX_DEPTH} deep")


def _parse(value: bytes, stage: str) -> Json:
    _check_size(value, stage)
    try:
        return from_json(value, allow_inf_nan=False)
    except ValueError as error:
        if "recursion limit" in str(error):
            raise DecodeError(stage, Reason.TOO_DEEP, f"nested more than {MAX_DEPTH} deep") from None
        raise DecodeError(stage, Reason.NOT_JSON, f"not JSON: {error}") from None


def _check_size(value: bytes, stage: str) -> None:
    if len(value) > MAX_BYTES:
        problem = f"the value has {len(value)} octets, {MAX_BYTES} are allowed"
        raise DecodeError(stage, Reason.TOO_LARGE, problem)
