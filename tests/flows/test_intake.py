"""Events taken in: what is said of each."""

from __future__ import annotations

from pathlib import Path

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
