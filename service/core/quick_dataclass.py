"""Frozen dataclasses that are made quickly, for nouns of which each mail makes some.

Python freezes a dataclass by a `__setattr__` that refuses, so its own constructor has to go round that, field by
field: of twelve fields that takes three times as long as plain assignments. Here mypy alone sees to it that nobody
changes a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    import dataclasses

    def dataclass(*, frozen, slots=False, kw_only=False):
        assert frozen, "for others there is Python's own"
        return dataclasses.dataclass(slots=slots, kw_only=kw_only, unsafe_hash=True)


__all__ = ["dataclass"]
