"""Messages beside what live events bring: variables that a message counts on, and real orders do not have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jinja2 import nodes

from avisa.core import samples
from avisa.core.observed import ObservedVariables
from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.suggest import closest_match
from avisa.lint.codes import problem
from avisa.lint.message import Message
from avisa.templates.jinja.paths import Paths, begins_at, path_of, there_if_false, there_if_true
from avisa.templates.jinja.variables import OF_EVERY_ORDER

ENOUGH = 20  # orders, before a detail that none of them has is taken for a slip of the pen
_FEW = 3  # statuses that are named
_MEASURED = {
    "customer.name": "customer.name",
    "customer.first_name": "customer.first_name",
    "reason": "reason",
    "next_step": "next_step",
    "promise": "promise.date",
    "promise.date": "promise.date",
}


@dataclass(frozen=True, slots=True)
class Use:
    """A variable in a message; `counted_on`: nothing is said instead where there is none."""

    path: str
    offset: int
    counted_on: bool
    component: str | None = None  # that is left out without it


@dataclass(frozen=True, slots=True)
class _Seen:
    """The orders of all statuses in which a message is told."""

    statuses: tuple[ObservedVariables, ...]

    @property
    def orders(self) -> int:
        return sum(one.orders for one in self.statuses)

    def known(self, name: str) -> int:
        return sum(one.known(name) for one in self.statuses)

    def names(self) -> set[str]:
        return {variable.name for one in self.statuses for variable in one.variables if variable.known}

    def where(self) -> str:
        named = [f"`{one.status[:60]}`" for one in self.statuses]
        return ", ".join(named) if len(named) <= _FEW else f"{len(named)} statuses"


def of_live(message: Message, plan: Plan, brought: Sequence[ObservedVariables]) -> Iterator[Diagnostic]:
    """What the message counts on and the orders in its statuses do not all have; once for each variable."""
    seen = _Seen(tuple(_told_in(message.name, plan, brought)))
    if not seen.orders:
        return
    told: set[str] = set()
    for part, tree in message.trees:
        for use in uses(tree):
            name = _measured(use.path)
            if name is None or name in told:
                continue
            found = _problem(message.file, part.place(use.offset), use, name, seen)
            if found is not None:
                told.add(name)
                yield found


def uses(tree: nodes.Template) -> Iterator[Use]:
    """Every variable of a part of a message, with whether something stands in for it."""
    yield from _statements(tree.body, frozenset(), frozenset())


def _problem(file: str, place: tuple[int, int], use: Use, name: str, seen: _Seen) -> Diagnostic | None:
    orders, known = seen.orders, seen.known(name)
    if not known and orders >= ENOUGH and name.startswith("order."):
        near = closest_match(name, sorted(seen.names()), cutoff=0.75)
        if near:
            said = f"`{use.path}`: none of the {orders:,} orders in {seen.where()} has it"
            return problem("never_seen", file, place, said, near)
    if not use.counted_on or known == orders:
        return None
    said = f"`{use.path}`: {orders - known:,} of {orders:,} orders in {seen.where()} have none, and "
    said += f"`{use.component}()` is left out then" if use.component else "nothing stands in for it"
    return problem("not_always_seen", file, place, said, f"{{% if {use.path} %}}…{{% else %}}…{{% endif %}}")


def _told_in(name: str, plan: Plan, brought: Sequence[ObservedVariables]) -> Iterator[ObservedVariables]:
    statuses = {status for status, _, _ in samples.uses(name, plan)}
    for one in brought:
        if (one.status if plan.knows(one.status) else samples.OFF_THE_MAP) in statuses:
            yield one


def _measured(path: str) -> str | None:
    """The variable as it is counted; None for what every order has, or the plan gives."""
    root, _, rest = path.partition(".")
    if root == "order":
        return path if rest and rest not in (*OF_EVERY_ORDER, "customer_name") else None
    return _MEASURED.get(path)


# ---------------------------------------------------------------- the walk

Locals = frozenset[str]


def _statements(body: Sequence[nodes.Node], sure: Paths, local: Locals) -> Iterator[Use]:
    for node in body:
        match node:
            case nodes.Output():
                for part in node.nodes:
                    if isinstance(part, nodes.Call):
                        yield from _component(part, sure, local)
                    else:
                        yield from _said(part, sure, local)
            case nodes.If():
                known = sure
                for branch in (node, *node.elif_):
                    yield from _asked(branch.test, local)
                    yield from _statements(branch.body, known | there_if_true(branch.test), local)
                    known = known | there_if_false(branch.test)
                yield from _statements(node.else_, known, local)
            case nodes.For(target=nodes.Name(name=name)):
                yield from _asked(node.iter, local)
                yield from _statements(node.body, sure, local | {name})
                yield from _statements(node.else_, sure, local)


def _component(call: nodes.Call, sure: Paths, local: Locals) -> Iterator[Use]:
    name = call.node.name if isinstance(call.node, nodes.Name) else None
    for given in call.args:
        for use in _said(given, sure, local):
            yield Use(use.path, use.offset, use.counted_on, component=name)


def _said(node: nodes.Node, sure: Paths, local: Locals) -> Iterator[Use]:
    """What is shown of an expression."""
    match node:
        case nodes.Name() | nodes.Getattr():
            yield from _use(node, sure, local, said=True)
        case nodes.Filter(name="default"):
            yield from _asked(node, local)
        case nodes.CondExpr():
            yield from _asked(node.test, local)
            yield from _said(node.expr1, sure | there_if_true(node.test), local)
            if node.expr2 is not None:
                yield from _said(node.expr2, sure | there_if_false(node.test), local)
        case nodes.And() | nodes.Or() | nodes.Not() | nodes.Compare():
            yield from _asked(node, local)
        case _:
            for child in node.iter_child_nodes():
                yield from _said(child, sure, local)


def _asked(node: nodes.Node, local: Locals) -> Iterator[Use]:
    """What is only asked for, or has something in its place."""
    if isinstance(node, nodes.Name | nodes.Getattr):
        yield from _use(node, frozenset(), local, said=False)
        return
    for child in node.iter_child_nodes():
        yield from _asked(child, local)


def _use(node: nodes.Node, sure: Paths, local: Locals, *, said: bool) -> Iterator[Use]:
    path = path_of(node)
    if path is None or path.partition(".")[0] in local:
        return
    # A promise that is there has its date; of an order that is there nothing follows.
    there = path in sure or (path.startswith("promise.") and "promise" in sure)
    yield Use(path, begins_at(node), counted_on=said and not there)
