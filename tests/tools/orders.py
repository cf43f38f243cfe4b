"""Orders as a shop would publish them: real histories moved to one start, and made-up ones of the same shape."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

_SHOP = ZoneInfo("America/Sao_Paulo")  # the columns are local times there
_ZONES = {
    "AC": "America/Rio_Branco",
    "AM": "America/Manaus",
    "MS": "America/Campo_Grande",
    "MT": "America/Cuiaba",
    "RO": "America/Porto_Velho",
    "RR": "America/Boa_Vista",
}
_STEPS = {
    "purchased_at": "confirmed",
    "approved_at": "in_production",
    "handed_to_carrier_at": "shipped",
    "delivered_at": "delivered",
}
_ENDED_OTHERWISE = ("canceled", "unavailable")
_REASONS = (
    "A máquina precisou de uma peça nova.",
    "O transporte atrasou por causa da chuva.",
    "Faltou um componente no fornecedor.",
)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A plain event, as `avisa publish` takes it, and the virtual moment to publish it at."""

    at: datetime
    event: dict[str, Any]


def real(path: Path, start: datetime, *, days: int = 4, first: int | None = None) -> list[Scheduled]:
    """The orders of an Olist file, each moved by whole days so that all begin within `days` from `start`.

    Which step an order ended with when it was cancelled is in the file, but not when: that is taken to be one
    to ten days after its last step, the same in every run.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:first]
    first_day = (start.astimezone(_SHOP) + timedelta(days=1)).date()  # a whole day, so that none begins before
    scheduled = [
        event for number, row in enumerate(rows) for event in _history(row, first_day + timedelta(days=number % days))
    ]
    return sorted(scheduled, key=lambda one: one.at)


def _history(row: dict[str, str], day: date) -> Iterator[Scheduled]:
    moved = day - datetime.fromisoformat(row["purchased_at"]).date()

    def moment(text: str) -> datetime:
        return (datetime.fromisoformat(text) + moved).replace(tzinfo=_SHOP).astimezone(UTC)

    steps = [(moment(row[column]), status) for column, status in _STEPS.items() if row[column]]
    if row["order_status"] in _ENDED_OTHERWISE:
        waited = timedelta(hours=24 + int(row["order_id"][:4], 16) % (9 * 24))
        steps.append((max(at for at, _ in steps) + waited, "cancelled"))
    promised = (datetime.fromisoformat(row["estimated_delivery_at"]) + moved).date()
    for number, (at, status) in enumerate(steps):
        yield Scheduled(
            at,
            {
                "order_id": row["order_id"],
                "id": f"{row['order_id']}-{number}",
                "source": "/shop/oms",
                "status": status,
                "occurred_at": _text(at),
                "sequence": number,
                "customer": {
                    "id": row["customer_id"],
                    "name": f"Cliente {row['order_id'][:6]}",
                    "email": f"{row['order_id']}@customers.example",
                    "locale": "pt-BR",
                    "time_zone": _ZONES.get(row["state"], _SHOP.key),
                },
                "promised_at": promised.isoformat(),
                "details": {
                    "number": row["order_id"][:8],
                    "url": f"https://shop.example.com/orders/{row['order_id'][:8]}",
                },
            },
        )


def generated(count: int, *, seed: int, start: datetime, length: timedelta) -> list[Scheduled]:
    """Made-up orders that begin within a fifth of `length` and last up to the whole of it.

    Among them are ties, events that come late and out of order, repeats of the same record and of the same
    status, orders that never end, reopened ones, moved promises, reasons, imports that are not to be told and
    statuses that no plan knows.
    """
    rng = random.Random(seed)
    scheduled = [
        event
        for number in range(count)
        for event in _made_up(f"G{seed}-{number}", rng, start + length / 5 * rng.random(), length)
    ]
    return sorted(scheduled, key=lambda one: one.at)


def _made_up(order_id: str, rng: random.Random, begin: datetime, length: timedelta) -> list[Scheduled]:
    reached = rng.choices([1, 2, 3, 4], weights=[1, 2, 3, 8])[0]
    statuses = list(_STEPS.values())[:reached]
    if reached < 4 and rng.random() < 0.3:
        statuses.append("cancelled")
    if rng.random() < 0.08:
        statuses.insert(rng.randrange(1, len(statuses) + 1), "held_at_customs")
    if rng.random() < 0.05:
        statuses.append("shipped")  # after the end: reopened
    moments = [begin]
    for _ in statuses[1:]:
        # Mostly short waits, and now and then a long one, as in the real ones.
        wait = 0 if rng.random() < 0.04 else min(rng.lognormvariate(-2.4, 1.1), 0.35)
        moments.append(moments[-1] + length * wait)
    promised = (begin + length * rng.uniform(0.3, 0.8)).date()
    kind = rng.choice(["day", "day", "moment", "slot"])
    events: list[tuple[datetime, dict[str, Any]]] = []

    def tell(at: datetime, status: str, **more: Any) -> None:
        value = {
            "order_id": order_id,
            "id": f"{order_id}-{len(events)}",
            "source": "/shop/oms",
            "status": status,
            "occurred_at": _text(at),
            "sequence": len(events),
            "customer": {
                "id": f"c-{order_id}",
                "name": f"Cliente {order_id}",
                "email": f"{order_id.lower()}@customers.example",
                "locale": rng.choice(["pt-BR", "pt-PT", "en", "es", "ca"]),
                "time_zone": "America/Sao_Paulo",
            },
            "promised_at": _promise(promised, kind),
            "details": {"number": order_id, "url": f"https://shop.example.com/orders/{order_id}"},
            **more,
        }
        events.append((at, value))

    for number, (at, status) in enumerate(zip(moments, statuses, strict=True)):
        following = moments[number + 1] if number + 1 < len(moments) else at + length * 0.2
        tell(at, status, **({"notify": False} if rng.random() < 0.05 else {}))
        if rng.random() < 0.1:
            tell(at + (following - at) * rng.random(), status)  # the same again
        if rng.random() < 0.12:
            promised += timedelta(days=rng.choice([-1, 1, 2, 5]))
            tell(at + (following - at) * rng.random(), status)
        if rng.random() < 0.03:
            tell(at + (following - at) * rng.random(), status, promised_at=None)
        if rng.random() < 0.12:
            tell(at + (following - at) * rng.random(), status, reason=rng.choice(_REASONS))
    scheduled = []
    for at, said in events:
        late = length * 0.1 * rng.random() if rng.random() < 0.07 else timedelta(0)
        scheduled.append(Scheduled(at + late, said))
        if rng.random() < 0.07:
            scheduled.append(Scheduled(at + late + length * 0.05 * rng.random(), said))  # the very same record
    return sorted(scheduled, key=lambda one: one.at)


def in_parcels(count: int, *, seed: int, start: datetime, length: timedelta) -> list[Scheduled]:
    """Made-up orders that are sent in one to four parcels, each on its own way; some events come late or again."""
    rng = random.Random(seed)
    scheduled = [
        event
        for number in range(count)
        for event in _sent_in_parcels(f"P{seed}-{number}", rng, start + length / 5 * rng.random(), length)
    ]
    return sorted(scheduled, key=lambda one: one.at)


def _sent_in_parcels(order_id: str, rng: random.Random, begin: datetime, length: timedelta) -> Iterator[Scheduled]:
    """Mostly the whole order is spoken of at first; then each parcel is; now and then the whole is said to be
    in production again, or cancelled."""
    moments: list[tuple[datetime, dict[str, Any]]] = []
    if rng.random() < 0.8:
        moments += [(begin, {"status": "confirmed"}), (begin + length * 0.02, {"status": "in_production"})]
    parcels = rng.randint(1, 4)
    for number in range(1, parcels + 1):
        at = begin + length * rng.uniform(0.03, 0.4)
        of = {"of": parcels} if rng.random() < 0.8 else {}
        ends = rng.choices(["delivered", "cancelled", None], weights=[8, 1, 1])[0]
        for status in ("in_production", "shipped", ends):
            if status is not None and rng.random() < 0.9:
                moments.append((at, {"status": status, "part": {"id": f"RR{number}", **of}}))
            at += length * rng.uniform(0.01, 0.3)
    if rng.random() < 0.3:
        moments.append((begin + length * rng.uniform(0.1, 0.7), {"status": "in_production"}))
    if rng.random() < 0.1:
        moments.append((begin + length * rng.uniform(0.1, 0.7), {"status": "cancelled"}))
    if rng.random() < 0.1:
        moments.append(
            (begin + length * rng.uniform(0.1, 0.7), {**rng.choice(moments)[1], "status": "held_at_customs"})
        )
    for number, (at, event) in enumerate(sorted(moments, key=lambda moment: moment[0])):
        said = {
            "order_id": order_id,
            "id": f"{order_id}-{number}",
            "occurred_at": _text(at),
            "customer": {"email": f"{order_id.lower()}@customers.example", "time_zone": "America/Sao_Paulo"},
            **event,
        }
        if rng.random() < 0.05:
            said["notify"] = False
        late = length * 0.1 * rng.random() if rng.random() < 0.1 else timedelta(0)
        yield Scheduled(at + late, said)
        if rng.random() < 0.1:
            yield Scheduled(at + late + length * 0.05 * rng.random(), said)


def _promise(day: date, kind: str) -> Any:
    """For the day, for its afternoon, or for two hours of it."""
    if kind == "day":
        return day.isoformat()
    return f"{day}T16:00:00Z" if kind == "moment" else {"from": f"{day}T14:00:00Z", "until": f"{day}T16:00:00Z"}


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
