"""What a feed makes of other programs' records."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avisa import events
from avisa.core.model import OrderEvent, Reason
from avisa.core.plan import Plan
from avisa.events.schema import Customer, PlainData
from avisa.feeds.field import DECIDE, KINDS, is_field
from avisa.plan_file import read
from avisa.ports import Skipped, Unreadable
from tests.events.records import plain
from tests.feeds.plans import DEBEZIUM, SHOPIFY, event, mapped, plan, record, taken, text

ORDER = {
    "id": 820982911946154508,
    "name": "#1001",
    "email": "ana@example.com",
    "fulfillment_status": "fulfilled",
    "cancelled_at": None,
    "updated_at": "2026-03-02T11:15:00+01:00",
    "customer": {"first_name": "Ana", "last_name": None, "email": "old@example.com"},
    "line_items": [{"title": "Vase", "quantity": 1, "sku": "V-1"}],
}
CHANGE = {
    "before": {"id": 7, "status": "NEW", "email": "ana@example.com"},
    "after": {
        "id": 7,
        "status": "IN-PRODUCTION",
        "updated_at": 1772446500123456,
        "eta": 20521,
        "email": "ana@example.com",
    },
    "op": "u",
    "source": {"table": "orders"},
}


def changed(**of: Any) -> dict[str, Any]:
    return CHANGE | of


# ---------------------------------------------------------------- whole shapes


def test_an_order_of_a_shop_becomes_an_event() -> None:
    found = event(SHOPIFY, ORDER)
    assert (found.order_id, found.status, found.notify) == ("820982911946154508", "shipped", True)
    assert found.occurred_at == datetime(2026, 3, 2, 10, 15, tzinfo=UTC)
    assert found.facts == {
        "customer.email": "ana@example.com",
        "customer.name": "Ana",
        "details.number": "#1001",
        "details.items": [{"name": "Vase", "quantity": 1}],
    }
    assert found.left_out == ()


def test_the_first_of_two_statuses_that_says_something_counts() -> None:
    assert event(SHOPIFY, ORDER | {"cancelled_at": "2026-03-02T11:15:00+01:00"}).status == "cancelled"


@pytest.mark.parametrize("wrapped", [False, True], ids=["plain", "in Connect's schema and payload"])
def test_a_change_of_debezium_becomes_an_event(wrapped: bool) -> None:
    found = event(DEBEZIUM, {"schema": {"type": "struct"}, "payload": CHANGE} if wrapped else CHANGE)
    assert (found.order_id, found.status) == ("7", "in_production")
    assert found.occurred_at == datetime(2026, 3, 2, 10, 15, 0, 123456, tzinfo=UTC)
    assert found.facts == {"promised_at": "2026-03-09", "customer.email": "ana@example.com"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (changed(op="d", after=None), Reason.DELETED),
        ({"op": "t", "source": {}}, Reason.DELETED),
        (changed(before=CHANGE["after"]), Reason.UNCHANGED),
        (changed(after=CHANGE["after"] | {"status": "__debezium_unavailable_value"}), Reason.UNCHANGED),
        (None, Reason.TOMBSTONE),
    ],
    ids=["deleted", "truncated", "the same status", "a status it was not shown", "tombstone"],
)
def test_a_change_that_is_no_news_is_skipped(change: Any, reason: Reason) -> None:
    found = taken(DEBEZIUM, change)
    assert isinstance(found, Skipped)
    assert found.reason is reason


def test_where_the_row_before_is_not_known_all_counts_as_changed() -> None:
    assert event(DEBEZIUM, changed(before=None)).status == "in_production"
    assert event(DEBEZIUM, changed(before={"id": 7})).status == "in_production"
    assert event(DEBEZIUM, changed(op="c", before=None)).status == "in_production"


def test_a_row_of_the_first_snapshot_is_recorded_and_not_told() -> None:
    assert event(DEBEZIUM, changed(op="r", before=None)).notify is False


@pytest.mark.parametrize("value", ["__debezium_unavailable_value", ["__debezium_unavailable_value"]])
def test_a_column_that_debezium_was_not_shown_is_absent(value: Any) -> None:
    row = CHANGE["after"]
    assert isinstance(row, dict)
    found = event(DEBEZIUM, changed(after=row | {"email": value, "unused": value}))
    assert found.facts == {"promised_at": "2026-03-09"}
    assert found.left_out == ()


@pytest.mark.parametrize("content", [{"id": 7}, changed(op="x"), changed(after=None), changed(op=None), [CHANGE], 7])
def test_what_is_no_change_of_debezium_is_a_dead_letter_that_says_so(content: Any) -> None:
    found = taken(DEBEZIUM, content)
    assert isinstance(found, Unreadable)
    assert (found.stage, found.reason) == ("feed", Reason.WRONG_TYPE)
    assert "change of Debezium" in found.message


def test_a_payload_of_connect_is_read_with_and_without_its_schema() -> None:
    feed = "envelope: connect\n" + mapped()
    for content in ({"id": 1, "state": "shipped"}, {"schema": {}, "payload": {"id": 1, "state": "shipped"}}):
        assert event(feed, content).order_id == "1"


def test_without_fields_the_records_have_our_own_names() -> None:
    same = event("envelope: connect", {"schema": {}, "payload": plain(customer={"id": 7}, details={"n": 1})})
    assert same.facts == {"customer.id": "7", "details.n": 1}


def test_a_topic_without_a_feed_is_read_as_before() -> None:
    rules = plan(SHOPIFY).events
    own = record(plain(), "orders.status")
    assert events.read(own, rules=rules) == events.read(own)
    assert isinstance(events.read(own, rules=rules), OrderEvent)


# ---------------------------------------------------------------- one field


def value_of(written: str, content: Any, name: str = "details.x") -> Any:
    """What the field becomes. The content is under `v`."""
    found = event(mapped(**{name: written}), {"id": 1, "state": "shipped", "v": content})
    return found.facts.get(name, ("left out",) if name in found.left_out else None)


@pytest.mark.parametrize(
    ("written", "content", "becomes"),
    [
        ("v", 820982911946154508, 820982911946154508),
        ("{from: v, as: text}", 820982911946154508, "820982911946154508"),
        ("{from: v, as: text}", 12.5, "12.5"),
        ("{from: v, as: text}", True, "true"),
        ("{from: v, as: text}", {}, ("left out",)),
        ("{from: v, as: number}", " 12 ", 12),
        ("{from: v, as: number}", "12.50", 12.5),
        ("{from: v, as: number}", "1e5", ("left out",)),
        ("{from: v, as: day}", "2026-03-09T00:00:00", "2026-03-09"),
        ("{from: v, as: day}", "9.3.2026", ("left out",)),
        ("{from: v, as: days}", 20521, "2026-03-09"),
        ("{from: v, as: days}", 10**40, ("left out",)),
        ("{from: v, as: epoch_s}", 1772446500, "2026-03-02T10:15:00Z"),
        ("{from: v, as: epoch_s}", "1772446500", "2026-03-02T10:15:00Z"),
        ("{from: v, as: epoch_ms}", 1772446500250, "2026-03-02T10:15:00.250000Z"),
        ("{from: v, as: epoch_us}", 1772446500000001, "2026-03-02T10:15:00.000001Z"),
        ("{from: v, as: epoch_ns}", 1772446500000001999, "2026-03-02T10:15:00.000001Z"),
        ("{from: v, as: epoch_s}", 1.5, ("left out",)),
        ("{from: v, as: epoch_s}", True, ("left out",)),
        ("{from: v, as: epoch_ns}", 10**300, ("left out",)),
        ("{from: v, as: local, zone: Europe/Lisbon}", "2026-07-02 11:15:00", "2026-07-02T10:15:00Z"),
        ("{from: v, as: local, zone: Europe/Lisbon}", "2026-07-02T11:15", "2026-07-02T10:15:00Z"),
        ("{from: v, as: local, zone: Europe/Lisbon}", "2026-07-02T11:15:00+05:00", "2026-07-02T11:15:00+05:00"),
        ("{from: v, as: local, zone: Europe/Lisbon}", "2026-02-30T11:15:00", ("left out",)),
        ("{from: v, as: minor}", 12990, "129.90"),
        ("{from: v, as: minor}", "-5", "-0.05"),
        ("{from: v, as: minor}", 12.5, ("left out",)),
        ("{from: v, values: {A: one, in production: two}}", "A", "one"),
        ("{from: v, values: {A: one, in production: two}}", "IN_PRODUCTION", "two"),
        ("{from: v, values: {A: one, in production: two}}", " In-Production ", "two"),
        ("{from: v, values: {a: one, A: two}}", "a", "one"),
        ("{from: v, values: {a: one, A: two}}", "A", "two"),
        ("{from: v, values: {A: one}}", "other", "other"),
        ("{from: v, values: {'3': three}}", 3, "three"),
        ("{from: v, values: {'true': yes it is}}", True, "yes it is"),
        ("{from: v, default: EUR}", None, "EUR"),
        ("{from: v, default: EUR}", "  ", "EUR"),
        ("{from: missing, default: EUR}", 1, "EUR"),
        ("{default: EUR}", 1, "EUR"),
        ("v[0].a", [{"a": "b"}], "b"),
        ("v[-1].a", [{"a": "b"}], "b"),
        ("v[3].a", [{"a": "b"}], None),
        ("v.a.b", {"a": "text"}, None),
        ("v[0]", "text", None),
        ("'\"odd-name\"'", 1, None),
        ("length(v)", [1, 2], 2),
        ("length(v)", 5, ("left out",)),
        ("v[?@ > `1`]", [1, 2, "x"], [2]),
        ("to_number(v)", "1e999", ("left out",)),
        ("to_number(v)", "nan", ("left out",)),
    ],
)
def test_a_field_is_made_of_what_is_there(written: str, content: Any, becomes: Any) -> None:
    assert value_of(written, content) == becomes


def test_an_amount_in_the_smallest_unit_knows_its_currency() -> None:
    feed = mapped(details__total="{from: v, as: minor}", details__currency="c")
    for currency, total in (("EUR", "129.90"), ("jpy", "12990"), ("KWD", "12.990"), (None, "129.90"), (7, "129.90")):
        found = event(feed, {"id": 1, "state": "s", "v": 12990, "c": currency})
        assert found.facts["details.total"] == total


def test_numbers_are_taken_for_texts_and_words_for_true_and_false() -> None:
    feed = mapped(customer__id="c", sequence="n", notify="{from: t, values: {'true': 'false', 'false': 'true'}}")
    found = event(feed, {"id": 12, "state": 3, "c": 7, "n": "41", "t": True})
    assert (found.order_id, found.status, found.sequence, found.notify) == ("12", "3", 41, False)
    assert found.facts == {"customer.id": "7"}


def test_a_whole_map_is_overlaid_by_its_keys() -> None:
    feed = mapped(customer__email="mail", customer="buyer", details="more", details__number="n")
    content = {"id": 1, "state": "s", "mail": "b@example.com", "n": "7", "more": {"number": "1", "x": 2}}
    found = event(feed, content | {"buyer": {"name": "Ana", "email": "a@example.com"}})
    assert found.facts == {
        "customer.name": "Ana",
        "customer.email": "b@example.com",
        "details.number": "7",
        "details.x": 2,
    }
    odd = event(feed, content | {"buyer": "Ana", "more": [1]})
    assert "customer.email" in odd.left_out
    assert "details.number" in odd.left_out


def test_a_slot_is_made_of_two_moments() -> None:
    feed = mapped(promised_at__from="a", promised_at__until="b")
    times = {"a": "2026-03-09T10:00:00Z", "b": "2026-03-09T12:00:00Z"}
    slot = event(feed, {"id": 1, "state": "s"} | times)
    assert slot.facts == {"promised_at": "2026-03-09T10:00:00Z/2026-03-09T12:00:00Z"}
    assert event(feed, {"id": 1, "state": "s", "a": times["a"]}).facts == {}


def test_an_event_can_bring_its_own_identity() -> None:
    feed = mapped(id="e", source="{default: /shop}")
    found = event(feed, {"id": 1, "state": "s", "e": 99})
    assert found.event_id == "99"
    again = events.read(record({"id": 1, "state": "t", "e": 99}), rules=plan(feed).events)
    assert isinstance(again, OrderEvent)
    assert again.identity == found.identity


@pytest.mark.parametrize(
    ("nulls", "path", "expression"),
    [
        ("", {"promised_at": None}, {}),
        ("nulls: unknown\n", {}, {}),
        ("nulls: clear\n", {"promised_at": None}, {"promised_at": None}),
    ],
)
def test_a_null_clears_as_the_feed_says(nulls: str, path: Any, expression: Any) -> None:
    content = {"id": 1, "state": "s", "eta": None}
    assert event(nulls + mapped(promised_at="eta"), content).facts == path
    assert event(nulls + mapped(promised_at="eta || other"), content).facts == expression
    assert event(nulls + mapped(promised_at="other"), content).facts == {}


def test_only_takes_what_has_the_values() -> None:
    feed = mapped() + "only:\n  kind: [order, 3]\n  \"source != 'pos'\": true\n"
    sent = {"id": 1, "state": "s", "kind": "order"}
    assert event(feed, sent).order_id == "1"
    assert event(feed, sent | {"kind": 3}).order_id == "1"
    for other in ({"kind": "draft"}, {"kind": None}, {"kind": ["order"]}, {"source": "pos"}):
        found = taken(feed, sent | other)
        assert isinstance(found, Skipped)
        assert found.reason is Reason.FILTERED


def test_a_feed_that_is_not_to_notify_records_all() -> None:
    assert event("notify: false\n" + mapped(notify="n"), {"id": 1, "state": "s", "n": True}).notify is False


# ---------------------------------------------------------------- what decides


@pytest.mark.parametrize(
    ("feed", "content", "reason", "words"),
    [
        (mapped(), {"state": "s"}, Reason.NO_ORDER_ID, "/order_id: is missing or empty (`id`)"),
        (mapped(), {"id": 1}, Reason.NO_STATUS, "/status: is missing or empty (`state`)"),
        (mapped(), {"id": [1], "state": "s"}, Reason.WRONG_TYPE, "(`id`)"),
        (mapped(order_id="{from: id, as: text}"), {"id": [1], "state": "s"}, Reason.WRONG_TYPE, "is no text"),
        (mapped(occurred_at="at"), {"id": 1, "state": "s", "at": "2026-03-02"}, Reason.BAD_TIME, "(`at`)"),
        (mapped(occurred_at="{from: at, as: epoch_ms}"), {"id": 1, "state": "s", "at": "x"}, Reason.BAD_TIME, "`at`"),
        (mapped(part="p"), {"id": 1, "state": "s", "p": ["RR-1"]}, Reason.WRONG_TYPE, "(`p`)"),
        (mapped(part__id="p"), {"id": 1, "state": "s", "p": ["RR-1"]}, Reason.WRONG_TYPE, "(`p`)"),
        (mapped(part__id="p"), {"id": 1, "state": "s", "p": True}, Reason.WRONG_TYPE, "(`p`)"),
        (mapped(notify="n"), {"id": 1, "state": "s", "n": "perhaps"}, Reason.WRONG_TYPE, "(`n`)"),
        (mapped(), [], Reason.NO_ORDER_ID, "(`id`)"),
        (mapped(), "text", Reason.WRONG_TYPE, "must be an object"),
        (mapped() + "only: {'length(x)': 1}", {"x": 5}, Reason.WRONG_TYPE, "only: length() cannot take"),
        (mapped(), b"{", Reason.NOT_JSON, "not JSON"),
        (mapped(), b"\0\0\0\0\7{}", Reason.NOT_JSON, "registry"),
        (mapped(), b"[" * 33 + b"]" * 33, Reason.TOO_DEEP, "32 deep"),
        (mapped(), b" " * (1024 * 1024 + 1), Reason.TOO_LARGE, "1048577"),
    ],
)
def test_what_decides_makes_a_dead_letter_that_names_the_origin(
    feed: str, content: Any, reason: Reason, words: str
) -> None:
    found = taken(feed, content)
    assert isinstance(found, Unreadable), found
    assert found.reason is reason
    assert words in found.message
    assert found.record.value == record(content).value  # to be taken in again, when the mapping is better


def test_a_sequence_decides_where_the_plan_ranks_by_it() -> None:
    feed, content = mapped(sequence="{from: n, as: number}"), {"id": 1, "state": "s", "n": "x"}
    assert event(feed, content).left_out == ("sequence",)
    ranked = read(text(feed) + "events: {rank_by: sequence}\n", file="plan.yaml")
    assert isinstance(ranked, Plan)
    found = events.read(record(content), rules=ranked.events)
    assert isinstance(found, Unreadable)
    assert found.reason is Reason.WRONG_TYPE


# ---------------------------------------------------------------- agreement with the reader


def test_every_field_of_an_event_can_be_mapped() -> None:
    own = {name for name in PlainData.model_fields if name != "customer"} | {"customer"}
    of_customer = {f"customer.{name}" for name in Customer.model_fields}
    assert KINDS.keys() == own | of_customer | {"promised_at.from", "promised_at.until", "part.id", "part.of"}
    assert KINDS.keys() > DECIDE
    assert is_field("details.number")
    assert not is_field("details.")
    assert not is_field("customer.age")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)
_SLOT = ("promised_at.from", "promised_at.until")
_SAME = mapped(**{name.replace(".", "__"): name for name in KINDS if name not in _SLOT})


@given(
    st.fixed_dictionaries(
        {"order_id": st.text(max_size=5) | st.integers(), "status": st.sampled_from(["shipped", "x"]) | _JSON},
        optional={name: _JSON for name in PlainData.model_fields if name not in ("order_id", "status", "customer")}
        | {"customer": st.dictionaries(st.sampled_from(list(Customer.model_fields)), _JSON, max_size=4)},
    )
)
def test_a_feed_of_our_own_names_reads_what_is_read_without_it(content: Any) -> None:
    """But for the words of what is wrong, and what is easily taken for a text."""
    value = json.dumps(content).encode()
    plain_rules, rules = plan(mapped()).events, plan("envelope: connect").events
    bare = events.read(record(value, "other"), rules=plain_rules)
    same = events.read(record(value), rules=rules)
    assert type(bare) is type(same)
    if isinstance(bare, OrderEvent) and isinstance(same, OrderEvent):
        assert (same.order_id, same.status, same.facts) == (bare.order_id, bare.status, bare.facts)
        assert set(same.left_out) == set(bare.left_out)
        by_name = events.read(record(value), rules=plan(_SAME).events)
        assert isinstance(by_name, OrderEvent)
        assert (by_name.order_id, by_name.status) == (bare.order_id, bare.status)
    elif isinstance(bare, Unreadable) and isinstance(same, Unreadable):
        assert same.reason is bare.reason
