"""The key of a notification, by which the same thing is never told twice: `order/episode/purpose/ordinal/recipient`.

An order's id may contain anything, and so may an owner's name behind `owner:`; the three in between are a number and
two plain words. So the order of a key is known from the key alone.
"""

from __future__ import annotations

import re

_KEY = re.compile(r"(.*)/[0-9]+/[a-z_]+/[a-z0-9_]+/(?:customer|owner:.*)", re.DOTALL)


def key_of(order_id: str, episode: int, purpose: str, ordinal: object, recipient: str) -> str:
    return f"{order_id}/{episode}/{purpose}/{ordinal}/{recipient}"


def order_id_of(key: str) -> str:
    """The order that the key begins with; empty if it is no key, as what a person has typed may be."""
    found = _KEY.fullmatch(key)
    return "" if found is None else found[1]
