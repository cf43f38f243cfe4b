"""Where the parts of an order stand in the plan, and so which of them an event of the whole order moves."""

from __future__ import annotations

from dataclasses import replace

from avisa.core.evolve import evolve
from avisa.core.model import Order
from avisa.core.part import Part
from avisa.core.plan import Plan


def place(status: str, plan: Plan) -> tuple[bool, int]:
    """Where a status stands in the plan, to be compared: final ones behind the others, and behind those that the plan
    knows those that it does not."""
    places = {known: number for number, known in enumerate(plan.touchpoints)}
    return plan.touchpoint(status).final, places.get(status, len(places))


def placed(order: Order, plan: Plan) -> Order:
    """The order once it is known which of its parts the newest event of the whole order does not move."""
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
