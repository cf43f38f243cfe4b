"""What templates are told of an order."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import product

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avisa.core import context, facts, samples
from avisa.core.context import whole_name
from avisa.core.first_names import first_name_in
from avisa.core.model import Fact
from avisa.core.shapes import (
    LONGEST_LINE,
    LONGEST_NAME,
    LONGEST_TEXT,
    Notes,
    are_plain,
    detail,
    order_detail,
    text_of,
)
from tests.depth import examples
from tests.templates.harness import NOW, usual
from tests.tools.contrast import contrast, rgb


@given(st.text(max_size=500))
def test_every_name_can_be_greeted(name: str) -> None:
    whole = whole_name(name)
    assert len(whole) <= LONGEST_NAME
    assert whole == " ".join(whole.split())
    assert first_name_in(whole) in ("", *whole.split(), whole.split(" ")[0].capitalize())


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_every_value_can_be_frozen(value: object) -> None:
    cleaned = detail(value, Notes())
    assert cleaned is None or orjson.loads(orjson.dumps(cleaned)) is not None
    assert "\x1e" not in str(cleaned)


words = st.text(alphabet="aZ9 .éã\u05d0\u00a0\t\n\u200b\u202e\u0301", max_size=6)
texts = (
    words
    | words
    | st.sampled_from(["Tapete de lã", "x" * LONGEST_LINE, "x" * (LONGEST_LINE + 1), "y" * LONGEST_TEXT])
)
leaves = texts | st.integers(0, 3) | st.integers() | st.sampled_from([None, True, 1.5, [], {"a": 1}])
plain_items = st.fixed_dictionaries({"name": texts}, optional={"sku": leaves, "quantity": leaves})
any_items = plain_items | st.dictionaries(st.sampled_from(["name", "_name", "title"]), leaves) | leaves


@examples(2_000)
@given(st.lists(plain_items, max_size=4) | st.lists(any_items, max_size=4))
def test_items_that_look_plain_are_those_in_which_nothing_is_to_be_changed(items: list[object]) -> None:
    """One that is not plain has all of them looked at with care."""
    notes = Notes()
    with_care = order_detail("items", [{"name": 1.5}, *items], notes)[1:]
    assert order_detail("items", items, Notes()) == with_care
    if are_plain(items):
        assert with_care == items
        assert not notes


def test_most_items_are_plain() -> None:
    assert are_plain([{"name": "Tapete de lã", "quantity": 2}, {"name": "Chair", "sku": "A-1"}])


def _key(name: str) -> str:
    return name if name in {"reason", "promised_at"} else name.replace("_", ".", 1)


def built(**known: object):
    order, notification = samples.samples("shown", usual().plan, NOW)["full"]
    set_facts = {_key(name): Fact(rank=(9, 0, 0), value=value) for name, value in known.items()}
    order = replace(order, facts={**order.facts, **set_facts})
    return context.build(order, notification, usual().plan, NOW, facts.view(order))


def test_the_number_falls_back_to_the_id_and_details_do_not_cover_it() -> None:
    assert built()["order"]["number"] == "1042"
    assert built(details_number=None)["order"]["number"] == "A-1042"
    assert built(details_number=" ")["order"]["number"] == "A-1042"
    assert built(details_number=7)["order"]["number"] == "7"
    assert built(details_id="x")["order"]["id"] == "A-1042"


def test_what_is_not_known_is_not_there() -> None:
    values = built(reason=None, details_total=None, details_url={"x": 1})
    assert "reason" not in values
    assert "total" not in values["order"]
    assert "url" not in values["order"]


def test_a_promise_that_moved_says_what_it_was() -> None:
    assert built()["promise"] == {
        "date": "2026-03-08",
        "until": "2026-03-08",
        "previous": "2026-03-02",
        "state": "moved",
    }


def test_a_promise_that_has_passed_is_not_told_to_a_customer() -> None:
    assert "promise" not in built(promised_at=(NOW - timedelta(days=1)).date().isoformat())
    assert "promise" in built(promised_at=NOW.date().isoformat()), "the day is not over"


def test_a_slot_has_a_beginning_and_an_end() -> None:
    slot = built(promised_at="2026-03-08T10:00:00Z/2026-03-08T12:00:00Z")["promise"]
    assert (slot["from"], slot["until"], slot["date"]) == (
        "2026-03-08T10:00:00Z",
        "2026-03-08T12:00:00Z",
        "2026-03-08T12:00:00Z",
    )


def test_progress_goes_to_the_first_end() -> None:
    plan = usual().plan
    order, _ = samples.samples("shown", plan, NOW)["full"]
    states = [(stage["status"], stage["state"]) for stage in context.progress(order, plan)]
    assert states == [("confirmed", "done"), ("shipped", "now"), ("delivered", "next")]
    lost = replace(order, status="lost", statuses=(((1, 0, 0), "lost"),))
    assert context.progress(lost, plan) == []


def test_letters_on_the_brands_color_can_be_read() -> None:
    brand = usual().plan.brand("default")
    assert context.brand_facts(replace(brand, color="#ffee00"))["on_color"] == "#000000"
    assert context.brand_facts(replace(brand, color="#003366"))["on_color"] == "#ffffff"
    assert context.brand_facts(replace(brand, color="red;x:url(y)"))["color"].startswith("#")
    for mixed in product(range(0, 256, 15), repeat=3):
        looks = context.brand_facts(replace(brand, color="#" + bytes(mixed).hex()))
        assert contrast(rgb(looks["color"]), rgb(looks["on_color"])) >= 4.5, looks


def weighed(work: Callable[[], object]) -> int:
    """The most bytes it held at once, over what was held before."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("value", ["a b " * 250_000, "\u200e" * 1_000_000])
def test_a_text_of_a_megabyte_is_not_looked_at_whole(value: str) -> None:
    assert weighed(lambda: whole_name(value)) < 64 * 1024
    assert weighed(lambda: text_of(value, LONGEST_TEXT, Notes())) < 64 * 1024
