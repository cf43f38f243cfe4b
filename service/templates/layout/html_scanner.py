"""The HTML of a layout, read strictly, so that there is one way only to understand it.

HTML has a meaning whatever is written (HTML Living Standard 13.2): what is not closed, or stands where it cannot,
is moved, closed and opened again by each reader's parser. A layout is refused where that would begin: its author sees
what was forgotten, and a placeholder stands for every reader where it stands for us.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jinja2 import nodes

OUTPUT = "\ue000"  # stands for a placeholder
STATEMENT = "\ue001"  # stands where an `if` or `for`, or a branch of it, begins or ends
MOST_DEPTH = 40  # elements within one another: four times the deepest shipped

# What HTML takes for a blank within a tag; what Unicode calls one besides (a no-break space) would be part of a name.
_BLANK = "[ \t\n]"
_NAME = rf"[^\s\"'<>/={OUTPUT}{STATEMENT}]+"
_VALUE = rf"""(?:"[^"]*"|'[^']*'|[^\s"'=<>`{OUTPUT}{STATEMENT}]+)"""
TOKEN = re.compile(
    rf"""<!--(?!-?>)(?:(?!--!?>).)*-->|<!doctype[^<>]*>|"""
    rf"""<(?P<close>/)?(?P<tag>[a-z][a-z0-9]*(?::[a-z][a-z0-9]*)?)"""
    rf"""(?P<attributes>(?:{_BLANK}+{_NAME}(?:{_BLANK}*={_BLANK}*{_VALUE})?)*+){_BLANK}*/?>|(?P<odd><)""",
    re.DOTALL | re.IGNORECASE | re.ASCII,  # to Unicode, a Kelvin sign is a `k`
)
ATTRIBUTE = re.compile(rf"(?P<name>{_NAME})(?:{_BLANK}*={_BLANK}*(?P<value>{_VALUE}))?", re.DOTALL | re.ASCII)
VOID = frozenset(
    "area base basefont bgsound br col embed frame hr img input link meta param source track wbr".split()
)
CONDITION = re.compile(r"<!--\s*\[\s*if", re.IGNORECASE)  # how a comment begins that Outlook reads
TEXT_ONLY = frozenset({"style", "title"})
NOT_READ_AS_HTML = TEXT_ONLY | {"xml"}  # to Outlook, what stands in one of these is something else
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_ENDS_PARAGRAPH = _HEADINGS | frozenset(
    "address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer"
    " form header hgroup hr main menu nav ol p search section summary table ul".split()
)
_ROWS = frozenset({"table", "thead", "tbody", "tfoot"})
_WITHIN = {
    **dict.fromkeys(("td", "th"), frozenset({"tr"})),
    "tr": _ROWS,
    **dict.fromkeys(("thead", "tbody", "tfoot", "caption", "colgroup"), frozenset({"table"})),
    "col": frozenset({"table", "colgroup"}),
    "li": frozenset({"ul", "ol"}),
    **dict.fromkeys(("dt", "dd"), frozenset({"dl"})),
}
_HOLDS_PARTS_ONLY = _ROWS | {"tr", "colgroup"}

Flaw = tuple[int, str]  # where in the file, and what is wrong


@dataclass(frozen=True, slots=True)
class Page:
    """A file of the layout, with all branches one after the other."""

    text: str
    offsets: Sequence[int]  # where in the file each character of the text stands
    outputs: Mapping[int, nodes.Node]  # the expressions of placeholders, by where they stand in the text

    @classmethod
    def of(cls, tree: nodes.Template) -> Page:
        """Return the page of a tree that `parser` read."""
        text: list[str] = []
        offsets: list[int] = []
        outputs: dict[int, nodes.Node] = {}
        for part, shown in _flattened(tree.body):
            if shown == OUTPUT:
                outputs[len(offsets)] = part
            text.append(shown)
            offsets += range(part.lineno or 0, (part.lineno or 0) + len(shown))
        return cls("".join(text), [*offsets, offsets[-1] if offsets else 0], outputs)


