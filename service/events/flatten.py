"""What an event says, checked and made flat.

The rules for text: an identifier (`order_id`, `status`, ids, codes, addresses) is taken whole or refused, since
a shortened one names something else; prose (a name, a reason, a next step) is cut. U+0000, which no database
text can hold, becomes U+FFFD. Everything else is kept as it came: whoever writes it out neutralises it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any, Literal

from avisa.core.model import Json, OrderEvent, Reason
from avisa.events.schema import MAX_ID, MAX_TEXT, PROSE, Customer, Data, UnfitError, storable
from avisa.ports import Record

IDENTITY_OCTETS = 16
_EARLIEST, _LATEST = 1970, 9998  # years whose every moment a window can be added to
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(?::(\d\d)(\.\d{1,9})?)?([Zz]|[+-]\d\d:?\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_SCALARS = frozenset({"promised_at", "brand", "owner", "reason", "next_step"})
_OF_CUSTOMER = {key: f"customer.{key}" for key in Customer.model_fields}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

Attributes = Mapping[str, Any]
RankBy = Literal["occurred_at", "sequence"]


def event(
    record: Record, value: bytes, attributes: Attributes, data: Data, *, inside: str, rank_by: RankBy
) -> OrderEvent:
    """The event that `data` tells, found in `value` at the pointer `inside`.

    Raises `UnfitError` for whatever makes the record a dead letter.
    """
    order_id = _required(data.order_id, f"{inside}/order_id", Reason.NO_ORDER_ID)
    status = _required(data.status, f"{inside}/status", Reason.NO_STATUS)
    if rank_by == "sequence" and data.sequence is None:
        raise _unfit(f"{inside}/sequence", Reason.NO_SEQUENCE, "is missing, and the plan ranks by it")
    occurred_at = record.timestamp
    if attributes.get("time") is not None:
        occurred_at = _moment(attributes["time"], "time")
    if data.occurred_at is not None:
        occurred_at = _moment(data.occurred_at, f"{inside}/occurred_at")
    source = _identifier(attributes.get("source") or "", MAX_TEXT, "source")
    event_id = _identifier(attributes.get("id") or "", MAX_TEXT, "id") or None
    return OrderEvent(
        order_id=order_id,
        status=status,
        occurred_at=occurred_at,
        sequence=data.sequence,
        notify=data.notify is not False,
        facts=_facts(data, inside),
        identity=_identity(record, value, source, event_id),
        event_id=event_id,
        position=record.position,
        published_real=record.timestamp,
    )


def _identity(record: Record, value: bytes, source: str, event_id: str | None) -> bytes:
    """What makes this event the same one when it comes again: its source and id, else where it lay and what it
    said. Neither source nor id holds a control character, so U+0000 parts them without doubt."""
    if event_id is not None:
        named = f"id\0{source}\0{event_id}".encode()
    else:
        at = record.position
        named = f"at\0{at.topic}\0{at.partition}\0{at.offset}\0".encode() + sha256(value).digest()
    return sha256(named).digest()[:IDENTITY_OCTETS]


def _facts(data: Data, inside: str) -> dict[str, Json]:
    """What the publisher said, flat; an explicit null stays, because it clears."""
    said = data.model_fields_set
    facts = {key: _fact(key, getattr(data, key), inside) for key in _SCALARS & said}
    if data.customer is not None:
        known, where = data.customer.__dict__, f"{inside}/customer"
        for key in data.customer.model_fields_set:
            facts[_OF_CUSTOMER[key]] = _fact(key, known[key], where)
    elif "customer" in said:
        facts["customer"] = None
    if data.details is not None:
        for key, given in storable(data.details, f"{inside}/details").items():
            facts[f"details.{key}"] = given
    elif "details" in said:
        facts["details"] = None
    return facts


def _fact(key: str, given: Json, inside: str) -> Json:
    if type(given) is not str:
        return [_fact(key, one, inside) for one in given] if type(given) is list else given
    if key == "promised_at":
        return _promise(given, f"{inside}/{key}")
    if len(given) > MAX_TEXT and key not in PROSE:
        raise _unfit(f"{inside}/{key}", Reason.TOO_LARGE, f"longer than {MAX_TEXT} characters")
    return given.replace("\0", "\ufffd")[: PROSE.get(key)]


def _required(given: str | int | None, where: str, missing: Reason) -> str:
    """An identifier as text; a whole number is read as its digits."""
    text = "" if given is None else str(given)
    if not text or text.isspace():
        raise _unfit(where, missing, "is missing or empty")
    return _identifier(text, MAX_ID, where)


def _identifier(text: str, longest: int, where: str) -> str:
    """The identifier itself, if it is neither too long nor holds control characters, which have no place in a
    key, a log line or a header."""
    if len(text) > longest:
        raise _unfit(where, Reason.TOO_LARGE, f"longer than {longest} characters")
    if _CONTROL.search(text):
        raise _unfit(where, Reason.WRONG_TYPE, "holds control characters")
    return text


def _promise(given: str, where: str) -> str:
    """A day as it is, or a moment in UTC with a `Z`."""
    if not _DAY.fullmatch(given):
        return _moment(given, where).isoformat().replace("+00:00", "Z")
    try:
        day = date.fromisoformat(given)
    except ValueError:
        raise _unfit(where, Reason.BAD_TIME, "is no day of the calendar") from None
    if not _EARLIEST <= day.year <= _LATEST:
        raise _unfit(where, Reason.BAD_TIME, "is out of range")
    return given


def _moment(given: str, where: str) -> datetime:
    """A moment of RFC 3339 (section 5.6) in UTC. Seconds and the colon of the zone may be left out, as many
    programs do; a leap second counts as the one before."""
    match = _MOMENT.fullmatch(given)
    if match is None:
        raise _unfit(where, Reason.BAD_TIME, "is no RFC 3339 time with a zone")
    day, minute, second, fraction, zone = match.groups()
    second = "59" if second == "60" else second or "00"
    try:
        local = datetime.fromisoformat(f"{day}T{minute}:{second}{fraction or ''}{zone.upper()}")
        moment = local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _unfit(where, Reason.BAD_TIME, "is no time of the calendar") from None
    if not _EARLIEST <= moment.year <= _LATEST:
        raise _unfit(where, Reason.BAD_TIME, "is out of range")
    return moment


def _unfit(where: str, reason: Reason, problem: str) -> UnfitError:
    """Where is a JSON pointer into the data, or the name of an attribute of the envelope."""
    return UnfitError("data" if where.startswith("/") else "envelope", reason, f"{where}: {problem}")
