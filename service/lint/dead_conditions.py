"""What is well formed and yet without effect: comparisons that are never true, filters on values that they cannot
write."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from jinja2 import nodes

from avisa.core import samples
from avisa.core.plan import Plan
from avisa.core.promise import PromiseState
from avisa.core.shapes import listed
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.suggest import closest_match
from avisa.lint.codes import diagnostic
from avisa.lint.message import Message
from avisa.templates.jinja.formats import CURRENCY, amount_of, moment_of
from avisa.templates.jinja.paths import begins_at, path_of
from avisa.templates.jinja.variables import DATES, TIMES
from avisa.templates.message_file import Place

_MOST_LISTED = 12  # possible values, in a diagnostic


def check_comparisons(message: Message, plan: Plan) -> Iterator[Diagnostic]:
    """Comparisons of a variable with something that it can never be."""
    all_possible = _possible(message.name, plan)
    for part, test in message.find(nodes.Compare):
        path, value = _compared(test)
        possible = all_possible.get(path)
        if value is None or possible is None or _can_be(value.value, possible):
            continue
        always = "true" if test.ops[0].op == "ne" else "false"
        known = [str(each).lower() if isinstance(each, bool) else f'"{each}"' for each in possible]
        some = ", ".join(known[:_MOST_LISTED]) + " …" * (len(known) > _MOST_LISTED)
        allowed = f"one of {some}" if known else "a number"
        word = str(value.value).lower()
        near = closest_match(f'"{word}"', known) or closest_match(word, known)
        text = f"always {always}: `{path}` is {allowed}"
        if path == "status":
            text += ", by the plan"
        yield diagnostic("always_the_same", message.file, part.place(value.lineno or 0), text, near)


def _possible(message: str, plan: Plan) -> Mapping[str, Collection[object]]:
    """Return all values that a variable can have, by its path; variables that can have any are not in it."""
    possible: dict[str, Collection[object]] = {
        "promise.state": [str(state) for state in PromiseState],
        "reminder.last": [True, False],
        "reminder.number": (),  # any whole number
    }
    if all(status != samples.OFF_THE_MAP for status, _, _ in samples.uses(message, plan)):
        possible["status"] = list(plan.touchpoints)
    return possible


def _can_be(value: object, possible: Collection[object]) -> bool:
    return value in possible if possible else isinstance(value, int) and not isinstance(value, bool)


def check_arguments(message: Message) -> Iterator[Diagnostic]:
    """Filters with an argument that they cannot use."""
    for part, each in message.find(nodes.Filter):
        argument = each.args[0] if each.args else None
        if not isinstance(argument, nodes.Const):
            continue
        place = part.place(argument.lineno or 0)
        if each.name in ("money", "minor") and not CURRENCY.fullmatch(str(argument.value)):
            text = f"`{argument.value}` is no currency, so the amount is written without one"
            yield diagnostic("not_written", message.file, place, text, '"EUR"')
        if each.name == "default" and argument.value is None:
            yield diagnostic("not_written", message.file, place, "this would be written as `None`", '"…"')


def _compared(test: nodes.Compare) -> tuple[str, nodes.Const | None]:
    """Return path and value of `status == "shipped"`, in either order; no value if it is not such a comparison."""
    if len(test.ops) == 1 and test.ops[0].op in ("eq", "ne"):
        for one, other in ((test.expr, test.ops[0].expr), (test.ops[0].expr, test.expr)):
            if isinstance(other, nodes.Const) and (path := path_of(one)):
                return path, other
    return "", None


def check_filters(message: Message, orders: Sequence[Mapping[str, object]]) -> Iterator[Diagnostic]:
    """Variables that their filter cannot write, as in `order.total | money`, for any of `orders`: the variables of
    each order on which the message was tried. One that no order has is not judged."""
    for place, path, filter in _filtered(message):
        values = [value for order in orders if (value := _at(order, path)) not in (None, "")]
        if values and not any(_can_write(filter, value) for value in values):
            text, meant = _unwritten(path, filter)
            yield diagnostic("not_written", message.file, place, text, meant)


def _filtered(message: Message) -> Iterator[tuple[Place, str, str]]:
    """Yield place, path and filter of each variable that is shown; the filter of one that has none is empty."""
    for part, each in message.find(nodes.Filter):
        value = each.node if each.name in (*DATES, "money", "number") else None
        while isinstance(value, nodes.Filter) and value.name == "default":
            value = value.node
        if value is not None and (path := path_of(value)):
            yield part.place(begins_at(value)), path, each.name
    for part, output in message.find(nodes.Output):
        for shown in output.nodes:
            if path := path_of(shown):
                yield part.place(begins_at(shown)), path, ""


def _unwritten(path: str, filter: str) -> tuple[str, str | None]:
    """Return what is wrong with a variable that its filter cannot write, and what to write instead, if we know."""
    if filter == "":
        return f"`{path}` is a list of things in every sample, and says nothing by itself", f"{{{{ items({path}) }}}}"
    meant = "day" if filter == "time" else None
    if filter == "time" and path in TIMES:
        return f"`{path}` has no time of day in any sample, and `time` writes nothing", meant
    kind = "date" if filter in DATES else "number" if filter == "number" else "amount"
    return f"`{path}` is no {kind} in any sample, and `{filter}` leaves it as it is", meant


def _at(values: object, path: str) -> object:
    for name in path.split("."):
        values = values.get(name) if isinstance(values, Mapping) else None
    return values


def _can_write(filter: str, value: Any) -> bool:
    if filter == "":
        return not (isinstance(value, list) and any(isinstance(each, dict) for each in listed(value)))
    if filter in DATES:
        at = moment_of(value, "UTC")
        return isinstance(at, datetime) if filter == "time" else at is not None
    return amount_of(value) is not None
