"""Adds to a template what its author need not write.

A date gets its time zone, a day also the moment at which it is told, an amount the currency of the order:
`order.total | money` becomes `order.total | money(order.currency)`. A missing name of a customer takes the blank
before it along. A comparison cannot fail, whatever kinds of values it meets.
"""

from __future__ import annotations

from functools import reduce

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from avisa.links import written
from avisa.templates.jinja.comparison import BY_SIZE
from avisa.templates.jinja.paths import path_of
from avisa.templates.jinja.variables import DATES, OUR_OWN


def desugar(tree: nodes.Template) -> nodes.Template:
    """Return the tree, desugared. Nodes of it are changed in place."""
    desugared = _Desugarer().visit(tree)
    assert isinstance(desugared, nodes.Template)
    return desugared


def link_of(expr: nodes.Expr) -> nodes.Expr:
    """Return the expression with each value of the order in it held to the brand's rule for links. An address that an
    operator wrote is held to none, and what stands in for a missing link stands in for one that was left out."""
    match expr:
        case nodes.Const(value=str(text)) if found := written(text):
            return nodes.Const(found, lineno=expr.lineno)
        case nodes.Or(left=left, right=right):
            return nodes.Or(link_of(left), link_of(right), lineno=expr.lineno)
        case nodes.CondExpr(test=test, expr1=one, expr2=nodes.Expr() as other):
            return nodes.CondExpr(test, link_of(one), link_of(other), lineno=expr.lineno)
        case nodes.Filter(name="default", node=nodes.Expr() as value, args=[instead]):
            args = [link_of(instead)]
            return nodes.Filter(link_of(value), "default", args, [], None, None, lineno=expr.lineno)
    if path_of(expr) in OUR_OWN:
        return expr
    name = nodes.Const(path_of(expr) or "an address")
    return nodes.Filter(expr, "_link", [name], [], None, None, lineno=expr.lineno)


class _Desugarer(NodeTransformer):
    def visit_Compare(self, node: nodes.Compare) -> nodes.Expr:  # noqa: N802  Jinja calls it so
        """Leave `==` and `!=` with a constant alone, for they cannot fail and are faster so."""
        self.generic_visit(node)
        operands = [node.expr, *(it.expr for it in node.ops)]
        with_constant = any(isinstance(it, nodes.Const) for it in operands)
        if len(node.ops) == 1 and node.ops[0].op not in BY_SIZE and with_constant:
            return node
        tests = [_test(left, right) for left, right in zip(operands, node.ops, strict=False)]
        return reduce(lambda one, other: nodes.And(one, other, lineno=node.lineno), tests)

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802  as above
        cents = node.node
        if node.name == "money" and isinstance(cents, nodes.Filter) and cents.name == "minor" and not cents.args:
            cents.args = list(node.args)  # `| minor | money("JPY")`: both of one currency
        self.generic_visit(node)
        if node.name in DATES:
            names = ("_zone", "_now") if node.name == "day" else ("_zone",)
            node.args = [nodes.Name(name, "load", lineno=node.lineno) for name in names]
        elif node.name in ("money", "minor") and not node.args:
            order = nodes.Name("order", "load", lineno=node.lineno)
            node.args = [nodes.Getattr(order, "currency", "load", lineno=node.lineno)]
        elif node.name == "label":
            node.name = "_stage"
        return node

    def visit_Output(self, node: nodes.Output) -> list[nodes.Node]:  # noqa: N802  as above
        self.generic_visit(node)
        outputs: list[nodes.Node] = []
        for part in node.nodes:
            before = outputs[-1].nodes[0] if outputs and isinstance(outputs[-1], nodes.Output) else None
            output = nodes.Output([part], lineno=part.lineno)
            if _is_customers_name(part) and isinstance(before, nodes.TemplateData) and before.data[-1:] == " ":
                before.data = before.data[:-1]
                space = nodes.TemplateData(" ", lineno=part.lineno)
                output = nodes.Output([space, part], lineno=part.lineno)
                outputs.append(nodes.If(part, [output], [], [], lineno=part.lineno))
            else:
                outputs.append(output)
        return outputs


def _test(left: nodes.Expr, right: nodes.Operand) -> nodes.Expr:
    """Return one comparison of a chain as a call that cannot fail."""
    if right.op in BY_SIZE:
        args: list[nodes.Expr] = [right.expr, nodes.Const(right.op)]
        return nodes.Filter(left, "_compared", args, [], None, None, lineno=left.lineno)
    same = nodes.Filter(left, "_same", [right.expr], [], None, None, lineno=left.lineno)
    return nodes.Not(same, lineno=left.lineno) if right.op == "ne" else same


def _is_customers_name(node: nodes.Node) -> bool:
    match node:
        case nodes.Getattr(node=nodes.Name(name="customer"), attr="name" | "first_name"):
            return True
    return False
