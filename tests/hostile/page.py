"""A page as a reader's program sees it, and what it must not hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlsplit

from tests.templates.harness import SHIPPED

_VOID = frozenset(
    {"meta", "br", "hr", "img", "link", "input", "area", "base", "col", "embed", "source", "track", "wbr"}
)
_TEXTUAL = ["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "li", "blockquote", "em", "strong", "code", "hr", "br"]

# What the layout and Markdown may give: element -> attributes.
ELEMENTS: dict[str, frozenset[str]] = {
    **{tag: frozenset({"class", "style"}) for tag in _TEXTUAL},
    **{tag: frozenset({"style"}) for tag in ("tr", "tbody", "title", "style", "head", "body", "i", "u")},
    "html": frozenset({"lang", "style"}),
    "div": frozenset({"class", "style", "role", "lang"}),
    "b": frozenset({"style", "aria-current"}),
    "meta": frozenset({"charset", "name", "content"}),
    "table": frozenset({"role", "class", "style", "cellpadding", "cellspacing", "width"}),
    "td": frozenset({"class", "style", "align", "height", "bgcolor", "colspan"}),
    "a": frozenset({"href", "style", "class"}),
    "img": frozenset({"src", "alt", "height", "style"}),
    "ol": frozenset({"start", "style"}),
    "bdi": frozenset(),
    "span": frozenset({"dir"}),
}
_ISOLATES = frozenset({"bdi", "span"})  # around a value of the other direction, whatever else it is
# The layout's own, for Outlook on Windows.
_OUTLOOK = frozenset(
    re.findall(r"<!--(\[if mso\].*?<!\[endif\])-->", (SHIPPED / "layout/layout.html").read_text("utf-8"))
)
_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
_ACTIVE_STYLE = re.compile(r"url\(|expression|javascript|@import|behavior|<|\\", re.IGNORECASE)


class Page(HTMLParser):
    """Its elements in order, its text, and every objection to it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.text = ""
        self.links: list[str] = []
        self.objections: list[str] = []
        self._open: list[str] = []
        self._balanced = True
        self.feed(html)
        self.close()
        if self._open and self._balanced:
            self._object(f"never closed: {self._open}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _ISOLATES:
            self.tags.append(tag)
        if tag not in _VOID:
            self._open.append(tag)
        if tag not in ELEMENTS:
            self._object(f"<{tag}>")
        names = [name for name, _ in attrs]
        for name in names:
            if name not in ELEMENTS.get(tag, ()):
                self._object(f"<{tag} {name}>")
        if len(set(names)) < len(names):
            self._object(f"<{tag}> has an attribute twice")
        for name, value in attrs:
            self._attribute(tag, name, value or "")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name in ("href", "src"):
            self.links.append(value)
            try:
                scheme = urlsplit(value).scheme.lower()
            except ValueError:
                scheme = "broken"
            if scheme not in _SCHEMES or re.search(r"[\s\x00-\x1f\x7f]", value):
                self._object(f"<{tag} {name}={value[:60]!r}>")
        elif name == "style" and _ACTIVE_STYLE.search(value):
            self._object(f"<{tag} style={value[:60]!r}>")
        elif name == "dir" and value not in ("ltr", "rtl"):
            self._object(f"<{tag} dir={value[:20]!r}>")
        elif name == "start" and not value.isdecimal():
            self._object(f"<ol start={value[:20]!r}>")

    def handle_endtag(self, tag: str) -> None:
        if self._balanced and (not self._open or self._open.pop() != tag):
            self._balanced = False
            self._object(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            if _ACTIVE_STYLE.search(data):
                self._object("an active style sheet")
        else:
            self.text += data

    def handle_comment(self, data: str) -> None:
        if data not in _OUTLOOK:
            self._object(f"a comment: {data[:60]!r}")

    def handle_pi(self, data: str) -> None:
        self._object("a processing instruction")

    def unknown_decl(self, data: str) -> None:
        self._object("a declaration")

    def _object(self, what: str) -> None:
        self.objections.append(what)


def objections(html: str) -> Iterator[str]:
    """What is wrong with a page."""
    yield from Page(html).objections
