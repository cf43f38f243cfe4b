"""The tree that Markdown makes of a message with its placeholders; HTML and plain text are written from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from avisa.templates.markdown.placeholders import MARK


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Placeholder:
    """An output, by the number of its mark."""

    number: int
    component: bool


@dataclass(frozen=True, slots=True)
class Break:
    """The end of a line; a hard one is kept."""

    hard: bool = False


@dataclass(slots=True)
class Element:
    """A paragraph, list, link … by its HTML tag."""

    tag: str
    children: list[Branch | Element | Text | Placeholder | Break] = field(default_factory=list)
    href: str = ""
    number: int | None = None  # of the first item of an ordered list
    tight: bool = False  # a paragraph of a list without blank lines


@dataclass(slots=True)
class Branch:
    """An `if` or `for`: each arm has the number of the mark that begins it."""

    arms: list[tuple[int, list[Branch | Element | Text | Placeholder | Break]]]
    end: int = -1


Node = Branch | Element | Text | Placeholder | Break


def numbers(nodes: Sequence[Node]) -> Iterator[str]:
    """Yield the numbers of the marks in a tree."""
    for node in nodes:
        match node:
            case Placeholder(number):
                yield str(number)
            case Element(children=children, href=href):
                yield from MARK.findall(href)
                yield from numbers(children)
            case Branch(arms, end):
                for mark, kids in arms:
                    yield str(mark)
                    yield from numbers(kids)
                yield str(end)


def every(nodes: Sequence[Node]) -> list[Node]:
    found: list[Node] = []
    for node in nodes:
        found.append(node)
        if isinstance(node, Element):
            found += every(node.children)
        elif isinstance(node, Branch):
            for _, kids in node.arms:
                found += every(kids)
    return found
