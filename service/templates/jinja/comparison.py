"""Which of two values is the greater, and whether they are the same, whatever kinds they are of.

An order can hold anything, and no comparison may keep a message from being written. Amounts are compared as amounts
also where the publisher wrote them as text, as in `"129.90"`.
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


def compared(left: Any, right: Any, how: str) -> bool:
    """Two amounts, or two texts; anything else is neither greater nor smaller."""
    amounts = amount_of(left), amount_of(right)
    if None not in amounts:
        return _BY_SIZE[how](*amounts)
    if isinstance(left, str) and isinstance(right, str):
        return _BY_SIZE[how](left, right)
    return False


def same(left: Any, right: Any) -> bool:
    """Two texts, numbers or answers to a question; lists and objects are compared with nothing."""
    return left.__class__ not in (list, dict) and bool(left == right)
