"""A link finds its question in both databases, and the states of questions are counted with the change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from avisa.core.model import Purpose
from avisa.core.question import Asking, Question, QuestionState
from avisa.core.question_token import link_of
from avisa.store import Store
from avisa.store.sql import asking as coded
from avisa.store.sql.moments import micros
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


async def test_an_open_question_that_is_forgotten_with_its_order_was_not_answered(database: FreshDatabase) -> None:
    store = await database.open()
    question = Question(episode=1, number=1, status="confirmed", owner="care", rank=(1, -1, 1), asked_at=NOW)
    quiet = change("A-1", wake_at=None, last_word_at=NOW - timedelta(days=500), asking=Asking(questions=(question,)))
    asked = replace(ASKED, order_id="A-1", key=ASKED.key.replace("A/1", "A-1"))
    asking = replace(quiet, questions={QuestionState.OPEN: 1}, notifications=(asked,))
    await store.orders.commit([asking], now=NOW)
    await store.operations.drop([asked.key], now=NOW - timedelta(days=500))
    assert await store.operations.retire(quiet_since=NOW - timedelta(days=400), limit=9) == 1
    counted = (await store.queries.gauges()).questions
    assert (counted[QuestionState.OPEN], counted[QuestionState.UNANSWERED]) == (0, 1)
    assert await store.queries.question(link_of(asked.key)) is None


async def test_a_question_is_kept_with_its_date_and_its_window(database: FreshDatabase) -> None:
    store = await database.open()
    question = Question(episode=1, number=1, status="confirmed", owner="care", rank=(1, -1, 1), asked_at=NOW)
    other = replace(question, number=2, promise="2026-03-09", counted_from=NOW, messages=3)
    asking = Asking(questions=(question, other), due=NOW)
    await store.orders.commit([change("A-1", asking=asking)], now=NOW)
    assert (await store.orders.load({"A-1"}))["A-1"].asking == asking


@pytest.mark.parametrize("late", [[], ["2026-03-09"]])
def test_a_question_that_an_older_version_wrote_names_no_window(late: list[str]) -> None:
    row = [1, 1, "confirmed", "care", [1, -1, 1], micros(NOW), None, None, None, "", *late]
    question = Question(episode=1, number=1, status="confirmed", owner="care", rank=(1, -1, 1), asked_at=NOW)
    assert coded.read([None, None, [], row]).questions == (replace(question, promise=late[0] if late else None),)


async def test_a_change_that_loses_its_race_counts_no_question(database: FreshDatabase) -> None:
    store = await asked(database)
    late = replace(change("A/1", version=7), questions={QuestionState.OPEN: -1, QuestionState.ANSWERED: 1})
    assert (await store.orders.commit([late], now=NOW)).lost == {"A/1"}
    counted = (await store.queries.gauges()).questions
    assert (counted[QuestionState.OPEN], counted[QuestionState.ANSWERED]) == (1, 0)
    await store.orders.commit([replace(late, order=replace(late.order, version=1))], now=NOW)
    counted = (await store.queries.gauges()).questions
    assert (counted[QuestionState.OPEN], counted[QuestionState.ANSWERED]) == (0, 1)
