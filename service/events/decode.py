"""Three encodings of an event, told apart as the Kafka binding of CloudEvents 1.0 says (section 3).

*Structured*: the content type begins with `application/cloudevents`. *Binary*: `ce_…` headers, the data in the
value. *Plain*: the data alone, in JSON. A value that holds `specversion` and `data` counts as structured without
any header, because that is what people paste.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Collection, Mapping

from pydantic import ValidationError
from pydantic_core import from_json

from avisa.core.model import Json, OrderEvent, Reason
from avisa.events.flatten import Attributes, RankBy, event
from avisa.events.schema import MAX_BYTES, MAX_DEPTH, Data, Envelope, PlainData, UnfitError, depth, trouble
from avisa.ports import Record, Skipped, Taken, Unreadable

SPECVERSION = "1.0"
_REQUIRED = ("specversion", "type", "source", "id")  # CloudEvents 1.0 section 3.1
_READ = (*_REQUIRED, "time")

_Parts = tuple[Attributes, Data, str]  # the envelope's attributes, the data, and the JSON pointer to the data


def read(record: Record, *, rank_by: RankBy = "occurred_at", types: Collection[str] = ()) -> Taken:
    """The event in a record. Never raises: what cannot be read is `Unreadable`, what is not ours `Skipped`.

    `types` are the CloudEvent types to take, all if empty.
    """
    if record.value is None:
        return Skipped(position=record.position, reason=Reason.TOMBSTONE)
    try:
        return _read(record, record.value, rank_by, types)
    except UnfitError as unfit:
        if unfit.reason is Reason.OTHER_TYPE:
            return Skipped(position=record.position, reason=unfit.reason)
        return Unreadable(record=record, stage=unfit.stage, reason=unfit.reason, message=unfit.message)


def _read(record: Record, value: bytes, rank_by: RankBy, types: Collection[str]) -> OrderEvent:
    headers = {name.lower(): content for name, content in record.headers}  # of equal names the last one counts
    attributes: Attributes
    data: Data
    if _says_structured(headers.get("content-type")):
        attributes, data, inside = _structured(value, types)
    elif any(f"ce_{name}" in headers for name in _REQUIRED):
        attributes, data, inside = _binary(headers, value, types)
    elif b'"specversion"' in value and _is_envelope(value):
        attributes, data, inside = _structured(value, types)
    else:
        attributes, data, inside = _plain(value)
    return event(record, value, attributes, data, inside=inside, rank_by=rank_by)


# ---------------------------------------------------------------- the envelope


def _says_structured(content_type: bytes | None) -> bool:
    """Whether the header announces an envelope. One that cannot be decoded announces nothing."""
    media_type = (content_type or b"").decode("utf-8", "replace").partition(";")[0].strip().lower()
    if not media_type.startswith("application/cloudevents"):
        return False
    if media_type not in ("application/cloudevents", "application/cloudevents+json"):
        problem = "content-type: of all CloudEvent formats only application/cloudevents+json is read"
        raise UnfitError("headers", Reason.BAD_HEADERS, problem)
    return True


def _is_envelope(value: bytes) -> bool:
    content = _json(value, "envelope")
    return isinstance(content, dict) and "specversion" in content and "data" in content


def _binary(headers: Mapping[str, bytes | None], value: bytes, types: Collection[str]) -> _Parts:
    """Only the attributes that we read: a broken header that is not read harms nobody."""
    attributes: dict[str, str | None] = {}
    for name in _READ:
        content = headers.get(f"ce_{name}")
        try:
            attributes[name] = None if content is None else content.decode()
        except UnicodeDecodeError:
            raise UnfitError("headers", Reason.BAD_HEADERS, f"ce_{name}: is not UTF-8") from None
    _check(attributes, types, "headers")
    if not value:
        raise UnfitError("data", Reason.BAD_CLOUDEVENT, "there is no data")
    return attributes, _data(value, ""), ""


def _structured(value: bytes, types: Collection[str]) -> _Parts:
    """Read in one go, and a second time only if that fails."""
    _bounded(value, "envelope")
    try:
        envelope = Envelope.model_validate_json(value)
    except ValidationError as error:
        content = _json(value, "envelope")
        if isinstance(content, dict):
            _check(content, types, "envelope")
        raise trouble(error, "data" if _only_in_data(error) else "envelope") from None
    attributes = {name: getattr(envelope, name) for name in _READ}
    _check(attributes, types, "envelope")
    if (envelope.data is None) is (envelope.data_base64 is None):
        problem = "there must be either data or data_base64"
        raise UnfitError("envelope", Reason.BAD_CLOUDEVENT, problem)
    if envelope.data is not None:
        return attributes, envelope.data, "/data"
    try:
        octets = b64decode(envelope.data_base64 or "", validate=True)
    except (binascii.Error, ValueError):
        raise UnfitError("envelope", Reason.BAD_CLOUDEVENT, "/data_base64: is not base64") from None
    return attributes, _data(octets, "/data_base64"), "/data_base64"


def _only_in_data(error: ValidationError) -> bool:
    return all(problem["loc"][:1] == ("data",) for problem in error.errors(include_input=False))


def _check(attributes: Attributes, types: Collection[str], stage: str) -> None:
    """Refuse what is not a CloudEvent of a version and type that we take (CloudEvents 1.0 section 3.1)."""
    kind = attributes.get("type")
    if types and isinstance(kind, str) and kind and kind not in types:
        raise UnfitError(stage, Reason.OTHER_TYPE, "")
    for name in _REQUIRED:
        content = attributes.get(name)
        if content is None or content == "":
            raise UnfitError(stage, Reason.BAD_CLOUDEVENT, f"{name}: is missing or empty")
        if not isinstance(content, str):
            raise UnfitError(stage, Reason.WRONG_TYPE, f"{name}: must be text")
        if name == "specversion" and content != SPECVERSION:
            problem = f"specversion: only {SPECVERSION} is read"
            raise UnfitError(stage, Reason.UNSUPPORTED_SPECVERSION, problem)


# ---------------------------------------------------------------- the value


def _data(value: bytes, inside: str) -> Data:
    _bounded(value, "data")
    try:
        return Data.model_validate_json(value)
    except ValidationError as error:
        raise trouble(error, "data", inside) from None


def _plain(value: bytes) -> _Parts:
    _bounded(value, "data")
    try:
        plain = PlainData.model_validate_json(value)
    except ValidationError as error:
        raise trouble(error, "data") from None
    return {"id": plain.id, "source": plain.source}, plain, ""


def _bounded(value: bytes, stage: str) -> None:
    """Refuse what is too large, too deep, or would pass a lenient parser though it is not JSON (RFC 8259)."""
    _sized(value, stage)
    may_be_deep = value.count(b"[") + value.count(b"{") > MAX_DEPTH
    if may_be_deep or b"NaN" in value or b"Infinity" in value:
        content = _json(value, stage)
        if may_be_deep and depth(content) > MAX_DEPTH:
            raise UnfitError(stage, Reason.TOO_DEEP, f"nested more than {MAX_DEPTH} deep")


def _json(value: bytes, stage: str) -> Json:
    _sized(value, stage)
    try:
        return from_json(value, allow_inf_nan=False)
    except ValueError as error:
        if "recursion limit" in str(error):
            raise UnfitError(stage, Reason.TOO_DEEP, f"nested more than {MAX_DEPTH} deep") from None
        raise UnfitError(stage, Reason.NOT_JSON, f"not JSON: {error}") from None


def _sized(value: bytes, stage: str) -> None:
    if len(value) > MAX_BYTES:
        problem = f"the value has {len(value)} octets, {MAX_BYTES} are allowed"
        raise UnfitError(stage, Reason.TOO_LARGE, problem)
