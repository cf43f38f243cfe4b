"""Placeholders kept aside: a template is turned into plain text with marks in it, and back.

Between the two the text goes through Markdown, to which a mark is a word. A mark is U+E000, a number, U+E001 (of
Unicode's private use area); templates that contain these are refused. What comes back is a syntax tree, never
template source, so nothing that a value or an entity spells out can become a placeholder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jinja2 import nodes

from avisa.templates.limits import LONGEST_PAGE, MOST_PLACEHOLDERS, TooMuch

MARK = re.compile("\ue000(\\d+)\ue001")


@dataclass(frozen=True, slots=True)
class Output:
    """An output; `component` is its name where a component is to stand."""

    expr: nodes.Expr
    component: str | None = None


@dataclass(frozen=True, slots=True)
class If:
    test: nodes.Expr


@dataclass(frozen=True, slots=True)
class Elif:
    test: nodes.Expr


@dataclass(frozen=True, slots=True)
class Else:
    line: int = 0  # of what it belongs to


@dataclass(frozen=True, slots=True)
class EndIf:
    line: int = 0  # of its `if`


@dataclass(frozen=True, slots=True)
class For:
    target: nodes.Name
    iter: nodes.Expr


@dataclass(frozen=True, slots=True)
class EndFor:
    line: int = 0  # of its `for`


@dataclass(frozen=True, slots=True)
class Bind:
    """Names that hold within: the arguments of a component."""

    names: tuple[str, ...]
    values: tuple[nodes.Expr, ...]


@dataclass(frozen=True, slots=True)
class EndBind:
    pass


Mark = Output | If | Elif | Else | EndIf | For | EndFor | Bind | EndBind
Literal = Callable[[str], str]
Slot = Callable[[nodes.Expr], str | None]


class Marks:
    """The placeholders of one message."""

    def __init__(self) -> None:
        self._kept: list[Mark] = []

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, mark: Mark) -> str:
        if len(self._kept) == MOST_PLACEHOLDERS:
            raise TooMuch("there are too many placeholders and components in it")
        self._kept.append(mark)
        return f"\ue000{len(self._kept) - 1}\ue001"

    def at(self, number: str | int) -> Mark:
        return self._kept[int(number)]

    def to_text(
        self, body: Sequence[nodes.Node], *, literal: Literal = str, slot: Slot = lambda _: None, line: int = 0
    ) -> str:
        """Return a template as text with marks.

        `literal` transforms literal text; `slot` returns the text of an output that is already known, else None. With
        `line`, placeholders count as standing in that line of the file. Raises TooMuch.
        """
        written: list[str] = []
        for node in body:
            match node:
                case nodes.Output():
                    for part in node.nodes:
                        if isinstance(part, nodes.TemplateData):
                            written.append(literal(part.data))
                        else:
                            known = slot(part)
                            written.append(self._output(part, line) if known is None else known)
                case nodes.If():
                    written.append(self.put(If(_placed(node.test, line))))
                    written.append(self.to_text(node.body, literal=literal, slot=slot, line=line))
                    for branch in node.elif_:
                        written.append(self.put(Elif(_placed(branch.test, line))))
                        written.append(self.to_text(branch.body, literal=literal, slot=slot, line=line))
                    if node.else_:
                        written.append(self.put(Else(node.lineno or 0)))
                        written.append(self.to_text(node.else_, literal=literal, slot=slot, line=line))
                    written.append(self.put(EndIf(node.lineno or 0)))
                case nodes.For(target=nodes.Name() as target):
                    written.append(self.put(For(target, _placed(node.iter, line))))
                    written.append(self.to_text(node.body, literal=literal, slot=slot, line=line))
                    if node.else_:
                        written.append(self.put(Else(node.lineno or 0)))
                        written.append(self.to_text(node.else_, literal=literal, slot=slot, line=line))
                    written.append(self.put(EndFor(node.lineno or 0)))
                case _:
                    raise TypeError(f"{type(node).__name__} was not checked")
        if sum(map(len, written)) > LONGEST_PAGE:
            raise TooMuch("it comes to too much text")
        return "".join(written)

    def to_nodes(self, text: str, places: Sequence[str | None] = ()) -> list[nodes.Node]:
        """Return the syntax tree of a text with marks: the way back from `to_text`. An output is put into the filter
        that `places` names for its mark, the first mark of the text first, if any."""
        return _NodeReader(self, MARK.split(text), places).block()

    def _output(self, expr: nodes.Expr, line: int) -> str:
        called = expr.node if isinstance(expr, nodes.Call) else None
        return self.put(Output(_placed(expr, line), called.name if isinstance(called, nodes.Name) else None))


class _NodeReader:
    """Reads pieces (text, number, text, number …, text) as nodes."""

    def __init__(self, marks: Marks, pieces: Sequence[str], places: Sequence[str | None]) -> None:
        self._marks = marks
        self._places = places
        self._pieces = pieces
        self._next = 0
        self._end: Mark | None = None  # what ended the block read last

    def block(self) -> list[nodes.Node]:
        read: list[nodes.Node] = []
        while self._next < len(self._pieces):
            piece = self._pieces[self._next]
            self._next += 1
            if self._next % 2:
                if piece:
                    read.append(nodes.Output([nodes.TemplateData(piece, lineno=1)], lineno=1))
                continue
            mark = self._marks.at(piece)
            match mark:
                case Output():
                    read.append(nodes.Output([self._placed(mark.expr)], lineno=mark.expr.lineno))
                case If():
                    read.append(self._if(mark))
                case For():
                    read.append(self._for(mark))
                case Bind():
                    targets: list[nodes.Expr] = [nodes.Name(name, "param", lineno=1) for name in mark.names]
                    read.append(nodes.With(targets, list(mark.values), self.block(), lineno=1))
                case _:
                    self._end = mark
                    return read
        return read

    def _placed(self, expr: nodes.Expr) -> nodes.Expr:
        place = self._places[self._next // 2 - 1] if self._places else None
        return nodes.Filter(expr, place, [], [], None, None, lineno=expr.lineno) if place else expr

    def _if(self, mark: If) -> nodes.If:
        branches = [nodes.If(mark.test, self.block(), [], [], lineno=mark.test.lineno)]
        while isinstance(self._end, Elif):
            test = self._end.test
            branches.append(nodes.If(test, self.block(), [], [], lineno=test.lineno))
        branches[0].elif_ = branches[1:]
        branches[0].else_ = self.block() if isinstance(self._end, Else) else []
        return branches[0]

    def _for(self, mark: For) -> nodes.For:
        body = self.block()
        otherwise = self.block() if isinstance(self._end, Else) else []
        return nodes.For(mark.target, mark.iter, body, otherwise, None, False, lineno=mark.iter.lineno)


def _placed(expr: nodes.Node, line: int) -> nodes.Expr:
    assert isinstance(expr, nodes.Expr)
    return expr.set_lineno(line, override=True) if line else expr  # type: ignore[return-value]  # itself
