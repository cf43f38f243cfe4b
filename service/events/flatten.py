"""The data of an event, checked and flattened to facts: `{"customer": {"name": …}}` becomes `customer.name`.

What decides about the news must be right, or the record is a dead letter. Any other field that cannot be used is left
out and named: one odd field must not keep the news from the customer. A blank text says nothing, like an absent key.

The rules for text: an identifier (`order_id`, `status`, ids, codes, addresses) is taken whole or not at all, since a
shortened one names something else; prose (a name, a reason, a next step) is cut. U+0000, which no database text can
hold, becomes U+FFFD. All else is kept as it came, and escaped where it is written out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from avisa import time_zones
from avisa.core.model import Json, OrderEvent, Reason
from avisa.core.part import PartName
from avisa.core.plan import Events
from avisa.events import times
from avisa.events.details import storable
from avisa.events.entities import decoded
from avisa.events.schema import MAX_ID, MAX_TEXT, MOST_PARTS, PROSE, Customer, DecodeError, Slot
from avisa.ports import Record

IDENTITY_BYTES = 16
_SCALARS = frozenset({"promised_at", "brand", "owner", "reason", "next_step"})
_OF_CUSTOMER = {key: f"customer.{key}" for key in Customer.model_fields}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Which facts null clears, by what the plan says of it: one detail, but never who the customer is. Typed producers
# write null for whatever they do not say.
_CLEARS = {
    None: frozenset({"promised_at", "reason", "next_step", "details.KEY"}),
    "clear": _SCALARS | {"customer", "customer.KEY", "details", "details.KEY"},
    "unknown": frozenset(),
}

Attributes = Mapping[str, Any]
Written = Mapping[str, Any]  # the data as the publisher wrote them: `Data.written`


def to_event(
    record: Record,
    value: bytes,
    attributes: Attributes,
    data: Written,
    *,
    pointer: str,
    rules: Events,
    left_out: Sequence[str] = (),
    size: int | None = None,
) -> OrderEvent:
    """Return the event whose data stand in `value` at the JSON pointer `pointer`. Raises DecodeError.

    `left_out` are the fields that could not be used so far. The details have `size` bytes as JSON, or fewer; None:
    no more than the whole value.
    """
    order_id = _required(data.get("order_id"), f"{pointer}/order_id", Reason.NO_ORDER_ID)
    status = _required(data.get("status"), f"{pointer}/status", Reason.NO_STATUS)
    sequence = data.get("sequence")
    if rules.rank_by == "sequence" and sequence is None:
        raise _error(f"{pointer}/sequence", Reason.NO_SEQUENCE, "is missing, and the plan ranks by it")
    unused = list(left_out)
    cut: list[str] = []
    source, event_id = _attribute(attributes, "source", unused), _attribute(attributes, "id", unused)
    return OrderEvent(
        order_id=order_id,
        status=status,
        part=_part(data["part"], f"{pointer}/part", unused) if data.get("part") is not None else None,
        occurred_at=_occurred_at(record, attributes, data, pointer, unused),
        sequence=sequence,
        notify=data.get("notify") is not False,
        facts=decoded(_facts(data, len(value) if size is None else size, rules, unused, cut), value),
        identity=_identity(record, value, source or "", event_id),
        event_id=event_id,
        position=record.position,
        published_real=record.timestamp,
        size=len(value),
        left_out=tuple(sorted(unused)),
        cut=tuple(cut),
    )


def is_blank(value: Json) -> bool:
    """True for what says nothing: null, and a text without a character that could be seen."""
    return value is None or (isinstance(value, str) and (not value or value.isspace()))


def _occurred_at(record: Record, attributes: Attributes, data: Written, pointer: str, unused: list[str]) -> datetime:
    """The event's own word, else the envelope's, else the record's."""
    if not is_blank(data.get("occurred_at")):
        try:
            return times.moment(data["occurred_at"])
        except ValueError as error:
            raise _error(f"{pointer}/occurred_at", Reason.BAD_TIME, str(error)) from None
    if not is_blank(attributes.get("time")):
        try:
            return times.moment(attributes["time"])
        except ValueError:
            unused.append("time")
    if not record.dated:
        unused.append("timestamp")
    return record.timestamp


def _part(named: Json, where: str, unused: list[str]) -> PartName | None:
    """The part that the event names: text, or an object with `id` and `of`. None if it says nothing; then the event
    speaks of the whole order. Raises DecodeError if it cannot be used: what happened to a part is not told of all."""
    part_id, of = named, None
    if isinstance(named, dict):
        if "id" not in named and named.keys() - {"of"}:
            raise _error(where, Reason.WRONG_TYPE, "has no id")
        part_id, of, where = named.get("id"), named.get("of"), f"{where}/id"
    if is_blank(part_id):
        if not is_blank(of):
            unused.append("part.of")
        return None
    if type(part_id) not in (str, int):
        allowed = "text or a number" if isinstance(named, dict) else "text, a number or an object with an id"
        raise _error(where, Reason.WRONG_TYPE, f"must be {allowed}")
    text = _identifier(str(part_id), where)
    number = int(of) if (isinstance(of, str) and of.strip().isdecimal() and len(of) <= MAX_ID) else of
    if is_blank(number):
        return PartName(text)
    if type(number) is not int or not 1 <= number <= MOST_PARTS:
        unused.append("part.of")
        return PartName(text)
    return PartName(text, number)


