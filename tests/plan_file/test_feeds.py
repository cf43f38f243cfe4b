"""`feeds` in the plan: what is taken, and where each mistake is reported."""

from __future__ import annotations

import pytest

from avisa.core.plan import Plan
from avisa.plan_file import read
from tests.feeds.plans import DEBEZIUM, SHOPIFY, TOPIC, mapped, plan, problems, text

GOOD = """\
envelope: debezium
only: {op: [c, u]}
only_if_changed: [after.status]
fields:
  order_id: after.id
  status: {from: after.status, values: {NEW: confirmed}}
  occurred_at: {from: after.changed, as: local, zone: Europe/Lisbon}
  details.items: "after.lines[].{name: title}"
"""

FIRST_LINE, INDENT = 4, 4  # before the feed, and of it
MISTAKES = [
    ("order_id: after.id", "order_number: after.id", "unknown_name", 5, 3, "there is no field 'order_number'"),
    ("details.items:", "customer.mail:", "unknown_name", 8, 3, "customer.email"),
    ("details.items:", "details.two words:", "unknown_name", 8, 3, "there is no field"),
    ("  order_id: after.id\n", "", "missing_key", 4, 1, "feeds.shop.orders.fields needs order_id"),
    ("after.id\n", "$.after.id\n", "bad_expression", 5, 13, "begins without $, at character 1"),
    ("after.id\n", "after.order id\n", "bad_expression", 5, 25, "`id` cannot stand here"),
    ("after.id\n", '"after.order-id"\n', "bad_expression", 5, 25, "needs quotes"),
    ("after.id\n", "[after.id]\n", "wrong_type", 5, 13, "begins with [ needs quotes"),
    ("after.id\n", "\n", "no_value", 5, 12, "order_id: there is no value"),
    ("after.id\n", ">\n    after.\n    id..x\n", "bad_expression", 5, 3, "cannot stand here"),
    ("from: after.status,", "from: lenght(after.status),", "bad_expression", 6, 18, "no function lenght"),
    ("from: after.status,", "form: after.status,", "unknown_key", 6, 12, "from"),
    ("from: after.status, ", "", "no_value", 6, 11, "status: there is no value"),
    ("{NEW: confirmed}", "[NEW]", "wrong_type", 6, 40, "must be a map"),
    ("as: local, zone: Europe/Lisbon", "as: local", "missing_key", 7, 3, "as: local needs a zone"),
    ("as: local, zone: Europe/Lisbon", "zone: Europe/Lisbon", "not_allowed", 7, 16, "a zone belongs to as: local"),
    ("zone: Europe/Lisbon", "zone: Lisbon", "unknown_name", 7, 55, "there is no time zone 'Lisbon'"),
    ("as: local", "as: unix", "not_allowed", 7, 42, "allowed: text, number"),
    ("envelope: debezium", "envelope: debesium", "not_allowed", 1, 11, "debezium"),
    ("envelope: debezium", "envelope: connect", "not_allowed", 3, 18, "needs envelope: debezium"),
    ("[after.status]", "[status]", "not_allowed", 3, 19, "`status` is no path to a column"),
    ("[after.status]", "[after.status, 'after[0']", "bad_expression", 3, 41, "ends too early"),
    ("{op: [c, u]}", "{'op =': c}", "bad_expression", 2, 12, "cannot stand here"),
    ("{op: [c, u]}", "op", "wrong_type", 2, 7, "must be a map"),
    ("only:", "notify: perhaps\nonly:", "wrong_type", 2, 9, "must be true or false"),
    ("only:", "nulls: keep\nonly:", "not_allowed", 2, 8, "clear, unknown"),
    ("only:", "filter: x\nonly:", "unknown_key", 2, 1, "filter is not a key"),
]


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "column", "words"), MISTAKES, ids=[f"{m[1][:40]}" for m in MISTAKES]
)
def test_a_mistake_in_a_feed_is_reported_at_its_place(
    old: str, new: str, code: str, line: int, column: int, words: str
) -> None:
    assert old in GOOD
    """The place is counted within the feed."""
    (found,) = problems(GOOD.replace(old, new, 1))
    assert words in found.summary
    assert found.line is not None
    assert found.column is not None
    assert (found.code, found.line - FIRST_LINE, found.column - INDENT) == (code, line, column)


def test_a_feed_that_is_good_is_taken() -> None:
    for feed in (GOOD, SHOPIFY, DEBEZIUM, "envelope: connect", mapped(details__x="{default: y}")):
        assert plan(feed).events.feeds.keys() == {TOPIC}


def test_a_topic_has_a_name_that_kafka_takes() -> None:
    (found,) = [read(text("envelope: connect", "'shop orders'"), file="plan.yaml")]
    assert isinstance(found, list)
    assert [each.code for each in found] == ["bad_name"]


def test_debezium_needs_its_fields_and_our_own_names_need_none() -> None:
    assert [each.message for each in problems("envelope: debezium")] == [
        "feeds.shop.orders.fields needs order_id and status"
    ]


def test_a_plan_that_is_the_same_compares_as_the_same() -> None:
    """`avisa simulate` reads the events of two plans once, if they read them alike."""
    assert plan(SHOPIFY).events == plan(SHOPIFY).events
    assert plan(SHOPIFY).events != plan(DEBEZIUM).events
    assert isinstance(read(text(SHOPIFY), file="plan.yaml"), Plan)
