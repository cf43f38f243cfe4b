"""Events as the flows read them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from avisa import events, plan_file
from avisa.core.model import OrderEvent, Position
from avisa.core.plan import Plan
from avisa.ports import Record


def taken(event: dict[str, Any], at: datetime) -> OrderEvent:
    """The event as it is read of a record that was written at `at`."""
    position = Position(topic="orders", partition=0, offset=0)
    value = json.dumps(event).encode()
    read = events.read(Record(position=position, timestamp=at, key=None, headers=(), value=value))
    assert isinstance(read, OrderEvent)
    return read


def read_plan(text: str) -> Plan:
    plan = plan_file.read(text, file="plan.yaml")
    assert isinstance(plan, Plan)
    return plan
