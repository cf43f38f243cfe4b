"""Feeds as operators write them, and what becomes of a record."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from avisa import events
from avisa.core.model import OrderEvent, Position
from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.plan_file import read
from avisa.ports import Record, Taken
from tests.events.records import AT

TOPIC = "shop.orders"
_PLAN = """\
brands: {default: {name: A, from: a@example.com}}
touchpoints: {shipped: {message: shipped}}
"""

SHOPIFY = """\
nulls: unknown
fields:
  order_id: {from: id, as: text}
  status: {from: "(cancelled_at && 'cancelled') || fulfillment_status", values: {fulfilled: shipped}}
  occurred_at: updated_at
  customer.email: email || customer.email
  customer.name: "join(' ', [customer.first_name, customer.last_name][?@])"
  details.number: name
  details.items: "line_items[].{name: title, quantity: quantity}"
"""
DEBEZIUM = """\
envelope: debezium
only_if_changed: after.status
fields:
  order_id: {from: after.id, as: text}
  status: {from: after.status, values: {in production: in_production}}
  occurred_at: {from: after.updated_at, as: epoch_us}
  promised_at: {from: after.eta, as: days}
  customer.email: after.email
"""


def text(feed: str, topic: str = TOPIC) -> str:
    """A plan with that feed."""
    return f"{_PLAN}feeds:\n  {topic}:\n" + "".join(f"    {line}\n" for line in feed.splitlines())


@cache
def plan(feed: str, topic: str = TOPIC) -> Plan:
    found = read(text(feed, topic), file="plan.yaml")
    assert isinstance(found, Plan), found
    return found


def problems(feed: str) -> list[Diagnostic]:
    found = read(text(feed), file="plan.yaml")
    assert isinstance(found, list), "it was taken"
    return found


def mapped(**fields: str) -> str:
    """A feed of these fields, `__` for a dot, besides the two that must be."""
    lines = {"order_id": "id", "status": "state", **{name.replace("__", "."): each for name, each in fields.items()}}
    return "fields:\n" + "".join(f"  {name}: {each}\n" for name, each in lines.items())


def record(content: Any, topic: str = TOPIC) -> Record:
    value = content if content is None or isinstance(content, bytes) else json.dumps(content).encode()
    position = Position(topic=topic, partition=0, offset=7)
    return Record(position=position, timestamp=AT, key=None, headers=(), value=value)


def taken(feed: str, content: Any) -> Taken:
    return events.read(record(content), rules=plan(feed).events)


def event(feed: str, content: Any) -> OrderEvent:
    found = taken(feed, content)
    assert isinstance(found, OrderEvent), found
    return found
