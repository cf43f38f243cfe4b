"""Samples that an operator keeps beside the plan: `samples.jsonl`, events as `avisa publish` takes them.

They are no part of what is put in force. Each order in it is followed to its last event, and every message that the
plan can have told of it is tried on it.
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
from avisa.lint.codes import problem
from avisa.ports import Record, Unreadable

SAMPLES = "samples.jsonl"
_PLACE = re.compile(r" at line 1 column (\d+)$")
_FEW = 30  # problems for which is looked what was meant


@dataclass(frozen=True, slots=True)
class Given:
    """One order of the samples, and the line of its last event."""

    line: int
    order: Order


def read(text: str, plan: Plan, now: datetime) -> tuple[list[Given], list[Diagnostic]]:
    """The orders of the samples, and what is wrong with them."""
    orders: dict[str, Given] = {}
    problems: list[Diagnostic] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if not line.strip():
            continue
        taken = events.read(_record(line, number, now), rank_by=plan.rank_by)
        if isinstance(taken, OrderEvent):
            known = orders.get(taken.order_id)
            decision = decide.on_event(known.order if known else None, taken, plan, now)
            orders[taken.order_id] = Given(number, decision.order)
            problems += _unplanned(taken.status, line, number, plan, suggest=len(problems) < _FEW)
        elif isinstance(taken, Unreadable):
            problems.append(_unread(taken, line, number))
    return list(orders.values()), problems


def _unread(letter: Unreadable, line: str, number: int) -> Diagnostic:
    """What is wrong with an event, at its place in the line if that is known."""
    message, column = letter.message, 1
    if found := _PLACE.search(message):
        message, column = message[: found.start()], int(found[1])
    whole = line.strip().startswith("{") and line.strip().endswith("}")
    told = f"this event would become a dead letter: {message}"
    return problem("bad_sample", SAMPLES, (number, column), told, None if whole else "each event on one line, {…}")


def _record(line: str, number: int, now: datetime) -> Record:
    position = Position(topic=SAMPLES, partition=0, offset=number)
    return Record(position=position, timestamp=now, key=None, headers=(), value=line.encode())


def _unplanned(status: str, line: str, number: int, plan: Plan, *, suggest: bool) -> Iterator[Diagnostic]:
    if not plan.knows(status):
        near = closest_match(status, plan.touchpoints) if suggest else None
        column = max(line.find(f'"{status}"') + 1, 0) + 1
        told = f"`{status[:60]}` has no touchpoint in the plan"
        yield problem("unplanned_status", SAMPLES, (number, column), told, near)
