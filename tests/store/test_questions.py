"""A link finds its question in both databases, and the states of questions are counted with the change."""

from __future__ import annotations

from dataclasses import replace

from avisa.core.model import Purpose
from avisa.core.question import QuestionState
from avisa.core.question_token import link_of
from avisa.store import Store
from tests.builders import NOW, notification
from tests.store.conftest import FreshDatabase
from tests.store.harness import change, lease_all, send

ASKED = notification(
    order_id="A/1", seq=2, recipient="owner:production", purpose=Purpose.ASK_OWNER, ordinal="1", reason="no_news"
)


async def asked(database: FreshDatabase) -> Store:
    store = await database.open()
    asking = replace(change("A/1"), notifications=(ASKED,), questions={QuestionState.OPEN: 1})
    await store.orders.commit([asking], now=NOW)
    return store


async def test_a_link_finds_its_question_and_once_it_was_sent_its_draft(database: FreshDatabase) -> None:
    store = await asked(database)
    found = await store.queries.question(link_of(ASKED.key))
    assert found is not None
    assert (found.notification.key, found.notification.order_id, found.draft) == (ASKED.key, "A/1", None)
    assert await store.queries.question(link_of(ASKED.key + "x")) is None
    await lease_all(store)
    await send(store, ASKED.key)
    found = await store.queries.question(link_of(ASKED.key))
    assert found is not None
    assert found.draft is not None


async def test_a_change_that_loses_its_race_counts_no_question(database: FreshDatabase) -> None:
    store = await asked(database)
    late = replace(change("A/1", version=7), questions={QuestionState.OPEN: -1, QuestionState.ANSWERED: 1})
    assert (await store.orders.commit([late], now=NOW)).lost == {"A/1"}
    counted = (await store.queries.gauges()).questions
    assert (counted[QuestionState.OPEN], counted[QuestionState.ANSWERED]) == (1, 0)
    await store.orders.commit([replace(late, order=replace(late.order, version=1))], now=NOW)
    counted = (await store.queries.gauges()).questions
    assert (counted[QuestionState.OPEN], counted[QuestionState.ANSWERED]) == (0, 1)
