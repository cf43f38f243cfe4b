"""Made-up orders on which every message is tried before it is put in force, and shown in a preview."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from service.core.model import Alert, Fact, Json, Notification, Order, Purpose, Reason
from service.core.plan import Plan

Sample = tuple[Order, Notification]

_FULL: dict[str, Json] = {
    "customer.id": "c-88",
    "customer.name": "Ana Sousa",
    "customer.email": "ana.sousa@example.com",
    "reason": "The glaze needs one more day to dry.",
    "next_step": "We pack it as soon as it is dry.",
    "details.number": "1042",
    "details.url": "https://shop.example.com/orders/1042",
    "details.items": [{"name": "Vase, blue, 30 cm", "quantity": 1}, {"name": "Cup", "quantity": 6}],
    "details.total": "129.90",
    "details.currency": "EUR",
}
_BARE: dict[str, Json] = {"customer.email": "somebody@example.com"}
_ODD: dict[str, Json] = {
    **_FULL,
    "customer.name": 'Eve" <i>{{ 7*7 }}</i> **Bold** [x](javascript:x) =?utf-8?q?x?= ' + "long " * 30,
    "reason": "<script>alert(1)</script>\n\n# Not a heading\n\n{% if x %}",
    "details.number": "10<42>",
    "details.url": "javascript:alert(1)",
    "details.items": [{"name": "</td></table>", "quantity": "many"}, {"quantity": 3}, "no object"],
    "details.total": "a lot",
}


def uses(message: str, plan: Plan) -> Iterator[tuple[str, Purpose, str]]:
    """Status, purpose and ordinal of every occasion on which the plan has the message told."""
    unknown = "left_the_map"
    for touchpoint in (*plan.touchpoints.values(), replace(plan.unknown, status=unknown)):
        if touchpoint.message == message:
            yield touchpoint.status, Purpose.UPDATE, "1"
        for purpose, name in touchpoint.messages.items():
            if name == message and isinstance(purpose, Alert):
                yield touchpoint.status, Purpose.OWNER_ALERT, purpose.value
            elif name == message and isinstance(purpose, Purpose):
                yield touchpoint.status, purpose, "1"


def samples(message: str, plan: Plan, now: datetime) -> dict[str, Sample]:
    """Occasions to tell the message, by name: `full` has all that can be there, `bare` nothing that may be missing,
    `odd` what nobody should ever send; `last` is a last reminder."""
    first = next(iter(plan.touchpoints), "left_the_map")
    status, purpose, ordinal = next(uses(message, plan), (first, Purpose.UPDATE, "1"))
    known = {**_FULL, "promised_at": (now + timedelta(days=6)).date().isoformat()}
    told = _notification(status, purpose, ordinal, plan, now)
    made = {
        "full": (_order(status, known, plan, now), replace(told, promise_before=now.date().isoformat())),
        "bare": (_order(status, _BARE, plan, now), replace(told, next_update=None)),
        "odd": (_order(status, {**known, **_ODD}, plan, now), told),
    }
    if purpose is Purpose.REMINDER:
        last = replace(told, ordinal="3", last=True, next_update=None)
        made["last"] = (_order(status, known, plan, now), last)
    return made


def _order(status: str, known: dict[str, Json], plan: Plan, now: datetime) -> Order:
    stages = plan.stages()
    seen = stages[: stages.index(status) + 1] if status in stages else (status,)
    return Order(
        order_id="A-1042",
        status=status,
        status_rank=(len(seen), 0, 0),
        episode=1,
        entered_at=now,
        facts={key: Fact(rank=(len(seen), 0, 0), value=value) for key, value in known.items()},
        statuses=tuple(((place + 1, 0, 0), stage) for place, stage in enumerate(seen)),
    )


def _notification(status: str, purpose: Purpose, ordinal: str, plan: Plan, now: datetime) -> Notification:
    recipient = "customer"
    if purpose in (Purpose.OWNER_ALERT, Purpose.ASK_OWNER):
        recipient = f"owner:{plan.touchpoint(status).owner or next(iter(plan.owners), '')}"
    return Notification(
        key=f"A-1042/1/{purpose}/{ordinal}/{recipient}",
        order_id="A-1042",
        episode=1,
        status=status,
        purpose=purpose,
        ordinal=ordinal,
        recipient=recipient,
        seq=1,
        reason=Reason.ENTERED,
        decided_at=now,
        next_update=now + timedelta(days=2),
    )
