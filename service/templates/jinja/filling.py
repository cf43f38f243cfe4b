"""The filling of one message: what is left of its bounds, how it writes dates and amounts, which links it may hold,
and what is noted about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from avisa.core.model import Json
from avisa.links import Link, LinkRule
from avisa.templates.jinja.formats import Formats
from avisa.templates.limits import Budget


@dataclass(slots=True, kw_only=True)
class Filling(Budget):
    """A budget, the reader's formats, the brand's rule for links, and notes on what the reader does not see."""

    formats: Formats
    rule: LinkRule = field(default_factory=LinkRule)
    notes: dict[str, None] = field(default_factory=dict)  # a set that keeps its order


def link(value: Json, name: str, filling: Filling) -> str:
    """Return the address if it may stand in a link, in its canonical form, else the empty text and a note on it.
    `name` is the variable."""
    if not value:
        return ""
    found = filling.rule.read(value)
    if isinstance(found, Link):
        return found.href
    filling.notes[f"{name} is no link: {found.problem}"] = None
    return ""
