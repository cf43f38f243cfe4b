"""Markdown with marks in it, as a tree.

A message is parsed once, when it is compiled. An `if` or `for` that says nothing must leave nothing behind, so:

- a statement alone on its line stands between paragraphs;
- a paragraph wholly inside an `if` belongs to it: `{% if reason %}Why: {{ reason }}{% endif %}` is an `if` around a
  paragraph, not a paragraph that may be empty;
- a line break before an `if` goes into it.

Raw HTML is text, and images do not exist.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from html import unescape

from markdown_it import MarkdownIt
from markdown_it.token import Token

from avisa.templates.markdown.ast import Branch, Break, Element, Node, Placeholder, Text, every, numbers
from avisa.templates.markdown.placeholders import MARK, Elif, Else, EndFor, EndIf, For, If, Marks, Output
from avisa.templates.reserved import RESERVED

_ENTITY = re.compile("&#[xX]?[0-9A-Fa-f]+;?")
_ALONE = re.compile("^[ \t]*((?:\ue000\\d+\ue001[ \t]*)+)$", re.MULTILINE)


class MarkdownProblem(Exception):  # noqa: N818  a state of the message, told as a problem
    """The message cannot be written. `code`, `line` and `suggestion` are those of a diagnostic; `word` helps to find
    the place."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        line: int | None = None,
        word: str | None = None,
        suggestion: str | None = None,
    ) -> None:
        super().__init__(message)
        self.suggestion = suggestion
        self.code = code
        self.line = line
        self.word = word


_LEAVES = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6"})
_SOFT = Break()


def parse(marked: str, marks: Marks) -> list[Node]:
    """Return the blocks of a message. Raises MarkdownProblem where statements and elements cross, and where a
    placeholder is lost or spelt out."""
    for piece in MARK.split(marked)[::2]:
        for entity in _ENTITY.findall(piece):
            if RESERVED.search(unescape(entity)):
                raise MarkdownProblem("not_allowed", "a character that cannot stand in a message", word=entity)
    tree = _tree(marked, marks)
    lost = Counter(MARK.findall(marked)) - Counter(numbers(tree))
    if lost:
        line = line_of(marks, int(min(lost, key=int)))
        message = "a placeholder stands where nothing is shown, as in a link's title"
        raise MarkdownProblem("not_allowed", message, line=line)
    return tree


def _tree(marked: str, marks: Marks) -> list[Node]:
    apart = _ALONE.sub(lambda found: _apart(found, marks), marked)
    blocks = _Builder(marks)
    leaf = Element("p")
    for token in PARSER.parse(apart):
        if token.type == "inline":
            if _ALONE.fullmatch(token.content) and _no_sentence(token.content, marks):
                blocks.marks_of("".join(token.content.split()))
            else:
                blocks.add(*_leaf(leaf, _inline(token.children or [], marks), marks))
        elif token.tag in _LEAVES:
            leaf = Element(token.tag, tight=token.hidden)
        else:
            blocks.token(token)
    return blocks.finish()


def _plain_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).disable(
        ["html_block", "html_inline", "image", "code", "fence", "reference", "lheading"]
    )
    # Links are checked and encoded by whoever writes them; here it would spoil the marks in them.
    parser.validateLink = lambda url: True  # type: ignore[method-assign]  # meant to be replaced, says its manual
    parser.normalizeLink = lambda url: url  # type: ignore[method-assign]  # as above
    return parser


PARSER = _plain_parser()


def _apart(found: re.Match[str], marks: Marks) -> str:
    return f"\n\n{found[1].strip()}\n\n" if _no_sentence(found[1], marks) else found[0]


def _no_sentence(text: str, marks: Marks) -> bool:
    """Whether there are only statements and components in the text, so that it is no part of a paragraph."""
    placed = [marks.at(number) for number in MARK.findall(text)]
    return not any(isinstance(mark, Output) and mark.component is None for mark in placed)


