"""Seven sample orders, each with a story of its own, told as their shop would publish them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)  # a Monday morning


def moment(hours: float) -> datetime:
    """So many hours after the start."""
    return START + timedelta(hours=hours)


def day(number: int) -> str:
    """A promise, so many days after the start."""
    return moment(24 * number).date().isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One order: who it is for, and what happens to it, hours after the start."""

    number: str
    name: str
    locale: str
    zone: str
    currency: str
    items: tuple[tuple[str, int], ...]
    total: str
    promised: int  # days after the start
    story: str
    course: tuple[tuple[float, dict[str, Any]], ...] = field(repr=False)

    @property
    def order_id(self) -> str:
        return f"A-{self.number}"

    @property
    def email(self) -> str:
        first = unicodedata.normalize("NFKD", self.name.split()[0].lower())
        return f"{first.encode('ascii', 'ignore').decode()}@example.com"

    def events(self) -> Iterator[tuple[datetime, dict[str, Any]]]:
        """Each event with the moment of its publication. Only the first has all fields, for facts are merged."""
        for number, (hours, fields) in enumerate(self.course):
            at = moment(hours)
            event = {
                "id": f"{self.order_id}-{number}",
                "source": "/demo",
                "order_id": self.order_id,
                "occurred_at": at.isoformat(),
                **fields,
            }
            if number == 0:
                event |= self._facts()
            yield at, event

    def _facts(self) -> dict[str, Any]:
        return {
            "customer": {
                "id": f"c-{self.number}",
                "name": self.name,
                "email": self.email,
                "locale": self.locale,
                "time_zone": self.zone,
            },
            "promised_at": day(self.promised),
            "details": {
                "number": self.number,
                "url": f"https://shop.example.com/orders/{self.number}",
                "items": [{"name": name, "quantity": quantity} for name, quantity in self.items],
                "total": self.total,
                "currency": self.currency,
            },
        }


SAMPLES = (
    Sample(
        number="1042",
        name="Ana Sousa",
        locale="pt-PT",
        zone="Europe/Lisbon",
        currency="EUR",
        items=(("Mesa de carvalho", 1), ("Cadeira", 4)),
        total="1290.00",
        promised=7,
        story="the delivery date moves, and she hears it with the reason",
        course=(
            (0.2, {"status": "confirmed"}),
            (5, {"status": "in_production"}),
            (
                30,
                {
                    "status": "in_production",
                    "promised_at": day(10),
                    "reason": "o verniz da mesa precisa de secar mais tempo",
                },
            ),
            (104, {"status": "shipped"}),
            (124, {"status": "out_for_delivery"}),
            (129, {"status": "delivered"}),
        ),
    ),
    Sample(
        number="1043",
        name="João Lima",
        locale="pt-BR",
        zone="America/Sao_Paulo",
        currency="BRL",
        items=(("Luminária de papel", 2),),
        total="348.90",
        promised=8,
        story="the workshop falls silent, and Avisa does not",
        course=(
            (0.5, {"status": "confirmed"}),
            (7, {"status": "in_production"}),
            (170, {"status": "shipped"}),
            (196, {"status": "delivered"}),
        ),
    ),
    Sample(
        number="1044",
        name="Lucía Ferrer",
        locale="es",
        zone="Europe/Madrid",
        currency="EUR",
        items=(("Taza de gres", 6),),
        total="84.00",
        promised=4,
        story="nobody publishes anything again: reminders, then the owner is told",
        course=((1, {"status": "confirmed"}),),
    ),
    Sample(
        number="1045",
        name="Núria Puig",
        locale="ca",
        zone="Europe/Madrid",
        currency="EUR",
        items=(("Manta de llana", 1),),
        total="119.00",
        promised=5,
        story="three events at once: only the newest is told, and what must always be told",
        course=(
            (2, {"status": "confirmed"}),
            (2, {"status": "in_production"}),
            (2, {"status": "shipped"}),
            (9, {"status": "in_production", "occurred_at": moment(1.5).isoformat()}),  # a straggler
            (50, {"status": "delivered"}),
        ),
    ),
    Sample(
        number="1046",
        name="Emma Clarke",
        locale="en",
        zone="Europe/London",
        currency="GBP",
        items=(("Bread oven", 1), ("Peel", 1)),
        total="402.50",
        promised=6,
        story="her order is cancelled in the night, and she sleeps until eight",
        course=(
            (3, {"status": "confirmed"}),
            (
                14.5,
                {"status": "cancelled", "reason": "The oven failed our last quality check, and it was the last one."},
            ),
        ),
    ),
    Sample(
        number="1047",
        name="Tom Baker",
        locale="en",
        zone="Europe/London",
        currency="GBP",
        items=(("Rocking chair", 1),),
        total="265.00",
        promised=9,
        story="a status that the plan does not know goes to its owner",
        course=(
            (4, {"status": "confirmed"}),
            (26, {"status": "awaiting_upholstery"}),
            (60, {"status": "shipped"}),
            (100, {"status": "delivered"}),
        ),
    ),
    Sample(
        number="1048",
        name="Marta Roca",
        locale="es",
        zone="America/Bogota",
        currency="COP",
        items=(("Hamaca", 1),),
        total="310000",
        promised=5,
        story="all goes well, and she is told so",
        course=(
            (6, {"status": "confirmed"}),
            (25, {"status": "shipped"}),
            (54, {"status": "out_for_delivery"}),
            (57, {"status": "delivered"}),
        ),
    ),
)
