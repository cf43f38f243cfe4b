"""Where the names of a message hold, and who wrote what they stand for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from jinja2 import nodes

from avisa.templates.jinja.paths import path_of, walk

# What of orders and parts the shop wrote, or was checked. Whatever else they have may have been typed by anybody.
_OF_THE_SHOP = frozenset({"order.url", "order.customer_name", "part.number", "part.numbers", "part.of"})

_OF_LINKS = frozenset({"_link", "_part"})
_ADDRESSES = frozenset({"url", "unsubscribe", "logo", "reply_to"})

# Filters that make a text, which may be long and is counted.
MAKE_TEXT = frozenset({"lower", "upper", "capitalize", "trim", "join", "_part"})


@dataclass(slots=True, eq=False)
class Scope:
    """Where names hold."""

    begins: int  # the number of the line before which its paths are looked up
    indent: int
    names: Mapping[str, str] = field(default_factory=dict)  # the function's own names for them
    trusted: frozenset[str] = frozenset()  # which of them stand for what the shop wrote, or for a checked address
    around: Scope | None = None
    paths: dict[tuple[str, str], str] = field(default_factory=dict)  # of what, which key: the function's name for it

    def of(self, name: str) -> Scope:
        """Return where the name holds: the nearest scope that gives it, else the outermost."""
        scope = self
        while name not in scope.names and scope.around is not None:
            scope = scope.around
        return scope


def local(node: nodes.Node, scope: Scope) -> bool:
    """Whether the first name of a path is that of a loop or of a component's argument, and no variable."""
    root = (path_of(node) or "").partition(".")[0]
    return root in scope.of(root).names


def of_the_shop(node: nodes.Node, scope: Scope) -> bool:
    """Whether all that an output says was written by the shop, or is a checked address: nobody else typed it."""
    return all(_own(name, scope) for name in _paths_in(node))


def is_prose(node: nodes.Node) -> bool:
    """Whether an expression says what may have several lines."""
    return any(path in ("reason", "next_step", "playbook", "notes") for path in _paths_in(node))


def is_address(node: nodes.Node) -> bool:
    """Whether an expression says an address, or a part of one: mail programs would make any sign behind it part of
    the link."""
    return any(isinstance(each, nodes.Filter) and each.name in _OF_LINKS for each in walk(node)) or any(
        path.rpartition(".")[2] in _ADDRESSES for path in _paths_in(node)
    )


def _own(path: str, scope: Scope) -> bool:
    root = path.partition(".")[0]
    within = scope.of(root)
    if root in within.names:
        return root in within.trusted
    return root not in ("order", "part", "status") or path in _OF_THE_SHOP


def _paths_in(node: nodes.Node) -> Iterator[str]:
    """Yield the paths of what an expression may say, each whole; none of what is a checked address by then, or the
    name of a status, in which no mail program finds a link."""
    if isinstance(node, nodes.Filter) and (node.name in _OF_LINKS or node.name == "_stage"):
        return
    if path := path_of(node):
        yield path
        return
    said = (node.expr1, node.expr2) if isinstance(node, nodes.CondExpr) else node.iter_child_nodes()
    for child in said:
        if child is not None:
            yield from _paths_in(child)


def is_text(node: nodes.Node) -> bool:
    """Whether the value is certainly a text, and one of bounded length."""
    match node:
        case nodes.Filter(name=name):
            return name in MAKE_TEXT or name in ("_link", "_stage", "_flat")
        case nodes.Getattr(node=nodes.Name(name="customer" | "brand" | "owner" | "promise" | "answer")):
            return True
        case nodes.Getattr(node=nodes.Name(name="order"), attr="id" | "number"):
            return True
        case (
            nodes.Const()
            | nodes.Name(name="status" | "reason" | "next_step" | "next_update" | "to_keep" | "playbook" | "notes")
        ):
            return True
    return False
