"""Where in the HTML of a layout a placeholder may stand, and for what.

What an order says is escaped, so it can end neither a tag nor a value; but where a value is an address or a style,
its words alone can do harm. There only the plan speaks, or what was checked before.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from service.rendering.markup import ATTRIBUTE, SAID, STATED, TOKEN, Flaw, Page
from service.rendering.paths import path_of

CHECKED = frozenset({"url", "unsubscribe"})  # addresses, where a file of the layout is given them
_OF_PLAN = frozenset({"brand.logo", "brand.reply_to", "brand.url"})
_COLOURS = frozenset({"brand.color", "brand.on_color"})
_ADDRESSES = frozenset("action background cite data formaction href longdesc poster src srcset usemap".split())
_TEXT_ONLY = re.compile(r"<(?P<tag>style|title)\b[^>]*>(?P<text>.*?)</(?:style|title)", re.DOTALL | re.IGNORECASE)


def flaw(page: Page, given: Collection[str]) -> Flaw | None:
    """The first placeholder that stands where it may not, in a page without other flaws. `given` are the names that
    the file has besides the usual."""
    trusted = _OF_PLAN | (CHECKED & set(given))
    for token in TOKEN.finditer(page.text):
        tag = token["tag"]
        if wrong := _in_tag(page, token, trusted) if tag else _in_comment(token[0]):
            return page.offsets[token.start()], wrong
    for element in _TEXT_ONLY.finditer(page.text):
        if wrong := _in_text(page, element):
            return page.offsets[element.start()], wrong
    return None


def _in_tag(page: Page, token: re.Match[str], trusted: Collection[str]) -> str | None:
    for attribute in ATTRIBUTE.finditer(page.text, *token.span("given")):
        name = attribute["name"].lower()
        said = _said(page, attribute, "value")
        if name.startswith("on"):
            return f"`{name}`: a mail has no scripts"
        if not said:
            continue
        if "content" in said or token["tag"].lower() == "meta":
            return f"`{name}` cannot hold that placeholder"
        if name == "style" and not _COLOURS.issuperset(said):
            return f"within `style` there can be no placeholder but {_listed(_COLOURS)}"
        if name in _ADDRESSES and not set(said) <= set(trusted):
            return f"within `{name}` there can be no placeholder but {_listed(trusted)}"
    return None


def _in_comment(comment: str) -> str | None:
    return "within a comment there can be no placeholder" if SAID in comment or STATED in comment else None


def _in_text(page: Page, element: re.Match[str]) -> str | None:
    if element["tag"].lower() == "style" and (SAID in element["text"] or STATED in element["text"]):
        return "within `<style>` there can be no placeholder"
    return "`content` can stand between elements only" if "content" in _said(page, element, "text") else None


def _said(page: Page, found: re.Match[str], group: str) -> list[str | None]:
    """The names said there; None for what is more than a name."""
    return [path_of(page.said[place]) for place in range(*found.span(group)) if place in page.said]


def _listed(names: Collection[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
