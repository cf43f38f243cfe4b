"""The events of the bench: each confirms an order of its own, all of one shape."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday, far from everybody's quiet hours

# Half of all customers at three large providers, the others at two hundred small ones.
_DOMAINS = [*["gross.example"] * 50, *["grande.example"] * 30, *["grand.example"] * 20]
_DOMAINS += [f"small-{number}.example" for number in range(100)]
_GIVEN = ("Ana", "Rui", "Inês", "João", "Marta", "Tiago", "Joana", "Pedro", "Sofia")
_FAMILY = ("Sousa", "Silva", "Santos", "Ferreira", "Costa", "Araújo", "Martins", "Lopes", "Alves", "Rocha", "Neves")
_THINGS = ("Mesa de carvalho", "Cadeira", "Candeeiro", "Estante", "Tapete de lã", "Espelho redondo", "Banco", "Vaso")


def address(number: int) -> str:
    """Where the customer of order `number` is written to."""
    return f"customer.{number}@{_DOMAINS[number * 37 % len(_DOMAINS)]}"


def number_of(address: str) -> int:
    """The order whose customer has this address."""
    return int(address.partition("@")[0].rpartition(".")[2])


def event(number: int) -> dict[str, object]:
    """The plain event that confirms order `number`."""
    return {
        "order_id": f"A-{number}",
        "status": "confirmed",
        "occurred_at": NOON.isoformat(),
        "customer": {"name": _name(number), "email": address(number), "locale": "pt-PT"},
        "promised_at": "2026-03-16",
        "details": {
            "number": f"2026-{number}",
            "url": f"https://shop.example.com/orders/{number}",
            "items": [{"name": name, "quantity": 1 + (number + n) % 3} for n, name in enumerate(_THINGS)],
            "total": f"{100 + number % 900}.90",
            "currency": "EUR",
        },
    }


def _name(number: int) -> str:
    """A name that people have: of any other the greeting leaves it out, and a line on the timeline says so."""
    return f"{_GIVEN[number % len(_GIVEN)]} {_FAMILY[number % len(_FAMILY)]}"


def records(first: int, many: int, *, promises: bool = True) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of the records of so many orders, each with a promised date or all without."""
    for number in range(first, first + many):
        told = event(number)
        if not promises:
            del told["promised_at"]
        yield f"A-{number}".encode(), json.dumps(told, ensure_ascii=False).encode()
