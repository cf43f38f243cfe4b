"""Orders, notifications and timeline entries as rows, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from avisa.core.alert_list import kind_and_owner
from avisa.core.evolve import evolve
from avisa.core.model import BLANK_NOTIFICATION, BLANK_ORDER, Notification, Order, Reason, State
from avisa.core.notification_key import order_id_of
from avisa.core.promise import Promise, PromiseState
from avisa.ports import Attempt, Draft, Entry
from avisa.store.sql import packing
from avisa.store.sql.coding import codes, read, read_short, shortened, write
from avisa.store.sql.dialect import Row
from avisa.store.sql.moments import micros, micros_or_none, moment, moment_or_none
from avisa.store.sql.statements import columns

# ---------------------------------------------------------------- orders

_ORDER_COLUMNS = frozenset({"order_id", "version", "wake_at", "last_word_at"})
_NOT_STORED = frozenset({"pending", "size"})
_OLD_PROMISE = "promise_state"  # what earlier versions kept of a promise, besides its date
_ORDER = codes(Order, _ORDER_COLUMNS | _NOT_STORED)
_ORDER_READERS = _ORDER.readers | {_OLD_PROMISE: PromiseState}


def order_row(order: Order, *, pack: Callable[[str], str | bytes] = str) -> dict[str, Any]:
    """What is stored of an order, with its state packed so. The statement itself sets or raises the version."""
    state = write(order, _ORDER)
    return {
        "order_id": order.order_id,
        "feed": order.feed,
        "wake_at": micros_or_none(order.wake_at),
        "last_word_at": micros_or_none(order.last_word_at),
        "ended_at": micros_or_none(order.ended_at),
        "final": int(order.final),
        "stuck": int(order.stuck),
        "promise": None if order.promise is None else order.promise.state,
        "state": pack(state),
    }


def order_of(row: Row, pending: tuple[Notification, ...]) -> Order:
    """The order in a row of the columns of the part `order`."""
    order_id, version, wake_at, last_word_at, stored = row
    state = packing.unpack(stored)
    known = read(state, _ORDER_READERS)
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


# ---------------------------------------------------------------- notifications

NOTIFICATION_COLUMNS = columns("notification")
_NOTIFICATION = codes(Notification, frozenset({*NOTIFICATION_COLUMNS, "alerts"}))
_NOTIFICATION_SHORT = shortened(_NOTIFICATION)


def notification_row(notification: Notification, *, short: bool = False) -> dict[str, Any]:
    """A newly decided notification. `recipient_queues` adds when it is due, and its lease."""
    return {
        "key": notification.key,
        "order_id": notification.order_id,
        "seq": notification.seq,
        "recipient": notification.recipient,
        "channel": notification.channel,
        "decided": write(notification, _NOTIFICATION_SHORT if short else _NOTIFICATION),
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
        **read_short(decided, _NOTIFICATION.readers),
    )


def named(keys: Iterable[str]) -> list[dict[str, str]]:
    """The rows by which statements find the notifications with these keys."""
    return [name_of(key) for key in keys]


def name_of(key: str) -> dict[str, str]:
    """The columns by which a statement finds the notification with this key."""
    return {"order_id": order_id_of(key), "key": key}


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

_ENTRY = codes(Entry, frozenset({"order_id"}))
_ENTRY_SHORT = shortened(_ENTRY)


def entry_row(entry: Entry, *, short: bool = False) -> dict[str, str]:
    return {"order_id": entry.order_id, "line": write(entry, _ENTRY_SHORT if short else _ENTRY)}


def entry_of(row: Row) -> Entry:
    """The entry in a row of `order_id, line`."""
    order_id, line = row
    return Entry(order_id=order_id, **read_short(line, _ENTRY.readers))
