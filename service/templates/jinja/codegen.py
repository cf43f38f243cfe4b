"""A woven text becomes Python functions that say it.

Jinja reads templates, but what it makes of them is ready for anything, and slow to make for that. A message holds few
kinds of nodes (`allow`); each of them is here, and becomes the shortest Python that says the same. A path such as
`order.number` is looked up once, where its first name begins to hold.

What Python takes to compile a function grows with the function, a kilobyte a node and more. So a text is cut into
pieces, each a function of its own, and what a message says at length is not in them but beside them.

No template can reach Python by it, whatever `allow` might let through: the functions know their values, the filters
and no builtins, take nothing of a value but a key of a dict, and call nothing that a value holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, groupby
from typing import Any

from jinja2 import nodes

from avisa.templates.jinja.paths import path_of
from avisa.templates.jinja.render_limits import Spent
from avisa.templates.limits import MOST_FILTERS, MOST_TOGETHER, Allowance, TooMuch, every

_SHORT = 200  # characters
_QUICKLY = 26  # paths of a piece; the most shipped has 25

_MAKE_TEXT = frozenset({"lower", "upper", "capitalize", "trim", "join", "_part"})  # that may be long

# Says values into the list.
Piece = Callable[[Mapping[str, Any], list[str], Spent], None]


def _pieces(body: Sequence[nodes.Node]) -> Iterator[list[nodes.Node]]:
    """A body, cut where it may be. Raises TooMuch if what may not be cut is too large to be compiled at once."""
    piece: list[nodes.Node] = []
    size = 0
    for node in body:
        more = sum(3 if isinstance(it, nodes.Getattr) else 1 for it in every(node))
        if more > MOST_TOGETHER:
            raise TooMuch("there is too much within one `if` or `for`")
        if size + more > MOST_TOGETHER:
            yield piece
            piece, size = [], 0
        piece.append(node)
        size += more
    yield piece


@dataclass(slots=True, eq=False)
class _Scope:
    """Where names hold."""

    begins: int  # the number of the line before which its paths are looked up
    indent: int
    names: Mapping[str, str] = field(default_factory=dict)  # the function's own names for them
    around: _Scope | None = None
    paths: dict[tuple[str, str], str] = field(default_factory=dict)  # of what, which key: the function's name for it

    def of(self, name: str) -> _Scope:
        """Where the name holds: in the nearest scope that gives it, else in the outermost."""
        scope = self
        while name not in scope.names and scope.around is not None:
            scope = scope.around
        return scope


class Writer:
    """Writes the functions of one message."""

    def __init__(self, file: str, functions: Mapping[str, Any]) -> None:
        self.lines: list[int] = []
        self._file = file
        self._functions = functions
        self._known: dict[str, Any] = {"__builtins__": {}, **functions}
        self._texts: dict[str, str] = {}
        self._escaped = False  # whether what values say becomes HTML
        self._source: list[str] = []  # of one function
        self._places: list[int] = []  # where its lines come from
        self._looked = 0  # paths of one function
        self._indent = 0
        self._named = 0
        self._loops = 0  # around what is written
        self._filters = 0  # that are called
        self._allowance = Allowance()

    def text(self, body: Sequence[nodes.Node], *, escaped: bool = False) -> list[Piece]:
        """The functions that fill one of its texts."""
        self._escaped = escaped
        return [self._compiled(piece) for piece in _pieces(body)]

    def _compiled(self, body: Sequence[nodes.Node]) -> Piece:
        self._source, self._places, self._looked = [], [], 0
        self._line("def piece(values, into, spent):")
        with self._indented():
            self._inner({}, body, None)
        # Empty lines before it, which cost nothing, make its lines go on where those of the last one ended.
        source = "\n" * len(self.lines) + "\n".join(self._source)
        self.lines += self._places
        exec(compile(source, self._file, "exec"), self._known)  # noqa: S102  of a template it has names only
        made: Piece = self._known.pop("piece")
        return made

    # ------------------------------------------------------------ statements

    def _body(self, body: Sequence[nodes.Node], scope: _Scope) -> None:
        for outputs, together in groupby(body, lambda node: isinstance(node, nodes.Output)):
            if outputs:
                self._outputs(together, scope)
            else:
                self._statements(together, scope)

    def _statements(self, statements: Iterable[nodes.Node], scope: _Scope) -> None:
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

    def _outputs(self, outputs: Iterable[nodes.Node], scope: _Scope) -> None:
        self._line("into += (")
        for part in chain.from_iterable(output.iter_child_nodes() for output in outputs):
            if isinstance(part, nodes.TemplateData):
                self._line(f"{self._text(part.data)},")
            else:
                value = self._expression(part, scope)
                plain = f"str({value})" if _is_text(part) and not _local(part, scope) else f"said({value}, spent)"
                self._line(f"escape({value}, spent)," if self._escaped else f"{plain},", part.lineno)
        self._line(")")

    def _if(self, node: nodes.If, scope: _Scope) -> None:
        word = "if"
        for branch in (node, *node.elif_):
            self._line(f"{word} {self._expression(branch.test, scope)}:", branch.test.lineno)
            self._block(branch.body, scope)
            word = "elif"
        if node.else_:
            self._line("else:")
            self._block(node.else_, scope)

    def _for(self, node: nodes.For, name: str, scope: _Scope) -> None:
        """What is said in a loop is bounded (`bounds`)."""
        self._count()
        item, (turns, cost) = self._name(), self._allowance.loop(node.body, within=self._loops > 0)
        none = self._name() if node.else_ else ""
        if none:
            self._line(f"{none} = True")
        over = f"each({self._expression(node.iter, scope)}, {turns}, {cost}, into, spent)"
        self._line(f"for {item} in {over}:", node.iter.lineno)
        with self._indented():
            if none:
                self._line(f"{none} = False")
            self._loops += 1
            self._inner({name: item}, node.body, scope)
            self._loops -= 1
        if none:
            self._line(f"if {none}:")
            self._block(node.else_, scope)

    def _with(self, node: nodes.With, scope: _Scope) -> None:
        names: dict[str, str] = {}
        for target, value in zip(node.targets, node.values, strict=True):
            assert isinstance(target, nodes.Name)
            names[target.name] = self._name()
            self._line(f"{names[target.name]} = {self._expression(value, scope)}", value.lineno)
        self._inner(names, node.body, scope)

    def _inner(self, names: Mapping[str, str], body: Sequence[nodes.Node], around: _Scope | None) -> None:
        scope = _Scope(begins=len(self._source), indent=self._indent, names=names, around=around)
        self._body(body, scope)
        self._line("pass")
        self._look_up(scope)

    def _block(self, body: Sequence[nodes.Node], scope: _Scope) -> None:
        with self._indented():
            self._body(body, scope)
            if not body:
                self._line("pass")

    # ------------------------------------------------------------ expressions

    def _expression(self, node: nodes.Node | None, scope: _Scope) -> str:
        match node:
            case nodes.Name() | nodes.Getattr():
                return self._path(node, scope)[0]
            case nodes.Const():
                return repr(node.value)
            case nodes.And() | nodes.Or():
                word = "and" if isinstance(node, nodes.And) else "or"
                return f"({self._expression(node.left, scope)} {word} {self._expression(node.right, scope)})"
            case nodes.Not():
                return f"(not {self._expression(node.node, scope)})"
            case nodes.Compare(ops=[nodes.Operand(op="eq" | "ne" as op, expr=right)]):
                sign = "==" if op == "eq" else "!="
                return f"({self._expression(node.expr, scope)} {sign} {self._expression(right, scope)})"
            case nodes.CondExpr():
                test, other = self._expression(node.test, scope), self._expression(node.expr2, scope)
                return f"({self._expression(node.expr1, scope)} if {test} else {other})"
            case nodes.Filter(kwargs=[], dyn_args=None, dyn_kwargs=None) if f"f_{node.name}" in self._functions:
                self._count()
                given = ", ".join(self._expression(it, scope) for it in (node.node, *node.args))
                called = f"f_{node.name}({given})"
                return f"made({called}, spent)" if node.name in _MAKE_TEXT else called
        raise _unknown(node)

    def _text(self, data: str) -> str:
        """What the message says as it stands, if that is long by a name."""
        if len(data) <= _SHORT:
            return repr(data)
        if data not in self._texts:
            self._texts[data] = self._name()
            self._known[self._texts[data]] = data
        return self._texts[data]

    def _count(self) -> None:
        self._filters += 1
        if self._filters > MOST_FILTERS:
            raise TooMuch("there are too many filters in it")

    def _path(self, node: nodes.Node, scope: _Scope) -> tuple[str, _Scope]:
        """The function's name for a path, and where the first name of it holds."""
        match node:
            case nodes.Name(name=name):
                scope = scope.of(name)
                return scope.names.get(name) or self._found(scope, "values", name), scope
            case nodes.Getattr(node=group, attr=key):
                of, scope = self._path(group, scope)
                return self._found(scope, of, key), scope
        raise _unknown(node)

    def _found(self, scope: _Scope, of: str, key: str) -> str:
        if (of, key) not in scope.paths:
            scope.paths[of, key] = self._name()
        return scope.paths[of, key]

    def _look_up(self, scope: _Scope) -> None:
        """Where the scope begins, look up the paths that were asked for in it. The quickest way takes Python ten
        kilobytes to compile; so when there are many, those of one value are looked up together."""
        indent = " " * scope.indent
        looks: list[str] = []
        together: dict[str, dict[str, str]] = {}
        for (of, key), name in scope.paths.items():
            self._looked += 1
            if self._looked <= _QUICKLY:
                found = f"{of}[{key!r}] if {of}.__class__ is dict and {key!r} in {of}"
                looks.append(f"{indent}{name} = {found} else part({of}, {key!r})")
            else:
                together.setdefault(of, {})[key] = name
        for of, named in together.items():
            looks.append(f"{indent}{', '.join(named.values())}, = parts({of}, {', '.join(map(repr, named))})")
        self._source[scope.begins : scope.begins] = looks
        self._places[scope.begins : scope.begins] = [1] * len(looks)

    # ------------------------------------------------------------ lines

    def _line(self, code: str, place: int = 1) -> None:
        self._source.append(" " * self._indent + code)
        self._places.append(place)

    @contextmanager
    def _indented(self) -> Iterator[None]:
        self._indent += 1
        yield
        self._indent -= 1

    def _name(self) -> str:
        self._named += 1
        return f"v{self._named}"


def _unknown(node: nodes.Node | None) -> TypeError:
    return TypeError(f"{type(node).__name__} was not inspected")


def _local(node: nodes.Node, scope: _Scope) -> bool:
    """Whether the first name of a path is one that a loop or component gave, whatever it is called."""
    root = (path_of(node) or "").partition(".")[0]
    return root in scope.of(root).names


def _is_text(node: nodes.Node) -> bool:
    """Whether what it says is a text for certain, and one with an end."""
    match node:
        case nodes.Filter(name=name):
            return name in _MAKE_TEXT or name in ("_link", "_stage")
        case nodes.Getattr(node=nodes.Name(name="customer" | "brand" | "owner" | "promise")):
            return True
        case nodes.Getattr(node=nodes.Name(name="order"), attr="id" | "number"):
            return True
        case nodes.Const() | nodes.Name(name="status" | "reason" | "next_step" | "next_update"):
            return True
    return False
