"""Selectors that can be held against the elements of a page: by tag, class and id, for first children, and by what is
around."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PSEUDO = re.compile(r":+([a-z-]+)", re.IGNORECASE)
_KNOWN = frozenset(
    "link visited hover active focus first-child last-child nth-child only-child not root checked target before after"
    " first-line first-letter".split()
)
_PART = re.compile(r">|[^ >]+")
_COMPOUND = re.compile(
    r"(?P<tag>\*|[a-z][a-z0-9]*)?(?P<named>(?:[.#]-?[a-z_][\w-]*)*)(?P<first>:first-child)?", re.IGNORECASE | re.ASCII
)


@dataclass(frozen=True, slots=True)
class Compound:
    """What a selector asks of one element."""

    tag: str | None
    classes: tuple[str, ...]
    id: str | None
    first: bool  # of its parent's elements


@dataclass(frozen=True, slots=True)
class Selector:
    """A chain of elements, the one that is styled first, then those around it."""

    compounds: tuple[Compound, ...]
    child: tuple[bool, ...]  # whether the next one must be the parent, and not only somewhere around
    specificity: tuple[int, int, int]


def is_known(selector: str) -> bool:
    """Whether every reader of today knows what it asks."""
    return all(name.lower() in _KNOWN for name in _PSEUDO.findall(selector))


def selector_of(text: str) -> Selector | None:
    """A selector of tags, classes, ids and first children, for what stands in or directly in what; None: another."""
    compounds: list[Compound] = []
    child: list[bool] = []
    directly = False
    for part in _PART.findall(text):
        if part == ">":
            if directly or not compounds:
                return None
            directly = True
            continue
        compound = _compound(part)
        if compound is None:
            return None
        if compounds:
            child.append(directly)
        compounds.append(compound)
        directly = False
    if directly or not compounds:
        return None
    specificity = (
        sum(it.id is not None for it in compounds),
        sum(len(it.classes) + it.first for it in compounds),
        sum(it.tag is not None for it in compounds),
    )
    return Selector(tuple(reversed(compounds)), tuple(reversed(child)), specificity)


def _compound(part: str) -> Compound | None:
    found = _COMPOUND.fullmatch(part)
    if found is None:
        return None
    named = re.findall(r"[.#][^.#]+", found["named"])
    ids = [name[1:] for name in named if name[0] == "#"]
    if len(ids) > 1:
        return None
    tag = None if found["tag"] in (None, "*") else found["tag"].lower()
    classes = tuple(name[1:] for name in named if name[0] == ".")
    return Compound(tag, classes, ids[0] if ids else None, found["first"] is not None)
