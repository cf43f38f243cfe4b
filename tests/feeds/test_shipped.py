"""Each mapping that is shipped makes events of its samples, in the words of the shipped plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avisa import events
from avisa.core.model import OrderEvent
from avisa.lint import check
from avisa.ports import Skipped, Taken
from tests.feeds import shipped
from tests.feeds.plans import record
from tests.templates import harness
from tests.templates.harness import read_plan
from tests.templates.test_folder import laid_out

STATUSES = {
    "aftership": ["shipped", "out_for_delivery", "delivered"],
    "debezium": ["confirmed", "shipped", "delivered"],
    "medusa": ["confirmed", "shipped", "delivered"],
    "shopify": ["confirmed", "shipped", "out_for_delivery", "delivered"],
    "woocommerce": ["confirmed", "confirmed", "shipped"],
}


def taken(name: str, content: Any) -> Taken:
    return events.read(record(content, shipped.topic(name)), rules=shipped.plan(name).events)


def sample(name: str, line: int) -> Any:
    return json.loads(shipped.samples(name)[line - 1])


def test_there_is_a_mapping_for_each_of_these_with_samples() -> None:
    assert sorted(STATUSES) == shipped.NAMES
    assert sorted(file.stem for file in shipped.FOLDER.glob("*.jsonl")) == shipped.NAMES


@pytest.mark.parametrize("name", STATUSES)
def test_every_sample_is_an_event_or_no_news(name: str) -> None:
    found = [taken(name, each) for each in shipped.samples(name)]
    assert [it.status for it in found if isinstance(it, OrderEvent)] == STATUSES[name]
    for each in found:
        if isinstance(each, OrderEvent):
            assert each.left_out == ()
            assert each.occurred_at.isoformat().startswith("2026-03-0")
            assert each.facts["customer.email"] == "emma@example.com"
            assert each.facts["customer.name"] == "Emma Clarke"
            assert "1042" in each.facts["details.number"] or each.facts["details.number"] == "4711"
        else:
            assert isinstance(each, Skipped), each


@pytest.mark.parametrize("name", STATUSES)
def test_the_check_of_a_folder_with_a_mapping_finds_nothing_but_what_comes_later(name: str, tmp_path: Path) -> None:
    """A parcel's number is not known before there is a parcel."""
    texts = harness.shipped()
    texts = {at: text for at, text in texts.items() if not at.startswith("messages/") or at.endswith("/en.md")}
    samples = (shipped.FOLDER / f"{name}.jsonl").read_text("utf-8")
    texts |= {"plan.yaml": shipped.plan_text(name), f"samples/{shipped.topic(name)}.jsonl": samples}
    found = check(laid_out(tmp_path, texts), read_plan, topics=[shipped.topic(name)])
    assert {it.code for it in found} <= {"unfilled_field"}
    assert all(it.message.startswith(("details.tracking:", "details.carrier:")) for it in found)


def test_an_order_of_shopify_is_delivered_when_all_its_parcels_are() -> None:
    order = sample("shopify", 5)
    (parcel,) = order["fulfillments"]
    late, void = parcel | {"shipment_status": "in_transit"}, parcel | {"status": "cancelled", "shipment_status": None}
    for parcels, status, whole in (
        ([parcel, void], "fulfilled", "delivered"),
        ([late, parcel], "fulfilled", "shipped"),
        ([parcel], "partial", "shipped"),
        ([parcel | {"shipment_status": "failure"}], "fulfilled", "failure"),
        ([], None, "confirmed"),
    ):
        found = taken("shopify", order | {"fulfillments": parcels, "fulfillment_status": status})
        assert isinstance(found, OrderEvent)
        assert found.status == whole


@pytest.mark.parametrize(
    ("name", "line", "more"),
    [
        ("shopify", 4, {"cancelled_at": "2026-03-04T09:00:00+00:00"}),
        ("woocommerce", 3, {"status": "cancelled"}),
        ("woocommerce", 4, {"status": "refunded"}),
        ("medusa", 3, {"order": sample("medusa", 3)["order"] | {"status": "canceled"}}),
    ],
)
def test_a_cancelled_order_is_cancelled_however_far_it_was(name: str, line: int, more: dict[str, Any]) -> None:
    found = taken(name, sample(name, line) | more)
    assert isinstance(found, OrderEvent)
    assert found.status == "cancelled"


def test_a_parcel_of_aftership_is_a_part_of_its_order() -> None:
    found = taken("aftership", sample("aftership", 2))
    assert isinstance(found, OrderEvent)
    assert found.part is not None
    assert (found.order_id, found.part.id, found.facts["promised_at"]) == ("A-1042", "JD014600003RR1", "2026-03-05")


def test_the_older_shape_of_aftership_is_read_too() -> None:
    old = sample("aftership", 2)
    for key in ("customers", "latest_estimated_delivery", "order_number"):
        del old["msg"][key]
    old["msg"] |= {
        "emails": ["emma@example.com"],
        "customer_name": "Emma",
        "expected_delivery": "2026-03-06T00:00:00",
    }
    found = taken("aftership", old)
    assert isinstance(found, OrderEvent)
    assert found.facts["customer.email"] == "emma@example.com"
    assert (found.facts["promised_at"], found.facts["details.number"]) == ("2026-03-06", "1042")