def _attribute(attributes: Attributes, name: str, unused: list[str]) -> str | None:
    """An attribute that identifies the event; None if it is not there, or cannot be used."""
    text: str | None = attributes.get(name)
    if text is None or is_blank(text):
        return None
    if len(text) > MAX_TEXT or _CONTROL.search(text):
        unused.append(name)
        return None
    return text


def _identity(record: Record, value: bytes, source: str, event_id: str | None) -> bytes:
    """Return the same bytes whenever the same event comes again: a hash of its source and id, else of its position
    and value. Neither source nor id holds a control character, so U+0000 separates them."""
    if event_id is not None:
        named = f"id\0{source}\0{event_id}".encode()
    else:
        at = record.position
        named = f"at\0{at.topic}\0{at.partition}\0{at.offset}\0".encode() + sha256(value).digest()
    return sha256(named).digest()[:IDENTITY_BYTES]


def _facts(data: Written, size: int, rules: Events, unused: list[str], cut: list[str]) -> dict[str, Json]:
    """Return what the publisher set, flat. A null stays where it clears."""
    clears = _CLEARS[rules.nulls]
    facts: dict[str, Json] = {}
    for key in _SCALARS & data.keys():
        text = data[key]
        if text is None:
            if key in clears:
                facts[key] = None
        elif key == "promised_at":
            _read_promise(text, facts, rules, unused)
        elif (kept := _text(key, key, text, unused, cut)) is not None:
            facts[key] = kept
    if (customer := data.get("customer")) is not None:
        for key, content in customer.items():
            name = _OF_CUSTOMER[key]
            if content is None:
                if "customer.KEY" in clears:
                    facts[name] = None
            elif type(content) is not str:
                texts = [kept for one in content if (kept := _text(name, key, one, unused, cut)) is not None]
                if texts or not content:
                    facts[name] = texts
            elif (kept := _text(name, key, content, unused, cut)) is not None:
                facts[name] = kept
        if (zone := facts.get("customer.time_zone")) is not None:
            facts["customer.time_zone"] = time_zones.canonical(zone) or zone
    elif "customer" in clears and "customer" in data:
        facts["customer"] = None
    if (details := data.get("details")) is not None:
        for key, content in storable(details, size, unused, cut).items():
            if content is None:
                if "details.KEY" in clears:
                    facts[f"details.{key}"] = None
            elif type(content) is not str or (content and not content.isspace()):
                facts[f"details.{key}"] = content
    elif "details" in clears and "details" in data:
        facts["details"] = None
    return facts


def _text(name: str, key: str, text: str, unused: list[str], cut: list[str]) -> str | None:
    """The text of a fact; None if it says nothing, or cannot be used."""
    if not text or text.isspace():
        return None
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if key == "email" and "@" not in text:  # `null` or `n/a`, and no reason to forget the address before it
        unused.append(name)
        return None
    if len(text) <= PROSE.get(key, MAX_TEXT):
        return text
    if key not in PROSE:
        unused.append(name)
        return None
    cut.append(name)
    return text[: PROSE[key] - 1].rstrip() + "…"


def _read_promise(promised: str | Slot, facts: dict[str, Json], rules: Events, unused: list[str]) -> None:
    day_only = rules.promised_at == "day"
    try:
        if isinstance(promised, Slot):
            facts["promised_at"] = times.slot(promised.from_, promised.until, day_only=day_only)
        elif not is_blank(promised):
            facts["promised_at"] = times.promise(promised, day_only=day_only)
    except ValueError:
        unused.append("promised_at")


def _required(value: str | int | None, where: str, missing: Reason) -> str:
    """Return an identifier as text; a whole number as its digits."""
    text = "" if value is None else str(value)
    if not text or text.isspace():
        raise _error(where, missing, "is missing or empty")
    return _identifier(text, where)


def _identifier(text: str, where: str) -> str:
    """Return the text, which must not be too long, nor hold control characters: they have no place in a key, a log
    line or a header."""
    if len(text) > MAX_ID:
        raise _error(where, Reason.TOO_LARGE, f"longer than {MAX_ID} characters")
    if _CONTROL.search(text):
        raise _error(where, Reason.WRONG_TYPE, "holds control characters")
    return text


def _error(where: str, reason: Reason, problem: str) -> DecodeError:
    """`where` is a JSON pointer into the data."""
    return DecodeError("data", reason, f"{where}: {problem}")
