"""Three encodings of an event, distinguished as in the Kafka binding of CloudEvents 1.0 (section 3).

*Structured*: the content type begins with `application/cloudevents`. *Binary*: `ce_…` headers, the data in the
value. *Plain*: the data alone, in JSON. A value that holds `specversion` and `data` counts as structured without
any header, because that is what people paste into `kcat`.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Collection, Mapping

from pydantic import ValidationError
from pydantic_core import from_json

from avisa.core.model import Json, OrderEvent, Reason
from avisa.core.plan import USUAL_EVENTS, Events
from avisa.events import foreign, mend, ordinary
from avisa.events.flatten import Attributes, Written, to_event
from avisa.events.schema import MAX_BYTES, MAX_DEPTH, Data, DecodeError, Envelope, PlainData, depth
from avisa.ports import Record, Skipped, Taken, Unreadable

SPECVERSION = "1.0"
_REQUIRED = ("specversion", "type", "source", "id")  # CloudEvents 1.0 section 3.1
_READ = (*_REQUIRED, "time")
_OF_BINARY = frozenset(f"ce_{name}" for name in _REQUIRED)  # one of these headers announces it

_LeftOut = tuple[str, ...]  # names of fields that could not be used
# The envelope's attributes, the data, and the JSON pointer to the data.
_Parts = tuple[Attributes, Written, str, _LeftOut]


def read(record: Record, *, rules: Events = USUAL_EVENTS, types: Collection[str] = ()) -> Taken:
    """Return the event in a record; `Unreadable` if it cannot be read, `Skipped` if it is not for us. Never raises.

    `rules` are the plan's. `types` are the CloudEvent types to take; if empty, all.
    """
    if record.value is None:
        return Skipped(position=record.position, reason=Reason.TOMBSTONE)
    try:
        return _read(record, record.value, rules, types)
    except DecodeError as error:
        if error.reason is Reason.OTHER_TYPE:
            return Skipped(position=record.position, reason=error.reason)
        shape = foreign.shape(record.value, error.reason)
        message = f"{error.message}; it looks like {shape}" if shape else error.message
        return Unreadable(record=record, stage=error.stage, reason=error.reason, message=message)


def _read(record: Record, value: bytes, rules: Events, types: Collection[str]) -> OrderEvent:
    headers = {name.lower(): content for name, content in record.headers}  # of one name, the last header counts
    if _is_structured(headers.get("content-type")):
        parts = _structured(value, rules, types)
    elif not _OF_BINARY.isdisjoint(headers):
        parts = _binary(headers, value, rules, types)
    elif b'"specversion"' in value and _is_envelope(value):
        parts = _structured(value, rules, types)
    else:
        parts = _plain(value, rules)
    attributes, data, pointer, left_out = parts
    return to_event(record, value, attributes, data, pointer=pointer, rules=rules, left_out=left_out)


# ---------------------------------------------------------------- the envelope


def _is_structured(content_type: bytes | None) -> bool:
    """Return whether the header announces an envelope. A header that cannot be decoded announces nothing."""
    if not content_type:
        return False
    written = _unquoted(content_type.decode("utf-8", "replace"))
    media_type = written.partition(";")[0].strip().lower()
    if not media_type.startswith("application/cloudevents"):
        return False
    if media_type not in ("application/cloudevents", "application/cloudevents+json"):
        problem = "content-type: of all CloudEvent formats only application/cloudevents+json is read"
        raise DecodeError("headers", Reason.BAD_HEADERS, problem)
    return True


def _unquoted(header: str) -> str:
    """The text of a header that was written as a JSON text, as some clients' serializers do."""
    if len(header) < 2 or not header.startswith('"') or not header.endswith('"'):
        return header
    try:
        return str(from_json(header))
    except ValueError:
        return header[1:-1]


def _is_envelope(value: bytes) -> bool:
    content = _parse(value, "envelope")
    return isinstance(content, dict) and "specversion" in content and "data" in content


