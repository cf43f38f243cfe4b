"""Where a status stands in the plan, and therefore which parts of an order an event of the whole order moves."""

from __future__ import annotations

from dataclasses import replace

from avisa.core.evolve import evolve
from avisa.core.model import Order
from avisa.core.part import Part
from avisa.core.plan import Plan


def place(status: str, plan: Plan) -> tuple[bool, int]:
    """A key to compare places in the plan by: first all open statuses, then all final ones; in both, a status that
    the plan does not know stands last."""
    places = {known: number for number, known in enumerate(plan.touchpoints)}
    return plan.touchpoint(status).final, places.get(status, len(places))


def placed(order: Order, plan: Plan) -> Order:
    """The order with `stays` worked out for each of its parts."""
    if order.parts is None or not order.statuses:
        return order
    rank, status = order.statuses[-1]
    reached = place(status, plan)

    def stays(part: Part) -> bool:
        own_rank, own = part.statuses[-1]
        return own_rank < rank and reached <= place(own, plan)

    known = tuple(
        part if part.stays is stays(part) else replace(part, stays=stays(part)) for part in order.parts.known
    )
    return evolve(order, parts=replace(order.parts, known=known))
