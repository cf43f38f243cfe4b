"""Where in the HTML of a layout a placeholder may stand, and for what.

What an order says is escaped, so it can end neither a tag nor a value; but where a value is an address, a style or a
name that programs act on, its words alone can do harm. They may be what is shown, or read out, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from avisa.templates.jinja.paths import path_of
from avisa.templates.layout.html_scanner import (
    ATTRIBUTE,
    NOT_READ_AS_HTML,
    SAID,
    STATED,
    TEXT_ONLY,
    TOKEN,
    Flaw,
    Page,
)

_CHECKED = frozenset({"url", "unsubscribe"})  # addresses, where a file of the layout is given them
_OF_PLAN = frozenset({"brand.logo", "brand.reply_to", "brand.url"})
_COLOURS = frozenset({"brand.color", "brand.on_color"})
_LOOKS = frozenset({"style", "bgcolor", "color"})
_WHOLE = re.compile(r"""</?[a-zA-Z](?:[^<>"']++|"[^"]*+"|'[^']*+')*+>""")  # a tag, of Office too
_TAG = re.compile("<(/?)([a-zA-Z][a-zA-Z0-9:]*)")
_BEGUN = re.compile("</?[a-zA-Z]")
_WORDS = re.compile("title|alt|lang|summary|abbr|aria-[a-z]+")  # attributes that are shown, or read out


def flaw(page: Page, given: Collection[str]) -> Flaw | None:
    """The first placeholder that stands where it may not, in a page without other flaws. `given` are the names that
    the file has besides the usual."""
    trusted = _OF_PLAN | (_CHECKED & set(given))
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
    for attribute in ATTRIBUTE.finditer(page.text, *token.span("given")):
        name = attribute["name"].lower()
        said = set(_said(page, *attribute.span("value")))
        if name.startswith("on"):
            return f"`{name}`: a mail has no scripts"
        if "content" in said or (said and tag == "meta"):
            return f"`{name}` cannot hold that placeholder"
        allowed = _COLOURS if name in _LOOKS else trusted
        if said - allowed and not _WORDS.fullmatch(name):
            return f"within `{name}` there can be no placeholder but {_listed(allowed)}"
    return None


def _in_comment(comment: str) -> str | None:
    """Outlook reads what stands in some of them."""
    if SAID in comment or STATED in comment:
        return "within a comment there can be no placeholder"
    if not comment.startswith("<!--[if"):
        return None
    if _BEGUN.search(_WHOLE.sub("", comment)):
        return "within a comment there can be whole tags only"
    opened: list[str] = []
    for close, tag in _TAG.findall(comment):
        if tag.lower() in NOT_READ_AS_HTML and not (close and opened and opened.pop() == tag.lower()):
            if close:
                return f"within a comment, `</{tag}>` closes nothing that was opened there"
            opened.append(tag.lower())
    return f"within a comment, this `<{opened[0]}>` must be closed, too" if opened else None


def _in_text(page: Page, tag: str, start: int, end: int) -> str | None:
    text = page.text[start:end]
    if tag == "style" and (SAID in text or STATED in text):
        return "within `<style>` there can be no placeholder"
    return "`content` can stand between elements only" if "content" in _said(page, start, end) else None


def _said(page: Page, start: int, end: int) -> list[str | None]:
    """The names said there; None for what is more than a name."""
    return [path_of(page.said[place]) for place in range(start, end) if place in page.said]


def _listed(names: Collection[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