def _binary(headers: Mapping[str, bytes | None], value: bytes, rules: Events, types: Collection[str]) -> _Parts:
    """Only the attributes that we use are decoded: a broken header that we do not use is no reason to refuse."""
    attributes: dict[str, str | None] = {}
    left_out: _LeftOut = ()
    for name in _READ:
        content = headers.get(f"ce_{name}")
        try:
            attributes[name] = None if content is None else _unquoted(content.decode())
        except UnicodeDecodeError:
            if name in _REQUIRED:
                raise DecodeError("headers", Reason.BAD_HEADERS, f"ce_{name}: is not UTF-8") from None
            left_out = (name,)
    _check_attributes(attributes, types, "headers")
    if not value:
        raise DecodeError("data", Reason.BAD_CLOUDEVENT, "there is no data")
    data, more = _parse_data(value, "", Data, rules)
    return attributes, data, "", left_out + more


def _structured(value: bytes, rules: Events, types: Collection[str]) -> _Parts:
    """Parse in one go; only if that fails, parse again to find out why, and what can be used all the same."""
    if (quick := ordinary.envelope(value)) is not None:
        _check_attributes(quick, types, "envelope")
        return quick, quick["data"], "/data", ()
    _check_bounds(value, "envelope")
    if mend.needs_care(value):
        return _structured_leniently(value, rules, types)
    try:
        envelope = Envelope.model_validate_json(value)
    except ValidationError:
        return _structured_leniently(value, rules, types)
    attributes = {name: getattr(envelope, name) for name in _READ}
    _check_attributes(attributes, types, "envelope")
    _check_one_data(envelope.data, envelope.data_base64)
    if envelope.data is not None:
        return attributes, envelope.data.written(), "/data", ()
    data, left_out = _from_base64(envelope.data_base64 or "", rules)
    return attributes, data, "/data_base64", left_out


def _structured_leniently(value: bytes, rules: Events, types: Collection[str]) -> _Parts:
    content = _parse(value, "envelope")
    if not isinstance(content, dict):
        raise DecodeError("envelope", Reason.WRONG_TYPE, "the value: must be an object")
    attributes = {name: mend.text(content.get(name)) for name in _READ}
    _check_attributes(attributes, types, "envelope")
    left_out: _LeftOut = ()
    if not isinstance(attributes["time"], str | None):
        attributes["time"], left_out = None, ("time",)
    inner, encoded = content.get("data"), content.get("data_base64")
    _check_one_data(inner, encoded)
    if inner is not None:
        mended, more = mend.mended(inner, Data, "/data", rules)
        return attributes, mended.written(), "/data", left_out + more
    if not isinstance(encoded, str):
        raise DecodeError("envelope", Reason.BAD_CLOUDEVENT, "/data_base64: must be text")
    data, more = _from_base64(encoded, rules)
    return attributes, data, "/data_base64", left_out + more


def _check_one_data(inner: object, encoded: object) -> None:
    if (inner is None) is (encoded is None):
        raise DecodeError("envelope", Reason.BAD_CLOUDEVENT, "there must be either data or data_base64")


def _from_base64(encoded: str, rules: Events) -> tuple[Written, _LeftOut]:
    try:
        content = b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise DecodeError("envelope", Reason.BAD_CLOUDEVENT, "/data_base64: is not base64") from None
    return _parse_data(content, "/data_base64", Data, rules)


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


def _plain(value: bytes, rules: Events) -> _Parts:
    data, left_out = _parse_data(value, "", PlainData, rules)
    return data, data, "", left_out  # which carry their own id and source


def _parse_data(value: bytes, pointer: str, shape: type[Data], rules: Events) -> tuple[Written, _LeftOut]:
    """Parse in one go; only what cannot be read so is looked at again."""
    if (quick := ordinary.data(value)) is not None:
        return quick, ()
    _check_bounds(value, "data")
    if not mend.needs_care(value):
        try:
            return shape.model_validate_json(value).written(), ()
        except ValidationError:
            pass
    mended, left_out = mend.mended(_parse(value, "data"), shape, pointer, rules)
    return mended.written(), left_out


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


def parsed(value: bytes) -> Json:
    """Return a value of JSON within the bounds of size and depth. Raises DecodeError."""
    content = _parse(value, "data")
    if value.count(b"[") + value.count(b"{") > MAX_DEPTH and depth(content) > MAX_DEPTH:
        raise DecodeError("data", Reason.TOO_DEEP, f"nested more than {MAX_DEPTH} deep")
    return content


def _check_size(value: bytes, stage: str) -> None:
    if len(value) > MAX_BYTES:
        problem = f"the value has {len(value)} octets, {MAX_BYTES} are allowed"
        raise DecodeError(stage, Reason.TOO_LARGE, problem)
