"""However long it takes to read the records of a batch, health is answered and mail is sent meanwhile."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest

from avisa.core.plan import Events
from avisa.kafka import batch
from avisa.kafka.batch import BatchReader
from avisa.kafka.consumer import RawRecord
from avisa.ports import no_registry
from tests.depth import some
from tests.feeds.plans import TOPIC, mapped, plan

NOW = datetime(2026, 3, 2, tzinfo=UTC)
OWN = Events()
COUNT = 8


def _event(item: bytes, number: int) -> bytes:
    return b'{"order_id":"A-1","status":"s","details":{"x":[%b]}}' % b",".join([item] * number)


def _feed(expression: str) -> Events:
    return plan(mapped(details__x=json.dumps(expression))).events


def _record(topic: str, offset: int, value: bytes) -> RawRecord:
    return RawRecord(topic, 0, offset, 1_772_446_530_000, 0, None, value, None, -1, len(value), ())


# the value of each record, and the rules
SLOW = {
    "empty lists": (_event(b"[]", 20_000), OWN),
    "small maps": (_event(b'{"a":0}', 10_000), OWN),
    "no JSON": (_event(b"[]", 50_000)[:-3], OWN),
    "wrong items": (b'{"order_id":"A-1","status":"s","details":{"items":[%b]}}' % b",".join([b"1"] * 20_000), OWN),
    "an expression that is ended": (b'{"id":1,"state":"s","v":1}', _feed(" | ".join(["[@, @]"] * 25))),
}


@pytest.mark.parametrize("name", some(SLOW))
async def test_others_get_their_turn_while_a_batch_is_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "BREATH", 0.0002)
    value, rules = SLOW[name]
    topic = TOPIC if rules.feeds else "orders.status"
    records = [_record(topic, offset, value) for offset in range(COUNT)]
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    read = await BatchReader((), no_registry).read(records, rules, NOW)
    beside.cancel()
    assert len(read.taken) == COUNT
    assert turns >= COUNT
