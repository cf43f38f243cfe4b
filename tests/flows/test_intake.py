"""Events taken in: what is said of each."""

from __future__ import annotations

from pathlib import Path

from structlog.testing import capture_logs

from avisa import events
from avisa.core.model import Reason
from tests.events.records import record
from tests.flows.harness import running


async def test_what_is_odd_about_an_event_is_noted(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db") as flows:
        await flows.happens(
            "confirmed", customer__locale="tlh-KX", customer__time_zone="Mars/Olympus", brand="nobody's"
        )
        await flows.happens("shipped", customer__locale="en_US.UTF-8", customer__time_zone="Europe/Lisbon")
        notes = [entry.note for entry in (await flows.history()).entries if entry.kind == "event"]
    assert notes == [
        "the customer's time zone is unknown, the brand's is used;"
        " no message is written in the customer's language, the brand's is used;"
        " the brand is unknown, the default one is used",
        None,
    ]


async def test_a_batch_of_dead_letters_is_a_line_for_each_feed_and_reason(tmp_path: Path) -> None:
    places = [(partition, offset) for partition in (0, 1) for offset in range(40)]
    dead = [
        events.read(record({"n": 1} if offset % 2 else b"{", partition=partition, offset=offset))
        for partition, offset in places
    ]
    async with running(tmp_path / "avisa.db") as flows:
        for _ in range(2):
            with capture_logs() as logs:
                await flows.intake.take(dead)
            lines = [line for line in logs if line["event"] == "intake.dead_letters"]
            assert [(line["feed"], line["reason"], line["records"], line["first_offset"]) for line in lines] == [
                (f"orders.status/{partition}", reason, 20, first)
                for partition in (0, 1)
                for reason, first in ((Reason.NOT_JSON, 0), (Reason.NO_ORDER_ID, 1))
            ]
            assert len([line for line in logs if line["event"] != "intake.topic_unreadable"]) == len(lines)
