"""Values of the core as tests need them; what a test does not name is ordinary."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from avisa.core.model import Alert, Notification, Order, OrderEvent, Position, Purpose, Reason
from avisa.core.notification_key import key_of
from avisa.core.part import PartName
from avisa.core.plan import Brand, Owner, Plan, Remind, Span, Touchpoint

NOW = datetime(2026, 3, 2, 10, 15, tzinfo=UTC)  # a Monday

_MESSAGES = {
    Purpose.REMINDER: "still-in-progress",
    Purpose.PROMISE_MOVED: "delayed",
    Purpose.ASK_OWNER: "ask-owner",
    Purpose.PROMISE_AT_RISK: "promise-at-risk",
    Purpose.PROMISE_BROKEN: "promise-broken",
}
_OWNER_MESSAGES = {
    Alert.STUCK: "order-stuck",
    Alert.UNKNOWN_STATUS: "unknown-status",
    Alert.UNREACHABLE: "customer-unreachable",
    Alert.FLOOD: "too-many-mails",
    Alert.SEVERAL: "several-orders",
    Alert.PROMISE_BROKEN: "promise-broken-owner",
}


def hours_span(number: float) -> Span:
    return Span(elapsed=timedelta(hours=number))


def touchpoint(status: str, **fields: object) -> Touchpoint:
    """A touchpoint with a window of 48 h and three reminders."""
    window = fields.pop("window", hours_span(48))
    rests: dict[str, object] = {
        "message": status,
        "owner": "production",
        "window": window,
        "remind": Remind(then_every=window or hours_span(48)),
        "messages": _MESSAGES,
        "owner_messages": _OWNER_MESSAGES,
    }
    return Touchpoint(status=status, **(rests | fields))  # type: ignore[arg-type]  # a test's shorthand


def plan(*touchpoints: Touchpoint, **fields: object) -> Plan:
    """A plan of these touchpoints, one owner and one brand."""
    rests: dict[str, object] = {
        "brands": {
            "default": Brand(key="default", name="Loja", sender="loja@example.com", time_zone="Europe/Lisbon")
        },
        "owners": {"production": Owner(key="production", name="Produção", email="producao@example.com")},
        "touchpoints": {row.status: row for row in touchpoints},
        "unknown": touchpoint("unknown", message="generic", messages={**_MESSAGES, Purpose.REMINDER: "generic"}),
    }
    return Plan(**(rests | fields))  # type: ignore[arg-type]  # a test's shorthand


def event(status: str, at: datetime, number: int, order_id: str = "A-1", **facts: object) -> OrderEvent:
    """The event `number` of all. In names of facts two underscores stand for a dot; `notify`, `sequence`, `part`
    and its `of` are the event's own."""
    notify = bool(facts.pop("notify", True))
    sequence = facts.pop("sequence", None)
    part = facts.pop("part", None)
    of = facts.pop("of", None)
    return OrderEvent(
        order_id=order_id,
        status=status,
        part=None if part is None else PartName(str(part), of),  # type: ignore[arg-type]  # an int, by the tests' word
        occurred_at=at,
        sequence=sequence,  # type: ignore[arg-type]  # an int, by the tests' word
        notify=notify,
        facts={name.replace("__", "."): value for name, value in facts.items()},
        identity=number.to_bytes(16, "big"),
        event_id=str(number),
        position=Position(topic="orders", partition=0, offset=number),
    )


def order(order_id: str = "A-1", **fields: object) -> Order:
    """An order that was confirmed, and nothing more."""
    rests: dict[str, object] = {"status": "confirmed", "status_rank": (1, -1, 1), "episode": 1, "entered_at": NOW}
    return Order(order_id=order_id, **(rests | fields))  # type: ignore[arg-type]  # a test's shorthand


def notification(order_id: str = "A-1", seq: int = 1, recipient: str = "customer", **fields: object) -> Notification:
    """The update of an order that was confirmed, just decided; its key follows from its other fields."""
    rests: dict[str, object] = {
        "episode": 1,
        "status": "confirmed",
        "purpose": Purpose.UPDATE,
        "ordinal": str(seq),
        "reason": Reason.ENTERED,
        "decided_at": NOW,
    } | fields
    key = key_of(order_id, rests["episode"], rests["purpose"], rests["ordinal"], recipient)  # type: ignore[arg-type]
    own = {"key": key, "order_id": order_id, "seq": seq, "recipient": recipient}
    return Notification(**(own | rests))  # type: ignore[arg-type]  # a test's shorthand
