"""`avisa check --live`: what live events bring, without what any of them says."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from avisa.core.model import Fact
from avisa.core.promise import Promise, PromiseState
from avisa.store import open_store
from tests.builders import NOW
from tests.cli.test_command import CANARY, Avisa, asked
from tests.cli.test_preview import few_words
from tests.fakes import RealClock
from tests.store.harness import change

__all__ = ["asked", "few_words"]

COUNTING = "Hi {{ customer.first_name }},"


async def _keep(url: str) -> None:
    """Four orders that were confirmed; of three the name is known."""
    store = open_store(url, clock=RealClock(), exclusive=True)
    await store.start()
    for number in range(4):
        facts = {"customer.email": CANARY, "details.note": CANARY, "customer.name": "Ana Canary"}
        if number == 3:
            del facts["customer.name"]
        known = {name: Fact(rank=(1, -1, 1), value=value) for name, value in facts.items()}
        made = change(f"A-{number}", facts=known)
        await store.orders.commit([replace(made, notifications=())], now=NOW)
    await store.close()


@pytest.fixture
def kept_orders(tmp_path: Path) -> None:
    asyncio.run(_keep(f"sqlite:///{tmp_path / 'avisa.db'}"))


def count_on_a_name(tmp_path: Path) -> None:
    file = tmp_path / "templates" / "messages" / "order-confirmed" / "en.md"
    head, _, body = file.read_text().rpartition("---\n")
    file.write_text(f"{head}---\n{COUNTING}\n{body}")


def test_what_events_bring_is_shown_and_held_against_the_messages(
    asked: Avisa, kept_orders: None, tmp_path: Path
) -> None:
    count_on_a_name(tmp_path)
    ended = asked("check", "--live", "--json")
    assert ended.code == 0  # a warning stops nothing
    (seen,) = ended.json["live"]
    assert (seen["status"], seen["orders"], seen["present"]) == ("confirmed", 4, 4)
    variables = {variable.pop("name"): variable for variable in seen["variables"]}
    assert variables["customer.first_name"] == {"known": 3, "said": 3, "example": "Aaa"}
    assert variables["order.note"] == {"known": 4, "said": 4, "example": "aaa.aaaaaa@aaaaaaa.aa"}
    named = [problem for problem in ended.json["problems"] if problem["code"] == "not_always_seen"]
    assert [(problem["file"], problem["line"]) for problem in named] == [("messages/order-confirmed/en.md", 5)]

    shown = asked("check", "--live")
    assert "confirmed: the last 4 orders" in shown.out
    assert "75 %" in shown.out
    assert "::warning file=" in asked("check", "--live", "--format", "github").out
    assert "live" not in asked("check", "--json").json
    assert "not_always_seen" not in asked("check").out


async def _keep_promised(url: str) -> None:
    """Three orders that were promised for the day before, and are all still confirmed; one has it from the shop."""
    store = open_store(url, clock=RealClock(), exclusive=True)
    await store.start()
    promise = Promise(date="2026-03-01", state=PromiseState.BROKEN)
    statuses = (((_microseconds(NOW - timedelta(days=9)), -1, 0), "confirmed"),)
    made = [change(f"A-{number}", promise=promise, statuses=statuses) for number in range(3)]
    fulfilled = replace(promise, state=PromiseState.KEPT, fulfilled_at=NOW - timedelta(days=3))
    made.append(change("A-3", promise=fulfilled, statuses=statuses))
    await store.orders.commit([replace(each, notifications=()) for each in made], now=NOW)
    await store.close()


def _microseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)


def test_each_warning_says_what_it_would_have_done_with_the_orders_of_the_store(
    asked: Avisa, few_words: None, tmp_path: Path
) -> None:
    asyncio.run(_keep_promised(f"sqlite:///{tmp_path / 'avisa.db'}"))
    ended = asked("check", "--live", "--json")
    confirmed = next(row for row in ended.json["warn_before"] if row["status"] == "confirmed")
    assert confirmed == {
        "status": "confirmed",
        "hours": 48.0,
        "orders": 4,
        "warned": 4,
        "late": 3,
        "missed": 0,
        "catches_95_h": 1,
    }
    lines = [line.split() for line in asked("check", "--live").out.splitlines()]
    assert ["confirmed", "48", "h", "4", "4", "3", "75%", "0", "1", "h"] in lines
    assert "warn_before" not in asked("check", "--json").json


def test_without_a_store_there_is_nothing_to_hold_them_against(asked: Avisa) -> None:
    ended = asked("check", "--live", "--json")
    assert (ended.code, ended.json["error"]) == (74, "storage")
    assert asked("check").code == 0


def test_a_store_without_orders_says_so(asked: Avisa) -> None:
    assert asked("migrate").code == 0
    assert asked("check", "--live", "--json").json["live"] == []
    assert "no order yet" in asked("check", "--live").out
