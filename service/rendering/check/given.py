"""Samples that an operator keeps beside the plan: `samples.jsonl`, events as `avisa publish` takes them.

They are no part of what is put in force. Each order in it is followed to its last event, and every message that the
plan can have told of it is tried on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from service import events
from service.core import decide
from service.core.model import Order, OrderEvent, Position
from service.core.plan import Plan
from service.ports import Problem, Record, Unreadable
from service.ports.likeness import likest
from service.rendering.check.codes import problem

SAMPLES = "samples.jsonl"
_FEW = 30  # problems for which is looked what was meant


@dataclass(frozen=True, slots=True)
class Given:
    """One order of the samples, and the line of its last event."""

    line: int
    order: Order


def read(text: str, plan: Plan, now: datetime) -> tuple[list[Given], list[Problem]]:
    """The orders of the samples, and what is wrong with them."""
    orders: dict[str, Given] = {}
    problems: list[Problem] = []
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
            told = f"this event would become a dead letter: {taken.message}"
            problems.append(problem("bad_sample", SAMPLES, (number, 1), told))
    return list(orders.values()), problems


def _record(line: str, number: int, now: datetime) -> Record:
    position = Position(topic=SAMPLES, partition=0, offset=number)
    return Record(position=position, timestamp=now, key=None, headers=(), value=line.encode())


def _unplanned(status: str, line: str, number: int, plan: Plan, *, suggest: bool) -> Iterator[Problem]:
    if not plan.knows(status):
        near = likest(status, plan.touchpoints) if suggest else None
        column = max(line.find(f'"{status}"') + 1, 0) + 1
        told = f"`{status[:60]}` has no touchpoint in the plan"
        yield problem("unplanned_status", SAMPLES, (number, column), told, near)
