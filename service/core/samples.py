"""Orders to try a message on: made-up ones before a catalog is put in force, and a real one for a preview."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from avisa.core import context, facts, notices, promises, questions
from avisa.core.evolve import evolve
from avisa.core.model import FOR_OWNERS, Alert, Fact, Json, Notification, Order, Purpose, Reason
from avisa.core.part import Part, Parts, Word
from avisa.core.plan import Plan
from avisa.core.promise import Promise, PromiseState
from avisa.core.question import Asking, Question

Sample = tuple[Order, Notification]
Use = tuple[str, Purpose, str]  # status, purpose and ordinal

_DAY = timedelta(days=1)
OFF_THE_MAP = "left_the_map"  # stands for every status that the plan does not know

_FULL: dict[str, Json] = {
    "customer.id": "c-88",
    "customer.name": "Ana Sousa",
    "customer.email": "ana.sousa@example.com",
    "reason": "The glaze needs one more day to dry.",
    "next_step": "We pack it as soon as it is dry.",
    "details.number": "1042",
    "details.url": "https://shop.example.com/orders/1042",
    "details.tracking": "RR123456785PT",
    "details.items": [{"name": "Vase, blue, 30 cm", "quantity": 1}, {"name": "Cup", "quantity": 6}],
    "details.total": "129.90",
    "details.currency": "EUR",
}
# The details that orders are made up with.
DETAILS = tuple(key.removeprefix("details.") for key in _FULL if key.startswith("details."))
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
_PARTS = Parts(
    known=tuple(
        Part(id=f"RR-{number}", number=number, statuses=(((1, 0, 0), "shipped"),), word=Word(seq=seq))
        for number, seq in ((1, 1), (2, 2), (3, 1))
    ),
    named=3,
)


def uses(message: str, plan: Plan) -> Iterator[Use]:
    """Every occasion on which the plan has the message sent, or would have it sent if it asked owners."""
    for status, touchpoint in (*plan.touchpoints.items(), (OFF_THE_MAP, plan.unknown)):
        if touchpoint.message == message:
            yield status, Purpose.UPDATE, "1"
        for _, purpose, ordinal, name in touchpoint.besides():
            if name == message:
                yield status, purpose, ordinal


def samples(message: str, plan: Plan, now: datetime) -> dict[str, Sample]:
    """Samples of the message, by name.

    `full` has every variable, `bare` only those that are never missing, `odd` has values that nobody should ever
    publish, `last` is a last reminder, `late` has what was promised come late, `slot` a promise of some hours, and
    `part` and `parts` are about one and about two of three parts of the order, `date` asks an owner whether a date
    will be kept.
    """
    first = next(iter(plan.touchpoints), OFF_THE_MAP)
    return samples_of(next(uses(message, plan), (first, Purpose.UPDATE, "1")), plan, now)


def samples_of(use: Use, plan: Plan, now: datetime) -> dict[str, Sample]:
    """The samples for one occasion."""
    status, purpose, ordinal = use
    if ordinal == Alert.SEVERAL:
        return _lists(plan, now)
    missed = Purpose.PROMISE_BROKEN.value in (purpose, ordinal)
    date, over = ((now + timedelta(days=days)).date().isoformat() for days in (6, -2))
    known = {**_FULL, "promised_at": over if missed else date}
    notification = _notification(status, purpose, ordinal, plan, now)
    moved = evolve(notification, reason=Reason.FACTS_CHANGED)
    if purpose not in promises.OF_TIME:
        moved = evolve(moved, promise_before=now.date().isoformat())
    full = evolve(
        _order(status, known, plan, now),
        changed=("tracking",),
        told_seq=1,
        notes=("The batch is on the second kiln.",),
    )
    made = {
        "full": (
            evolve(full, counted_from=now - _DAY, told_until=now + 2 * _DAY, asking=Asking(on_track_at=now)),
            moved,
        ),
        "bare": (_order(status, _BARE, plan, now), evolve(notification, next_update=None)),
        "odd": (_order(status, {**known, **_ODD}, plan, now), notification),
    }
    if purpose is Purpose.ASK_OWNER:
        near = _order(status, known, plan, now)
        question = Question(
            episode=1, number=1, status=status, owner="", rank=near.status_rank, asked_at=now, promise=date
        )
        asked = evolve(
            near, asking=Asking(questions=(question,)), promise=Promise(date=date, state=PromiseState.OPEN)
        )
        made["date"] = (asked, notification)
    if purpose is Purpose.REMINDER:
        last = evolve(notification, ordinal="3", last=True, next_update=None)
        made["last"] = (_order(status, known, plan, now), last)
    if purpose is Purpose.UPDATE:
        order = evolve(_order(status, known, plan, now), parts=_PARTS)
        made["part"] = (order, evolve(notification, seq=2, parts=("RR-2",)))
        made["parts"] = (order, evolve(notification, seq=1, parts=("RR-1", "RR-3")))
    if purpose is Purpose.UPDATE and plan.touchpoint(status).fulfils_promise:
        broken = Promise(date=over, state=PromiseState.BROKEN, fulfilled_at=now)
        late = _order(status, {**known, "promised_at": over}, plan, now)
        made["late"] = (evolve(late, promise=broken), notification)
    if purpose is Purpose.PROMISE_MOVED:
        slot = f"{date}T10:00:00Z/{date}T12:00:00Z"
        made["slot"] = (_order(status, {**known, "promised_at": slot}, plan, now), moved)
    return made


def _lists(plan: Plan, now: datetime) -> dict[str, Sample]:
    """Samples of a list: one of each kind of alert."""
    kinds = {
        "full": (Alert.UNKNOWN_STATUS, _FULL),
        "bare": (Alert.STUCK, _BARE),
        "odd": (Alert.UNREACHABLE, {**_FULL, **_ODD}),
        "flood": (Alert.FLOOD, _FULL),
        "late": (Alert.PROMISE_BROKEN, _FULL),
    }
    made: dict[str, Sample] = {}
    for name, (kind, known) in kinds.items():
        alert = _notification(OFF_THE_MAP, Purpose.OWNER_ALERT, kind, plan, now)
        made[name] = _listed(_order(OFF_THE_MAP, known, plan, now), alert, plan)
    return made


def _listed(order: Order, alert: Notification, plan: Plan) -> Sample:
    """The alert with two others, one of them about an order that has gone on meanwhile; a dozen are not shown."""
    gone_on = evolve(order, order_id="A-1043", status=next(iter(plan.touchpoints), OFF_THE_MAP))
    rows = [(each, alert) for each in (order, gone_on, evolve(order, order_id="A-1044"))]
    return order, evolve(alert, next_update=None, alerts=context.alerts(rows, len(rows) + 12, plan))


def occasion(message: str, order: Order, plan: Plan, now: datetime) -> Sample | None:
    """A real order as if the message were sent about it now; None for an owner's message if it has no owner.

    If the plan sends the message in other statuses than the order's, the order has just entered the first of these.
    This is no decision: neither the number of reminders nor a told date stands in the way.
    """
    status, purpose, ordinal = _use(message, order, plan)
    if status != order.status:
        order = _entered(order, status, plan, now)
    order = evolve(order, pending=(), alerts=frozenset())
    if purpose is Purpose.ASK_OWNER:
        owner = facts.owner(order, plan)
        promise = order.promise if plan.touchpoint(status).ask_owner_before is not None else None
        date = promise.date if promise is not None and promise.state in promises.ACTIVE else None
        reason = Reason.NO_NEWS if date is None else Reason.PROMISE_NEAR
        return None if owner is None else questions.asked(order, owner, reason, now, due=now, promise=date)
    if purpose is Purpose.OWNER_ALERT:
        kind = Alert.UNKNOWN_STATUS if ordinal == Alert.SEVERAL else Alert(ordinal)
        alerted, alerts = notices.alert_owner(order, kind, Reason.ENTERED, plan, now)
        if not alerts:
            return None
        return _listed(alerted, alerts[0], plan) if ordinal == Alert.SEVERAL else (alerted, alerts[0])
    if purpose is Purpose.REMINDER:  # one more than `at_most` is never sent; the last one is
        at_most = plan.touchpoint(status).remind.at_most
        order = evolve(order, reminders=max(0, min(order.reminders, at_most - 1)), spent=False)
    return notices.notify_customer(order, purpose, Reason.ENTERED, plan, now)


def _use(message: str, order: Order, plan: Plan) -> Use:
    """The occasion on which the plan sends the message about this order, else about any order, else an update."""
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
    if purpose in FOR_OWNERS:
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
