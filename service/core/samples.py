"""Occasions to tell a message: made-up orders, on which every one is tried before it is put in force, and a real
order as if it were told now, for a preview."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from avisa.core import facts, notices
from avisa.core.model import Alert, Fact, Json, Notification, Order, Purpose, Reason, evolve
from avisa.core.plan import Plan

Sample = tuple[Order, Notification]
Use = tuple[str, Purpose, str]  # status, purpose and ordinal

OFF_THE_MAP = "left_the_map"  # stands for every status that the plan does not know

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


def uses(message: str, plan: Plan) -> Iterator[Use]:
    """Every occasion on which the plan has the message told."""
    for touchpoint in (*plan.touchpoints.values(), replace(plan.unknown, status=OFF_THE_MAP)):
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
    first = next(iter(plan.touchpoints), OFF_THE_MAP)
    return samples_of(next(uses(message, plan), (first, Purpose.UPDATE, "1")), plan, now)


def samples_of(use: Use, plan: Plan, now: datetime) -> dict[str, Sample]:
    """The same for one occasion."""
    status, purpose, ordinal = use
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


def occasion(message: str, order: Order, plan: Plan, now: datetime) -> Sample | None:
    """A real order as if it were told the message now; None if that is for an owner, and there is none.

    Where the plan tells the message in other statuses than the order's, the order has just entered the first of
    them. Nothing is decided by it: no count of reminders, no date told stands in the way.
    """
    status, purpose, ordinal = _use(message, order, plan)
    if status != order.status:
        order = _entered(order, status, plan, now)
    order = evolve(order, pending=(), alerts=frozenset())
    if purpose is Purpose.OWNER_ALERT:
        told, alerts = notices.alert_owner(order, Alert(ordinal), Reason.ENTERED, plan, now)
        return (told, alerts[0]) if alerts else None
    if purpose is Purpose.REMINDER:  # one more than there may be is not told; the last is
        at_most = plan.touchpoint(status).remind.at_most
        order = evolve(order, reminders=max(0, min(order.reminders, at_most - 1)), spent=False)
    return notices.notify_customer(order, purpose, Reason.ENTERED, plan, now)


def _use(message: str, order: Order, plan: Plan) -> Use:
    """On which occasion the plan has the order told the message, else any order, else it is an update."""
    among = [
        (order.status if status == OFF_THE_MAP and not plan.knows(order.status) else status, purpose, ordinal)
        for status, purpose, ordinal in uses(message, plan)
    ]
    its_own = [use for use in among if use[0] == order.status]
    return next(iter(its_own + among), (order.status, Purpose.UPDATE, "1"))


def _entered(order: Order, status: str, plan: Plan, now: datetime) -> Order:
    """The order at the beginning of an episode in another status."""
    first, second, third = order.status_rank
    rank = (first, second, third + 1)
    return evolve(
        order,
        status=status,
        status_rank=rank,
        statuses=facts.add_sighting(order.statuses, rank, status),
        episode=order.episode + 1,
        entered_at=now,
        final=plan.touchpoint(status).final,
        reminders=0,
        spent=False,
        ordinals={},
    )


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
    if purpose is Purpose.OWNER_ALERT:
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
