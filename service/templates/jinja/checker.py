"""What a template may contain, decided on its syntax tree before it is ever compiled.

Output, attribute access, `if`, comparison, `for` over a list (two deep at most), the listed filters and
components: nothing else. Names are checked against the closed list of variables, and a value that may be missing must
stand in an `if` or have a `default`, so that a message can be written for every order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jinja2 import nodes

from avisa.core.shapes import DEEPEST
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.links import NOT_A_LINK, whole_address, written
from avisa.templates.jinja.findings import Findings, meant_detail
from avisa.templates.jinja.paths import Paths, bare, operands, path_of, there_if_false, there_if_true
from avisa.templates.jinja.variables import (
    ALL_THERE,
    CAN_BE_MISSING,
    COMPONENTS,
    FILTERS,
    KNOWN,
    LATER,
    MAY_BE_MISSING,
    OF_EVERY_ORDER,
    STANDS_ALONE,
    TIMES,
)
from avisa.templates.message_file import Part
from avisa.templates.reserved import RESERVED

_MOST_LOOPS = 2
_LARGEST_NUMBER = 10**15
_LONGEST_PATH = DEEPEST + 2  # names: `order`, a detail, and what is as deep in it as can be
_BRACES = re.compile(r"[{}]+")
# A name between the signs of other programs: [order.number], «order_number», %order.number%.
_OTHERS = re.compile(r"(?:\[\[?|«|<<|%|｛｛)[ ]?([a-z]{1,20}[._][a-z_]{1,20})[ ]?(?:\]\]?|»|>>|%|｝｝)")
_PLACEHOLDER = re.compile(r"\{\{.*\}\}|\{%.*%\}", re.DOTALL)
_TAKEN = ("loop", "self")  # names of Jinja's own

_Expr = nodes.Node
Locals = Mapping[str, bool]  # the names of `for`, and whether all their parts are surely there


@dataclass(slots=True)
class TemplateChecker:
    """Checks one part of one file and collects what is wrong with it."""

    file: str
    part: Part
    variables: Mapping[str, Sequence[str] | None]
    components: bool  # whether they may be used: in bodies, not in subjects
    extra: Paths = frozenset()  # names that a layout or component has besides, with whatever is in them
    filters: Mapping[str, int] = field(default_factory=lambda: FILTERS)
    _findings: Findings = field(init=False)

    def __post_init__(self) -> None:
        self._findings = Findings(file=self.file, part=self.part)

    def check(self, tree: nodes.Template) -> list[Diagnostic]:
        """Return all that is not allowed in `tree`, whose nodes know their offsets."""
        self._statements(tree.body, frozenset(), {}, 0)
        return self._findings.problems

    # ------------------------------------------------------------ statements

    def _statements(self, body: Sequence[nodes.Node], sure: Paths, local: Locals, loops: int) -> None:
        for node in body:
            match node:
                case nodes.Output():
                    for part in node.nodes:
                        if isinstance(part, nodes.TemplateData):
                            self._braces(part)
                        else:
                            self._output(part, sure, local, loops)
                case nodes.If():
                    self._if(node, sure, local, loops)
                case nodes.For():
                    self._for(node, sure, local, loops)
                case _:
                    self._findings.refuse(node)

    def _braces(self, data: nodes.TemplateData) -> None:
        """Warn of what is nearly a placeholder, for it would be sent as it stands. In a layout it may be a style."""
        if self.extra:
            return
        for found in _BRACES.finditer(data.data):
            self._stray(data, found, "a placeholder stands in two braces, without a blank between them", "{{ … }}")
        for found in _OTHERS.finditer(data.data):
            name = found[1].replace("_", ".", 1) if "." not in found[1] else found[1]
            if name in KNOWN:
                self._stray(data, found, "a placeholder stands in two braces", f"{{{{ {name} }}}}")

    def _stray(self, data: nodes.TemplateData, found: re.Match[str], right: str, meant: str) -> None:
        at = nodes.TemplateData(found[0], lineno=(data.lineno or 0) + found.start())
        self._findings.warning("stray_brace", at, f"`{found[0]}` is shown as it is; {right}", meant)

    def _if(self, node: nodes.If, sure: Paths, local: Locals, loops: int) -> None:
        for branch in (node, *node.elif_):
            self._asked(branch.test, sure, local)
            self._statements(branch.body, sure | there_if_true(branch.test), local, loops)
            sure = sure | there_if_false(branch.test)
        self._statements(node.else_, sure, local, loops)

    def _for(self, node: nodes.For, sure: Paths, local: Locals, loops: int) -> None:
        if loops == _MOST_LOOPS:
            self._findings.error("not_allowed", node, f"`for` goes no more than {_MOST_LOOPS} deep")
        if node.recursive or node.test is not None:
            self._findings.error("not_allowed", node, "`for` takes neither `if` nor `recursive`")
        if not isinstance(node.target, nodes.Name):
            self._findings.error("not_allowed", node, "`for` gives one name")
            return
        name = node.target.name
        if name in _TAKEN or name in bare(self.variables) or name.startswith("_") or name in self.extra:
            self._findings.error("not_allowed", node, f"`{name}` is taken, call it something else")
        if path_of(node.iter) is None:
            self._findings.error("not_allowed", node, "`for` goes over a list of the order")
        self._asked(node.iter, sure, local)
        self._statements(node.body, sure, {**local, name: path_of(node.iter) in ALL_THERE}, loops + 1)
        self._statements(node.else_, sure, local, loops)

    def _output(self, part: _Expr, sure: Paths, local: Locals, loops: int) -> None:
        if isinstance(part, nodes.Call):
            self._component(part, sure, local, loops)
            return
        path = path_of(part)
        root, _, word = (path or "").partition(".")
        if root in self.extra & STANDS_ALONE and "." not in word and bool(word) == (root == "words"):
            return
        if path in TIMES and not self.extra:
            self._findings.warning("unformatted_date", part, f"`{path}` needs a filter", f"{path} | day")
        self._expression(part, sure, local)

    def _component(self, call: nodes.Call, sure: Paths, local: Locals, loops: int) -> None:
        name = call.node.name if isinstance(call.node, nodes.Name) else ""
        if name in LATER:
            self._findings.error("not_supported_yet", call, f"`{name}()` is not supported yet", "leave it out")
            return
        if name not in COMPONENTS:
            if name:
                self._findings.unknown("component", name, COMPONENTS, call)
            else:
                self._findings.refuse(call)
            return
        wanted = COMPONENTS[name]
        if not self.components:
            self._findings.error("not_allowed", call, f"`{name}()` can stand in a body only")
        elif loops:
            self._findings.error("not_allowed", call, f"`{name}()` can not stand in `for`")
        if call.kwargs or call.dyn_args or call.dyn_kwargs or len(call.args) != len(wanted):
            self._findings.error("not_allowed", call, f"write `{name}({', '.join(wanted)})`")
            return
        for argument, value in zip(wanted, call.args, strict=True):
            if argument in CAN_BE_MISSING:
                self._asked(value, sure, local)
            else:
                self._expression(value, sure, local)
            if argument == "url" and isinstance(value, nodes.Const) and not written(str(value.value)):
                self._findings.error("link_scheme", value, NOT_A_LINK, whole_address(str(value.value)))

    # ------------------------------------------------------------ expressions

    def _asked(self, node: _Expr, sure: Paths, local: Locals) -> None:
        """Check an expression whose parts may be missing, because it asks whether they are there."""
        match node:
            case nodes.And() | nodes.Or():
                there = there_if_true if isinstance(node, nodes.And) else there_if_false
                for one in operands(node):
                    self._asked(one, sure, local)
                    sure |= there(one)
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
                self._constant(node)
            case nodes.Name() | nodes.Getattr():
                self._path(node, sure, local)
            case nodes.Or():  # its value is the first with something in it, else the last
                *others, last = operands(node)
                for one in others:
                    self._asked(one, sure, local)
                    sure |= there_if_false(one)
                self._expression(last, sure, local)
            case nodes.And():  # its value is the first with nothing in it, else the last
                for one in operands(node):
                    self._expression(one, sure, local)
                    sure |= there_if_true(one)
            case nodes.Not():
                self._asked(node, sure, local)
            case nodes.Compare():
                self._expression(node.expr, sure, local)
                for operand in node.ops:
                    if operand.op in ("in", "notin"):
                        self._findings.error("not_allowed", node, "`in` is not allowed")
                    self._expression(operand.expr, sure, local)
            case nodes.CondExpr():
                self._asked(node.test, sure, local)
                self._expression(node.expr1, sure | there_if_true(node.test), local)
                if node.expr2 is not None:
                    self._expression(node.expr2, sure | there_if_false(node.test), local)
                else:
                    self._findings.error("not_allowed", node, "say what else: `a if b else c`")
            case nodes.Filter():
                self._filter(node, sure, local)
            case _:
                self._findings.refuse(node)

    def _constant(self, node: nodes.Const) -> None:
        """Refuse characters that no file may hold: an escape in quotes, such as `\\x1e`, could spell them."""
        if isinstance(node.value, str) and RESERVED.search(node.value):
            self._findings.error("not_allowed", node, "a character that cannot stand in a message")
        elif isinstance(node.value, str) and _PLACEHOLDER.search(node.value):
            self._findings.error("not_allowed", node, "within a placeholder there can be no other")
        elif isinstance(node.value, int | float) and not abs(node.value) <= _LARGEST_NUMBER:
            self._findings.error("not_allowed", node, "a number that large is not allowed in a template")

    def _filter(self, node: nodes.Filter, sure: Paths, local: Locals) -> None:
        if node.name not in self.filters:
            self._findings.unknown("filter", node.name, self.filters, node)
        elif node.kwargs or node.dyn_args or node.dyn_kwargs or len(node.args) > self.filters[node.name]:
            self._findings.error("not_allowed", node, f"`{node.name}` does not take that")
        if node.node is None:
            self._findings.refuse(node)
        elif node.name == "default":
            self._asked(node.node, sure, local)
        else:
            self._expression(node.node, sure, local)
        for argument in node.args:
            self._expression(argument, sure, local)

    def _path(self, node: _Expr, sure: Paths, local: Locals, *, may_be_missing: bool = False) -> None:
        path = path_of(node)
        if path is None:
            if isinstance(node, nodes.Getattr):
                self._expression(node.node, sure, local)
                self._findings.error("not_allowed", node, f"`.{node.attr}` can follow a name only")
            return
        names = path.split(".")
        if len(names) > _LONGEST_PATH:
            message = f"`{'.'.join(names[:_LONGEST_PATH])}…`: nothing in an order is as deep as that"
            self._findings.error("not_allowed", node, message)
            return
        if any(name.startswith("_") for name in names):
            self._findings.error("not_allowed", node, f"`{path}`: no name begins with an underscore")
            return
        root, _, rest = path.partition(".")
        if root in self.extra:
            self._extra_name(path, node, sure, may_be_missing=may_be_missing)
            return
        if root in local:
            if rest and not (may_be_missing or local[root] or path in sure):
                self._findings.may_be_missing(path, node)
            return
        if root not in bare(self.variables):
            self._findings.unknown_name(path, {**self.variables, **dict.fromkeys(self.extra, ())}, node)
            return
        attributes = self.variables.get(root, self.variables.get(root + "?"))
        first = rest.partition(".")[0]
        if attributes is not None and (rest != first or (rest and first not in bare(attributes))):
            self._findings.unknown_name(path, {**self.variables, **dict.fromkeys(self.extra, ())}, node)
            return
        if attributes != () and not rest and not may_be_missing:
            self._findings.error("not_allowed", node, f"`{path}` is a group: say which part of it")
        elif not may_be_missing and not self._always_there(root, rest, attributes, sure):
            self._findings.may_be_missing(path, node)
        elif may_be_missing and path not in sure and (meant := meant_detail(path)):
            self._findings.warning("unlikely_name", node, f"`{path}` is nothing that orders have as a rule", meant)

    def _extra_name(self, path: str, node: _Expr, sure: Paths, *, may_be_missing: bool) -> None:
        """Check a name that only a layout or a component has."""
        root, _, rest = path.partition(".")
        if root in STANDS_ALONE:
            self._findings.error("not_allowed", node, f"`{root}` stands alone: `{{{{ {path} }}}}`")
        elif rest and path != "owner.name":
            self._findings.unknown_name(path, dict.fromkeys(self.extra, ()), node)
        elif root in MAY_BE_MISSING and not may_be_missing and root not in sure:
            self._findings.may_be_missing(root, node)

    def _always_there(self, root: str, rest: str, attributes: Sequence[str] | None, sure: Paths) -> bool:
        if not rest:
            return root in self.variables or root in sure
        if f"{root}.{rest}" in sure:
            return True
        if attributes is None:
            return rest in OF_EVERY_ORDER or (rest == "customer_name" and "owner" in self.variables)
        return rest in attributes and (root in self.variables or root in sure)
