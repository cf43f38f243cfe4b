"""What is written as it should be and yet comes to nothing: comparisons that are never true, filters that have
nothing to write."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jinja2 import nodes

from avisa.core import samples
from avisa.core.model import PromiseState
from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.suggest import closest_match
from avisa.lint.codes import problem
from avisa.lint.message import Message
from avisa.templates.jinja.formats import CURRENCY, amount_of, moment_of
from avisa.templates.jinja.paths import begins_at, path_of
from avisa.templates.jinja.variables import DATES, TIMES
from avisa.templates.message_file import Place

_MOST = 12  # of what a value can be, in a message


def of_comparisons(message: Message, plan: Plan) -> Iterator[Diagnostic]:
    """Comparisons with what a value can never be."""
    all_possible = _possible(message.name, plan)
    for part, tree in message.trees:
        for test in tree.find_all(nodes.Compare):
            path, value = _compared(test)
            possible = all_possible.get(path)
            if value is None or possible is None or value.value in possible:
                continue
            always = "true" if test.ops[0].op == "ne" else "false"
            known = [str(each).lower() if isinstance(each, bool) else f'"{each}"' for each in possible]
            said = f"one of {', '.join(known[:_MOST])}{' …' * (len(known) > _MOST)}" if known else "a number"
            near = closest_match(f'"{str(value.value).lower()}"', known) or closest_match(
                str(value.value).lower(), known
            )
            told = f"always {always}: `{path}` is {said}"
            if path == "status":
                told += ", by the plan"
            yield problem("always_the_same", message.file, part.place(value.lineno or 0), told, near)


def _possible(message: str, plan: Plan) -> Mapping[str, Collection[object]]:
    """By name, all that it can be compared with; not where that is anything, or more than can be told."""
    possible: dict[str, Collection[object]] = {
        "promise.state": [str(state) for state in PromiseState],
        "reminder.last": [True, False],
        "reminder.number": _Numbers(),
    }
    if all(status != samples.OFF_THE_MAP for status, _, _ in samples.uses(message, plan)):
        possible["status"] = list(plan.touchpoints)
    return possible


class _Numbers(Collection[object]):
    """Whole numbers, too many to list."""

    def __contains__(self, one: object) -> bool:
        return isinstance(one, int) and not isinstance(one, bool)

    def __iter__(self) -> Iterator[object]:
        return iter(())

    def __len__(self) -> int:
        return 0


def of_arguments(message: Message) -> Iterator[Diagnostic]:
    """Filters that are given what they can do nothing with."""
    for part, tree in message.trees:
        for each in tree.find_all(nodes.Filter):
            given = each.args[0] if each.args else None
            if not isinstance(given, nodes.Const):
                continue
            place = part.place(given.lineno or 0)
            if each.name == "money" and not CURRENCY.fullmatch(str(given.value)):
                told = f"`{given.value}` is no currency, so the amount is written without one"
                yield problem("not_written", message.file, place, told, '"EUR"')
            if each.name == "default" and given.value is None:
                yield problem("not_written", message.file, place, "this would be written as `None`", '"…"')


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
    filter: str  # none: it stands for itself
    place: Place
    _written: bool = field(default=False, init=False)
    _left: bool = field(default=False, init=False)

    def try_with(self, values: Mapping[str, object]) -> None:
        """See what comes of it for one order."""
        value = _at(values, self.path)
        if value is not None and value != "":
            written = _can_write(self.filter, value)
            self._written, self._left = self._written or written, self._left or not written

    @property
    def wrong(self) -> str | None:
        """What is wrong with it; None: it was written at least once, or there was never such a value."""
        if self._written or not self._left:
            return None
        if self.filter == "":
            return f"`{self.path}` is a list of things in every sample, and says nothing by itself"
        if self.filter == "time" and self.path in TIMES:
            return f"`{self.path}` has no time of day in any sample, and `time` writes nothing"
        kind = "date" if self.filter in DATES else "number" if self.filter == "number" else "amount"
        return f"`{self.path}` is no {kind} in any sample, and `{self.filter}` leaves it as it is"

    @property
    def instead(self) -> str | None:
        """What to write instead, if that is plain."""
        if self.filter == "":
            return f"{{{{ items({self.path}) }}}}"
        return "day" if self.filter == "time" else None


def filtered(message: Message) -> Iterator[Filtered]:
    """All such values of a message, and those that stand for themselves."""
    for part, tree in message.trees:
        for each in tree.find_all(nodes.Filter):
            value = each.node if each.name in (*DATES, "money", "number") else None
            while isinstance(value, nodes.Filter) and value.name == "default":
                value = value.node
            if value is not None and (path := path_of(value)):
                yield Filtered(path, each.name, part.place(begins_at(value)))
        for output in tree.find_all(nodes.Output):
            for said in output.nodes:
                if path := path_of(said):
                    yield Filtered(path, "", part.place(begins_at(said)))


def _at(values: object, path: str) -> object:
    for name in path.split("."):
        values = values.get(name) if isinstance(values, Mapping) else None
    return values


def _can_write(name: str, value: Any) -> bool:
    if name == "":
        return not (isinstance(value, list) and any(isinstance(each, dict) for each in value))
    if name in DATES:
        at = moment_of(value, "UTC")
        return isinstance(at, datetime) if name == "time" else at is not None
    return amount_of(value) is not None
