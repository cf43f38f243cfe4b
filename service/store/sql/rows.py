"""Orders, notifications and timeline entries as rows, and back. This is the hot path: nothing is looked up by
reflection and nothing is parsed twice.

The annotation of a field says how the field is written; it is read once, at import. A new field of `Order` is stored
without a change here. If its type has no coder yet, the import fails.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any

import orjson

from avisa.core.alert_list import kind_and_owner
from avisa.core.evolve import evolve
from avisa.core.model import (
    BLANK_NOTIFICATION,
    BLANK_ORDER,
    Fact,
    Notification,
    Order,
    Purpose,
    Rank,
    Reason,
    State,
)
from avisa.core.promise import Promise, PromiseState
from avisa.ports import Attempt, Draft, Entry
from avisa.store.sql import asking, parts
from avisa.store.sql.dialect import Row
from avisa.store.sql.moments import micros, micros_or_none, moment, moment_or_none
from avisa.store.sql.statements import columns

_AS_IT_IS = frozenset({"int", "bool", "str", "str | None", "int | None"})

Coder = Callable[[Any], Any]


def to_json(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # a publisher's integer beyond 64 bits
        return json.dumps(value, separators=(",", ":"))


# ---------------------------------------------------------------- orders

_ORDER_COLUMNS = frozenset({"order_id", "version", "wake_at", "last_word_at"})
_NOT_STORED = frozenset({"pending", "size"})
_OLD_PROMISE = "promise_state"  # what earlier versions kept of a promise, besides its date


def _ranked(pairs: Iterable[tuple[Rank, str]]) -> list[Any]:
    return [[*rank, word] for rank, word in pairs]


def _unranked(rows: list[Any]) -> tuple[tuple[Rank, str], ...]:
    return tuple(((a, b, c), word) for a, b, c, word in rows)


def _facts(facts: dict[str, Fact]) -> dict[str, Any]:
    return {name: [*fact.rank, fact.value] for name, fact in facts.items()}


def _unfacts(rows: dict[str, Any]) -> dict[str, Fact]:
    return {name: Fact(rank=(a, b, c), value=value) for name, (a, b, c, value) in rows.items()}


def _counts(numbers: dict[str, int]) -> dict[str, int]:
    """With plain strings for keys: orjson accepts no enumeration there."""
    return {str(word): number for word, number in numbers.items()}


def _base64(content: bytes) -> str:
    return binascii.b2a_base64(content, newline=False).decode()


_CODERS: dict[str, tuple[Coder, Coder]] = {
    "datetime": (micros, moment),
    "datetime | None": (micros, moment),  # None is the default, and a default is left out
    "Rank": (list, tuple),
    "Mapping[str, Fact]": (_facts, _unfacts),
    "Mapping[str, int]": (_counts, dict),
    "Mapping[str, str]": (dict, dict),
    "tuple[tuple[Rank, str], ...]": (_ranked, _unranked),
    "tuple[str, ...]": (list, tuple),
    "bytes": (_base64, binascii.a2b_base64),
    "frozenset[str]": (sorted, frozenset),
    "PromiseState | None": (str, PromiseState),
    "Asking | None": (asking.written, asking.read),
    "Parts | None": (parts.written, parts.read),
    "Purpose": (str, Purpose),
    "Reason": (str, Reason),
    "Reason | None": (str, Reason),
}


def _codes(noun: type[Any], leave: frozenset[str]) -> tuple[tuple[str, Any, Coder | None, Coder | None], ...]:
    """Name, default, writer and reader of each field that goes into the JSON of `noun`: all but those in `leave`."""
    codes = []
    for field in fields(noun):
        if field.name in leave:
            continue
        kind = str(field.type)
        default = field.default_factory() if callable(field.default_factory) else field.default
        write, read = (None, None) if kind in _AS_IT_IS else _CODERS[kind]
        codes.append((field.name, default, write, read))
    return tuple(codes)


def _write(noun: Any, codes: tuple[tuple[str, Any, Coder | None, Coder | None], ...]) -> str:
    return to_json(_written(noun, codes))


def _written(noun: Any, codes: tuple[tuple[str, Any, Coder | None, Coder | None], ...]) -> dict[str, Any]:
    state = {}
    for name, default, write, _ in codes:
        value = getattr(noun, name)
        if value is not default and value != default:
            state[name] = value if write is None else write(value)
    return state


_PROMISE = _codes(Promise, frozenset())
_PROMISE_READERS = {name: read for name, _, _, read in _PROMISE}
_CODERS["Promise | None"] = (
    lambda promise: _written(promise, _PROMISE),
    lambda state: Promise(**_values(state, _PROMISE_READERS)),
)
_ORDER = _codes(Order, _ORDER_COLUMNS | _NOT_STORED)
_ORDER_READERS = {name: read for name, _, _, read in _ORDER}
_ORDER_READERS[_OLD_PROMISE] = PromiseState


def order_row(order: Order) -> dict[str, Any]:
    """What is stored of an order. The statement itself sets or raises the version."""
    return {
        "order_id": order.order_id,
        "feed": order.feed,
        "wake_at": micros_or_none(order.wake_at),
        "last_word_at": micros_or_none(order.last_word_at),
        "ended_at": micros_or_none(order.ended_at),
        "final": int(order.final),
        "stuck": int(order.stuck),
        "promise": None if order.promise is None else order.promise.state,
        "state": _write(order, _ORDER),
    }


def order_of(row: Row, pending: tuple[Notification, ...]) -> Order:
    """The order in a row of the columns of the part `order`."""
    order_id, version, wake_at, last_word_at, state = row
    known = _read(state, _ORDER_READERS)
    if (old := known.pop(_OLD_PROMISE, None)) is not None and (date := known["facts"]["promised_at"].value):
        known["promise"] = Promise(date=date, state=old)
    return evolve(
        BLANK_ORDER,
        order_id=order_id,
        version=version,
        wake_at=moment_or_none(wake_at),
        last_word_at=moment_or_none(last_word_at),
        pending=pending,
        size=len(state) if state.isascii() else len(state.encode()),
        **known,
    )


def _read(state: str, readers: dict[str, Coder | None]) -> dict[str, Any]:
    return _values(orjson.loads(state), readers)


def _values(state: dict[str, Any], readers: dict[str, Coder | None]) -> dict[str, Any]:
    fields_read = {}
    for name, value in state.items():
        read = readers[name]
        fields_read[name] = value if read is None else read(value)
    return fields_read


# ---------------------------------------------------------------- notifications

NOTIFICATION_COLUMNS = columns("notification")
_NOTIFICATION = _codes(Notification, frozenset({*NOTIFICATION_COLUMNS, "alerts"}))
_NOTIFICATION_READERS = {name: read for name, _, _, read in _NOTIFICATION}


def notification_row(notification: Notification) -> dict[str, Any]:
    """A newly decided notification. `recipient_queues` adds when it is due, and its lease."""
    return {
        "key": notification.key,
        "order_id": notification.order_id,
        "seq": notification.seq,
        "recipient": notification.recipient,
        "channel": notification.channel,
        "decided": _write(notification, _NOTIFICATION),
        "decided_at": micros(notification.decided_at),
        "state": notification.state,
        "next_update": micros_or_none(notification.next_update),
        "not_before": micros_or_none(notification.not_before),
        "attempts": 0,
        "alert": kind_and_owner(notification),
    }


def begun_row(attempt: Attempt) -> dict[str, Any]:
    """What the first attempt adds to that row."""
    return {
        "state": State.SENDING,
        "next_update": micros_or_none(attempt.claimed.notification.next_update),
        "attempts": 1,
        "first_attempt_real": micros(attempt.at_real),
        **draft_row(attempt.draft),
    }


def notification_of(row: Row) -> Notification:
    """The notification in a row that begins with `NOTIFICATION_COLUMNS`."""
    key, order_id, seq, recipient, channel, decided, decided_at = row[:7]
    state, attempts, revision, first_attempt_real, next_update, not_before, gate = row[7:14]
    return evolve(
        BLANK_NOTIFICATION,
        key=key,
        order_id=order_id,
        seq=seq,
        recipient=recipient,
        channel=channel,
        decided_at=moment(decided_at),
        state=State(state),
        attempts=attempts,
        revision=revision,
        first_attempt_real=moment_or_none(first_attempt_real),
        next_update=moment_or_none(next_update),
        not_before=moment_or_none(not_before),
        gate=None if gate is None else Reason(gate),
        **_read(decided, _NOTIFICATION_READERS),
    )


DRAFT_COLUMNS = columns("draft")


def draft_row(draft: Draft) -> dict[str, Any]:
    """What the row of a notification holds of its draft; the draft itself is kept by `drafts`."""
    return {
        "catalog": draft.catalog,
        "message": draft.message,
        "locale": draft.locale,
        "message_id": draft.message_id,
        "address_hash": draft.address_hash.hex(),
    }


def draft_of(row: Row, content: bytes | None) -> Draft | None:
    """The draft with this content, if one is kept, and the rest of it in a row of `DRAFT_COLUMNS`."""
    if content is None:
        return None
    catalog, message, locale, message_id, address_hash = row
    return Draft(
        catalog=catalog,
        locale=locale,
        json=content,
        message=message,
        message_id=message_id,
        address_hash=bytes.fromhex(address_hash),
    )


# ---------------------------------------------------------------- the timeline

_ENTRY = _codes(Entry, frozenset({"order_id"}))
_ENTRY_READERS = {name: read for name, _, _, read in _ENTRY}


def entry_row(entry: Entry) -> dict[str, str]:
    return {"order_id": entry.order_id, "line": _write(entry, _ENTRY)}


def entry_of(row: Row) -> Entry:
    """The entry in a row of `order_id, line`."""
    order_id, line = row
    return Entry(order_id=order_id, **_read(line, _ENTRY_READERS))
