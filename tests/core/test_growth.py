"""An order of which a publisher never stops speaking: what is kept of it has an end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from random import Random

import orjson

from avisa.core import decide, facts
from avisa.core.evolve import evolve
from avisa.core.model import Order, OrderEvent
from avisa.store.sql.rows import order_row
from tests.builders import event, plan, touchpoint
from tests.core.harness import START

PLAN = plan(touchpoint("placed"), touchpoint("on_its_way"), touchpoint("delivered", final=True, window=None))
LARGEST = 256 * 1024  # bytes in the store


def after(events: Iterable[OrderEvent], order: Order | None = None) -> tuple[Order, int]:
    """The order after these events, and how many notifications they brought forth."""
    told = 0
    for it in events:
        decision = decide.on_event(order, it, PLAN, it.occurred_at + timedelta(days=1))
        told += len(decision.notifications)
        order = evolve(decision.order, pending=())
    assert order is not None
    return order, told


def pings(many: int, first: int = 2, **facts: object) -> list[OrderEvent]:
    return [event("on_its_way", START + timedelta(minutes=it), it, **facts) for it in range(first, first + many)]


def test_a_status_repeated_thousands_of_times_is_one_episode() -> None:
    entered = [event("placed", START, 0), event("on_its_way", START + timedelta(minutes=1), 1, reason="a strike")]
    events = entered + pings(5_000)
    order, told = after(events)
    assert told == 2
    assert len(order_row(order)["state"]) < LARGEST
    assert order.episode == 2
    assert facts.view(order)["reason"] == "a strike"
    assert {status for _, status in order.statuses} == {"placed", "on_its_way"}


def test_what_is_no_longer_remembered_of_it_has_no_effect_when_it_comes_again() -> None:
    events = [event("placed", START, 0), *pings(5_000)]
    order, _ = after(events)
    again, told = after(events[:1_000], order)
    assert told == 0
    for name in ("status", "status_rank", "episode", "deadline", "told_until", "facts"):
        assert getattr(again, name) == getattr(order, name)


def test_statuses_that_take_turns_are_forgotten_when_they_are_old() -> None:
    turns = [
        event(("placed", "on_its_way")[it % 2], START + timedelta(minutes=it), it, notify=False)
        for it in range(5_000)
    ]
    order, _ = after(turns)
    assert len(order_row(order)["state"]) < LARGEST
    assert facts.current_run_start(order.statuses) == order.status_rank


def test_of_too_many_details_the_newest_are_kept_whatever_order_they_come_in() -> None:
    events = pings(1_300)
    events = [
        event("on_its_way", it.occurred_at, number, **{f"details__at_{number}": "x" * 20})
        for number, it in enumerate(events)
    ]
    order, _ = after(events)
    kept = [name for name in order.facts if name.startswith("details.")]
    assert sorted(kept) == sorted(f"details.at_{number}" for number in range(1_300 - len(kept), 1_300))
    assert len(order_row(order)["state"]) < LARGEST
    Random(7).shuffle(events)
    assert after(events)[0].facts.keys() == order.facts.keys()


def test_what_comes_late_hides_nothing_that_is_known() -> None:
    """Where sightings are forgotten, nobody can tell any more which run a late one parts."""
    said = event(
        "on_its_way", START + timedelta(minutes=2), 2, reason="a strike", customer__id=7, customer__name="Ana"
    )
    events = [event("on_its_way", START + timedelta(minutes=1), 1, customer__id=7), said]
    order, told = after([*events, *pings(600, 3, customer__id=7)])
    late = event("placed", START + timedelta(seconds=90), 9_000, customer__id=8)
    order, more = after([late, event("on_its_way", START + timedelta(days=9), 9_001, reason="a strike")], order)
    assert (told, more) == (2, 0)
    shown = facts.view(order)
    assert (shown["reason"], shown["customer.name"]) == ("a strike", "Ana")


def test_what_comes_late_shows_nothing_of_another_customer() -> None:
    """Of a run that is over its last mark is kept, so that what belongs behind it does not come to stand within."""
    anas = pings(20, customer__id=7, customer__name="Ana", customer__email="ana@example.com")
    order, _ = after([*anas, *pings(680, 22, customer__id=8)])
    assert "customer.name" not in facts.view(order)
    late = event("on_its_way", START + timedelta(minutes=10, seconds=30), 9_000, customer__id=8)
    order, _ = after([late], order)
    assert "customer.name" not in facts.view(order)


def test_details_never_take_the_place_of_what_else_is_known() -> None:
    first = event("placed", START, 0, customer__name="Ana", promised_at="2026-03-20", details__total="1")
    many = event(
        "placed", START + timedelta(minutes=1), 1, **{f"details__{number}": number for number in range(2_000)}
    )
    order, _ = after([first, many])
    shown = facts.view(order)
    assert (shown["customer.name"], shown["promised_at"]) == ("Ana", "2026-03-20")
    assert "details.total" not in shown
    assert orjson.dumps(shown)
