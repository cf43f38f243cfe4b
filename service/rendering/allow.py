"""What a template may contain, decided on its syntax tree before it is ever compiled.

Output, attribute access, `if`, comparison, `for` over a list (two deep at most), the listed filters and
components: nothing else. Names are checked against the variables of CONTRACT 5, and what may be missing must
be asked for with `if` or `default`, so that no order can come along for which a message cannot be written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from jinja2 import nodes

from service.ports import Problem
from service.rendering.vocabulary import (
    CAN_BE_MISSING,
    COMPONENTS,
    FILTERS,
    IN_WORDS,
    LATER,
    OF_EVERY_ORDER,
    TIMES,
)

_MOST_LOOPS = 2

_Expr = nodes.Node
Paths = frozenset[str]
Locals = Mapping[str, bool]  # what `for` gives, and whether all of it is there


@dataclass(slots=True)
class Inspector:
    """Inspects one part of one file and collects what is wrong with it."""

    file: str
    source: str  # the whole file, to find columns in
    variables: Mapping[str, Sequence[str] | None]
    components: bool  # whether they may be used: in bodies, not in subjects
    extra: Paths = frozenset()  # names that a layout or component has besides, with whatever is in them
    filters: Mapping[str, int] = field(default_factory=lambda: FILTERS)
    problems: list[Problem] = field(default_factory=list)

    def template(self, tree: nodes.Template) -> list[Problem]:
        """Everything in `tree` that is not allowed."""
        self._statements(tree.body, frozenset(), {}, 0)
        return self.problems

    # ------------------------------------------------------------ statements

    def _statements(self, body: Sequence[nodes.Node], sure: Paths, local: Locals, loops: int) -> None:
        for node in body:
            match node:
                case nodes.Output():
                    for part in node.nodes:
                        if not isinstance(part, nodes.TemplateData):
                            self._output(part, sure, local, loops)
                case nodes.If():
                    self._if(node, sure, local, loops)
                case nodes.For():
                    self._for(node, sure, local, loops)
                case _:
                    self._refuse(node)

    def _if(self, node: nodes.If, sure: Paths, local: Locals, loops: int) -> None:
        for branch in (node, *node.elif_):
            self._asked(branch.test, sure, local)
            self._statements(branch.body, sure | _true(branch.test), local, loops)
            sure = sure | _false(branch.test)
        self._statements(node.else_, sure, local, loops)

    def _for(self, node: nodes.For, sure: Paths, local: Locals, loops: int) -> None:
        if loops == _MOST_LOOPS:
            self._say("not_allowed", node, f"`for` goes no more than {_MOST_LOOPS} deep")
        if node.recursive or node.test is not None:
            self._say("not_allowed", node, "`for` takes neither `if` nor `recursive`")
        if not isinstance(node.target, nodes.Name):
            self._say("not_allowed", node, "`for` gives one name")
            return
        name = node.target.name
        if name in self._roots() or name.startswith("_") or name in self.extra:
            self._say("not_allowed", node, f"`{name}` is taken, call it something else", name)
        if _path(node.iter) is None:
            self._say("not_allowed", node, "`for` goes over a list of the order")
        self._asked(node.iter, sure, local)
        self._statements(node.body, sure, {**local, name: _path(node.iter) == "progress"}, loops + 1)
        self._statements(node.else_, sure, local, loops)

    def _output(self, part: _Expr, sure: Paths, local: Locals, loops: int) -> None:
        if isinstance(part, nodes.Call):
            self._component(part, sure, local, loops)
            return
        path = _path(part)
        if path in TIMES and not self.extra:
            self._say("unformatted_date", part, f"`{path}` needs a filter", path, f"{path} | day", severity="warning")
        self._expression(part, sure, local)

    def _component(self, call: nodes.Call, sure: Paths, local: Locals, loops: int) -> None:
        name = call.node.name if isinstance(call.node, nodes.Name) else ""
        if name in LATER:
            self._say("not_supported", call, f"`{name}()` is not supported yet", name)
            return
        if name not in COMPONENTS:
            if name:
                self._unknown("component", name, COMPONENTS, call)
            else:
                self._refuse(call)
            return
        wanted = COMPONENTS[name]
        if not self.components:
            self._say("not_allowed", call, f"`{name}()` can stand in a body only", name)
        elif loops:
            self._say("not_allowed", call, f"`{name}()` can not stand in `for`", name)
        if call.kwargs or call.dyn_args or call.dyn_kwargs or len(call.args) != len(wanted):
            self._say("not_allowed", call, f"write `{name}({', '.join(wanted)})`", name)
            return
        for argument, given in zip(wanted, call.args, strict=True):
            if argument in CAN_BE_MISSING:
                self._asked(given, sure, local)
            else:
                self._expression(given, sure, local)

    # ------------------------------------------------------------ expressions

    def _asked(self, node: _Expr, sure: Paths, local: Locals) -> None:
        """An expression whose parts may be missing, because it asks whether they are."""
        match node:
            case nodes.And() | nodes.Or():
                self._asked(node.left, sure, local)
                known = _true(node.left) if isinstance(node, nodes.And) else _false(node.left)
                self._asked(node.right, sure | known, local)
            case nodes.Not():
                self._asked(node.node, sure, local)
            case nodes.Compare() if all(operand.op in ("eq", "ne") for operand in node.ops):
                self._asked(node.expr, sure, local)
                for operand in node.ops:
                    self._asked(operand.expr, sure, local)
            case nodes.Name() | nodes.Getattr():
                self._path(node, sure, local, may_be_missing=True)
            case _:
                self._expression(node, sure, local)

    def _expression(self, node: _Expr, sure: Paths, local: Locals) -> None:
        match node:
            case nodes.Const():
                pass
            case nodes.Name() | nodes.Getattr():
                self._path(node, sure, local)
            case nodes.And() | nodes.Or() | nodes.Not():
                self._asked(node, sure, local)
            case nodes.Compare():
                self._expression(node.expr, sure, local)
                for operand in node.ops:
                    if operand.op in ("in", "notin"):
                        self._say("not_allowed", node, "`in` is not allowed")
                    self._expression(operand.expr, sure, local)
            case nodes.CondExpr():
                self._asked(node.test, sure, local)
                self._expression(node.expr1, sure | _true(node.test), local)
                if node.expr2 is not None:
                    self._expression(node.expr2, sure | _false(node.test), local)
                else:
                    self._say("not_allowed", node, "say what else: `a if b else c`")
            case nodes.Filter():
                self._filter(node, sure, local)
            case _:
                self._refuse(node)

    def _filter(self, node: nodes.Filter, sure: Paths, local: Locals) -> None:
        if node.name not in self.filters:
            self._unknown("filter", node.name, self.filters, node)
        elif node.kwargs or node.dyn_args or node.dyn_kwargs or len(node.args) > self.filters[node.name]:
            self._say("not_allowed", node, f"`{node.name}` does not take that", node.name)
        if node.node is None:
            self._refuse(node)
        elif node.name == "default":
            self._asked(node.node, sure, local)
        else:
            self._expression(node.node, sure, local)
        for argument in node.args:
            self._expression(argument, sure, local)

    def _path(self, node: _Expr, sure: Paths, local: Locals, *, may_be_missing: bool = False) -> None:
        path = _path(node)
        if path is None:
            if isinstance(node, nodes.Getattr):
                self._expression(node.node, sure, local)
                self._say("not_allowed", node, f"`.{node.attr}` can follow a name only", node.attr)
            return
        if any(part.startswith("_") for part in path.split(".")):
            self._say("not_allowed", node, f"`{path}`: no name begins with an underscore", path)
            return
        root, _, rest = path.partition(".")
        if root in self.extra:
            return
        if root in local:
            if rest and not (may_be_missing or local[root] or path in sure):
                self._ask_for(node, path)
            return
        if root not in self._roots():
            self._unknown("name", path, self._all_names(), node)
            return
        attributes = self.variables.get(root, self.variables.get(root + "?"))
        first = rest.partition(".")[0]
        if attributes is not None and (rest != first or (rest and first not in _bare(attributes))):
            self._unknown("name", path, self._all_names(), node)
            return
        if attributes != () and not rest and not may_be_missing:
            self._say("not_allowed", node, f"`{path}` is a group: say which part of it", path)
        elif not may_be_missing and not self._always_there(root, rest, attributes, sure):
            self._ask_for(node, path)

    def _always_there(self, root: str, rest: str, attributes: Sequence[str] | None, sure: Paths) -> bool:
        if not rest:
            return root in self.variables or root in sure
        if f"{root}.{rest}" in sure:
            return True
        if attributes is None:
            return rest in OF_EVERY_ORDER or (rest == "customer_name" and "owner" in self.variables)
        return rest in attributes and (root in self.variables or root in sure)

    # ------------------------------------------------------------ saying it

    def _roots(self) -> set[str]:
        return _bare(self.variables)

    def _all_names(self) -> list[str]:
        names = []
        for key, attributes in self.variables.items():
            root = key.rstrip("?")
            names += [root] if attributes == () else []
            names += [f"{root}.{name.rstrip('?')}" for name in attributes or ()]
        return [*names, "order.id", "order.number", "order.url", "order.items"]

    def _ask_for(self, node: nodes.Node, path: str) -> None:
        near = get_close_matches(path, ["order.id", "order.number"], n=1, cutoff=0.75)
        self._say(
            "may_be_missing",
            node,
            f"`{path}` may be missing: ask for it with `if`, or give a `default`",
            path,
            near[0] if near and near[0] != path else f"{{% if {path} %}}…{{% endif %}}",
        )

    def _unknown(self, what: str, name: str, known: Mapping[str, object] | Sequence[str], node: nodes.Node) -> None:
        near = get_close_matches(name, list(known), n=1)
        self._say(f"unknown_{what}", node, f"there is no {what} `{name[:80]}`", name, near[0] if near else None)

    def _refuse(self, node: nodes.Node) -> None:
        word = IN_WORDS.get(type(node), type(node).__name__.lower())
        self._say("not_allowed", node, f"{word} is not allowed in a template")

    def _say(
        self,
        code: str,
        node: nodes.Node,
        message: str,
        word: str | None = None,
        suggestion: str | None = None,
        *,
        severity: str = "error",
    ) -> None:
        self.problems.append(
            Problem(
                code=code,
                severity="warning" if severity == "warning" else "error",
                file=self.file,
                line=node.lineno,
                column=column_of(self.source, node.lineno, word),
                message=message,
                suggestion=suggestion,
            )
        )


def column_of(source: str, line: int, word: str | None) -> int | None:
    """Where `word` stands in that line, from 1."""
    lines = source.split("\n")
    if word is None or not 0 < line <= len(lines):
        return None
    found = re.search(rf"(?<![\w.]){re.escape(word)}(?!\w)", lines[line - 1])
    return found.start() + 1 if found else None


def _path(node: _Expr | None) -> str | None:
    """`order.number` of a name and its attributes."""
    parts: list[str] = []
    while isinstance(node, nodes.Getattr):
        parts.append(node.attr)
        node = node.node
    return ".".join([node.name, *reversed(parts)]) if isinstance(node, nodes.Name) else None


def _true(test: _Expr) -> Paths:
    """What is there if the test is true."""
    match test:
        case nodes.And():
            return _true(test.left) | _true(test.right)
        case nodes.Not():
            return _false(test.node)
        case nodes.Compare(ops=[nodes.Operand(op="eq", expr=nodes.Const())]):
            return _true(test.expr)
        case nodes.Filter() if test.name != "default" and test.node is not None:
            return _true(test.node)
        case _:
            path = _path(test)
            parts = path.split(".") if path else []
            return frozenset(".".join(parts[: count + 1]) for count in range(len(parts)))


def _false(test: _Expr) -> Paths:
    """What is there if the test is false."""
    match test:
        case nodes.Or():
            return _false(test.left) | _false(test.right)
        case nodes.Not():
            return _true(test.node)
        case nodes.Compare(ops=[nodes.Operand(op="ne", expr=nodes.Const())]):
            return _true(test.expr)
        case _:
            return frozenset()


def _bare(names: Mapping[str, object] | Sequence[str]) -> set[str]:
    return {name.rstrip("?") for name in names}
