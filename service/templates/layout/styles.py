"""Styles, worked into the elements they are for: mail programs look for them there.

Each element gets what the rules declare of it before what its own `style` says. All else of the page stays to the
letter. How much writing that is, is counted while it is done.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import unescape

from avisa.templates.layout import css
from avisa.templates.layout.cascade import TOO_MANY, Cascade, Element
from avisa.templates.layout.html_scanner import ATTRIBUTE, BLANKS, TOKEN, VOID, Flaw, Page, styles
from avisa.templates.limits import LONGEST_PAGE, LONGEST_STYLES, MOST_STYLED, MOST_TAGS, TooMuch, width
from avisa.templates.markdown.placeholders import MARK, MARK_BEGINS

Says = Callable[[str], bool]  # whether the mark of that number is a value, and no statement

_TOO_MUCH = "it comes to too much text, or to too much with the styles of the layout in each element"
_IMPLIED = {"tr": "tbody", "col": "colgroup"}  # what every parser puts around them in a table
_PUT_IN = ("html", "body", *_IMPLIED.values())
_CSS = frozenset({"", "text/css"})
_OF_USE = frozenset({"class", "id", "style", "type"})
_MOST_KEPT = 64  # styles of elements that were read before


@dataclass(frozen=True, slots=True)
class Style:
    """A `<style>` of a page, and what it holds; those for some media only are none of ours."""

    start: int
    end: int
    begins: int  # the text
    text: str


def styles_of(page: str) -> Iterator[Style]:
    """Those to be worked in."""
    for begin, end in styles(page):
        given = [it["name"].lower() for it in ATTRIBUTE.finditer(page, *begin.span("given"))]
        if not given or (given == ["type"] and _value(_attributes(page, begin)["type"]).lower() in _CSS):
            yield Style(begin.start(), end.end(), begin.end(), page[begin.end() : end.start()])


def flaw(page: Page) -> Flaw | None:
    """The first thing in the styles of a file that could be read in two ways. Raises TooMuch."""
    try:
        for style in (sheets := Styles(page.text)).found:
            sheets.read(style)
    except css.Flawed as found:
        return page.offsets[style.begins + found.offset], str(found)
    return None


class Styles:
    """The styles of a page."""

    def __init__(self, page: str) -> None:
        self.found = list(styles_of(page))
        self._size = 0
        if sum(len(style.text) for style in self.found) > LONGEST_STYLES:
            raise TooMuch(TOO_MANY)

    def read(self, style: Style) -> css.Sheet:
        """What it holds. Raises css.Flawed and TooMuch."""
        sheet = css.read(style.text)
        self._size += sheet.size
        if self._size > MOST_STYLED:
            raise TooMuch(TOO_MANY)
        return sheet


def inlined(page: str, says: Says) -> str:
    """HTML with its rules in its elements; what stays for the head is there in fewer octets. Raises TooMuch, and
    css.Flawed, which reading the layout has told of before."""
    known = Styles(page)
    sheets = {style.start: (style, known.read(style)) for style in known.found}
    room = LONGEST_PAGE // width([page, *(style.text for style in known.found)]) - len(page)
    return _Typesetter(page, sheets, says, room).set()


class _Typesetter:
    """Goes through a page from tag to tag."""

    def __init__(self, page: str, sheets: Mapping[int, tuple[Style, css.Sheet]], says: Says, room: int) -> None:
        self._page = page
        self._sheets = sheets
        self._cascade = Cascade([rule for _, sheet in sheets.values() for rule in sheet.rules])
        self._says = says
        self._room = room
        self._open: list[Element] = []
        self._outermost = Element("", frozenset(), None, None, first=True)  # to count in, and for no selector
        self._written: set[str] = set()  # tags
        self._implied: set[str] = set()
        self._own: dict[str, frozenset[str]] = {}

    def set(self) -> str:
        """The whole page. What stays of a style is known only when all of it was seen."""
        pieces: list[str] = []
        slots: dict[int, css.Sheet] = {}
        end = seen = tokens = 0
        for token in TOKEN.finditer(self._page):
            if token.start() < end:
                continue
            self._meanwhile(seen, token.start())
            seen = token.end()
            tokens += 1
            if tokens > 2 * MOST_TAGS:
                raise TooMuch(TOO_MANY)
            if token.start() in self._sheets:
                pieces.append(self._page[end : token.start()])
                style, slots[len(pieces)] = self._sheets[token.start()]
                pieces.append("")
                self._place("style")
                end = style.end
            elif token["close"]:
                self._open.pop()
            elif token["tag"] and (styled := self._styled(token)) is not None:
                start, stop, instead = styled
                pieces += (self._page[end:start], instead)
                end = stop
        pieces.append(self._page[end:])
        first = 0
        unwritten = frozenset(_PUT_IN) - (self._written - self._implied)
        for place, sheet in slots.items():
            undecided = self._cascade.undecided
            left = [it.text for n, it in enumerate(sheet.rules, first) if n in undecided or it.needs(unwritten)]
            first += len(sheet.rules)
            kept = "".join([sheet.kept, *left])
            pieces[place] = f"<style>{kept}</style>" if kept else ""
        return "".join(pieces)

    def _meanwhile(self, start: int, end: int) -> None:
        """A condition or loop that begins or ends between two tags."""
        if MARK_BEGINS in (text := self._page[start:end]) and not all(map(self._says, MARK.findall(text))):
            (self._open[-1] if self._open else self._outermost).unsure = True

    def _styled(self, token: re.Match[str]) -> tuple[int, int, str] | None:
        """From where to where in the page what is to stand instead; None: the tag stays as it is."""
        given = _attributes(self._page, token)
        element = self._element(token["tag"].lower(), given)
        own = given.get("style")
        said = _value(own) if own is not None else ""
        style = self._cascade.of(element, self._names(said))
        if element.tag not in VOID:
            self._open.append(element)
        if not style:
            return None
        whole = f'style="{";".join(filter(None, (style, said.strip(BLANKS).replace(chr(34), "&quot;"))))}"'
        start, stop = own.span() if own is not None else (token.end("given"),) * 2
        self._room -= len(whole) + 1 - (stop - start)
        if self._room < 0:
            raise TooMuch(_TOO_MUCH)
        return start, stop, whole if own is not None else f" {whole}"

    def _element(self, tag: str, given: dict[str, re.Match[str]]) -> Element:
        self._written.add(tag)
        parent, first = self._place(tag)
        classes, name = given.get("class"), given.get("id")
        return Element(
            tag,
            self._cascade.known(unescape(_value(classes))) if classes is not None else frozenset(),
            unescape(_value(name)) if name is not None else None,
            parent,
            first,
        )

    def _place(self, tag: str) -> tuple[Element | None, bool | None]:
        """What the next element stands in, and whether it is the first there."""
        parent = self._open[-1] if self._open else None
        if parent is not None and parent.tag == "table":
            parent = self._within_table(parent, tag)
        return parent, (self._outermost if parent is None else parent).one_more()

    def _within_table(self, table: Element, tag: str) -> Element:
        """What every parser puts around a row that stands in a table by itself."""
        if tag not in _IMPLIED:
            table.implied = None
            return table
        if table.implied is None or table.implied.tag != _IMPLIED[tag]:
            table.implied = Element(_IMPLIED[tag], frozenset(), None, table, table.one_more())
            self._implied.add(_IMPLIED[tag])
        table.implied.unsure = table.implied.unsure or table.unsure
        return table.implied

    def _names(self, style: str) -> frozenset[str]:
        """What a `style` surely declares: not where that hangs on a condition, or cannot be read."""
        if style not in self._own:
            self._cascade.look(2 * len(style))
            names = _declared_in(style, self._says)
            if len(self._own) == _MOST_KEPT:
                return names
            self._own[style] = names
        return self._own[style]


def _declared_in(style: str, says: Says) -> frozenset[str]:
    if not style or not all(map(says, MARK.findall(style))):
        return frozenset()
    try:
        return frozenset(it.name for it in css.declarations(unescape(style)))
    except css.Flawed:
        return frozenset()


def _attributes(page: str, token: re.Match[str]) -> dict[str, re.Match[str]]:
    """The attributes of a tag that are of use here; of one given twice, the first counts (HTML Living Standard
    13.2.5.33)."""
    found: dict[str, re.Match[str]] = {}
    for attribute in ATTRIBUTE.finditer(page, *token.span("given")):
        if (name := attribute["name"].lower()) in _OF_USE:
            found.setdefault(name, attribute)
    return found


def _value(attribute: re.Match[str]) -> str:
    value = attribute["value"] or ""
    return value[1:-1] if value[:1] in ("'", '"') else value
