"""For any shuffle, repetition and delay of what happened to the parts of an order, the promises hold for each."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avisa.core import facts, part_events, part_values, part_words, parts
from avisa.core.model import Notification, Order, OrderEvent, Purpose, Reason, State
from avisa.core.part import PartName
from avisa.store.sql.rows import order_row
from tests.builders import event, plan, touchpoint
from tests.core.harness import START, World
from tests.core.test_histories import arrivals
from tests.core.test_histories import histories as of_whole_orders
from tests.depth import examples

PLAN = plan(
    touchpoint("confirmed"),
    touchpoint("in_production"),
    touchpoint("shipped"),
    touchpoint("delivered", final=True, fulfils_promise=True),
    touchpoint("cancelled", final=True),
)
STATUSES = st.sampled_from(list(PLAN.touchpoints))
NAMES = st.sampled_from([None, "A", "B", "C"])
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "reason": st.sampled_from(["the paint dries", "the lorry broke down"]),
        "promised_at": st.sampled_from(["2026-03-09", "2026-03-10", None]),
        "details.tracking": st.sampled_from(["RR1", "RR2"]),
    },
)


@st.composite
def histories(draw: st.DrawFn) -> list[OrderEvent]:
    """Events of an order and of its parts in the order in which they happened."""
    rows = draw(st.lists(st.tuples(STATUSES, NAMES, st.sampled_from([None, 2, 3]), FACTS), min_size=1, max_size=8))
    return [
        event(
            status, START - timedelta(hours=1) + timedelta(minutes=5 * number), number + 1, part=part, of=of, **said
        )
        for number, (status, part, of, said) in enumerate(rows)
    ]


@dataclass
class Customer:
    """What the customer was told of each part, mail by mail; each mail once."""

    world: World
    parts: defaultdict[str, list[Notification]] = field(default_factory=lambda: defaultdict(list))
    read: set[str] = field(default_factory=set)
    # Each status that was read: of the parts with these numbers, and of all with a higher number than the last.
    numbers: list[tuple[str, Sequence[int], int]] = field(default_factory=list)

    def dispatch(self, *, lose_answer: bool = False) -> None:
        before = len(self.world.sent)
        self.world.dispatch(lose_answer=lose_answer)
        order = self.world.loaded()
        for mail in self.world.sent[before:]:
            if mail.purpose is Purpose.UPDATE and mail.key not in self.read:
                assert order is not None
                self.read.add(mail.key)
                self._read(mail, order)

    def _read(self, mail: Notification, order: Order) -> None:
        if mail.parts or mail.reason is Reason.ENTERED:  # a reason for the order says of no part where it is
            self._read_numbers(mail, order)
        for part in part_words.about(order, mail):
            assert parts.newest(part, order)[1] == mail.status, "an older status of a part after a newer one"
            self.parts[part.id].append(mail)

    def _read_numbers(self, mail: Notification, order: Order) -> None:
        shown = part_values.shown(order, mail) or {"numbers": [], "of": 0}
        named = order.parts.named if order.parts is not None else 0
        of_later = order.parts is None or order.parts.word.seq == mail.seq  # of the parts that are named later, too
        above = max(named, shown["of"]) if of_later else sys.maxsize
        self.numbers.append((mail.status, shown["numbers"] or range(1, named + 1), above))


def known(order: Order | None) -> object:
    """What may not depend on the order of arrival."""
    assert order is not None
    if order.parts is None:
        return order.status, order.final, facts.view(order)
    each = {part.id: (parts.newest(part, order)[1], part_values.news(part, order)) for part in order.parts.known}
    of = order.parts.of and order.parts.of[1]
    return order.status, order.final, facts.view(order), each, of, parts.fulfilled_at(order, PLAN)


@given(data=st.data(), history=histories())
@examples(150)
def test_any_order_of_arrival_ends_in_the_same_parts(data: st.DataObject, history: list[OrderEvent]) -> None:
    world, in_order = World(PLAN), World(PLAN)
    for happened in data.draw(arrivals(history)):
        world.take(happened)
    for happened in history:
        in_order.take(happened)
    assert known(world.order) == known(in_order.order)


@given(data=st.data(), history=histories())
@examples(200)
def test_of_each_part_the_newest_status_is_told_once_and_nothing_older_after_it(
    data: st.DataObject, history: list[OrderEvent]
) -> None:
    world = World(PLAN)
    customer = Customer(world)
    for happened in data.draw(arrivals(history)):
        world.take(happened)
        match data.draw(st.sampled_from(["go on", "send", "lose an answer", "crash"])):
            case "send":
                customer.dispatch()
            case "lose an answer":
                customer.dispatch(lose_answer=True)
            case "crash":
                assert world.take(happened) is Reason.ALREADY_SEEN
    for _ in range(6):
        customer.dispatch()
    check(customer)


def check(customer: Customer) -> None:
    """That the customer knows of each part where it is, and read it once."""
    world, order = customer.world, customer.world.order
    assert order is not None
    seqs = [world.rows[key].seq for key in dict.fromkeys(mail.key for mail in world.sent if mail.to_customer)]
    assert seqs == sorted(seqs), "nothing is told after something newer"
    for part in order.parts.known if order.parts is not None else ():
        told = customer.parts[part.id]
        for one, after in pairwise(told):
            again = one.status == after.status and after.reason is Reason.ENTERED
            assert not again or _took_over(part.id, one, after, world), "nothing is told twice"
        newest = parts.newest(part, order)[1]
        assert part.word.status == newest
        if part.word.seq:  # else the customer never knew another status, or the part was named where the order is
            read = [it for it, numbers, above in customer.numbers if part.number in numbers or part.number > above]
            assert read[-1:] == [newest], "the customer read it of this number"
        if told:
            assert told[-1].status == newest, "the newest status is told"
            # Of the whole order's word a part may take over the number of a message that was superseded on the way
            # back to the status that the customer knew.
            rows = [row for row in world.rows.values() if row.seq == part.word.seq]
            assert all((row.status, row.state) == (newest, State.SENT) for row in rows)


def _took_over(part: str, one: Notification, after: Notification, world: World) -> bool:
    """True if `after` took over what a message between the two was to tell of the part besides, such as a reason."""
    return any(
        one.seq < row.seq < after.seq and row.reason is Reason.FACTS_CHANGED and row.state is State.DROPPED
        for row in world.rows.values()
        if part in row.parts
    )


@given(data=st.data(), history=of_whole_orders())
@examples(100)
def test_an_order_without_parts_is_decided_as_if_there_were_none(
    data: st.DataObject, history: list[OrderEvent]
) -> None:
    came = data.draw(arrivals(history))
    world, bypassed = World(PLAN), World(PLAN)
    with pytest.MonkeyPatch.context() as patch:
        for happened in came:
            world.take(happened)
            world.dispatch()
            with patch.context() as without:
                without.setattr(part_events, "speaks_of_parts", lambda order, event: False)
                bypassed.take(happened)
                bypassed.dispatch()
    assert (world.order, world.rows, world.reasons) == (bypassed.order, bypassed.rows, bypassed.reasons)
    assert world.order is not None
    assert "parts" not in order_row(world.order)["state"]
    assert not any(row.parts for row in world.rows.values())


@given(data=st.data(), history=of_whole_orders())
@examples(100)
def test_an_order_of_one_part_is_told_as_one_without(data: st.DataObject, history: list[OrderEvent]) -> None:
    """Whoever names the one parcel of each order loses nothing by it."""
    history = [replace(happened, facts={}) for happened in history]
    came = data.draw(arrivals(history))
    whole, parcel = World(PLAN), World(PLAN)
    for happened in came:
        whole.take(happened)
        parcel.take(replace(happened, part=PartName("A", 1)))
        if data.draw(st.booleans()):
            whole.dispatch()
            parcel.dispatch()
    whole.settle()
    parcel.settle()
    assert parcel.reasons == whole.reasons
    assert [(it.key, it.status) for it in parcel.sent] == [(it.key, it.status) for it in whole.sent]
    assert whole.order is not None and parcel.order is not None
    assert parcel.order.deadline == whole.order.deadline
