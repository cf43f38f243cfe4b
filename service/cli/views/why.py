"""What `avisa why` shows of an order: what its customer and owners were told, what not and why, and what comes next.

The history is that of the timeline, without the steps that say nothing to people: attempts, holds that are over, and
decisions that led to a notification.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from avisa.cli.views.phrases import phrase
from avisa.cli.views.timeline import moment as shown_moment
from avisa.core import deadlines, decide
from avisa.core.characters import printable
from avisa.core.model import SETTLED, Alert, Notification, Order, Purpose, Reason, State
from avisa.core.plan import Plan
from avisa.core.promise import PromiseState
from avisa.ports import Entry, History, OutboxRow
from avisa.views import moment

_LEFT = frozenset({State.SENT, State.IN_DOUBT})
# An event decided for one of these reasons needs no line, because its notification has one.
_HAVE_A_NOTIFICATION = frozenset({Reason.ENTERED, Reason.FACTS_CHANGED, Reason.UNKNOWN_STATUS})
_ALERTS = {
    Alert.STUCK: "that the order is stuck",
    Alert.UNKNOWN_STATUS: "that the plan does not know the status",
    Alert.UNREACHABLE: "that the customer cannot be reached",
    Alert.PROMISE_BROKEN: "that the promised date passed",
    Alert.FLOOD: "that mails wait, as there are too many",
}
_BECAME = {
    PromiseState.OPEN: "stands again",
    PromiseState.AT_RISK: "is at risk",
    PromiseState.MOVED: "took the place of another",
    PromiseState.KEPT: "was kept",
    PromiseState.BROKEN: "was broken",
    PromiseState.WITHDRAWN: "was withdrawn",
}


def why_json(history: History, plan: Plan) -> dict[str, Any]:
    """The JSON of `avisa why` (docs/reference.md, JSON): the lines, the oldest first, and what comes next under the
    plan if no event does."""
    lines = [*_of_events(history.entries), *map(_of_row, history.outbox)]
    return {
        "order_id": history.order.order_id,
        "entries": [line for _, line in sorted(lines, key=lambda dated: dated[0])],
        "next": _next(history, plan),
    }


def why(document: dict[str, Any]) -> RenderableType:
    """What `avisa why` prints for people."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1)
    for entry in document["entries"]:
        sign, style = ("✓", "green") if entry["told"] else ("·", "bright_black")
        grid.add_row(
            Text(shown_moment(entry["at"]), style="bright_black"),
            Text(sign, style=style),
            Text(printable(entry["text"])),
        )
    coming = document["next"]
    what = "Nothing more comes by itself." if coming is None else _announced(coming)
    heading = Text(f"Order {printable(document['order_id'])}", style="bold")
    return Group(Text(), heading, Text(), grid, Text(), Text(what), Text())


def _announced(coming: dict[str, Any]) -> str:
    return printable(f"Next, on {shown_moment(coming['at'])}: {coming['what']}.")


_Dated = tuple[tuple[datetime, int], dict[str, Any]]


def _of_events(entries: tuple[Entry, ...]) -> Iterator[_Dated]:
    for entry in entries:
        if entry.kind == "answer":
            text = f"the owner {entry.author or ''} answered: {phrase(entry.reason)}"
            yield (entry.at, 0), _line(entry.at, entry.reason, " ".join(text.split()), left=False)
            continue
        if entry.kind == "promise" and entry.state is not None:
            text = f"the promise for {entry.note} {_BECAME[PromiseState(entry.state)]}"
            yield (entry.at, 0), _line(entry.at, None, text, left=False)
            continue
        if entry.kind not in ("event", "decision") or entry.reason in _HAVE_A_NOTIFICATION:
            continue
        of_part = f" of part “{entry.part}”" if entry.part else ""
        what = f"“{entry.status}”{of_part} came" if entry.kind == "event" else f"nothing came after “{entry.status}”"
        note = f" ({entry.note})" if entry.note else ""
        line = _line(entry.at, entry.reason, f"{what}, and nobody was told: {phrase(entry.reason)}{note}", left=False)
        yield (entry.at, 0), line


def _of_row(row: OutboxRow) -> _Dated:
    notification = row.notification
    at = row.settled_at or notification.decided_at
    reason = row.reason if row.settled_at is not None or row.reason is not None else notification.reason
    match notification.state:
        case State.SENT:
            reason = notification.reason
            text = f"{_recipient(notification)} was told {_about(notification)}: {phrase(reason)}"
            if notification.to_customer and notification.next_update is not None:
                text += f"; they hear again by {shown_moment(moment(notification.next_update))}"
        case State.IN_DOUBT:
            text = f"{_recipient(notification)} was perhaps told {_about(notification)}: {phrase(reason)}"
        case State.DROPPED if reason is Reason.LISTED:
            text = f"{_recipient(notification)} was told {_about(notification)}: {phrase(reason)}"
        case State.DROPPED | State.FAILED:
            text = f"{_recipient(notification)} was not told {_about(notification)}: {phrase(reason)}"
        case _:
            text = f"{_recipient(notification)} is to be told {_about(notification)}: {phrase(reason)}"
    return (at, notification.seq), _line(
        at, reason, text, left=notification.state in _LEFT or reason is Reason.LISTED
    )


def _line(at: datetime, reason: Reason | None, text: str, *, left: bool) -> dict[str, Any]:
    return {"at": moment(at), "told": left, "reason": reason, "text": text}


def _recipient(notification: Notification) -> str:
    return "the customer" if notification.to_customer else f"the {notification.recipient.replace(':', ' ')}"


def _about(notification: Notification) -> str:
    match notification.purpose:
        case Purpose.OWNER_ALERT:
            return _ALERTS[Alert(notification.ordinal)]
        case Purpose.ASK_OWNER if notification.reason is Reason.PROMISE_NEAR:
            return "that the promised date is near, and was asked whether it will be kept"
        case Purpose.ASK_OWNER:
            return f"that the customer may wait for news of “{notification.status}”, and was asked for it"
        case Purpose.REMINDER:
            last = ", for the last time" if notification.last else ""
            return f"that it is still “{notification.status}”{last}"
        case Purpose.PROMISE_MOVED:
            return "that the promised date moved"
        case Purpose.PROMISE_AT_RISK:
            return "that the promised date is at risk"
        case Purpose.PROMISE_BROKEN:
            return "that the promised date passed"
        case _:
            return f"of “{notification.status}”"


def _next(history: History, plan: Plan) -> dict[str, Any] | None:
    """The first thing that happens if no event comes; None if nothing does."""
    order = history.order
    waiting = [row for row in history.outbox if row.notification.state not in SETTLED]
    if waiting:
        first = min(waiting, key=lambda row: row.notification.not_before or row.notification.decided_at)
        notification = first.notification
        what = f"{_recipient(notification)} is told {_about(notification)}"
        if first.reason is not None:
            what += f"; until then: {phrase(first.reason)}"
        return {"at": moment(notification.not_before or notification.decided_at), "what": what}
    due = deadlines.wake_at(order, deadlines.recomputed(order, plan.touchpoint(order.status), plan))
    if order.asking is not None:
        due = deadlines.earlier(due, order.asking.due)
    return None if due is None else {"at": moment(due), "what": _when_due(order, plan, due)}


def _when_due(order: Order, plan: Plan, due: datetime) -> str:
    decided = [f"{_recipient(it)} is told {_about(it)}" for it in decide.on_wake(order, plan, due).notifications]
    return f"{' and '.join(decided) or 'the order is stuck, and it has no owner'}, unless news comes before"
