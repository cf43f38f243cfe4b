"""Messages beside live events: variables that a message counts on, though not all real orders have them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from jinja2 import nodes

from avisa.core import samples
from avisa.core.observed import ObservedVariables
from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.suggest import closest_match
from avisa.lint.codes import diagnostic
from avisa.lint.message import Message
from avisa.templates.jinja.paths import Paths, begins_at, path_of, there_if_false, there_if_true
from avisa.templates.jinja.variables import OF_EVERY_ORDER

ENOUGH = 20  # orders; a detail that none of them has may be a misspelt one
_FEW = 3  # statuses are named, more are counted
# Besides details of the order. Each promise has a date, so the date stands for the promise.
_COUNTED = {name: name for name in ("customer.name", "customer.first_name", "reason", "next_step", "promise.date")}
_COUNTED["promise"] = "promise.date"


@dataclass(frozen=True, slots=True)
class Use:
    """A variable in a message. It is `counted_on` if the message shows nothing else where the variable is missing."""

    path: str
    offset: int
    counted_on: bool
    component: str | None = None  # `button` or `items`, which is left out without the variable


@dataclass(frozen=True, slots=True)
class _Orders:
    """The orders in all statuses in which a message is sent."""

    statuses: tuple[ObservedVariables, ...]

    @property
    def count(self) -> int:
        return sum(one.orders for one in self.statuses)

    def known(self, name: str) -> int:
        return sum(one.known(name) for one in self.statuses)

    def names(self) -> set[str]:
        return {variable.name for one in self.statuses for variable in one.variables if variable.known}

    def where(self) -> str:
        named = [f"`{one.status[:60]}`" for one in self.statuses]
        return ", ".join(named) if len(named) <= _FEW else f"{len(named)} statuses"


def check_message(message: Message, plan: Plan, observed: Sequence[ObservedVariables]) -> Iterator[Diagnostic]:
    """Variables that the message counts on and that not all orders in its statuses have, once for each variable."""
    statuses = {status for status, _, _ in samples.uses(message.name, plan)}
    orders = _Orders(
        tuple(one for one in observed if (one.status if plan.knows(one.status) else samples.OFF_THE_MAP) in statuses)
    )
    if not orders.count:
        return
    reported: set[str] = set()
    for each in message.parts:
        for use in _statements(each.tree.body, frozenset(), frozenset()):
            name = _counted(use.path)
            if name is None or name in reported:
                continue
            found = _compared(message.file, each.part.place(use.offset), use, name, orders)
            if found is not None:
                reported.add(name)
                yield found


def _compared(file: str, place: tuple[int, int], use: Use, name: str, orders: _Orders) -> Diagnostic | None:
    """What is wrong with a variable, if anything is, by how many `orders` have it."""
    count, known = orders.count, orders.known(name)
    if not known and count >= ENOUGH and name.startswith("order."):
        near = closest_match(name, sorted(orders.names()), cutoff=0.75)
        if near:
            text = f"`{use.path}`: none of the {count:,} orders in {orders.where()} has it"
            return diagnostic("never_seen", file, place, text, near)
    if not use.counted_on or known == count:
        return None
    text = f"`{use.path}`: {count - known:,} of {count:,} orders in {orders.where()} have none, and "
    text += f"`{use.component}()` is left out then" if use.component else "nothing stands in for it"
    return diagnostic("not_always_seen", file, place, text, f"{{% if {use.path} %}}…{{% else %}}…{{% endif %}}")


def _counted(path: str) -> str | None:
    """Return the variable that is counted for `path`; None if every order has it, or the plan gives it."""
    root, _, rest = path.partition(".")
    if root == "order":
        return path if rest and rest not in (*OF_EVERY_ORDER, "customer_name") else None
    return _COUNTED.get(path)


# ---------------------------------------------------------------- the walk

Locals = frozenset[str]


def _statements(body: Sequence[nodes.Node], sure: Paths, local: Locals) -> Iterator[Use]:
    for node in body:
        match node:
            case nodes.Output():
                for part in node.nodes:
                    if isinstance(part, nodes.Call):
                        component = part.node.name if isinstance(part.node, nodes.Name) else None
                        used = (use for argument in part.args for use in _shown(argument, sure, local))
                        yield from (replace(use, component=component) for use in used)
                    else:
                        yield from _shown(part, sure, local)
            case nodes.If():
                known = sure
                for branch in (node, *node.elif_):
                    yield from _tested(branch.test, local)
                    yield from _statements(branch.body, known | there_if_true(branch.test), local)
                    known = known | there_if_false(branch.test)
                yield from _statements(node.else_, known, local)
            case nodes.For(target=nodes.Name(name=name)):
                yield from _tested(node.iter, local)
                yield from _statements(node.body, sure, local | {name})
                yield from _statements(node.else_, sure, local)


def _shown(node: nodes.Node, sure: Paths, local: Locals) -> Iterator[Use]:
    """The variables of an expression whose value is shown."""
    match node:
        case nodes.Name() | nodes.Getattr():
            yield from _use(node, sure, local, shown=True)
        case nodes.Filter(name="default"):
            yield from _tested(node, local)
        case nodes.CondExpr():
            yield from _tested(node.test, local)
            yield from _shown(node.expr1, sure | there_if_true(node.test), local)
            if node.expr2 is not None:
                yield from _shown(node.expr2, sure | there_if_false(node.test), local)
        case nodes.And() | nodes.Or() | nodes.Not() | nodes.Compare():
            yield from _tested(node, local)
        case _:
            for child in node.iter_child_nodes():
                yield from _shown(child, sure, local)


def _tested(node: nodes.Node, local: Locals) -> Iterator[Use]:
    """The variables of an expression that is a condition, or has a default: none of them is counted on."""
    if isinstance(node, nodes.Name | nodes.Getattr):
        yield from _use(node, frozenset(), local, shown=False)
        return
    for child in node.iter_child_nodes():
        yield from _tested(child, local)


def _use(node: nodes.Node, sure: Paths, local: Locals, *, shown: bool) -> Iterator[Use]:
    path = path_of(node)
    if path is None or path.partition(".")[0] in local:
        return
    # `{% if promise %}` is enough for `promise.date`, since each promise has one. An order may lack any detail.
    there = path in sure or (path.startswith("promise.") and "promise" in sure)
    yield Use(path, begins_at(node), counted_on=shown and not there)
