"""Orders and notifications survive their rows, whatever is in them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avisa.core.model import Fact, Notification, Order, Purpose, Reason, State
from avisa.core.part import Part, Parts, Word
from avisa.core.promise import Promise, PromiseState
from avisa.core.question import Asking, Question, Reply, Unheeded
from avisa.ports import Entry
from avisa.store.sql import coding, packing, rows
from avisa.store.sql.moments import micros, micros_or_none, moment
from tests.builders import NOW
from tests.depth import examples
from tests.store.harness import order

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
numbers = st.integers(min_value=-(2**62), max_value=2**62)
moments = st.datetimes(timezones=st.just(UTC))
ranks = st.tuples(numbers, numbers, numbers)
ranked = st.lists(st.tuples(ranks, texts), max_size=3).map(tuple)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)

BY_ANNOTATION = {
    "int": numbers,
    "bool": st.booleans(),
    "str": texts,
    "str | None": st.none() | texts,
    "int | None": st.none() | numbers,
    "datetime": moments,
    "datetime | None": st.none() | moments,
    "Rank": ranks,
    "Mapping[str, Fact]": st.dictionaries(texts, st.builds(Fact, rank=ranks, value=json_values), max_size=3),
    "Mapping[str, int]": st.dictionaries(texts, numbers, max_size=3),
    "Mapping[str, str]": st.dictionaries(texts, texts, max_size=3),
    "tuple[tuple[Rank, str], ...]": ranked,
    "tuple[str, ...]": st.lists(texts, max_size=3).map(tuple),
    "bytes": st.binary(max_size=48),
    "frozenset[str]": st.frozensets(texts, max_size=3),
    "PromiseState | None": st.none() | st.sampled_from(PromiseState),
    "Purpose": st.sampled_from(Purpose),
    "Reason": st.sampled_from(Reason),
    "Reason | None": st.none() | st.sampled_from(Reason),
    "Asking | None": st.none() | st.deferred(lambda: any_of(Asking)),
    "tuple[Question, ...]": st.lists(st.deferred(lambda: any_of(Question)), max_size=3).map(tuple),
    "tuple[Unheeded, ...]": st.lists(st.deferred(lambda: any_of(Unheeded)), max_size=3).map(tuple),
    "Reply | None": st.none() | st.sampled_from(Reply),
    "tuple[int, int, int]": ranks,
    "Parts | None": st.none() | st.deferred(lambda: any_of(Parts)),
    "tuple[Part, ...]": st.lists(st.deferred(lambda: any_of(Part)), max_size=3).map(tuple),
    "tuple[tuple[tuple[int, int, int], str], ...]": ranked,
    "Mapping[str, tuple[tuple[int, int, int], Any]]": st.dictionaries(
        texts, st.tuples(ranks, json_values), max_size=3
    ),
    "tuple[tuple[int, int, int], int] | None": st.none() | st.tuples(ranks, numbers),
    "Word": st.deferred(lambda: any_of(Word)),
    "State": st.sampled_from(State),
}


DICTIONARY = "a6350e68334f914bc9d0967332bc540e2e5ebeab7307f30eabf33c2105d759bf"
STATE = (
    '{"status":"delivered","status_rank":[1772445840000000,-1,5],"episode":5,"final":true,"facts":{"'
    'customer.name":[1772445840000000,-1,5,"Ana Conceição"],"details.items":[1772445840000000,-1,5,['
    '{"name":"Vaso","quantity":3}]]}}'
)
PACKED = (
    "28B52FFD20E09D02006402373234343538343035352C22416E6120436F6E636569C3A7C3A36F225661736F337D5D5D7D7D0E"
    "0037C5A1996283AE28941410B82671342119725162B528B0762EA083DC5D0BC9DC4DADC50DEC83320701"
)


def any_of(noun: type, **fixed: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Every field that `noun` has, from what its annotation allows: a new field is covered by itself."""
    return st.builds(
        noun,
        **({field.name: BY_ANNOTATION[str(field.type)] for field in fields(noun) if field.name not in fixed} | fixed),
    )


BY_ANNOTATION["Promise | None"] = st.none() | any_of(Promise)


@examples(300)
@given(any_of(Order, pending=st.just(())), st.sampled_from([str, packing.pack, packing.pack_as_text]))
def test_an_order_comes_back_as_it_was(order: Order, pack: Callable[[str], str | bytes]) -> None:
    row = rows.order_row(order, pack=pack)
    state = row["state"].hex() if isinstance(row["state"], bytes) else row["state"]
    assert rows.order_of((row["order_id"], order.version, row["wake_at"], row["last_word_at"], state), ()) == order


@examples(300)
@given(any_of(Notification, alerts=st.none()), st.booleans())
def test_a_notification_comes_back_as_it_was(notification: Notification, short: bool) -> None:
    row = rows.notification_row(notification, short=short)
    row |= {
        "attempts": notification.attempts,
        "revision": notification.revision,
        "first_attempt_real": micros_or_none(notification.first_attempt_real),
        "gate": notification.gate,
    }
    assert rows.notification_of([row[column] for column in rows.NOTIFICATION_COLUMNS]) == notification


@examples(100)
@given(any_of(Entry), st.booleans())
def test_an_entry_comes_back_as_it_was(entry: Entry, short: bool) -> None:
    row = rows.entry_row(entry, short=short)
    assert rows.entry_of((row["order_id"], row["line"])) == entry


def test_a_short_name_stands_for_one_field() -> None:
    """And is no field's own name: what is read must be what was written."""
    assert len(coding._SHORT) == len(coding._LONG)
    assert not coding._LONG.keys() & {field.name for noun in (Notification, Entry) for field in fields(noun)}


def test_what_was_packed_once_can_be_read_for_ever() -> None:
    """With the dictionary that it was packed with, which therefore may not change."""
    assert packing.unpack(PACKED) == STATE
    assert packing.unpack(f"z{base64.b64encode(bytes.fromhex(PACKED)).decode()}") == STATE
    assert hashlib.sha256(packing._DICTIONARY).hexdigest() == DICTIONARY


@pytest.mark.parametrize("value", [2**80, {"deep": [2**80]}])
def test_a_number_too_large_for_a_database_is_stored_as_text(value: object) -> None:
    huge = order(facts={"details.n": Fact(rank=(1, 1, 1), value=value)})
    row = rows.order_row(huge)
    back = rows.order_of((row["order_id"], huge.version, row["wake_at"], row["last_word_at"], row["state"]), ())
    assert "details.n" in back.facts


def test_an_order_of_the_first_version_keeps_its_promise() -> None:
    state = '{"status":"shipped","status_rank":[1,-1,1],"episode":1,"entered_at":0,"promise_state":"moved"'
    date, cleared = (f'{state},"facts":{{"promised_at":[1,-1,1,{value}]}}}}' for value in ('"2026-03-09"', "null"))
    promise = rows.order_of(("A-1", 3, None, None, date), ()).promise
    assert promise == Promise(date="2026-03-09", state=PromiseState.MOVED)
    assert rows.order_of(("A-1", 3, None, None, cleared), ()).promise is None


def test_a_moment_comes_back_to_the_microsecond() -> None:
    for at in (NOW, datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC), datetime(2999, 1, 1, 0, 0, 0, 1, UTC)):
        assert moment(micros(at)) == at
