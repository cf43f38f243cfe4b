"""The operator's own samples: `samples.jsonl` beside the plan, with events as `avisa publish` takes them.

They are not part of what is put in force. Each order in them is followed to its last event, and every message that
the plan can send about it is tried on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from avisa import events
from avisa.core import decide
from avisa.core.model import Order, OrderEvent, Position
from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.suggest import closest_match
from avisa.lint.codes import diagnostic
from avisa.ports import Record, Unreadable

SAMPLES = "samples.jsonl"
_COLUMN = re.compile(r" at line 1 column (\d+)$")
_MOST_SUGGESTIONS = 30  # after so many diagnostics no more suggestions are looked for, which takes a while


@dataclass(frozen=True, slots=True)
class SampleOrder:
    """One order of the samples, and the line of its last event."""

    line: int
    order: Order


def read(text: str, plan: Plan, now: datetime) -> tuple[list[SampleOrder], list[Diagnostic]]:
    """Return the orders of the samples, and what is wrong with the samples."""
    orders: dict[str, SampleOrder] = {}
    found: list[Diagnostic] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if not line.strip():
            continue
        position = Position(topic=SAMPLES, partition=0, offset=number)
        record = Record(position=position, timestamp=now, key=None, headers=(), value=line.encode())
        event = events.read(record, rules=plan.events)
        if isinstance(event, OrderEvent):
            known = orders.get(event.order_id)
            decision = decide.on_event(known.order if known else None, event, plan, now)
            orders[event.order_id] = SampleOrder(number, decision.order)
            found += _unplanned(event.status, line, number, plan, suggest=len(found) < _MOST_SUGGESTIONS)
        elif isinstance(event, Unreadable):
            found.append(_unreadable(event, line, number))
    return list(orders.values()), found


def _unreadable(event: Unreadable, line: str, number: int) -> Diagnostic:
    """What is wrong with an event, at its column if that is known."""
    message, column = event.message, 1
    if found := _COLUMN.search(message):
        message, column = message[: found.start()], int(found[1])
    is_object = line.strip().startswith("{") and line.strip().endswith("}")
    text, hint = f"this event would become a dead letter: {message}", "each event on one line, {…}"
    return diagnostic("bad_sample", SAMPLES, (number, column), text, None if is_object else hint)


def _unplanned(status: str, line: str, number: int, plan: Plan, *, suggest: bool) -> Iterator[Diagnostic]:
    if not plan.knows(status):
        near = closest_match(status, plan.touchpoints) if suggest else None
        column = max(line.find(f'"{status}"') + 1, 0) + 1
        text = f"`{status[:60]}` has no touchpoint in the plan"
        yield diagnostic("unplanned_status", SAMPLES, (number, column), text, near)
