"""The ordinary event is read by a parser of its own, as it would be read without."""

from __future__ import annotations

import json
import random
from itertools import islice
from random import Random

import pytest

from avisa.core.plan import USUAL_EVENTS
from avisa.events import ordinary, schema
from tests.bench.orders import event
from tests.depth import rounds
from tests.events.differential import compared, each_odd_value_at_each_place, readings
from tests.events.records import envelope


def test_whatever_is_in_an_event_both_readings_agree() -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    dice = Random(seed)
    how = readings(rounds(2_000), dice)
    assert min(how["both read it"], how["only the careful one reads it"]) > rounds(200), how
    apart = 900 // rounds(100)
    for odd in islice(each_odd_value_at_each_place(), dice.randrange(apart), None, apart):
        compared(*odd, USUAL_EVENTS)


def test_the_quick_reader_knows_every_field_of_an_event() -> None:
    """A key that it does not know it skips, so it would lose a field that only the careful reader knew."""
    assert ordinary.Data.__annotations__.keys() == schema.PlainData.model_fields.keys()
    assert ordinary.Customer.__annotations__.keys() == schema.Customer.model_fields.keys()
    assert ordinary.Envelope.__annotations__.keys() == schema.Envelope.model_fields.keys()
    assert ordinary.Details.__annotations__.keys() == schema.Details.__annotations__.keys()
    assert ordinary.Item.__annotations__.keys() == schema.Item.__annotations__.keys()


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("indent", [None, 2])
def test_an_ordinary_event_is_read_quickly(ascii_only: bool, indent: int | None) -> None:
    """An escaped character outside of the first plane is not ordinary, but `ã` is."""

    def written(value: object) -> bytes:
        return json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()

    plain = event(1) | {"reason": "São João", "extra": [None]}
    assert ordinary.data(written(plain)) == {key: plain[key] for key in plain if key != "extra"}
    read = ordinary.envelope(written(envelope(data=plain)))
    assert read is not None
    assert read["data"] == {key: plain[key] for key in plain if key != "extra"}
    assert read["source"] == "/shop/oms"
