"""Names with their attributes, `order.number`, and what a condition tells about which of them are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from jinja2 import nodes

Paths = frozenset[str]


def path_of(node: nodes.Node | None) -> str | None:
    """Return `order.number` for a name and its attributes; None for anything else."""
    parts: list[str] = []
    while isinstance(node, nodes.Getattr):
        parts.append(node.attr)
        node = node.node
    return ".".join([node.name, *reversed(parts)]) if isinstance(node, nodes.Name) else None


def begins_at(node: nodes.Node) -> int:
    """Return the offset of the node's first word, in a tree that knows offsets: a path begins with its name, a call
    with what is called."""
    while isinstance(node, nodes.Getattr | nodes.Call):
        node = node.node
    return node.lineno or 0


def walk(node: nodes.Node) -> Iterator[nodes.Node]:
    """Yield the node and all within it, as they are written; Jinja's `find_all` takes the square of their depth."""
    open_nodes = [node]
    while open_nodes:
        node = open_nodes.pop()
        yield node
        open_nodes += reversed(tuple(node.iter_child_nodes()))


def nodes_in(body: Sequence[nodes.Node]) -> int:
    """Return how many nodes there are in a body, those within others too."""
    return sum(1 for node in body for _ in walk(node))


def operands(node: nodes.And | nodes.Or) -> list[nodes.Expr]:
    """Return `a`, `b` and `c` of `a and b and c`, which Jinja reads as `(a and b) and c`."""
    found: list[nodes.Expr] = []
    left: nodes.Expr = node
    while isinstance(left, type(node)):
        found.append(left.right)
        left = left.left
    return [left, *reversed(found)]


def there_if_true(test: nodes.Node) -> Paths:
    """Return the paths that are surely there if the test is true."""
    match test:
        case nodes.And():
            return there_if_true(test.left) | there_if_true(test.right)
        case nodes.Not():
            return there_if_false(test.node)
        case nodes.Compare(ops=[nodes.Operand(op="eq", expr=nodes.Const())]):
            return there_if_true(test.expr)
        case nodes.Filter() if test.name != "default" and test.node is not None:
            return there_if_true(test.node)
        case _:
            path = path_of(test)
            parts = path.split(".") if path else []
            return frozenset(".".join(parts[: count + 1]) for count in range(len(parts)))


def there_if_false(test: nodes.Node) -> Paths:
    """Return the paths that are surely there if the test is false."""
    match test:
        case nodes.Or():
            return there_if_false(test.left) | there_if_false(test.right)
        case nodes.Not():
            return there_if_true(test.node)
        case nodes.Compare(ops=[nodes.Operand(op="ne", expr=nodes.Const())]):
            return there_if_true(test.expr)
        case _:
            return frozenset()


def bare(names: Mapping[str, object] | Sequence[str]) -> set[str]:
    """Return the names without the question mark that says that they may be missing."""
    return {name.rstrip("?") for name in names}
