"""What is written as it should be and yet comes to nothing: comparisons that are never true, filters that have
nothing to write."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache

from jinja2 import nodes

from service.core.model import PromiseState
from service.core.plan import Plan
from service.ports import Problem
from service.rendering.check.codes import problem
from service.rendering.check.message import Message
from service.rendering.formats import Formats
from service.rendering.paths import begins_at, path_of
from service.rendering.source import Place

_WRITES = {"day": "date", "date": "date", "time": "date", "datetime": "date", "money": "amount", "number": "number"}


def of_comparisons(message: Message, plan: Plan) -> Iterator[Problem]:
    """Comparisons with what a value can never be."""
    possible: Mapping[str, Collection[object]] = {
        "status": list(plan.touchpoints),
        "promise.state": [str(state) for state in PromiseState],
        "reminder.last": [True, False],
    }
    for part, tree in message.trees:
        for test in tree.find_all(nodes.Compare):
            path, value = _compared(test)
            if value is not None and value.value not in possible.get(path, [value.value]):
                always = "true" if test.ops[0].op == "ne" else "false"
                known = [str(each).lower() if isinstance(each, bool) else each for each in possible[path]]
                near = get_close_matches(str(value.value), map(str, known), n=1)
                told = f"always {always}: `{path}` is one of {', '.join(map(str, known))}"
                place = part.place(value.lineno or 0)
                yield problem("always_the_same", message.file, place, told, f'"{near[0]}"' if near else None)


def _compared(test: nodes.Compare) -> tuple[str, nodes.Const | None]:
    """The name and the value of `name == "value"`, in either order."""
    if len(test.ops) == 1 and test.ops[0].op in ("eq", "ne"):
        for one, other in ((test.expr, test.ops[0].expr), (test.ops[0].expr, test.expr)):
            if isinstance(other, nodes.Const) and (path := path_of(one)):
                return path, other
    return "", None


@dataclass(slots=True)
class Filtered:
    """A value with a filter behind it that takes only some, as `order.total | money`."""

    path: str
    filter: str
    locale: str
    place: Place
    _written: bool = field(default=False, init=False)
    _left: bool = field(default=False, init=False)

    def try_with(self, values: Mapping[str, object]) -> None:
        """See what comes of it for one order."""
        value = _at(values, self.path)
        if value is not None and value != "":
            written = _can_write(self.filter, value, self.locale)
            self._written, self._left = self._written or written, self._left or not written

    @property
    def wrong(self) -> str | None:
        """What is wrong with it; None: it was written at least once, or there was never such a value."""
        if self._written or not self._left:
            return None
        return f"`{self.path}` is no {_WRITES[self.filter]} in any sample, and `{self.filter}` leaves it as it is"


def filtered(message: Message) -> Iterator[Filtered]:
    """All such values of a message."""
    for part, tree in message.trees:
        for each in tree.find_all(nodes.Filter):
            value = each.node if each.name in _WRITES else None
            while isinstance(value, nodes.Filter) and value.name == "default":
                value = value.node
            if value is not None and (path := path_of(value)):
                yield Filtered(path, each.name, message.locale, part.place(begins_at(value)))


def _at(values: object, path: str) -> object:
    for name in path.split("."):
        values = values.get(name) if isinstance(values, Mapping) else None
    return values


def _can_write(name: str, value: object, locale: str) -> bool:
    further = {"number": (), "money": ("EUR",)}.get(name, ("UTC",))
    return getattr(_formats(locale), name)(value, *further) is not value


_formats = lru_cache(64)(Formats)
