"""The order of a notification is known from its key, whatever the order and the owner are called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avisa.core.model import Alert, Purpose
from avisa.core.notification_key import key_of, order_id_of
from tests.depth import examples

ANYTHING = st.text(st.sampled_from("aA1/:_ \n\x00é-") | st.characters(), min_size=1)
# What a publisher could call an order to be taken for another one.
ORDER_IDS = ANYTHING | st.builds("{}/1/update/1/customer".format, ANYTHING) | st.just("A/1/ask_owner/1/owner:x")
RECIPIENTS = st.just("customer") | st.builds("owner:{}".format, ANYTHING)
ORDINALS = st.integers(1, 10**6) | st.sampled_from([str(alert) for alert in Alert])


@examples(500)
@given(ORDER_IDS, st.integers(0, 10**6), st.sampled_from(Purpose), ORDINALS, RECIPIENTS)
def test_a_key_tells_its_order(
    order_id: str, episode: int, purpose: Purpose, ordinal: int | str, recipient: str
) -> None:
    assert order_id_of(key_of(order_id, episode, purpose, ordinal, recipient)) == order_id


@pytest.mark.parametrize("typed", ["", "A-1", "A-1/1/update/1", "A-1/1/update/1/somebody", "/"])
def test_what_is_no_key_has_no_order(typed: str) -> None:
    assert order_id_of(typed) == ""
