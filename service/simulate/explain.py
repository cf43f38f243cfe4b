"""What a plan would do with one event now, guard by guard. The core decides; this module puts the decision in
words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from avisa.catalog import Catalog
from avisa.core import episodes, facts, gate, part_events
from avisa.core.decide import on_event
from avisa.core.decision import Decision
from avisa.core.model import Json, Notification, Order, OrderEvent, Reason
from avisa.core.plan import Plan
from avisa.core.timestamps import rfc3339
from avisa.ports import CannotRender, NoAddress

Shape = dict[str, Json]

# The reasons that a guard can give, in the order in which the core asks the guards. The first that applies decides.
GUARDS = (
    Reason.ALREADY_SEEN,
    Reason.OLDER_THAN_KNOWN,
    Reason.NOT_TO_TELL,
    Reason.TOO_OLD_TO_TELL,
    Reason.UNKNOWN_STATUS,
    Reason.REPEATED,
    Reason.FACTS_CHANGED,
    Reason.ENTERED,
)


def explain(order: Order | None, event: OrderEvent, catalog: Catalog, now: datetime) -> Shape:
    """The decision on the event as the JSON of `avisa explain` (docs/reference.md, JSON): the reason, what each guard
    found, the order after it, and the notifications with their texts.

    `order` is the order as it is known before the event; None for a first event. `now` is in UTC.
    """
    plan = catalog.plan
    decision = on_event(order, event, plan, now)
    assert decision.reason is not None  # every event has one
    after, absorbed_by = decision.order, decision.absorbed_by
    return {
        "order_id": event.order_id,
        "status": event.status,
        "reason": str(decision.reason),
        "guards": list(_guards(order, event, plan, now, decision.reason)),
        "order": {
            "status": after.status,
            "episode": after.episode,
            "final": after.final,
            "next_update": _moment(after.told_until),
            "wake_at": _moment(after.wake_at),
        },
        "notifications": [_notification(it, decision, catalog, now) for it in decision.notifications],
        "superseded": list(decision.superseded),
        "absorbed_by": absorbed_by if absorbed_by not in decision.superseded else None,
    }


def _guards(order: Order | None, event: OrderEvent, plan: Plan, now: datetime, reason: Reason) -> Iterator[Shape]:
    """Each guard with whether it applies and why. The guards after the one that applies are not asked: `applies` is
    None for them."""
    asked = True
    for guard in GUARDS:
        applies = guard is reason
        text = _finding(guard, order, event, plan, now, applies=applies) if asked else "not asked"
        yield {"guard": str(guard), "applies": applies if asked else None, "text": text}
        asked = asked and not applies


def _finding(
    guard: Reason, order: Order | None, event: OrderEvent, plan: Plan, now: datetime, *, applies: bool
) -> str:
    match guard:
        case Reason.ALREADY_SEEN:
            return _on_identity(order, event)
        case Reason.OLDER_THAN_KNOWN:
            return _on_rank(order, event, plan, applies=applies)
        case Reason.NOT_TO_TELL:
            return "the event says notify: false" if applies else "the event does not say notify: false"
        case Reason.TOO_OLD_TO_TELL:
            return _on_age(event, plan, now)
        case Reason.UNKNOWN_STATUS:
            return f"the plan has {'no' if applies else 'a'} touchpoint {event.status}"
        case Reason.REPEATED:
            return _on_repeat(order, event, applies=applies)
        case Reason.FACTS_CHANGED:
            return "what changed is told" if applies else "the status is new, which says more than any fact"
        case _:
            return "a new status is told"


def _on_identity(order: Order | None, event: OrderEvent) -> str:
    if order is None:
        return "nothing is known of the order yet"
    if event.event_id is None:
        return "the event has no id, so it is another one each time"
    known = episodes.already_holds(order, event.identity)
    return f"the event {event.event_id} was {'' if known else 'not '}taken in before"


def _on_rank(order: Order | None, event: OrderEvent, plan: Plan, *, applies: bool) -> str:
    if order is None:
        return "nothing is known of the order yet"
    rank = facts.rank_of(event, arrival=order.arrivals + 1, rank_by=plan.events.rank_by)
    if part_events.speaks_of_parts(order, event):
        what = "the order" if event.part is None else f"its part “{event.part.id}”"
        return f"newer events have said where {what} is" if applies else f"nothing newer has said where {what} is"
    if rank >= order.status_rank:
        return f"it is no older than the event that brought “{order.status}”"
    known = f"the event that brought “{order.status}” is newer"
    return known if applies else f"{known}, but now the customer can be reached"


def _on_age(event: OrderEvent, plan: Plan, now: datetime) -> str:
    if plan.tell_from is not None and event.occurred_at < plan.tell_from:
        return f"it occurred before {_moment(plan.tell_from)}, since when customers are told"
    ago = max(now - event.occurred_at, timedelta(0))
    return f"it occurred {_hours(ago)} ago; within {_hours(plan.tell_within)} it is news"


def _on_repeat(order: Order | None, event: OrderEvent, *, applies: bool) -> str:
    if order is None:
        return "it is the first event of the order"
    if part_events.speaks_of_parts(order, event):
        if event.part is None:
            return f"what all its parts have to tell is {'known' if applies else 'news'}"
        return f"{'nothing' if applies else 'something'} is new to tell of its part “{event.part.id}”"
    if event.status != order.status:
        if applies:
            return f"the customer knows of “{event.status}”, and of nothing since"
        return f"the status was “{order.status}”"
    return f"the status is “{order.status}” already, and {'nothing' if applies else 'something'} is new to tell"


def _notification(notification: Notification, decision: Decision, catalog: Catalog, now: datetime) -> Shape:
    """A notification: its recipient, the verdict of the gate at `now`, and its text, or why it cannot be written."""
    shape: Shape = {
        "purpose": str(notification.purpose),
        "recipient": notification.recipient,
        "reason": str(notification.reason),
        "next_update": _moment(notification.next_update),
        "gate": "send",
        "gate_reason": None,
        "until": None,
        "subject": None,
        "text": None,
        "problem": None,
    }
    verdict = gate.check(notification, decision.order, catalog.plan, now)
    if isinstance(verdict, gate.Hold):
        shape |= {"gate": "hold", "gate_reason": str(verdict.reason), "until": _moment(verdict.until)}
    elif isinstance(verdict, gate.Drop):
        shape |= {"gate": "drop", "gate_reason": str(verdict.reason)}
    draft = catalog.draft(notification, decision.order, now)
    if isinstance(draft, NoAddress):
        return shape | {"gate": "drop", "gate_reason": str(Reason.NO_ADDRESS)}
    rendered = draft if isinstance(draft, CannotRender) else catalog.render(draft)
    if isinstance(rendered, CannotRender):
        return shape | {"problem": rendered.problem}
    return shape | {"subject": rendered.subject, "text": rendered.text}


def _moment(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)


def _hours(span: timedelta) -> str:
    return f"{span / timedelta(hours=1):.1f} h".replace(".0 h", " h")
