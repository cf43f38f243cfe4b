"""What live events bring, counted after they went through the flows."""

from __future__ import annotations

from pathlib import Path

from avisa import views
from avisa.core.observed import ObservedVariables
from tests.flows.harness import running


def known(seen: ObservedVariables) -> dict[str, tuple[int, int]]:
    return {variable.name: (variable.known, variable.said) for variable in seen.variables}


async def test_what_a_status_brings_is_counted_for_orders_that_moved_on_too(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db") as flows, flows.sending():
        for number in range(3):
            await flows.happens("confirmed", f"A-{number}", details__number=str(number), details__note="n")
            await flows.became(f"A-{number}/1/update/1/customer", "sent")
        # What comes with the next status is not counted for the one before.
        await flows.happens(
            "shipped", "A-0", details__url="https://a.example/0", details__note="n", customer__name="n/a"
        )
        await flows.became("A-0/2/update/1/customer", "sent")
        await flows.happens("confirmed", "A-1", reason="Rain.")
        seen = {one.status: one for one in await views.observed(flows.store.queries, each=100)}

    confirmed, shipped = seen["confirmed"], seen["shipped"]
    assert (confirmed.orders, confirmed.present) == (3, 2)
    assert (shipped.orders, shipped.present) == (1, 1)
    assert known(confirmed) == {
        "customer.name": (3, 2),
        "customer.first_name": (3, 2),
        "promise.date": (0, 0),
        "reason": (1, 1),
        "next_step": (0, 0),
        "order.note": (3, 2),
        "order.number": (3, 2),
    }
    assert known(shipped) == {
        "customer.name": (0, 0),
        "customer.first_name": (0, 0),
        "promise.date": (0, 0),
        "reason": (0, 0),
        "next_step": (0, 0),
        "order.note": (1, 1),
        "order.number": (1, 0),
        "order.url": (1, 1),
    }
    document = views.variables_json(confirmed)
    assert document["variables"][-1] == {"name": "order.number", "known": 3, "said": 2, "example": "9"}
