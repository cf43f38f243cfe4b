"""One message in one language, parsed, with the places of its texts and variables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import nodes

from avisa.templates import message_file
from avisa.templates.jinja import parser
from avisa.templates.jinja.parse_errors import TemplateSyntaxProblem
from avisa.templates.jinja.paths import path_of
from avisa.templates.message_file import Part, Place, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message file that could be parsed."""

    name: str
    locale: str
    source: Source
    trees: tuple[tuple[Part, nodes.Template], ...]  # of subject, short and body; `lineno` of a node is its offset

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
        for part, tree in self.trees:
            for data in tree.find_all(nodes.TemplateData):
                yield part, data.lineno or 0, data.data
            for text in tree.find_all(nodes.Const):
                if isinstance(text.value, str):
                    yield part, (text.lineno or 0) + len('"'), text.value

    def shows(self) -> set[str]:
        """Return the variables and components that it shows: `order.number`, `button()`."""
        return {name for _, tree in self.trees for name in _shown(tree)}

    def shows_in_body(self) -> set[str]:
        return set(_shown(self.trees[-1][1]))


def read(name: str, locale: str, text: str, file: str) -> Message | None:
    """Return the message; None if there is an error in it, which compiling it reports."""
    found = message_file.read(text, file=file)
    if not isinstance(found, Source):
        return None
    try:
        parts = (found.subject, found.short, found.body)
        trees = tuple((part, parser.parse(part.text)) for part in parts)
    except (TemplateSyntaxProblem, RecursionError):
        return None
    return Message(name=name, locale=locale, source=found, trees=trees)


def _shown(tree: nodes.Template) -> Iterator[str]:
    """Variables and components in outputs."""
    for output in tree.find_all(nodes.Output):
        for part in output.nodes:
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
