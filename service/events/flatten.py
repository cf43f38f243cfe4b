"""The data of an event, checked and flattened to facts: `{"customer": {"name": …}}` becomes `customer.name`.

The rules for text: an identifier (`order_id`, `status`, ids, codes, addresses) is taken whole or refused, since
a shortened one names something else; prose (a name, a reason, a next step) is cut. U+0000, which no database
text can hold, becomes U+FFFD. All else is kept as it came, and escaped where it is written out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any, Literal

from avisa.core.model import Json, OrderEvent, Reason
from avisa.core.timestamps import rfc3339
from avisa.events.schema import MAX_ID, MAX_TEXT, PROSE, Customer, Data, DecodeError, storable
from avisa.ports import Record

IDENTITY_BYTES = 16
_EARLIEST, _LATEST = 1970, 9998  # years: a window can be added to each moment in them
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(?::(\d\d)(\.\d{1,9})?)?([Zz]|[+-]\d\d:?\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_SCALARS = frozenset({"promised_at", "brand", "owner", "reason", "next_step"})
_OF_CUSTOMER = {key: f"customer.{key}" for key in Customer.model_fields}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

Attributes = Mapping[str, Any]
RankBy = Literal["occurred_at", "sequence"]


def to_event(
    record: Record, value: bytes, attributes: Attributes, data: Data, *, pointer: str, rank_by: RankBy
) -> OrderEvent:
    """Return the event whose data stand in `value` at the JSON pointer `pointer`. Raises DecodeError."""
    order_id = _required(data.order_id, f"{pointer}/order_id", Reason.NO_ORDER_ID)
    status = _required(data.status, f"{pointer}/status", Reason.NO_STATUS)
    if rank_by == "sequence" and data.sequence is None:
        raise _error(f"{pointer}/sequence", Reason.NO_SEQUENCE, "is missing, and the plan ranks by it")
    occurred_at = record.timestamp
    if attributes.get("time") is not None:
        occurred_at = _timestamp(attributes["time"], "time")
    if data.occurred_at is not None:
        occurred_at = _timestamp(data.occurred_at, f"{pointer}/occurred_at")
    source = _identifier(attributes.get("source") or "", MAX_TEXT, "source")
    event_id = _identifier(attributes.get("id") or "", MAX_TEXT, "id") or None
    return OrderEvent(
        order_id=order_id,
        status=status,
        occurred_at=occurred_at,
        sequence=data.sequence,
        notify=data.notify is not False,
        facts=_facts(data, pointer),
        identity=_identity(record, value, source, event_id),
        event_id=event_id,
        position=record.position,
        published_real=record.timestamp,
    )


def _identity(record: Record, value: bytes, source: str, event_id: str | None) -> bytes:
    """Return the same bytes whenever the same event comes again: a hash of its source and id, else of its position
    and value. Neither source nor id holds a control character, so U+0000 separates them."""
    if event_id is not None:
        named = f"id\0{source}\0{event_id}".encode()
    else:
        at = record.position
        named = f"at\0{at.topic}\0{at.partition}\0{at.offset}\0".encode() + sha256(value).digest()
    return sha256(named).digest()[:IDENTITY_BYTES]


def _facts(data: Data, pointer: str) -> dict[str, Json]:
    """Return what the publisher set, flat. An explicit null stays, because it clears."""
    fields = data.model_fields_set
    facts = {key: _fact(key, getattr(data, key), pointer) for key in _SCALARS & fields}
    if data.customer is not None:
        customer, where = data.customer.__dict__, f"{pointer}/customer"
        for key in data.customer.model_fields_set:
            facts[_OF_CUSTOMER[key]] = _fact(key, customer[key], where)
    elif "customer" in fields:
        facts["customer"] = None
    if data.details is not None:
        for key, value in storable(data.details, f"{pointer}/details").items():
            facts[f"details.{key}"] = value
    elif "details" in fields:
        facts["details"] = None
    return facts


def _fact(key: str, value: Json, pointer: str) -> Json:
    if type(value) is not str:
        return [_fact(key, one, pointer) for one in value] if type(value) is list else value
    if key == "promised_at":
        return _promise(value, f"{pointer}/{key}")
    if len(value) > MAX_TEXT and key not in PROSE:
        raise _error(f"{pointer}/{key}", Reason.TOO_LARGE, f"longer than {MAX_TEXT} characters")
    return value.replace("\0", "\ufffd")[: PROSE.get(key)]


def _required(value: str | int | None, where: str, missing: Reason) -> str:
    """Return an identifier as text; a whole number as its digits."""
    text = "" if value is None else str(value)
    if not text or text.isspace():
        raise _error(where, missing, "is missing or empty")
    return _identifier(text, MAX_ID, where)


def _identifier(text: str, longest: int, where: str) -> str:
    """Return the identifier. It must not be too long, nor hold control characters, which have no place in a key, a
    log line or a header."""
    if len(text) > longest:
        raise _error(where, Reason.TOO_LARGE, f"longer than {longest} characters")
    if _CONTROL.search(text):
        raise _error(where, Reason.WRONG_TYPE, "holds control characters")
    return text


def _promise(value: str, where: str) -> str:
    """Return a day as it is, or a moment in UTC with a `Z`."""
    if not _DAY.fullmatch(value):
        return rfc3339(_timestamp(value, where))
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise _error(where, Reason.BAD_TIME, "is no day of the calendar") from None
    if not _EARLIEST <= day.year <= _LATEST:
        raise _error(where, Reason.BAD_TIME, "is out of range")
    return value


def _timestamp(value: str, where: str) -> datetime:
    """Return a moment of RFC 3339 (section 5.6) in UTC. Seconds and the colon of the zone may be missing, as many
    programs leave them out; a leap second counts as the second before."""
    match = _TIMESTAMP.fullmatch(value)
    if match is None:
        raise _error(where, Reason.BAD_TIME, "is no RFC 3339 time with a zone")
    day, minute, second, fraction, zone = match.groups()
    second = "59" if second == "60" else second or "00"
    try:
        local = datetime.fromisoformat(f"{day}T{minute}:{second}{fraction or ''}{zone.upper()}")
        moment = local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _error(where, Reason.BAD_TIME, "is no time of the calendar") from None
    if not _EARLIEST <= moment.year <= _LATEST:
        raise _error(where, Reason.BAD_TIME, "is out of range")
    return moment


def _error(where: str, reason: Reason, problem: str) -> DecodeError:
    """`where` is a JSON pointer into the data, or the name of an attribute of the envelope."""
    return DecodeError("data" if where.startswith("/") else "envelope", reason, f"{where}: {problem}")
