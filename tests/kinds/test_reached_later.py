"""What failed for want of an address is told again, once, when there is another address."""

from __future__ import annotations

from datetime import timedelta

import pytest

from avisa.core.model import Purpose, Reason, State
from tests.builders import event, plan, touchpoint
from tests.core.harness import START, World
from tests.mails.harness import LOCALES, words

H = timedelta(hours=1)
WRONG, RIGHT = "ana@exmaple.com", "ana@example.com"
PLAN = plan(
    touchpoint("confirmed"),
    touchpoint("shipped", news=("tracking",)),
    touchpoint("delivered", final=True, window=None),
)
Row = tuple[str, dict[str, object]]

# Each story: events an hour apart, the reason of the last one, the statuses that reach the customer.
STORIES: dict[str, tuple[list[Row], str, str]] = {
    "none, then one": ([("confirmed", {}), ("confirmed", {"customer__email": RIGHT})], "facts_changed", "confirmed"),
    "refused, then corrected": (
        [("confirmed", {"customer__email": WRONG}), ("confirmed", {"customer__email": RIGHT})],
        "facts_changed",
        "confirmed",
    ),
    "none, then a wrong one, then the right one": (
        [
            (status, {"customer__email": email})
            for status, email in zip(["shipped"] * 3, [None, WRONG, RIGHT], strict=True)
        ],
        "facts_changed",
        "shipped",
    ),
    "a final status": (
        [("delivered", {}), ("delivered", {"customer__email": RIGHT})],
        "facts_changed",
        "delivered",
    ),
    "once only": (
        [
            ("confirmed", {}),
            ("confirmed", {"customer__email": RIGHT}),
            ("confirmed", {"customer__email": "b@b.example"}),
        ],
        "repeated",
        "confirmed",
    ),
    "the same wrong one again": (
        [("confirmed", {"customer__email": WRONG}), ("confirmed", {"customer__email": WRONG})],
        "repeated",
        "",
    ),
    "with the next status": (
        [("confirmed", {}), ("shipped", {"customer__email": RIGHT}), ("shipped", {"customer__email": RIGHT})],
        "repeated",
        "shipped",
    ),
    "what failed is true no more": (
        [("confirmed", {}), ("teleported", {"customer__email": RIGHT})],
        "unknown_status",
        "",
    ),
    "an event that asks not to tell": (
        [("confirmed", {}), ("confirmed", {"customer__email": RIGHT, "notify": False})],
        "not_to_tell",
        "",
    ),
    "and the next that does not ask so": (
        [("confirmed", {}), ("confirmed", {"customer__email": RIGHT, "notify": False}), ("confirmed", {})],
        "facts_changed",
        "confirmed",
    ),
    "another address where all went well": (
        [("confirmed", {"customer__email": RIGHT}), ("confirmed", {"customer__email": "b@b.example"})],
        "repeated",
        "confirmed",
    ),
}


@pytest.mark.parametrize(("rows", "reason", "told"), STORIES.values(), ids=STORIES)
def test_the_newest_update_is_told_when_it_can_be(rows: list[Row], reason: str, told: str) -> None:
    world = World(PLAN, asks_for_address=True, refused={WRONG})
    for number, (status, said) in enumerate(rows):
        world.take(event(status, world.now, number, **said))
        world.settle()
        world.now += H
    assert world.reasons[-1] == reason
    assert world.told() == told.split()
    assert [row.ordinal for row in world.rows.values() if row.purpose is Purpose.OWNER_ALERT].count(
        "unreachable"
    ) <= 1


def test_an_address_that_comes_late_by_an_older_event_is_used() -> None:
    world = World(PLAN, asks_for_address=True)
    world.take(event("delivered", START, 2))
    world.settle()
    assert world.take(event("confirmed", START - H, 1, customer__email=RIGHT)) is Reason.FACTS_CHANGED
    world.settle()
    assert world.told() == ["delivered"]
    assert world.order is not None and world.order.final


def test_a_moved_promise_that_was_refused_is_told_by_the_update() -> None:
    world = World(PLAN, asks_for_address=True)
    world.take(event("shipped", START, 1, customer__email=RIGHT, promised_at="2026-03-09"))
    world.settle()
    world.refused = {RIGHT}
    world.take(event("shipped", START, 2, promised_at="2026-03-12"))
    world.settle()
    assert world.take(event("shipped", START, 3, promised_at="2026-03-12")) is Reason.REPEATED
    assert world.take(event("shipped", START, 4, customer__email="b@b.example")) is Reason.FACTS_CHANGED
    world.settle()
    mails = [mail.key for mail in world.sent if mail.to_customer]
    assert mails == ["A-1/1/update/1/customer", "A-1/1/update/2/customer"]


def test_queued_again_by_hand_it_tells_a_date_that_is_kept() -> None:
    world = World(PLAN, asks_for_address=True)
    world.take(event("confirmed", START, 1))
    world.settle()
    world.now += H
    world.take(event("confirmed", world.now, 2, customer__email=RIGHT, notify=False))
    (key,) = [row.key for row in world.rows.values() if row.to_customer]
    world._move(key, State.QUEUED)  # as `avisa outbox retry` does
    world.settle()
    assert world.order is not None
    (mail,) = [mail for mail in world.sent if mail.to_customer]
    assert mail.next_update == world.order.told_until == world.order.deadline == world.now + 48 * H
    assert world.take(event("confirmed", world.now, 3, customer__email="b@b.example")) is Reason.REPEATED


PROMISED = {
    "en": "as soon as we know it, we tell the customer how the order stands",
    "pt-PT": "assim que o soubermos, dizemos ao cliente em que ponto está a encomenda",
    "pt-BR": "assim que soubermos, contamos ao cliente em que pé está o pedido",
    "es": "en cuanto la sepamos, contaremos al cliente cómo va su pedido",
    "ca": "tan bon punt la sapiguem, explicarem al client com està la comanda",
}


@pytest.mark.parametrize("locale", LOCALES)
def test_the_owner_is_promised_just_that(locale: str) -> None:
    assert PROMISED[locale] in words("customer-unreachable", locale).text
