"""Answers for people: nothing is left out, nothing steers the terminal."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

from rich.console import Console

from avisa import views
from avisa.cli.views import tables
from avisa.cli.views.phrases import phrase
from avisa.cli.views.timeline import timeline
from avisa.core.model import Reason
from tests.cli.histories import a_history


def printed(made: Any, width: int = 100) -> str:
    out = StringIO()
    Console(file=out, width=width, color_system=None, highlight=False).print(made)
    return out.getvalue()


def test_a_timeline_is_printed_as_sentences_under_each_day() -> None:
    text = printed(timeline(views.timeline_json(a_history())))
    assert "Order A-1042  in_production" in text
    assert "the customer hears again by 10 Mar 2026 09:00 UTC; promised for 2026-03-09" in text
    assert "Monday 2 March 2026" in text
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "10:01:00 ✓ update sent the mail server took it confirmed in pt-PT, v7" in lines
    assert "09:01:00 ↻ update tried refused for good (rcpt 451)" in lines
    assert "22:00:00 ◌ reminder held waits until the quiet hours are over" in lines
    assert "22:00:00 ✗ owner alert → owner:production failed there is no address" in lines


def test_a_timeline_of_an_order_without_entries_is_printed() -> None:
    document = views.timeline_json(a_history()) | {"entries": [], "next_update": None, "promise": None}
    assert "in_production" in printed(timeline(document))


def test_what_a_publisher_wrote_steers_no_terminal() -> None:
    document = views.timeline_json(a_history())
    document["order_id"] = "A\x1b[31m\u202e"
    document["entries"][0]["status"] = "[bold]\x07"
    shown = printed(timeline(document))
    assert r"A\x1b[31m\u202e" in shown
    assert r"[bold]\x07" in shown


def test_the_table_of_the_outbox_shows_every_key() -> None:
    rows = [views.outbox_json(row, lambda decided: decided + timedelta(hours=72)) for row in a_history().outbox]
    shown = printed(tables.outbox(rows), width=160)
    assert all(row["key"] in shown for row in rows)
    assert "Nothing here." in printed(tables.outbox([]))


def test_every_reason_has_a_phrase() -> None:
    assert all(phrase(reason) for reason in Reason)
    assert phrase(None) == ""
    assert phrase("of_a_later_version") == "of a later version"
