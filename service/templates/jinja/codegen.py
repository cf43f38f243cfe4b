"""A message's syntax trees, one for each of its texts, become one Python function. The HTML comes out in
quoted-printable, as it is sent.

Jinja reads templates, but the code that it generates is ready for anything, and slow for that. A message holds few
kinds of nodes (`checker`); each of them becomes the shortest Python that says the same. A path such as `order.number`
is looked up once, where its first name begins to hold, and what several places ask for is made once. For the text

    {% if reason %}Why: {{ reason }}{% endif %}

the function is

    def message(values, plain, html, filling):
     v1 = values['reason'] if 'reason' in values else missing('reason')
     if v1:
      plain += (
      'Why: ',
      str(v1),
      )

No template can reach Python by it, whatever the checker might let through: the function knows its values, the
filters and no builtins, takes nothing of a value but a key of a dict, and calls nothing that a value holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, groupby
from typing import Any, cast

from jinja2 import nodes

from avisa.templates.jinja.formats import FORMATS
from avisa.templates.jinja.outputs import in_line, quickly
from avisa.templates.jinja.paths import nodes_in, path_of
from avisa.templates.jinja.program import Program, Write
from avisa.templates.jinja.repeated import Repeated
from avisa.templates.jinja.scopes import MAKE_TEXT, Scope, is_address, is_prose, is_text, local, of_the_shop
from avisa.templates.quoted_printable import pieces

# Filters that say where in a page an output stands, if not among words: see `layout.value_places`.
IN_ATTRIBUTE, IN_LINE = "_in_attribute", "_in_line"
_ESCAPES = {None: "shown", IN_LINE: "in_line", IN_ATTRIBUTE: "escape"}  # what writes a value there
_FILL = frozenset({"_link"})  # filters that are given the filling


def generate(
    plain: Sequence[nodes.Node],
    html: Sequence[nodes.Node],
    *,
    file: str,
    functions: Mapping[str, Any],
    right_to_left: bool = False,
) -> Program:
    """Return the program of both texts. `functions` is all that it can call; a filter's name has `f_` before it.

    Raises SyntaxError and RecursionError for what is nested too deep for Python.
    """
    generator = _Generator(functions, right_to_left)
    source = generator.source(plain, html)
    known: dict[str, Any] = {"__builtins__": {}, **functions}
    exec(compile(source, file, "exec"), known)  # noqa: S102  of a template it has names only
    return Program(write=cast(Write, known.pop("message")), lines=generator.places, size=len(source))


class _Generator:
    """Generates the function of one message."""

    def __init__(self, functions: Mapping[str, Any], right_to_left: bool) -> None:
        self.places: list[int] = []  # the line of the message for each line of the function
        self._functions = functions
        self._right_to_left = right_to_left
        self._escaped = False  # whether values are escaped, for HTML
        self._lines: list[str] = []
        self._repeated = Repeated()
        self._indent = 0
        self._named = 0

    def source(self, plain: Sequence[nodes.Node], html: Sequence[nodes.Node]) -> str:
        """Return the function that fills both texts."""
        with self._indented():
            scope = Scope(len(self._lines), self._indent)
            self._body(plain, scope)
            self._escaped = True
            self._body(html, scope)
            self._end(scope)
        code, kept = self._repeated.written("\n".join(self._lines), self._name)
        self.places.insert(0, 1)
        return f"def message(values, plain, html, filling{''.join(f', {name}=None' for name in kept)}):\n{code}"

    # ------------------------------------------------------------ statements

    def _body(self, body: Sequence[nodes.Node], scope: Scope) -> None:
        for outputs, together in groupby(body, lambda node: isinstance(node, nodes.Output)):
            if outputs:
                self._outputs(together, scope)
            else:
                self._statements(together, scope)

    def _statements(self, statements: Iterable[nodes.Node], scope: Scope) -> None:
        for node in statements:
            match node:
                case nodes.If():
                    self._if(node, scope)
                case nodes.For(target=nodes.Name(name=name), test=None, recursive=False):
                    self._for(node, name, scope)
                case nodes.With():
                    self._with(node, scope)
                case _:
                    raise _unknown(node)

    def _outputs(self, outputs: Iterable[nodes.Node], scope: Scope) -> None:
        self._line(f"{'html' if self._escaped else 'plain'} += (")
        parts: Iterable[str | nodes.Expr] = (
            part.data if isinstance(part, nodes.TemplateData) else cast(nodes.Expr, part)
            for part in chain.from_iterable(output.iter_child_nodes() for output in outputs)
        )
        for part in pieces(parts) if self._escaped else parts:
            if isinstance(part, str):
                self._line(f"{part!r},")
            else:
                output = self._repeated.mark(self._output(part, scope), part, scope)
                self._line(f"{output},", part.lineno)
        self._line(")")

    def _output(self, part: nodes.Expr, scope: Scope) -> str:
        """Return the text of a value, isolated where words stand beside it."""
        if isinstance(part, nodes.Filter) and part.name == "_lines":
            value, indent = self._expression(part.node, scope), self._expression(part.args[0], scope)
            return f"lines({value}, filling)" if self._escaped else f"indented({value}, {indent}, filling)"
        place = None
        if isinstance(part, nodes.Filter) and part.name in _ESCAPES and part.node:
            place, part = part.name, part.node
        if is_prose(part):
            part = nodes.Filter(part, "_flat", [], [], None, None, lineno=part.lineno)
        value = self._expression(part, scope)
        typed = "" if of_the_shop(part, scope) else "typed_"
        number = isinstance(part, nodes.Filter) and part.name == "number"
        if self._escaped:
            return quickly(value, f"{typed}usual", f"{typed}{_ESCAPES[place]}({{}}, filling)", number=number)
        plain = f"{typed}write({value}, filling)"
        if not typed and is_text(part) and not local(part, scope):
            plain = value if isinstance(part, nodes.Filter) else f"str({value})"  # a name may be that of nothing
        if is_address(part):
            return plain
        if self._right_to_left:
            return f"isolated({plain}, filling)"
        if typed:
            return quickly(value, "typed_usual", in_line("typed_write({}, filling)"), number=number)
        return in_line(plain)

    def _if(self, node: nodes.If, scope: Scope) -> None:
        word = "if"
        for branch in (node, *node.elif_):
            self._line(f"{word} {self._test(branch.test, scope)}:", branch.test.lineno)
            self._block(branch.body, scope)
            word = "elif"
        if node.else_:
            self._line("else:")
            self._block(node.else_, scope)

    def _for(self, node: nodes.For, name: str, scope: Scope) -> None:
        item = self._name()
        none = self._name() if node.else_ else ""
        if none:
            self._line(f"{none} = True")
        over = f"each({self._expression(node.iter, scope)}, {nodes_in(node.body)}, filling)"
        self._line(f"for {item} in {over}:", node.iter.lineno)
        with self._indented():
            if none:
                self._line(f"{none} = False")
            self._inner({name: item}, node.body, scope, frozenset())
        if none:
            self._line(f"if {none}:")
            self._block(node.else_, scope)

    def _with(self, node: nodes.With, scope: Scope) -> None:
        names: dict[str, str] = {}
        trusted: set[str] = set()
        for target, value in zip(node.targets, node.values, strict=True):
            assert isinstance(target, nodes.Name)
            names[target.name] = self._name()
            self._line(f"{names[target.name]} = {self._expression(value, scope)}", value.lineno)
            if of_the_shop(value, scope):
                trusted.add(target.name)
        self._inner(names, node.body, scope, frozenset(trusted))

    def _inner(
        self, names: Mapping[str, str], body: Sequence[nodes.Node], around: Scope, trusted: frozenset[str]
    ) -> None:
        scope = Scope(len(self._lines), self._indent, names, trusted, around)
        self._body(body, scope)
        self._end(scope)

    def _block(self, body: Sequence[nodes.Node], scope: Scope) -> None:
        with self._indented():
            self._body(body, scope)
            if not body:
                self._line("pass")

    # ------------------------------------------------------------ expressions

    def _expression(self, node: nodes.Node | None, scope: Scope) -> str:
        match node:
            case nodes.Name() | nodes.Getattr():
                return self._path(node, scope)[0]
            case nodes.Const():
                return repr(node.value)
            case nodes.And() | nodes.Or():
                left, right = self._name(), self._expression(node.right, scope)
                there = f"(({left} := {self._expression(node.left, scope)}) or {left}.__class__ in numbers)"
                one, other = (right, left) if isinstance(node, nodes.And) else (left, right)
                return f"({one} if {there} else {other})"
            case nodes.Not():
                return f"(not {self._test(node.node, scope)})"
            case nodes.Compare(ops=[nodes.Operand(op="eq" | "ne" as op, expr=right)]):
                sign = "==" if op == "eq" else "!="
                return f"({self._expression(node.expr, scope)} {sign} {self._expression(right, scope)})"
            case nodes.CondExpr():
                test, other = self._test(node.test, scope), self._expression(node.expr2, scope)
                return f"({self._expression(node.expr1, scope)} if {test} else {other})"
            case nodes.Filter(kwargs=[], dyn_args=None, dyn_kwargs=None) if node.name in FORMATS:
                arguments = [self._expression(it, scope) for it in (node.node, *node.args)]
                return self._repeated.mark(f"filling.formats.{node.name}({', '.join(arguments)})", node, scope)
            case nodes.Filter(kwargs=[], dyn_args=None, dyn_kwargs=None) if f"f_{node.name}" in self._functions:
                arguments = [self._expression(it, scope) for it in (node.node, *node.args)]
                call = f"f_{node.name}({', '.join([*arguments, *['filling'] * (node.name in _FILL)])})"
                made = f"counted({call}, filling)" if node.name in MAKE_TEXT else call
                return self._repeated.mark(made, node, scope)
        raise _unknown(node)

    def _test(self, node: nodes.Node, scope: Scope) -> str:
        """Return what is true if there is something to show. A number is, zero too; but a zero that counts says that
        there is none."""
        match node:
            case nodes.And() | nodes.Or():
                word = "and" if isinstance(node, nodes.And) else "or"
                return f"({self._test(node.left, scope)} {word} {self._test(node.right, scope)})"
            case nodes.Not() | nodes.Compare() | nodes.Filter(name="length"):
                return self._expression(node, scope)
        value = self._expression(node, scope)
        if path_of(node) == "reminder.number":
            return value
        if value.isidentifier():
            return f"({value} or {value}.__class__ in numbers)"
        name = self._name()
        return f"(({name} := {value}) or {name}.__class__ in numbers)"

    def _path(self, node: nodes.Node, scope: Scope) -> tuple[str, Scope]:
        """Return the function's name for a path, and where the first name of the path holds."""
        match node:
            case nodes.Name(name=name):
                scope = scope.of(name)
                return scope.names.get(name) or self._found(scope, "values", name), scope
            case nodes.Getattr(node=group, attr=key):
                of, scope = self._path(group, scope)
                return self._found(scope, of, key), scope
        raise _unknown(node)

    def _found(self, scope: Scope, of: str, key: str) -> str:
        if (of, key) not in scope.paths:
            scope.paths[of, key] = self._name()
        return scope.paths[of, key]

    def _end(self, scope: Scope) -> None:
        """End the scope, and look up where it begins the paths that were asked for in it."""
        self._line("pass")
        looks = [f"{' ' * scope.indent}{name} = {_taken(*path)}" for path, name in scope.paths.items()]
        self._lines[scope.begins : scope.begins] = looks
        self.places[scope.begins : scope.begins] = [1] * len(looks)

    # ------------------------------------------------------------ lines

    def _line(self, code: str, place: int = 1) -> None:
        self._lines.append(" " * self._indent + code)
        self.places.append(place)

    @contextmanager
    def _indented(self) -> Iterator[None]:
        self._indent += 1
        yield
        self._indent -= 1

    def _name(self) -> str:
        self._named += 1
        return f"v{self._named}"


def _taken(of: str, key: str) -> str:
    """Return what takes the key of a value, if that is a dict. Of all values that is sure."""
    if of == "values":
        return f"values[{key!r}] if {key!r} in values else missing({key!r})"
    return f"{of}[{key!r}] if {of}.__class__ is dict and {key!r} in {of} else missing_in({of}, {key!r})"


def _unknown(node: nodes.Node | None) -> TypeError:
    return TypeError(f"{type(node).__name__} was not checked")
