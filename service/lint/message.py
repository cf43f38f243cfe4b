"""One message in one language, parsed, with the places of its texts and variables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from jinja2 import nodes

from avisa.templates import message_file
from avisa.templates.jinja import parser
from avisa.templates.jinja.parse_errors import TemplateSyntaxProblem
from avisa.templates.jinja.paths import path_of, walk
from avisa.templates.message_file import Part, Place, Source

Node = TypeVar("Node", bound=nodes.Node)


@dataclass(frozen=True, slots=True)
class ParsedPart:
    """Subject, short or body of a message."""

    part: Part
    tree: nodes.Template  # `lineno` of a node is its offset
    nodes: Sequence[nodes.Node]  # all in the tree, an outer one before those in it


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Message:
    """A message file that could be parsed."""

    name: str
    locale: str
    source: Source
    parts: tuple[ParsedPart, ...]  # subject, short and body
    shows: frozenset[str]  # the variables and components that it shows: `order.number`, `button()`
    shows_in_body: frozenset[str]

    @property
    def file(self) -> str:
        return self.source.file

    @property
    def begin(self) -> Place:
        """Where the body begins, after empty lines."""
        body = self.source.body
        return body.place(len(body.text) - len(body.text.lstrip()))

    def texts(self) -> Iterator[tuple[Part, int, str]]:
        """Yield each piece of plain text with its part and its offset there."""
        for part, data in self.find(nodes.TemplateData):
            yield part, data.lineno or 0, data.data
        for part, text in self.find(nodes.Const):
            if isinstance(text.value, str):
                yield part, (text.lineno or 0) + len('"'), text.value

    def find(self, kind: type[Node]) -> Iterator[tuple[Part, Node]]:
        """Yield each node of this kind with its part."""
        for each in self.parts:
            for node in each.nodes:
                if isinstance(node, kind):
                    yield each.part, node


@lru_cache(512)  # the preview checks the folder at every save, and most messages are as they were
def read(name: str, locale: str, text: str, file: str) -> Message | None:
    """Return the message; None if there is an error in it, which compiling it reports."""
    found = message_file.read(text, file=file)
    if not isinstance(found, Source):
        return None
    try:
        parts = tuple(_parsed(part) for part in (found.subject, found.short, found.body))
    except (TemplateSyntaxProblem, RecursionError):
        return None
    shown = [frozenset(_shown(each)) for each in parts]
    return Message(
        name=name,
        locale=locale,
        source=found,
        parts=parts,
        shows=frozenset().union(*shown),
        shows_in_body=shown[-1],
    )


def _parsed(part: Part) -> ParsedPart:
    tree = parser.parse(part.text)
    return ParsedPart(part, tree, tuple(walk(tree)))


def _shown(parsed: ParsedPart) -> Iterator[str]:
    """Variables and components in outputs."""
    for output in parsed.nodes:
        for part in output.nodes if isinstance(output, nodes.Output) else ():
            if isinstance(part, nodes.TemplateData):
                continue
            if isinstance(part, nodes.Call) and isinstance(part.node, nodes.Name):
                yield f"{part.node.name}()"
            for node in _outermost(part):
                if path := path_of(node):
                    yield path


def _outermost(node: nodes.Node) -> Iterator[nodes.Node]:
    """Whole paths, such as `order.number` but not the `order` in it; and not the name of what is called."""
    if isinstance(node, nodes.Name | nodes.Getattr):
        yield node
        return
    for child in node.iter_child_nodes(exclude=("node",) if isinstance(node, nodes.Call) else None):
        yield from _outermost(child)
