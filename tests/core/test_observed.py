"""What live events bring: counted over orders as they stand, and told without a value."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from avisa.core.model import Fact, Json, Order
from avisa.core.observed import Variable, form, observed_variables
from tests import builders

NOW = datetime(2026, 3, 2, 10, 15, tzinfo=UTC)
CANARY = "Canary"


def order(*facts: tuple[int, str, Json], entered: int = 2) -> Order:
    """An order that came into `shipped` with its event number `entered`; each fact with the event that said it."""
    return builders.order(
        status="shipped",
        status_rank=(9, -1, 9),
        episode=2,
        facts={key: Fact(rank=(rank, -1, rank), value=value) for rank, key, value in facts},
        statuses=(((1, -1, 1), "confirmed"), ((entered, -1, entered), "shipped"), ((9, -1, 9), "shipped")),
    )


def variables(*orders: Order) -> dict[str, Variable]:
    return {variable.name: variable for variable in observed_variables("shipped", orders).variables}


def test_a_variable_is_known_if_a_message_can_show_it_and_said_if_this_stay_brought_it() -> None:
    seen = variables(
        order((1, "details.url", "https://a.example/1"), (2, "details.carrier", "DHL")),
        order((1, "details.url", "https://a.example/2")),
        order((3, "details.url", "https://a.example/3")),
    )
    assert (seen["order.url"].known, seen["order.url"].said) == (3, 1)
    assert (seen["order.carrier"].known, seen["order.carrier"].said) == (1, 1)
    assert (seen["reason"].known, seen["reason"].example) == (0, None)


def test_what_ended_or_says_nothing_does_not_count() -> None:
    seen = variables(
        order((1, "reason", "of the status before")),
        order(
            (2, "reason", "of this one"), (2, "details.note", "  "), (2, "details.items", []), (2, "details", None)
        ),
        order((2, "details.url", None), (2, "customer.name", "n/a")),
    )
    assert seen["reason"].known == 1
    assert {"order.note", "order.items", "order.url"} & seen.keys() == set()
    assert seen["customer.first_name"].known == seen["customer.name"].known == 0


def test_what_a_template_can_name_is_listed_and_nothing_else() -> None:
    seen = variables(
        order(
            (2, "details.shipping", {"city": "Porto", "ana@example.pt": 1}),
            (2, "details.ana@example.pt", "x"),
            (2, "promised_at", "2026-03-09"),
            (2, "customer.email", "ana@example.pt"),
        )
    )
    assert {name for name, variable in seen.items() if variable.known} == {
        "order.shipping",
        "order.shipping.city",
        "promise.date",
    }


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Ana Sousa", "Aaa Aaaaa"),
        ("https://shop.example/t/7?k=Zz", "https://aaaa.aaaaaaa/a/9?a=Aa"),
        ("2026-03-09", "9999-99-99"),
        (129.9, "999.9"),
        (True, "true or false"),
        ([{"name": "Vase", "quantity": 1}], "1 × {name, quantity}"),
        ("x" * 90, "a" * 39 + "…"),
        ("日本", "aa"),
        ("a\nb\u202ec", "a a a"),
    ],
)
def test_an_example_shows_a_form_and_no_value(value: Json, shown: str) -> None:
    assert form(value) == shown


def test_of_orders_that_moved_on_it_is_what_was_shown() -> None:
    shown = [
        {
            "customer": {"name": "Ana Sousa", "first_name": "Ana"},
            "order": {"id": "A-1", "number": "77", "url": "https://a.example/1", "shipping": {"city": "Porto"}},
            "reason": "Rain.",
            "promise": {"date": "2026-03-09", "state": "open"},
            "status": "shipped",
            "brand": {"name": "Loja Azul"},
            "_zone": "UTC",
        },
        {"customer": {"name": "", "first_name": ""}, "order": {"id": "A-2", "number": "A-2"}, "status": "shipped"},
    ]
    observed = observed_variables("shipped", [order((2, "reason", "Snow."))], shown)
    assert (observed.orders, observed.present) == (3, 1)
    known = {variable.name: (variable.known, variable.said) for variable in observed.variables if variable.known}
    assert known == {
        "customer.name": (1, 0),
        "customer.first_name": (1, 0),
        "order.number": (1, 0),
        "order.url": (1, 0),
        "order.shipping": (1, 0),
        "order.shipping.city": (1, 0),
        "promise.date": (1, 0),
        "reason": (2, 1),
    }


def test_no_value_of_an_order_is_among_the_observed_variables() -> None:
    details = {"note": CANARY, "deep": {"er": [CANARY], CANARY + "@x": 1}}
    facts = [(2, f"details.{key}", value) for key, value in details.items()]
    observed = observed_variables("shipped", [order(*facts, (2, "customer.name", CANARY), (2, "reason", CANARY))])
    assert CANARY not in json.dumps([variable.example for variable in observed.variables])
    assert CANARY not in str(observed)
