"""Mappings and payloads by people who wish us ill end in an answer: an event, a skipped record or a dead letter."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avisa import events
from avisa.core.model import OrderEvent
from avisa.feeds import expression, interpreter
from avisa.feeds.expression import ABSENT, Expression, ExpressionError, Fault, Path
from avisa.feeds.interpreter import Interpreter, TooManyStepsError
from avisa.ports import Skipped, Unreadable
from tests.feeds.attacks import EXPRESSIONS, payloads, strike
from tests.feeds.plans import DEBEZIUM, SHOPIFY, mapped, plan, record


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_without_end_is_ended(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "BUDGET", interpreter.BUDGET // 50)
    for payload in payloads(16 * 1024).values():
        for found in strike(EXPRESSIONS[name], payload):
            assert isinstance(found, OrderEvent | Skipped | Unreadable)
            if isinstance(found, OrderEvent):
                assert len(orjson.dumps(found.facts)) < 64 * 1024


def test_what_is_too_much_for_a_detail_leaves_the_event_whole() -> None:
    feed = plan(mapped(details__x=json.dumps(EXPRESSIONS["doubled and written"]), details__y="v")).events
    found = events.read(record({"id": 1, "state": "s", "v": 2}), rules=feed)
    assert isinstance(found, OrderEvent)
    assert (found.facts, found.left_out) == ({"details.y": 2}, ("details.x",))


def test_a_list_of_thousands_of_items_is_no_attack() -> None:
    items = [{"title": f"Item {n}", "quantity": n} for n in range(1, 1_000)]
    found = events.read(record({"id": 1, "fulfillment_status": "s", "line_items": items}), rules=plan(SHOPIFY).events)
    assert isinstance(found, OrderEvent)
    assert len(found.facts["details.items"]) == 999


def test_many_fields_of_one_large_text_are_as_many_as_there_is_room_for() -> None:
    feed = mapped(**{f"details__f{n}": "v" for n in range(190)})
    found = events.read(record({"id": 1, "state": "s", "v": "x" * 60_000}), rules=plan(feed).events)
    assert isinstance(found, OrderEvent)
    assert list(found.facts) == ["details.f0"]
    assert len(found.left_out) == 189


def test_what_two_fields_share_is_mended_in_each() -> None:
    feed = mapped(details__items="'[v, v]'", details__more="'[v, v]'")
    content = {"id": 1, "state": "s", "v": {"name": True, "quantity": "1"}}
    found = events.read(record(content), rules=plan(feed).events)
    assert isinstance(found, OrderEvent)
    assert found.facts["details.items"] == [{"quantity": "1"}, {"quantity": "1"}]


def test_a_literal_of_the_plan_is_the_same_for_every_record() -> None:
    rules = plan(mapped(details__items='"`[{\\"name\\": \\"[object Object]\\", \\"quantity\\": true}]`"')).events
    first, second = (
        events.read(record({"id": n, "state": "s", "x": "[object Object]"}), rules=rules) for n in (1, 1)
    )
    assert first == second


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "there is no expression"),
        ("a.", "ends too early"),
        ("a ||", "ends too early"),
        ("$.a.b", "begins without $"),
        ("tracking-code", "needs quotes"),
        ("a b", "`b` cannot stand here"),
        ("lenght(a)", "no function lenght"),
        ("join(a)", "join() takes 2, not 1"),
        ("merge()", "at least 1"),
        ("&a", "& belongs into"),
        ("to_array(&a)", "& belongs into"),
        ("[&a]", "& belongs into"),
        ("`NaN`", "no JSON"),
        ("a == `text`", "single quotes"),
        ('`"\\ud800"`', "no JSON"),
        ("(" * 900 + "a" + ")" * 90, "deep"),
        ("!" * 100 + "a", "deep"),
        ("[" + ",".join(["a"] * 300) + "]", "parts"),
        ("a" * 1_001, "characters"),
    ],
)
def test_a_fault_is_found_when_the_plan_is_read(text: str, words: str) -> None:
    fault = expression.parse(text)
    assert isinstance(fault, Fault), fault
    assert words in fault.message
    assert 0 <= fault.at <= len(text)


_WORDS = st.sampled_from(
    [
        *"abc.[]{}()|&!@*:,<>=`'\"$-0123 ",
        *"|| && == [? [] [*] `1` 'x' @.a a.b [::0] to_string( map(& sort_by( length( join(',', merge(".split(),
        *"values( not_null( to_number( sum( avg( ceil(".split(),
    ]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=15,
)


@given(st.lists(_WORDS, max_size=14).map("".join), _JSON)
def test_any_text_is_an_expression_or_a_fault_and_any_value_gives_json(text: str, content: Any) -> None:
    found = expression.parse(text)
    if isinstance(found, Fault):
        assert 0 <= found.at <= len(text)
        return
    assert isinstance(found, Path | Expression)
    try:
        value = found.find(content, Interpreter())
    except (ExpressionError, TooManyStepsError):
        return
    if value is not ABSENT:
        json.dumps(value)


_NAMES = st.sampled_from("id status state op before after payload schema v updated_at eta email".split())
_RECORDS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["u", "r", "d", "c", "__debezium_unavailable_value", "[object Object]", "\0", "x" * 70_000])
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=6),
    max_leaves=20,
)
_RULES = [
    plan(feed).events
    for feed in (
        DEBEZIUM,
        SHOPIFY,
        "envelope: connect",
        mapped(customer="v", details="after", sequence="v", notify="v"),
    )
]


@given(_RECORDS)
def test_any_record_becomes_an_event_or_is_set_aside(content: Any) -> None:
    for rules in _RULES:
        found = events.read(record(content), rules=rules)
        assert isinstance(found, OrderEvent | Skipped | Unreadable)
        if isinstance(found, OrderEvent):
            orjson.dumps(found.facts)
