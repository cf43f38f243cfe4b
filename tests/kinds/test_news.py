"""A detail that the touchpoint calls news is told when it changes, with the touchpoint's message."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from avisa.core import context, facts
from avisa.core.model import Json, Purpose
from tests.builders import event, plan, touchpoint
from tests.core.harness import START, World
from tests.mails.harness import LOCALES, shipped
from tests.templates.harness import mailed

H = timedelta(hours=1)
PLAN = plan(
    touchpoint("shipped", news=("tracking", "shipments", "slot"), burst_wait=H / 6),
    touchpoint("delivered", final=True, window=None, news=("tracking",)),
)
Facts = dict[str, object]

# Facts of events an hour apart, all of one status; the reasons; the names that each mail's `changed` has.
STORIES: dict[str, tuple[list[Facts], str, list[list[str]]]] = {
    "tracking is added": ([{}, {"details__tracking": "RR1"}], "entered facts_changed", [[], ["tracking"]]),
    "it is there at once": ([{"details__tracking": "RR1"}, {}], "entered repeated", [[]]),
    "it stays": ([{"details__tracking": "RR1"}, {"details__tracking": "RR1"}], "entered repeated", [[]]),
    "a second parcel": (
        [{"details__shipments": [{"id": 1}]}, {"details__shipments": [{"id": 1}, {"id": 2}]}],
        "entered facts_changed",
        [[], ["shipments"]],
    ),
    "a changed slot, and more": (
        [{"details__slot": {"from": 9}}, {"details__slot": {"from": 10}, "details__tracking": "RR1"}],
        "entered facts_changed",
        [[], ["tracking", "slot"]],
    ),
    "another detail": ([{}, {"details__weight": 3}], "entered repeated", [[]]),
    "a zero": ([{}, {"details__slot": 0}], "entered facts_changed", [[], ["slot"]]),
    "nothing to show": (
        [{"details__tracking": "RR1"}, {"details__tracking": None}, {"details__slot": ""}],
        "entered repeated repeated",
        [[]],
    ),
    "a reason only": ([{}, {"reason": "ice"}], "entered facts_changed", [[], []]),
    "a reason too": ([{}, {"reason": "ice", "details__slot": 1}], "entered facts_changed", [[], ["slot"]]),
    "not to tell": ([{}, {"details__tracking": "RR1", "notify": False}], "entered not_to_tell", [[]]),
}


@pytest.mark.parametrize("status", ["shipped", "delivered"])
@pytest.mark.parametrize(("said", "reasons", "changed"), [STORIES["tracking is added"]])
def test_news_is_told_in_final_statuses_too(
    status: str, said: list[Facts], reasons: str, changed: list[list[str]]
) -> None:
    assert told(status, said) == (reasons, changed)


@pytest.mark.parametrize(("said", "reasons", "changed"), STORIES.values(), ids=STORIES)
def test_what_changed_is_told_once(said: list[Facts], reasons: str, changed: list[list[str]]) -> None:
    assert told("shipped", said) == (reasons, changed)


def test_a_promise_that_moved_with_it_is_told_by_the_same_message() -> None:
    world = World(PLAN)
    world.take(event("shipped", START, 1, promised_at="2026-03-09"))
    world.live(H)
    world.take(event("shipped", world.now, 2, promised_at="2026-03-12", details__tracking="RR1"))
    world.live(H)
    assert [(mail.purpose, mail.promise_before) for mail in world.sent[1:]] == [(Purpose.UPDATE, "2026-03-09")]


def test_news_that_comes_while_news_waits_is_told_together() -> None:
    world = World(PLAN)
    world.take(event("shipped", START, 1))
    world.live(H)
    world.take(event("shipped", world.now, 2, details__tracking="RR1"))
    world.take(event("shipped", world.now, 3, details__slot=7))
    world.live(H)
    assert len(world.sent) == 2
    assert world.order is not None and world.order.changed == ("tracking", "slot")


TRACKINGS: list[tuple[Json, str]] = [
    ("RR123456785PT", "RR123456785PT"),
    (["RR1", "RR2"], "RR1, RR2"),
    (1042, "1042"),
    ({"carrier": "x"}, ""),
    ([], ""),
    (None, ""),
]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(("tracking", "shown"), TRACKINGS)
def test_the_news_of_the_shipped_plan_is_in_the_mail(tracking: Json, shown: str, locale: str) -> None:
    rendered, _ = mailed(shipped(), "shipped", customer_locale=locale, details_tracking=tracking)
    line = re.compile(r"^(?:Tracking|Número|Código) [^:]*: (.*)$", re.MULTILINE)
    assert line.findall(rendered.text) == ([shown] if shown else [])
    assert shown in rendered.html


def told(status: str, said: list[Facts]) -> tuple[str, list[list[str]]]:
    """The reasons, and what `changed` was in each mail, when such events come an hour apart."""
    world = World(PLAN)
    changed: list[list[str]] = []
    for number, more in enumerate(said):
        world.take(event(status, world.now, number, **more))
        before = len(world.sent)
        world.live(H)
        assert world.order is not None
        for mail in world.sent[before:]:
            shown = context.build(world.order, mail, PLAN, world.now, facts.view(world.order))
            changed.append(shown.get("changed", []))
    return " ".join(world.reasons), changed
