"""Where in the HTML of a layout a placeholder may stand, and for what.

A value of an order is escaped, so it can end neither a tag nor an attribute. But in an address, a style or a name
that programs act on, text alone can do harm. So such values may stand only where they are shown or read out.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from avisa.templates.jinja.paths import path_of
from avisa.templates.layout.html_scanner import (
    ATTRIBUTE,
    CONDITION,
    NOT_READ_AS_HTML,
    OUTPUT,
    STATEMENT,
    TEXT_ONLY,
    TOKEN,
    Flaw,
    Page,
)
from avisa.templates.layout.mail_html import PICTURES

_CHECKED = frozenset({"url", "unsubscribe"})  # addresses, where a file of the layout is given them
_OF_PLAN = frozenset({"brand.logo", "brand.reply_to", "brand.url"})
_OF_PICTURES = frozenset({"brand.logo", "brand.url"})
_COLOURS = frozenset({"brand.color", "brand.on_color"})
_LOOKS = frozenset({"style", "bgcolor", "color"})
_DIRECTION = frozenset({"dir"})  # `ltr` or `rtl`, and nothing else
_WORDS = re.compile("title|alt|lang|summary|abbr|aria-[a-z]+")  # attributes that are shown, or read out


def flaw(page: Page, own: Collection[str]) -> Flaw | None:
    """The first placeholder that stands where it may not, in a page without other flaws. `own` are the names that
    the file has besides the usual."""
    trusted = _OF_PLAN | (_CHECKED & set(own))
    end, within = 0, ""
    for token in TOKEN.finditer(page.text):
        tag = (token["tag"] or "").lower()
        wrong = _in_text(page, within, end, token.start()) if within in TEXT_ONLY else None
        wrong = wrong or (_in_tag(page, token, tag, trusted) if tag else _in_comment(token[0]))
        if wrong:
            return page.offsets[token.start()], wrong
        end, within = token.end(), "" if token["close"] else tag
    return None


def _in_tag(page: Page, token: re.Match[str], tag: str, trusted: frozenset[str]) -> str | None:
    for attribute in ATTRIBUTE.finditer(page.text, *token.span("attributes")):
        name = attribute["name"].lower()
        names = set(_names_in(page, *attribute.span("value")))
        if "content" in names or (names and tag == "meta"):
            return f"`{name}` cannot hold that placeholder"
        allowed = _allowed_in(name, trusted)
        if names - allowed and not _WORDS.fullmatch(name):
            return f"within `{name}` there can be no placeholder but {_listed(allowed)}"
    return None


def _in_comment(comment: str) -> str | None:
    """Outlook reads what stands in some of them."""
    if OUTPUT in comment or STATEMENT in comment:
        return "within a comment there can be no placeholder"
    if not CONDITION.match(comment):
        return None
    opened: list[str] = []
    for token in TOKEN.finditer(comment, len("<!--")):
        tag = (token["tag"] or "").lower()
        if tag in NOT_READ_AS_HTML and not (token["close"] and opened and opened.pop() == tag):
            if token["close"]:
                return f"within a comment, `</{tag}>` closes nothing that was opened there"
            opened.append(tag)
    return f"within a comment, this `<{opened[0]}>` must be closed, too" if opened else None


def _allowed_in(attribute: str, trusted: frozenset[str]) -> frozenset[str]:
    if attribute == "dir":
        return _DIRECTION
    return _COLOURS if attribute in _LOOKS else _OF_PICTURES if attribute in PICTURES else trusted


def _in_text(page: Page, tag: str, start: int, end: int) -> str | None:
    text = page.text[start:end]
    if tag == "style" and (OUTPUT in text or STATEMENT in text):
        return "within `<style>` there can be no placeholder"
    return "`content` can stand between elements only" if "content" in _names_in(page, start, end) else None


def _names_in(page: Page, start: int, end: int) -> list[str | None]:
    """Return the names of the placeholders there; None for an expression that is no name."""
    return [path_of(page.outputs[place]) for place in range(start, end) if place in page.outputs]


def _listed(names: Collection[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
