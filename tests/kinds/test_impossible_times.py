"""A record's timestamp from before 2015 is no moment and is taken as now; what an event itself says is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord

from avisa import views
from avisa.core.model import OrderEvent
from avisa.events import read
from avisa.kafka.consumer import to_record
from avisa.telemetry.metrics import REGISTRY
from tests.events.records import AT, plain, record
from tests.fakes import START
from tests.flows.harness import running

SECONDS = int(AT.timestamp())  # a timestamp in seconds, read as milliseconds, lies in January 1970


@pytest.mark.parametrize("stamp", [SECONDS, 0, -1, -5, 1_420_070_399_999, 253_370_764_800_001, 2**62])
def test_an_impossible_timestamp_is_taken_as_now(stamp: int) -> None:
    read_at = to_record(_raw(stamp), AT)
    assert (read_at.timestamp, read_at.dated) == (AT, False)
    event = read(read_at)
    assert isinstance(event, OrderEvent)
    assert (event.occurred_at, event.left_out) == (AT, ("timestamp",))


def test_a_possible_timestamp_is_kept_and_an_unneeded_one_is_not_asked() -> None:
    kept = to_record(_raw(1_420_070_400_000), AT)
    assert (kept.timestamp, kept.dated) == (datetime(2015, 1, 1, tzinfo=UTC), True)
    event = read(replace(record(plain(occurred_at="2026-03-01T00:00:00Z")), dated=False))
    assert isinstance(event, OrderEvent)
    assert event.left_out == ()


async def test_the_timeline_says_what_was_odd_about_a_time(tmp_path: Path) -> None:
    shop = {"customer": {"email": "ana@example.com"}}
    counted = {when: _counted(when) for when in ("ahead", "long_ago")}
    sent = [
        replace(record(plain(order_id="A-1", status="confirmed", **shop), offset=1), timestamp=START, dated=False),
        record(plain(order_id="A-1", status="shipped", occurred_at="2019-05-06T00:00:00Z"), offset=2),
        record(plain(order_id="A-1", status="shipped", occurred_at=f"{START + timedelta(hours=1):%FT%TZ}"), offset=3),
    ]
    async with running(tmp_path / "avisa.db") as flows:
        await flows.intake.take([read(one) for one in sent])
        lines = views.timeline_json(await flows.history())["entries"]
    events = [(line["reason"], line["note"]) for line in lines if line["kind"] == "event"]
    assert events == [
        ("entered", "the record's timestamp is no moment, and was taken as now"),
        ("older_than_known", "occurred on 2019-05-06, by its own word"),
        ("entered", "occurred_at lies ahead and was taken as now"),
    ]
    assert {when: _counted(when) - before for when, before in counted.items()} == {"ahead": 1, "long_ago": 1}


def _counted(when: str) -> float:
    return REGISTRY.get_sample_value("avisa_event_times_odd_total", {"when": when}) or 0


def _raw(stamp: int) -> ConsumerRecord[bytes, bytes]:
    value = b'{"order_id": "A-1", "status": "shipped"}'
    return ConsumerRecord(
        topic="orders",
        partition=0,
        offset=7,
        timestamp=stamp,
        timestamp_type=0,
        key=None,
        value=value,
        checksum=None,
        serialized_key_size=-1,
        serialized_value_size=len(value),
        headers=(),
    )
