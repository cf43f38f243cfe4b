"""The two ways a message is written from its tree: HTML, and plain text.

Links are whole addresses of a known scheme. An address that is a placeholder is checked when the message is filled,
and if it is no such address the text of the link stays alone. A placeholder that is part of an address is
percent-encoded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from jinja2 import nodes
from mdurl import encode

from avisa.links import NOT_A_LINK, SCHEMES, Flaw, read, whole_address, written
from avisa.templates.jinja.desugar import link_of
from avisa.templates.jinja.scopes import is_prose
from avisa.templates.markdown.ast import Branch, Break, Element, Node, Placeholder, Text, every
from avisa.templates.markdown.parser import MarkdownProblem
from avisa.templates.markdown.placeholders import MARK, EndIf, If, Marks, Output

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_HTTP = re.compile("https?:", re.IGNORECASE)
_HOST = re.compile(r"https?://[^/?#\\]+[/?#]", re.IGNORECASE)
_RULE = "—" * 12
# All that Markdown makes, and what a theme can give a style.
ELEMENTS = tuple("a blockquote code em h1 h2 h3 h4 h5 h6 hr li ol p strong ul".split())

Component = Callable[[nodes.Expr], str]


@dataclass(frozen=True, slots=True)
class HtmlWriter:
    """Writes HTML with marks, each element in the style that the theme has for it."""

    marks: Marks
    component: Component
    theme: Mapping[str, str]

    def write(self, tree: Sequence[Node]) -> str:
        return "".join(self._node(node) for node in tree)

    def _node(self, node: Node) -> str:
        match node:
            case Text(text):
                return escape(text)
            case Break(hard):
                return "<br>" if hard else "\n"
            case Placeholder(number, component):
                return self.component(_expr(self.marks, number)) if component else _value(number, self.marks)
            case Branch(arms, end):
                return "".join(_mark(mark) + self.write(kids) for mark, kids in arms) + _mark(end)
            case Element(tag="hr"):
                return self._opened("hr")
            case Element(tag="a"):
                if any(isinstance(inner, Element) and inner.tag == "a" for inner in every(node.children)):
                    raise MarkdownProblem("not_allowed", "a link cannot stand in a link")
                url, guard = _link(node.href, self.marks)
                opened, closed = self._opened("a", f' href="{escape(url)}"'), "</a>"
                return _if(guard, opened, self.marks) + self.write(node.children) + _if(guard, closed, self.marks)
            case Element(tag="p") if node.tight:
                return self.write(node.children)
            case Element(tag="ol") if node.number != 1:
                return self._opened("ol", f' start="{node.number}"') + self.write(node.children) + "</ol>"
            case _:
                return f"{self._opened(node.tag)}{self.write(node.children)}</{node.tag}>"

    def _opened(self, tag: str, attributes: str = "") -> str:
        style = self.theme.get(tag)
        styled = f' style="{escape(style, quote=False).replace(chr(34), "&quot;")}"' if style else ""
        return f"<{tag}{attributes}{styled}>"


@dataclass(frozen=True, slots=True)
class TextWriter:
    """Writes plain text with marks. A paragraph is one line, however long."""

    marks: Marks
    component: Component

    def write(self, tree: Sequence[Node], prefix: str = "") -> str:
        return "".join(self._node(node, prefix) for node in tree)

    def _node(self, node: Node, prefix: str) -> str:
        match node:
            case Text(text):
                return text
            case Break(hard):
                return f"\n{prefix}" if hard else " "
            case Placeholder(number, component):
                return self.component(_expr(self.marks, number)) if component else _value(number, self.marks, prefix)
            case Branch(arms, end):
                return "".join(_mark(mark) + self.write(kids, prefix) for mark, kids in arms) + _mark(end)
            case Element(tag="hr"):
                return f"{_RULE}\n\n"
            case Element(tag="a"):
                return self._written_link(node)
            case Element(tag="p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6"):
                return prefix + self.write(node.children, prefix) + ("\n" if node.tight else "\n\n")
            case Element(tag="ul" | "ol"):
                return self._list(node, prefix)
            case Element(tag="blockquote"):
                return self.write(node.children, prefix + "> ")
            case _:
                return self.write(node.children, prefix)

    def _list(self, node: Element, prefix: str) -> str:
        count = node.number

        def items(children: Sequence[Node]) -> str:
            nonlocal count
            written = ""
            for child in children:
                if isinstance(child, Branch):
                    written += "".join(_mark(mark) + items(kids) for mark, kids in child.arms) + _mark(child.end)
                elif isinstance(child, Element):
                    bullet = "- " if count is None else f"{count}. "
                    count = None if count is None else count + 1
                    text = self.write(child.children, prefix + " " * len(bullet))
                    written += prefix + bullet + text.removeprefix(prefix + " " * len(bullet)).rstrip("\n") + "\n"
            return written

        return items(node.children) + ("" if prefix else "\n")

    def _written_link(self, node: Element) -> str:
        url, guard = _link(node.href, self.marks)
        text = self.write(node.children)
        bare = url.removeprefix("mailto:").removeprefix("tel:")
        if text in (url, bare, url.removesuffix("/")):
            return text
        return text + _if(guard, f" ({bare})", self.marks)


def _link(href: str, marks: Marks) -> tuple[str, nodes.Expr | None]:
    """Return an address with marks, and what must be true for it to be one. Raises MarkdownProblem for a scheme that
    is not allowed."""
    pieces = MARK.split(href)
    if pieces[0] or len(pieces) == 1:
        scheme = _SCHEME.match(pieces[0])
        if scheme is None or scheme[1].lower() not in SCHEMES:
            word = pieces[0]
            raise MarkdownProblem("link_scheme", NOT_A_LINK, word=word, suggestion=whole_address(word))
    if len(pieces) == 1:
        if (address := written(href)) is None:
            raise MarkdownProblem("link_scheme", _objection(href), word=href)
        return address, None
    # A host must end before the first placeholder, or the first placeholder must be a whole address.
    open_ended = len(pieces) > 1 and _HTTP.match(pieces[0]) and not _HOST.match(pieces[0])
    behind = len(pieces) > 3 and not pieces[0] and pieces[2][:1] not in ("/", "?", "#")
    if open_ended or behind:
        raise MarkdownProblem("link_scheme", "an order cannot name the host; put a `/` behind yours", word=pieces[0])
    if pieces[0] and _HTTP.match(pieces[0]) and isinstance(read(pieces[0]), Flaw):
        raise MarkdownProblem("link_scheme", _objection(pieces[0]), word=pieces[0])
    url, guard = "", None
    for place, piece in enumerate(pieces):
        if place % 2 == 0:
            url += encode(piece)
            continue
        mark = marks.at(piece)
        if not isinstance(mark, Output):
            raise MarkdownProblem("not_allowed", "an address has no `if` or `for` in it")
        whole = place == 1 and not pieces[0]
        filtered = link_of(mark.expr) if whole else _part(mark.expr)
        guard = filtered if whole else guard
        url += marks.put(Output(filtered))
    return url, guard


def _objection(address: str) -> str:
    """Why an address that an operator wrote cannot stand in a link."""
    found = read(address)
    return (
        f"this cannot be a link: {found.problem}" if isinstance(found, Flaw) and _HTTP.match(address) else NOT_A_LINK
    )


def _part(expr: nodes.Expr) -> nodes.Expr:
    return nodes.Filter(expr, "_part", [], [], None, None, lineno=expr.lineno)


def _if(guard: nodes.Expr | None, text: str, marks: Marks) -> str:
    return text if guard is None else marks.put(If(guard)) + text + marks.put(EndIf())


def _mark(number: int) -> str:
    return f"\ue000{number}\ue001"


def _value(number: int, marks: Marks, prefix: str = "") -> str:
    """Return the mark of a value, which keeps its lines if it can have some: in plain text they are indented."""
    expr = _expr(marks, number)
    if not is_prose(expr):
        return _mark(number)
    indent = nodes.Const(prefix or "  ", lineno=expr.lineno)
    return marks.put(Output(nodes.Filter(expr, "_lines", [indent], [], None, None, lineno=expr.lineno)))


def _expr(marks: Marks, number: int) -> nodes.Expr:
    mark = marks.at(number)
    assert isinstance(mark, Output)
    return mark.expr