class _Builder:
    """Builds a tree from what opens and closes, and refuses elements and statements that cross."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._root: list[Node] = []
        self._open: list[Element | Branch] = []

    def add(self, *children: Node) -> None:
        self._room().extend(children)

    def token(self, token: Token) -> None:
        if token.nesting > 0:
            start = token.attrGet("start")
            ordered = int(start or 1) if token.tag == "ol" else None
            self._open.append(Element(token.tag, href=str(token.attrGet("href") or ""), number=ordered))
        elif token.nesting == 0:
            self.add(Element(token.tag))
        else:
            element = self._open.pop() if self._open else None
            if not isinstance(element, Element):
                raise self._crossed(element)
            self.add(element)

    def marks_of(self, text: str) -> None:
        """Add a text and the marks in it."""
        for place, piece in enumerate(MARK.split(text)):
            if place % 2:
                self._mark(int(piece))
            elif piece:
                self.add(Text(piece))

    def finish(self) -> list[Node]:
        if self._open:
            raise self._crossed()
        return self._root

    def _mark(self, number: int) -> None:
        match self._marks.at(number):
            case Output(component=component):
                self.add(Placeholder(number, component is not None))
            case If() | For():
                self._open.append(Branch([(number, [])]))
            case Elif() | Else():
                top = self._open[-1] if self._open else None
                if not isinstance(top, Branch):
                    raise self._crossed(number=number)
                top.arms.append((number, []))
            case EndIf() | EndFor():
                branch = self._open.pop() if self._open else None
                if not isinstance(branch, Branch):
                    raise self._crossed(number=number)
                branch.end = number
                self.add(_as_one_list(branch, self._marks))

    def _room(self) -> list[Node]:
        if not self._open:
            return self._root
        top = self._open[-1]
        return top.arms[-1][1] if isinstance(top, Branch) else top.children

    def _crossed(self, inner: Element | Branch | None = None, number: int | None = None) -> MarkdownProblem:
        """Return the problem, at the innermost `if` or `for` that is open; if none is, at the mark `number`."""
        enclosing = [*self._open, inner]
        branch = next((node for node in reversed(enclosing) if isinstance(node, Branch)), None)
        mark = number if branch is None else branch.arms[0][0]
        return MarkdownProblem(
            "crossing",
            "an `if` or `for` must begin and end within the same paragraph, list item or emphasis; is there an empty"
            " line in it?",
            line=None if mark is None else line_of(self._marks, mark),
            word="{%",
        )


def line_of(marks: Marks, number: int) -> int | None:
    """Return the line in the file where the mark stands, None if nobody knows."""
    match marks.at(number):
        case Output(expr) | If(expr) | Elif(expr) | For(_, expr):
            return expr.lineno
        case Else(line) | EndIf(line) | EndFor(line):
            return line or None
    return None


def _inline(tokens: Sequence[Token], marks: Marks) -> list[Node]:
    builder = _Builder(marks)
    for token in tokens:
        match token.type:
            case "text" | "text_special":
                builder.marks_of(token.content)
            case "softbreak" | "hardbreak":
                builder.add(Break(hard=token.type == "hardbreak"))
            case "code_inline":
                builder.token(Token("code_open", "code", 1))
                builder.marks_of(token.content)
                builder.token(Token("code_close", "code", -1))
            case _:
                builder.token(token)
    return builder.finish()


def _leaf(paragraph: Element, children: list[Node], marks: Marks) -> list[Node]:
    """Return a paragraph; an `if` around the whole of it is put outside."""
    while children and children[0] == _SOFT:
        children = children[1:]
    while children and children[-1] == _SOFT:
        children = children[:-1]
    if not children:
        return []
    if len(children) == 1 and isinstance(whole := children[0], Branch):
        return [Branch([(mark, _leaf(paragraph, kids, marks)) for mark, kids in whole.arms], whole.end)]
    component = next((node for node in every(children) if isinstance(node, Placeholder) and node.component), None)
    if component is not None:
        line, mark = line_of(marks, component.number), marks.at(component.number)
        word = mark.component if isinstance(mark, Output) else None
        raise MarkdownProblem("not_allowed", "a component stands on a line of its own", line=line, word=word)
    return [replace(paragraph, children=_breaks_inside(children))]


def _breaks_inside(children: list[Node]) -> list[Node]:
    """Return the children of a paragraph with soft line breaks moved into an `if`: into the one that follows the
    break, or into the one that begins the paragraph and that the break follows."""
    kept: list[Node] = []
    for place, node in enumerate(children):
        after = children[place + 1] if place + 1 < len(children) else None
        if node == _SOFT and isinstance(after, Branch):
            after.arms = [(mark, [_SOFT, *kids]) for mark, kids in after.arms]
        elif node == _SOFT and place == 1 and isinstance(first := children[0], Branch):
            first.arms = [(mark, [*kids, _SOFT]) for mark, kids in first.arms]
        else:
            kept.append(node)
    return kept


def _as_one_list(branch: Branch, marks: Marks) -> Branch | Element:
    """Turn a loop around a list into a list around the loop: its items are to be one list."""
    (mark, kids), *others = branch.arms
    if not others and isinstance(marks.at(mark), For) and len(kids) == 1:
        only = kids[0]
        if isinstance(only, Element) and only.tag in ("ul", "ol"):
            return replace(only, children=[Branch([(mark, only.children)], branch.end)])
    return branch
