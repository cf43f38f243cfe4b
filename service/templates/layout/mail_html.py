"""What a mail may hold of HTML and CSS: what mail programs show. All else in a layout is refused.

The lists are closed. What is not in them does nothing in most programs (forms, scripts, films), acts in some and not
in others, or changes what else the mail does (`<base>`, a refresh).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from avisa.diagnostics.suggest import closest_match
from avisa.links import NOT_A_LINK, Flaw, Link, read, whole_address, written
from avisa.templates.layout.html_scanner import ATTRIBUTE, CONDITION, OUTPUT, STATEMENT, TOKEN, Page

# None for whose content HTML has rules of its own, such as `pre`, `ruby` and `svg`: `html_scanner` knows none.
ELEMENTS = frozenset(
    "a abbr address area article aside b bdi bdo big blockquote body br caption center cite code col colgroup dd"
    " del dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 head header hr html i img ins kbd li"
    " main map mark meta nav nobr ol p q s samp section small span strike strong style sub sup table tbody td"
    " tfoot th thead time title tr tt u ul var wbr".split()
)
ATTRIBUTES = frozenset(
    "abbr align alink alt background bgcolor border bordercolor cellpadding cellspacing charset class clear color"
    " cols colspan content coords datetime dir face frame headers height hidden href hreflang hspace http-equiv id"
    " lang leftmargin link marginheight marginwidth media name noshade nowrap rel reversed role rowspan rules"
    " scope shape size span src start style summary target text title topmargin translate type usemap valign value"
    " vlink vspace width x-apple-data-detectors xml:lang xmlns".split()
)
FAMILIES = ("aria-", "data-", "xmlns:")  # of attributes
# Outlook on Windows reads these, in its comments: shapes, and settings. A shape has attributes of its own.
OUTLOOKS = frozenset(
    "o:allowpng o:lock o:officedocumentsettings o:pixelsperinch v:background v:fill v:group v:image v:imagedata"
    " v:line v:oval v:path v:rect v:roundrect v:shadow v:shape v:shapetype v:stroke v:textbox w:anchorlock"
    " w:donotoptimizeforbrowser w:view w:worddocument w:zoom xml".split()
)
AT_RULES = frozenset({"font-face", "keyframes", "media", "supports", "viewport"})  # with a maker's prefix, too
_HTTP_EQUIV = frozenset({"content-type", "x-ua-compatible"})
PICTURES = frozenset({"background", "src"})  # attributes that name one
_ADDRESSES = PICTURES | {"althref", "href"}

_LINK, _PICTURE = '<a href="…">', '<img src="…" alt="…">'
# What many write, why it is not for mails, and what to write instead.
_WHY = {
    name: (why, instead)
    for names, why, instead in (
        ("button datalist fieldset form input label option select textarea", "link to a page with the form", _LINK),
        ("audio dialog embed frame iframe object video", "link to a page that has it", _LINK),
        ("canvas image math picture svg", "show a picture, and say in `alt` what is on it", _PICTURE),
        ("noscript script", "a mail has no scripts", None),
        ("base", "write each address whole", None),
        ("link", "write the styles into a `<style>`", "<style>"),
        ("srcset", "give the picture one address", "src"),
    )
    for name in names.split()
}
_BEGUN = re.compile("</?[a-z]", re.IGNORECASE)
_END_OF_STYLE = re.compile("</style", re.IGNORECASE)
_CSS = re.compile(
    r"""/\*.*?(?:\*/|\Z)|(?<![\w-])url\(\s*(?P<url>"[^"]*|'[^']*|[^)]*)|(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|"""
    r"""(?P<rule>@[\w-]+)|\\(?P<escape>[0-9a-f]{1,6}|.)|"""
    r"""(?<![\w-])(?P<runs>expression(?=\s*\()|behavior(?=\s*:)|-moz-binding(?=\s*:))""",
    re.DOTALL | re.IGNORECASE,
)
_MAKER = re.compile("-[a-z]+-")
_IN_A_TEXT = re.compile(r"(?:https?:)?//[^\s\"']+", re.IGNORECASE)
_HOST_ENDS = re.compile(r"https?://[^/?#]+[/?#]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that no mail may hold: where in the file it stands, what is wrong, what was probably meant."""

    offset: int
    message: str
    suggestion: str | None = None


def refusals(page: Page) -> Iterator[Refusal]:
    """Yield all that is not for mails, in a page that may have other flaws."""
    for tag, outlook in _tags(page):
        place = page.offsets[tag.start()]
        if tag["odd"]:
            if outlook and _BEGUN.match(tag.string, tag.start()):
                yield Refusal(place, "within a comment there can be whole tags only")
            continue
        name = (tag["tag"] or "").lower()
        if tag["close"] or not name:
            continue
        if name not in ELEMENTS and not (outlook and name in OUTLOOKS):
            yield Refusal(place, *_unknown(f"<{name}>", name, "elements", ELEMENTS))
            continue
        for attribute in ATTRIBUTE.finditer(page.text, *tag.span("attributes")):
            yield from _in_attribute(page, attribute, shape=":" in name)
    for offset, css in _styles(page):
        yield from (Refusal(offset, message) for message in _in_css(css))


def pictures(page: Page) -> Iterator[tuple[int, str | None]]:
    """Yield where in the file a mail fetches something, and from which host; None where that is not certain. What the
    brand's placeholders name is left out."""
    for tag, _ in _tags(page):
        if not tag["tag"] or tag["close"]:
            continue
        for attribute in ATTRIBUTE.finditer(page.text, *tag.span("attributes")):
            if _last(attribute["name"]) in PICTURES:
                for start in _starts(_value(attribute)):
                    if not start.startswith(OUTPUT):
                        yield page.offsets[attribute.start()], _host(start)
    for offset, css in _styles(page):
        for token in _CSS.finditer(css):
            if token["url"] is not None:
                yield offset, _host(token["url"].strip(" \"'\n\t"))
            for address in _IN_A_TEXT.findall(token["text"] or ""):
                yield offset, _host(address)


def _tags(page: Page) -> Iterator[tuple[re.Match[str], bool]]:
    """Each tag, and whether only Outlook reads it; comments without a condition nobody reads."""
    for token in TOKEN.finditer(page.text):
        if CONDITION.match(token[0]):
            inside = TOKEN.finditer(page.text, token.start() + len("<!--"), token.end() - len("-->"))
            yield from ((tag, True) for tag in inside)
        else:
            yield token, False


def _styles(page: Page) -> Iterator[tuple[int, str]]:
    """Each piece of CSS, and where in the file it stands."""
    read_to = 0  # what looks like a tag within a `<style>` is none
    for tag, _ in _tags(page):
        if not tag["tag"] or tag["close"] or tag.start() < read_to:
            continue
        if tag["tag"].lower() == "style":
            end = _END_OF_STYLE.search(page.text, tag.end())
            read_to = end.start() if end else len(page.text)
            yield page.offsets[tag.start()], page.text[tag.end() : read_to]
        for attribute in ATTRIBUTE.finditer(page.text, *tag.span("attributes")):
            if attribute["name"].lower() == "style":
                yield page.offsets[attribute.start()], html.unescape(_value(attribute))


def _in_attribute(page: Page, attribute: re.Match[str], *, shape: bool) -> Iterator[Refusal]:
    name, value = attribute["name"].lower(), _value(attribute)
    place = page.offsets[attribute.start()]
    if name.startswith("on"):
        yield Refusal(place, f"`{name}`: a mail has no scripts")
    elif not shape and name not in ATTRIBUTES and not name.startswith(FAMILIES):
        yield Refusal(place, *_unknown(name, name, "attributes", ATTRIBUTES))
    elif name == "http-equiv" and html.unescape(value).strip().lower() not in _HTTP_EQUIV:
        yield Refusal(place, "`http-equiv` can be `content-type` or `x-ua-compatible` in a mail, nothing else")
    elif _last(name) in _ADDRESSES:
        for start in _starts(value):
            if wrong := _wrong_address(start, picture=_last(name) in PICTURES):
                yield Refusal(place, f"`{name}`: {wrong}", None if OUTPUT in start else whole_address(start))
                return


def _unknown(shown: str, name: str, kind: str, known: frozenset[str]) -> tuple[str, str | None]:
    why, instead = _WHY.get(name) or (f"it is none of the {kind} that mail programs show", None)
    near = closest_match(name, sorted(known), 0.75) if instead is None and name not in _WHY else None
    return f"`{shown}` cannot stand in a mail: {why}", instead or (near and shown.replace(name, near))


def _wrong_address(start: str, *, picture: bool) -> str | None:
    """What is wrong with an address as far as its first placeholder; None if nothing is, or if it begins with one."""
    literal, placeholder, _ = start.partition(OUTPUT)
    if placeholder and not literal:
        return None
    literal = html.unescape(literal).strip()
    if picture or literal[:4].lower() == "http":
        found = read(literal)
        if isinstance(found, Flaw):
            return f"this is no whole address: {found.problem}"
        return "put a `/` behind the host" if placeholder and not _HOST_ENDS.match(literal) else None
    if literal.startswith("#") or written(literal + "x" * bool(placeholder)) is not None:
        return None
    return NOT_A_LINK


def _in_css(css: str) -> Iterator[str]:
    """Yield what is not for mails."""
    for token in _CSS.finditer(css):
        if token["url"] is not None:
            found = read(token["url"].strip(" \"'\n\t"))
            if isinstance(found, Flaw):
                yield f"`url()`: this is no whole address: {found.problem}"
        elif token["rule"] and _MAKER.sub("", token["rule"][1:].lower(), count=1) not in AT_RULES:
            yield f"`{token['rule']}` cannot stand in a mail: write the styles themselves, in `@media` at most"
        elif token["escape"] and (char := _hidden(token["escape"])):
            yield f"`{token[0]}` stands for `{char}`: write it so"
        elif token["runs"]:
            yield f"`{token['runs']}`: a mail has no scripts"


def _hidden(escape: str) -> str | None:
    """The letter of ASCII that an escape stands for (CSS Syntax Level 3, section 4.3.7)."""
    try:
        char = chr(int(escape, 16))
    except ValueError:  # it is no number, or one that no character has
        char = escape
    return char if char.isascii() and char.isalpha() else None


def _value(attribute: re.Match[str]) -> str:
    value = attribute["value"] or ""
    return value[1:-1] if value[:1] in ('"', "'") else value


def _last(name: str) -> str:
    """The name without its prefix: `href` for `o:href`."""
    return name.lower().rpartition(":")[2]


def _starts(value: str) -> list[str]:
    """With what an address may begin, whatever an `if` in it chooses; where one stands, a placeholder does."""
    first, *others = value.split(STATEMENT)
    if not others:
        return [first]
    return [f"{it}{OUTPUT}" for it in ([first] if first.strip() else others) if it.strip()]


def _host(address: str) -> str | None:
    """The host of an address, if it ends before the first placeholder, and is one."""
    literal, placeholder, _ = html.unescape(address).strip().partition(OUTPUT)
    found = read(literal)
    ends = not placeholder or _HOST_ENDS.match(literal)
    return found.host if ends and isinstance(found, Link) else None
