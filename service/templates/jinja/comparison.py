"""Compares two values of whatever kinds.

An order can hold anything, and no comparison may keep a message from being written. Amounts are compared as amounts
even if the publisher wrote them as texts, such as `"129.90"`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from avisa.templates.jinja.formats import amount_of

_BY_SIZE: Mapping[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
}
BY_SIZE = frozenset(_BY_SIZE)
_LARGE = 10**15  # which is an amount


def compared(left: Any, right: Any, how: str) -> bool:
    """Compare two amounts, or two texts, as `how` (an operator's name) asks. For any other pair return False."""
    if left.__class__ is int and right.__class__ is int and -_LARGE < left < _LARGE and -_LARGE < right < _LARGE:
        return _BY_SIZE[how](left, right)  # what counts items, and so is asked most
    amounts = amount_of(left), amount_of(right)
    if None not in amounts:
        return _BY_SIZE[how](*amounts)
    if isinstance(left, str) and isinstance(right, str):
        return _BY_SIZE[how](left, right)
    return False


def same(left: Any, right: Any) -> bool:
    """Return whether two texts, numbers or booleans are equal. A list or an object equals nothing."""
    return left.__class__ not in (list, dict) and bool(left == right)
