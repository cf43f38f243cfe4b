"""HTML without what only its author needs: each octet of it would be filled, encoded and sent with every mail.

Blanks beside a block are never shown (CSS Text Level 3, section 4.1.2). Which elements are blocks, the styles of a
page may change; where they might, a run of blanks becomes one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from avisa.templates.layout.html_scanner import BLANKS, TOKEN, VOID, styles

_RUN = re.compile(rf"[{BLANKS}]{{2,}}")
_BLOCKS = frozenset(
    "!doctype html head body div table tbody thead tfoot tr td th p h1 h2 h3 h4 h5 h6 ul ol li blockquote hr".split()
)
_PARTS = frozenset({"tbody", "thead", "tfoot", "tr", "td", "th"})  # of a table, if what is around them is one
_OF_HEAD = frozenset({"meta", "title"})
# An element with one of these may be no block, or stand out of the flow.
_IN_DOUBT = re.compile(r"display|position|float|hidden|popover|\ball\b|\\", re.IGNORECASE | re.ASCII)
_NO_BLOCKS = re.compile(
    r"display|position|float|empty|before|after|@import|\ball\b|\bbr\b|\\", re.IGNORECASE | re.ASCII
)
_SHOWS_BLANKS = re.compile(r"white-space|contenteditable|\\", re.IGNORECASE | re.ASCII)


def tightened(html: str) -> str:
    """The same page to every reader, in fewer octets. It must hold no `pre` and no `textarea`."""
    if "white-space" in html or any(map(_SHOWS_BLANKS.search, _attributes(html))):
        return html
    doubt = any(_NO_BLOCKS.search(html, begin.end(), end.start()) for begin, end in styles(html))
    return "".join(_pieces(html, sure=not doubt))


def _attributes(html: str) -> Iterator[str]:
    """Of all tags that have any."""
    for token in TOKEN.finditer(html):
        if token["given"]:
            yield unescape(token["given"])


def _pieces(html: str, *, sure: bool) -> Iterator[str]:
    """The page in pieces; `sure`: blocks are what they are called."""
    opened: list[tuple[str, bool]] = []  # tags, and whether they are blocks
    end, block, within = 0, False, ""
    for token in TOKEN.finditer(html):
        tag = (token["tag"] or "").lower()
        if token["close"]:
            tag, following = opened.pop()
        else:
            within_block = not opened or opened[-1][1] or tag not in _PARTS
            in_head = any(it == "head" for it, _ in opened)
            following = sure and within_block and _is_block(token, tag, in_head=in_head)
            if tag and tag not in VOID:
                opened.append((tag, following))
        text = html[end : token.start()]
        yield text if within == "style" else _text(text, block, following, sure=sure)
        yield token[0]
        end, block = token.end(), following
        within = "" if token["close"] else tag
    yield _text(html[end:], block, following=False, sure=sure)


def _text(text: str, block: bool, following: bool, *, sure: bool) -> str:
    if not sure:
        return _RUN.sub(lambda run: "\n" if "\n" in run[0] else " ", text)
    text = text.lstrip(BLANKS) if block else text
    return text.rstrip(BLANKS) if following else text


def _is_block(token: re.Match[str], tag: str, *, in_head: bool) -> bool:
    """Whether blanks around it, or within it at its edges, are never shown."""
    if not tag:
        return token[0][:9].lower() == "<!doctype" and not token.string[: token.start()].strip(BLANKS)
    given = unescape(token["given"])
    if tag == "br":
        return not given
    floats = tag == "table" and "align" in given.lower()
    return (tag in _BLOCKS or (in_head and tag in _OF_HEAD)) and not floats and not _IN_DOUBT.search(given)
