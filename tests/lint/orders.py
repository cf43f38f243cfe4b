"""Orders with a past."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from avisa.core.model import Order
from tests import builders

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = 24 * HOUR


def rank(at: datetime) -> tuple[int, int, int]:
    return int(at.timestamp() * 1_000_000), -1, 0


def order(*way: tuple[str, datetime], promised: str | None = None, final: bool = False) -> Order:
    return builders.order(
        status=way[-1][0],
        status_rank=rank(way[-1][1]),
        episode=len(way),
        entered_at=way[-1][1],
        final=final,
        statuses=tuple((rank(at), status) for status, at in way),
        promise_first=promised,
        feed="orders.status/0",
    )


def made_in(*spans: timedelta) -> Iterator[Order]:
    """Orders that were in production for so long, from a Monday on."""
    for span in spans:
        end = MONDAY + span
        yield order(("in_production", MONDAY), ("shipped", end), ("delivered", end + HOUR), final=True)


def came(after: timedelta) -> Order:
    """An order promised for Wednesday, and delivered so long after Monday."""
    return order(("delivered", MONDAY + after), promised="2026-03-04", final=True)