def flaw(page: Page) -> Flaw | None:
    """The first thing that HTML would have to be mended for, in a page of the elements of `mail_html`."""
    text, offsets = page.text, page.offsets
    reading = _Reading()
    end = 0
    for token in TOKEN.finditer(text):
        found = reading.text(text[end : token.start()]) or reading.token(token)
        if found:
            return offsets[token.start()], found
        end = token.end()
    if found := reading.text(text[end:]):
        return offsets[-1], found
    return (offsets[reading.open[-1][1]], f"this `<{reading.open[-1][0]}>` is never closed") if reading.open else None


class _Reading:
    """What is open at some place of the file."""

    def __init__(self) -> None:
        self.open: list[tuple[str, int]] = []  # tags, and where they stand

    def text(self, text: str) -> str | None:
        if self._parent() in _HOLDS_PARTS_ONLY and text.replace(STATEMENT, "").strip():
            return f"text cannot stand between the parts of a `<{self._parent()}>`"
        return None

    def token(self, token: re.Match[str]) -> str | None:
        """What is wrong with a tag where it stands."""
        tag = (token["tag"] or "").lower()
        if token["odd"]:
            tag, _, _ = token.string[token.start() :].partition(">")
            if STATEMENT in tag:
                return "within a tag, an `if` or `for` can stand in quotes only"
            if OUTPUT in tag:
                return "within a tag, a placeholder can stand only in the quotes of a value"
            return "a `<` that begins no tag; write `&lt;`, and look for a quote that is not closed"
        if self._parent() in TEXT_ONLY and not (token["close"] and tag == self._parent()):
            return f"within `<{self._parent()}>` there can be text only"
        if not tag:
            return None  # a comment
        if token["close"]:
            return self._close(tag)
        wrong = self._wrong(tag)
        if tag not in VOID:
            self.open.append((tag, token.start()))
        return wrong

    def _close(self, tag: str) -> str | None:
        if tag == self._parent():
            self.open.pop()
            return None
        if self._within(tag):
            return f"`</{tag}>` stands where `</{self._parent()}>` is expected"
        return f"there is no `<{tag}>` open that `</{tag}>` could close"

    def _wrong(self, tag: str) -> str | None:
        parent = self._parent()
        if len(self.open) >= MOST_DEPTH:
            return f"there are more than {MOST_DEPTH} elements within one another"
        if tag in _ENDS_PARAGRAPH and self._within("p"):
            return f"a `<{tag}>` cannot stand in a `<p>`"
        if tag in _HEADINGS and any(self._within(heading) for heading in _HEADINGS):
            return f"a `<{tag}>` cannot stand in another heading"
        if tag in ("a", "nobr", "form", "html", "body", "head") and self._within(tag):
            return f"a `<{tag}>` cannot stand in another"
        if parent not in _WITHIN.get(tag, {parent}):
            return f"a `<{tag}>` can stand in a {' or '.join(f'`<{it}>`' for it in sorted(_WITHIN[tag]))} only"
        if parent in _HOLDS_PARTS_ONLY and tag not in _WITHIN:
            return f"a `<{tag}>` cannot stand between the parts of a `<{parent}>`"
        return None

    def _parent(self) -> str:
        return self.open[-1][0] if self.open else ""

    def _within(self, tag: str) -> bool:
        return any(tag == it for it, _ in self.open)


def _flattened(body: Sequence[nodes.Node]) -> Iterator[tuple[nodes.Node, str]]:
    """What a body holds, piece by piece."""
    for node in body:
        if isinstance(node, nodes.Output):
            for part in node.nodes:
                yield part, part.data if isinstance(part, nodes.TemplateData) else OUTPUT
            continue
        assert isinstance(node, nodes.If | nodes.For)
        branches = [node.body, *(it.body for it in getattr(node, "elif_", ())), node.else_]
        for branch in branches:
            yield node, STATEMENT
            yield from _flattened(branch)
        yield node, STATEMENT
