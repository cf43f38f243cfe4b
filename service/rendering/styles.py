"""Styles, worked into the elements they are for: mail programs look for them there.

Each element gets what the rules declare of it before what its own `style` says. All else of the page stays to the
letter. How much writing that is, is counted while it is done.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape

from service.rendering import css
from service.rendering.bounds import LONGEST_PAGE, MOST_STYLED, MOST_TAGS, TooMuch, width
from service.rendering.cascade import TOO_MANY, Cascade, Element
from service.rendering.marks import MARK
from service.rendering.markup import ATTRIBUTE, TOKEN, VOID, Flaw, Page

Says = Callable[[str], bool]  # whether the mark of that number is a value, and no statement

_TOO_MUCH = "it comes to too much text, or to too much with the styles of the layout in each element"
_IMPLIED = {"tr": "tbody", "col": "colgroup"}  # what every parser puts around them in a table
_PUT_IN = ("html", "body", *_IMPLIED.values())
_CSS = frozenset({"", "text/css"})


@dataclass(frozen=True, slots=True)
class Style:
    """A `<style>` of a page, and what it holds; those for some media only are none of ours."""

    start: int
    end: int
    begins: int  # the text
    text: str


def styles_of(page: str) -> Iterator[Style]:
    """Those to be worked in."""
    opened: re.Match[str] | None = None
    for token in TOKEN.finditer(page):
        if opened is not None:
            if _attributes(page, opened).keys() <= {"type"} and _type(page, opened) in _CSS:
                yield Style(opened.start(), token.end(), opened.end(), page[opened.end() : token.start()])
            opened = None
        elif (token["tag"] or "").lower() == "style" and not token["close"]:
            opened = token


def flaw(page: Page) -> Flaw | None:
    """The first thing in the styles of a file that could be read in two ways. Raises TooMuch."""
    for style in styles_of(page.text):
        try:
            css.read(style.text)
        except css.Flawed as found:
            return page.offsets[style.begins + found.offset], str(found)
    return None


def inlined(page: str, says: Says) -> str:
    """HTML with its rules in its elements; what stays for the head is there in fewer octets. Raises TooMuch, and
    css.Flawed, which reading the layout has told of before."""
    styles = list(styles_of(page))
    unwritten = frozenset(tag for tag in _PUT_IN if not re.search(rf"<{tag}\b", page, re.IGNORECASE))
    sheets: list[css.Sheet] = []
    for style in styles:
        sheets.append(css.read(style.text, unwritten=unwritten))
        if sum(sheet.size for sheet in sheets) > MOST_STYLED:
            raise TooMuch(TOO_MANY)
    room = LONGEST_PAGE // width([page, *(style.text for style in styles)]) - len(page)
    cascade = Cascade([rule for sheet in sheets for rule in sheet.rules])
    replaced = {
        style.start: (style.end, f"<style>{sheet.kept}</style>" if sheet.kept else "")
        for style, sheet in zip(styles, sheets, strict=True)
    }
    return "".join(_Typesetter(page, cascade, says, room).pieces(replaced))


class _Typesetter:
    """Goes through a page from tag to tag."""

    def __init__(self, page: str, cascade: Cascade, says: Says, room: int) -> None:
        self._page = page
        self._cascade = cascade
        self._says = says
        self._room = room
        self._open: list[Element] = []
        self._outermost = Element("", frozenset(), None, None, first=True)  # to count in, and for no selector

    def pieces(self, replaced: dict[int, tuple[int, str]]) -> Iterator[str]:
        """The page in pieces, with some stretches of it replaced."""
        end = tags = 0
        for token in TOKEN.finditer(self._page):
            if token.start() < end:
                continue
            if token.start() in replaced:
                yield self._page[end : token.start()]
                self._place()
                end, instead = replaced[token.start()]
                yield instead
                continue
            if not token["tag"]:
                continue
            if token["close"]:
                self._open.pop()
                continue
            tags += 1
            if tags > MOST_TAGS:
                raise TooMuch(TOO_MANY)
            for start, stop, instead in self._styled(token):
                yield self._page[end:start]
                yield instead
                end = stop
        yield self._page[end:]

    def _styled(self, token: re.Match[str]) -> Iterator[tuple[int, int, str]]:
        """What is to stand where in the tag."""
        given = _attributes(self._page, token)
        element = self._element(token["tag"].lower(), given)
        own = given.get("style")
        said = _value(own) if own is not None else ""
        style = self._cascade.of(element, _names(said, self._says))
        if element.tag not in VOID:
            self._open.append(element)
        if not style:
            return
        whole = f'style="{";".join(filter(None, (style, said.strip().replace(chr(34), "&quot;"))))}"'
        start, stop = own.span() if own is not None else (token.end("given"),) * 2
        self._room -= len(whole) + 1 - (stop - start)
        if self._room < 0:
            raise TooMuch(_TOO_MUCH)
        yield start, stop, whole if own is not None else f" {whole}"

    def _element(self, tag: str, given: dict[str, re.Match[str]]) -> Element:
        parent, first = self._place(tag)
        classes, name = given.get("class"), given.get("id")
        return Element(
            tag,
            self._cascade.known(unescape(_value(classes))) if classes is not None else frozenset(),
            unescape(_value(name)) if name is not None else None,
            parent,
            first,
        )

    def _place(self, tag: str = "style") -> tuple[Element | None, bool]:
        """What the next element stands in, and whether it is the first there."""
        parent = self._open[-1] if self._open else None
        if parent is not None and parent.tag == "table":
            parent = _within_table(parent, tag)
        siblings = self._outermost if parent is None else parent
        siblings.children += 1
        return parent, siblings.children == 1


def _within_table(table: Element, tag: str) -> Element:
    """What every parser puts around a row that stands in a table by itself."""
    if tag not in _IMPLIED:
        table.implied = None
        return table
    if table.implied is None or table.implied.tag != _IMPLIED[tag]:
        table.implied = Element(_IMPLIED[tag], frozenset(), None, table, table.children == 0)
        table.children += 1
    return table.implied


def _names(style: str, says: Says) -> frozenset[str]:
    """What a `style` surely declares: not where that hangs on a condition, or cannot be read."""
    if not style or not all(map(says, MARK.findall(style))):
        return frozenset()
    try:
        return frozenset(it.name for it in css.declarations(unescape(style)))
    except css.Flawed:
        return frozenset()


def _attributes(page: str, token: re.Match[str]) -> dict[str, re.Match[str]]:
    """The attributes of a tag; of one given twice, the first counts (HTML Living Standard 13.2.5.33)."""
    found: dict[str, re.Match[str]] = {}
    for attribute in ATTRIBUTE.finditer(page, *token.span("given")):
        found.setdefault(attribute["name"].lower(), attribute)
    return found


def _type(page: str, token: re.Match[str]) -> str:
    given = _attributes(page, token).get("type")
    return _value(given).strip().lower() if given is not None else ""


def _value(attribute: re.Match[str]) -> str:
    value = attribute["value"] or ""
    return value[1:-1] if value[:1] in ("'", '"') else value
